"""An operator's command beside the running service: it erases, rewrites the database, and the service goes on."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from edge.errors import TokenRevoked
from edge.types import Custody
from tests.vault.conftest import NOW

ROOT = Path(__file__).resolve().parents[2]


def test_an_erasure_by_another_process_reaches_the_running_service(device):
    gone, kept = (device.claim(device.enrol(Custody.DEVICE)) for _ in range(2))
    assert len(device.opens(gone)) == len(device.opens(kept)) == 128
    ring = device.keyring
    program = textwrap.dedent(f"""
        from pathlib import Path
        from edge.trust import Keyring
        from edge.state import state_database
        from edge.state.binding import KEY_LABEL, Binding
        from edge.vault import Vault
        ring = Keyring(bytes.fromhex({ring.device_key.hex()!r}), bytes.fromhex({ring.site_id.hex()!r}),
                       bytes.fromhex({ring.site_key.hex()!r}), None)
        folder = Path({str(device.folder)!r})
        binding = Binding(folder, ring.derive(KEY_LABEL))
        vault = Vault.at(folder, ring, state_database(folder), binding)
        receipt = vault.erase(bytes.fromhex({gone.serial.hex()!r}), "olga", now_s={NOW})
        vault.store._file.rebuild()
        assert receipt.traces == 0 and vault.store.checkpoint()
        vault.close()
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.raises(TokenRevoked):
        device.opens(gone)
    assert len(device.opens(kept)) == 128
    device.enrol(Custody.DEVICE)
    device.vault.store.check()
