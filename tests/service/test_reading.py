"""Commands that only read: on a medium that is read only, beside a running device, and on files of older versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli import main
from edge.service import open_device
from edge.service.reading import Reading
from edge.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "tests/assets"
NOBODY = 65534

READ = (["journal", "verify"], ["journal", "show"], ["journal", "export"], ["vault", "due"])


@pytest.fixture
def old() -> Iterator[Path]:
    """A device of version 0.1.0: two people enrolled, one accept, two rejects, one card revoked; six entries."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # not pytest's, which others may not enter
    with tarfile.open(ASSETS / "version-0.1.0.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    yield folder / "version-0.1.0"
    shutil.rmtree(folder)


def test_state_vault_and_journal_of_version_0_1_0_go_on(old: Path, capsys):
    tokens = {name: (old / f"{name}.token").read_text().strip() for name in ("ada", "chen")}
    with open_device(old / "device.yaml") as device:
        assert device._ledger.journal.verify().entries == 7, "the six of before, and that they are bound from now on"
        assert len(device._vault.due(2**32 - 2)) == 2
        claim = device._admission.receive(tokens["chen"], 0)
        assert device._limits.standing(claim.serial).rejects == 2
        assert device._vault.store.holder(claim.serial).status == "revoked"
        device._vault.store.check()
        size = device._vault.size(device._admission.receive(tokens["ada"], 0))
        assert size is not None
        device._ledger.journal.write("stopped", cause="signal")
    with open_device(old / "device.yaml") as device:
        assert device._ledger.journal.verify().entries == 8


def test_it_is_read_without_being_brought_up_to_date(old: Path, capsys):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    for command in READ:
        assert main([*command, "--config", str(old / "device.yaml")]) == 0, command
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


#: In a Python of its own: a fork of this one, with its threads, may crash. It becomes nobody once it has done the same
#: to a copy, since neither our Python nor its modules may be theirs to read.
AS_NOBODY = f"""
import contextlib, os, shutil, sys, tempfile
from edge.cli import main
*command, folder = sys.argv[1:]
with tempfile.TemporaryDirectory() as rehearsal, contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
    shutil.copytree(folder, rehearsal, dirs_exist_ok=True)
    main([*command, "--config", rehearsal + "/device.yaml"])
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
sys.exit(main([*command, "--config", folder + "/device.yaml"]))
"""


def as_nobody(old: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user who may change nothing."""
    line = [sys.executable, "-c", AS_NOBODY, *command, str(old)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("command", READ, ids=" ".join)
def test_a_medium_that_cannot_be_written_can_be_read(old: Path, command: list[str]):
    state = old / "state"
    for path in (state, *state.iterdir()):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o500 if path.is_dir() else 0o400)
    for path in (old.parent, old):
        path.chmod(0o755)
    changed = as_nobody(old, "confirm", "clock", "--operator", "kim")
    assert changed.returncode == 3, f"it is read only: {changed.stderr}"
    read = as_nobody(old, *command)
    assert read.returncode == 0, read.stderr


def test_a_running_device_is_read_as_it_is_now(old: Path, capsys):
    settings = load_settings(old / "device.yaml")
    with open_device(old / "device.yaml") as device:
        device._ledger.journal.write("stopped", cause="signal")
        with Reading(settings) as reading:
            assert reading.at_least == 8
            assert reading.journal().entries == 8
    with Reading(settings) as reading:
        assert reading._clock.now().utc_s > 1_790_000_000


def test_what_is_due_has_every_card(old: Path, capsys):
    assert main(["vault", "due", "--config", str(old / "device.yaml"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in answer["rows"]].count("revoked") == 1
    assert answer["journal"]["entries"] == 6
