"""Faults as an installer meets them: the check names each, its remedy is carried out to the letter, and it is gone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import main
from edge.selftest import Level, Result
from tests.service.test_fitness import (
    Subject,
    altered_entry,
    altered_row,
    another_issuer,
    damaged_state,
    far_from_the_time,
    no_device_key,
    root_s_file,
    tripped,
)


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    return Subject(tmp_path, monkeypatch)


def looked(it: Subject, check: str) -> Result:
    (result,) = it.run(check, level=Level.PERIODIC).results
    return result


def in_a_shell(it: Subject, remedy: str) -> None:
    """The command that stands in a remedy: as it is, behind `as root:` where it needs root."""
    command = re.search(r"(?:as root: |^)((?:chmod|chown|echo) [^,]+)", remedy)
    assert command, f"no command in {remedy!r}"
    subprocess.run(command[1], shell=True, check=True)


def by_edge(it: Subject, remedy: str) -> None:
    """The operator's command of a remedy, with the one thing that a person has to put in: their name."""
    command = re.search(r"edge ((?:[a-z-]+ )+)--operator NAME", remedy)
    door = re.search(r"edge reset --door", remedy)
    assert command or door, f"no command in {remedy!r}"
    words = ["reset", "--door"] if door else command[1].split() if command else []
    assert main([*words, "--operator", "kim", "--config", str(it.config)]) == 0


def from_its_backup(it: Subject, remedy: str) -> None:
    assert "restore the vault from its backup" in remedy
    shutil.copy(it.folder / "backup.sqlite3", it.state / "vault.sqlite3")
    for name in ("vault.sqlite3-wal", "vault.sqlite3-shm"):
        (it.state / name).unlink(missing_ok=True)
    by_edge(it, remedy)


def moved_away(it: Subject, remedy: str) -> None:
    """For who has no backup: the same remedy's second half."""
    assert "move the file away" in remedy
    for path in it.state.glob("vault.sqlite3*"):
        path.rename(it.folder / f"moved-{path.name}")
    by_edge(it, remedy)


def junk(it: Subject) -> None:
    (it.state / "vault.sqlite3").write_bytes(b"junk" * 2000)


def altered_with_a_backup(it: Subject) -> None:
    shutil.copy(it.state / "vault.sqlite3", it.folder / "backup.sqlite3")
    altered_row(it)


def open_key(it: Subject) -> None:
    (it.state / "device.key").chmod(0o644)


def open_folder(it: Subject) -> None:
    """Of a device that does not open; one that opens closes it by itself."""
    no_device_key(it)
    it.state.chmod(0o755)


def without_vault(it: Subject) -> None:
    (it.state / "vault.sqlite3").unlink()


FAULTS: list[tuple[str, Callable[[Subject], object], str, Callable[[Subject, str], None]]] = [
    ("keys", open_key, "others may access this key file (mode 0644)", in_a_shell),
    ("issuers", another_issuer, "is not trusted: its cards are refused", in_a_shell),
    ("state-folder", open_folder, "other users can look into it", in_a_shell),
    ("state-folder", root_s_file, "it belongs to another user than its folder", in_a_shell),
    ("clock", far_from_the_time, "days ahead of the system clock", by_edge),
    ("fan-out-guard", tripped, "it has tripped", by_edge),
    ("device", damaged_state, "damaged", by_edge),
    ("journal", altered_entry, "entry 4 was altered", by_edge),
    ("vault", altered_with_a_backup, "the row of card ", from_its_backup),
    ("vault", altered_row, "the row of card ", moved_away),
    ("vault", junk, "damaged", moved_away),
    ("vault", without_vault, "the vault is missing", by_edge),
]


@pytest.mark.parametrize(
    ("check", "break_it", "told", "carry_out"), FAULTS, ids=[f"{f[0]}-{f[1].__name__}" for f in FAULTS]
)
def test_a_remedy_that_is_carried_out_to_the_letter_mends_it(
    subject: Subject, check: str, break_it: Callable[[Subject], object], told: str, carry_out: Callable[..., None]
):
    break_it(subject)
    before = looked(subject, check)
    assert not before.ok
    assert told in before.what
    carry_out(subject, before.remedy)
    after = looked(subject, check)
    assert after.ok, after.what


def on_a_disk(it: Subject) -> Path:
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a disk")
    disk = it.folder.parent / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", disk], capture_output=True)
    if done.returncode:
        pytest.skip("this machine mounts nothing")
    for path in it.state.iterdir():
        shutil.copy2(path, disk)
    it.set("state_dir: state", f"state_dir: {disk}")
    return disk


def test_a_full_disk_is_no_damage_and_room_is_all_it_needs(subject: Subject):
    disk = on_a_disk(subject)
    try:
        subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'big'}", "bs=1M", "status=none"], stderr=subprocess.DEVNULL)
        room, whole = looked(subject, "state-folder"), looked(subject, "vault")
        assert "0 MiB are free" in room.what
        assert "make room" in room.remedy
        assert whole.ok, "a full disk is not damage"
        assert main(["confirm", "state", "--operator", "kim", "--config", str(subject.config)]) == 4, "nothing to renew"
        (disk / "big").unlink()
        assert looked(subject, "device").ok
        assert not list(disk.glob("*.damaged-*"))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_disk_that_is_read_only_is_read_and_mounted_again(subject: Subject):
    disk = on_a_disk(subject)
    try:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert looked(subject, "journal").ok
        told = looked(subject, "device")
        assert not told.ok
        remount = re.search(r"mount -o remount,rw \S+", told.remedy)
        assert remount, told.remedy
        subprocess.run(remount[0], shell=True, check=True)
        assert looked(subject, "device").ok
    finally:
        subprocess.run(["umount", disk], check=True)
