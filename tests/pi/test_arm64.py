"""The product on arm64 under qemu-user, bit for bit as here: `pytest -m pi tests/pi/test_arm64.py`.

Needs root on Debian or Ubuntu x86-64, a Debian mirror and PyPI; installs what is missing; 3 minutes on two cores. The
self-test runs on an arm64 kernel (test_walls.py): a session's process must have one thread, and the emulator adds one.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.face.test_exact import KNOWN
from tests.pi.guest import HERE, ROOT, work

pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]


class Arm64:
    """Python of a Debian release for arm64, with the product's packages."""

    def __init__(self, suite: str) -> None:
        made = subprocess.run([HERE / "arm64.sh", work(), ROOT, suite], capture_output=True, text=True, timeout=1800)
        assert made.returncode == 0, made.stdout + made.stderr
        self._python = work() / f"arm64-{suite}.sh"

    def run(self, *words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = ["nice", "-n", "5", str(self._python), *words]
        environ = {**os.environ, "EDGE_SOURCE": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=1800)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def arm64(request: pytest.FixtureRequest) -> Arm64:
    return Arm64(request.param)


def test_faces_crops_and_embeddings_have_the_bits_of_x86(arm64):
    done = arm64.run(
        "-c", "import platform; from tests.face.test_exact import digest; print(platform.machine(), digest())"
    )
    assert done.stdout.split() == ["aarch64", KNOWN], done.stdout + done.stderr
