"""The state file: private, synced, typed in its troubles, and never deleted because of them."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge.errors import StateError
from edge.state import STATE, Counters, Kind, SqliteFile, is_damaged, set_aside, state_database

CARD = bytes(range(16))


def test_the_file_and_its_log_are_the_owner_s_alone(world, database: SqliteFile):
    Counters(database).next("x")
    assert stat.S_IMODE(world.folder.stat().st_mode) == 0o700
    files = list(world.folder.iterdir())
    assert len(files) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


def test_loose_modes_are_tightened(world):
    state_database(world.folder).close()
    world.folder.chmod(0o755)
    (world.folder / "state.sqlite3").chmod(0o644)
    state_database(world.folder).close()
    assert stat.S_IMODE(world.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((world.folder / "state.sqlite3").stat().st_mode) == 0o600


def test_every_commit_is_synced(database: SqliteFile):
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    assert database.read("PRAGMA synchronous") == [(2,)]


def test_a_checkpoint_empties_the_log(database: SqliteFile):
    Counters(database).next("x")
    log = database.path.with_name("state.sqlite3-wal")
    assert log.stat().st_size > 0
    database.checkpoint()
    assert log.stat().st_size == 0


@pytest.mark.parametrize("damage", [b"not a database at all", b"SQLite format 3\0" + bytes(4096), None])
def test_a_damaged_file_is_a_typed_error_and_stays_where_it_is(world, damage: bytes | None):
    with state_database(world.folder) as database:
        limits = world.limits(database)
        for k in range(300):
            limits.rejected(bytes([k % 256, k // 256]) + CARD[2:])
    path = world.folder / "state.sqlite3"
    content = path.read_bytes()
    broken = damage if damage is not None else content[:4096] + b"\xff" * 8192 + content[12288:]
    path.write_bytes(broken)
    for _ in range(2):
        with pytest.raises(StateError) as refused:
            state_database(world.folder)
        assert "locked" in refused.value.remedy
        assert path.read_bytes() == broken


def test_a_damaged_file_is_set_aside_by_an_operator_and_kept(world):
    state_database(world.folder).close()
    path = world.folder / "state.sqlite3"
    path.write_bytes(b"junk")
    kept = set_aside(path, "2026-11-03T101500")
    assert kept.read_bytes() == b"junk"
    state_database(world.folder).close()


def test_another_program_s_database_is_refused_and_left_alone(world):
    world.folder.mkdir()
    path = world.folder / "state.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StateError, match="another program"):
        state_database(world.folder)


def test_a_database_of_a_newer_version_is_refused(world):
    state_database(world.folder).close()
    db = sqlite3.connect(world.folder / "state.sqlite3")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StateError, match="newer version"):
        state_database(world.folder)


def test_a_later_version_migrates_and_keeps_what_is_there(tmp_path: Path):
    first = Kind("test", 7, ("CREATE TABLE a (x);",), StateError, "")
    second = Kind("test", 7, (*first.migrations, "ALTER TABLE a ADD COLUMN y;\nCREATE TABLE b (z);"), StateError, "")
    with SqliteFile(tmp_path / "f", first) as database, database.write() as db:
        db.execute("INSERT INTO a VALUES (1)")
    with SqliteFile(tmp_path / "f", second) as database:
        assert database.read("SELECT x, y FROM a") == [(1, None)]
        assert database.read("SELECT * FROM b") == []


def test_a_migration_that_fails_changes_nothing(tmp_path: Path):
    first = Kind("test", 7, ("CREATE TABLE a (x);",), StateError, "")
    bad = Kind("test", 7, (*first.migrations, "CREATE TABLE b (z);\nCREATE TABLE a (x);"), StateError, "remedy")
    SqliteFile(tmp_path / "f", first).close()
    with pytest.raises(StateError):
        SqliteFile(tmp_path / "f", bad)
    with SqliteFile(tmp_path / "f", first) as database:
        assert database.read("SELECT name FROM sqlite_schema") == [("a",)]


def test_a_directory_in_place_of_the_file_is_a_typed_error(world):
    (world.folder / "state.sqlite3").mkdir(parents=True)
    with pytest.raises(StateError):
        state_database(world.folder)


def test_a_closed_database_says_so(database: SqliteFile):
    database.close()
    database.close()
    with pytest.raises(StateError, match="closed"):
        Counters(database).next("x")


def test_a_failed_transaction_leaves_nothing(database: SqliteFile):
    def change() -> None:
        with database.write() as db:
            db.execute("INSERT INTO counter VALUES ('x', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert Counters(database).value("x") == 0


def test_counters_only_go_up(database: SqliteFile):
    counters = Counters(database)
    assert [counters.value("a"), counters.next("a"), counters.next("a")] == [0, 1, 2]
    counters.raise_to("a", 9)
    counters.raise_to("a", 8)
    assert counters.value("a") == 9
    assert counters.value("b") == 0


def test_threads_and_processes_share_it(world, database: SqliteFile):
    def work() -> None:
        with state_database(world.folder) as own:
            for _ in range(10):
                Counters(database).next("n")
                Counters(own).next("n")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counters(database).value("n") == 60


class Failing:
    """A connection of which every statement fails with one of SQLite's codes, and with a text that says nothing."""

    def __init__(self, code: int) -> None:
        self.code = code

    def execute(self, *_: object) -> None:
        error = sqlite3.OperationalError("something")
        error.sqlite_errorcode, error.sqlite_errorname = self.code, "SQLITE_SOMETHING"
        raise error


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "the disk did not read or write it"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, "the disk did not read or write it"),
        (sqlite3.SQLITE_BUSY, "another process"),
        (sqlite3.SQLITE_LOCKED, "another process"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "cannot be opened or written"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened or written"),
        (sqlite3.SQLITE_NOMEM, "SQLITE_SOMETHING"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_NOTADB, "damaged"),
    ],
)
def test_sqlite_s_code_says_what_is_wrong_and_not_its_text(world, monkeypatch, code: int, told: str):
    database = state_database(world.folder)
    monkeypatch.setattr(database, "_db", Failing(code))
    with pytest.raises(StateError, match=told) as refused:
        database.read("SELECT 1")
    assert ("edge confirm state" in refused.value.remedy) == (told == "damaged")
    # systemd starts a unit anew that ended with 4; 3 is for what only a person corrects
    assert refused.value.exit_code == (3 if told == "damaged" else 4)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from edge.errors import StateError
from edge.state import STATE, Counters, is_damaged, state_database

folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = (folder / "state.sqlite3").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size))     # every file ends there, as on a disk that is full
try:
    with state_database(folder) as database:
        for k in range(1000):
            Counters(database).next(f"counter {k}")
except StateError as error:
    print(error.what, "|", error.remedy, "|", is_damaged(folder / "state.sqlite3", STATE))
"""


def test_a_disk_that_takes_no_more_is_not_damage(world):
    with state_database(world.folder) as database:
        Counters(database).raise_to("x", 7)
    done = subprocess.run([sys.executable, "-c", FULL_DISK, world.folder], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(("the disk is full", "the disk did not")), done
    assert done.stdout.strip().endswith("| False")
    with state_database(world.folder) as database:
        assert Counters(database).value("x") == 7


def test_damage_is_what_sqlite_cannot_read(world, tmp_path):
    with state_database(world.folder) as database:
        Counters(database).raise_to("x", 7)
        assert not is_damaged(database.path, STATE), "also while its log is in use"
    path = world.folder / "state.sqlite3"
    assert not is_damaged(path, STATE)
    path.write_bytes(b"junk" * 1000)
    assert is_damaged(path, STATE)
    assert not is_damaged(tmp_path / "none", STATE)
    assert not is_damaged(tmp_path, STATE), "a folder is no damaged file"


def test_a_copy_to_read_has_what_the_log_holds_and_leaves_everything_as_it_is(world, database: SqliteFile):
    Counters(database).raise_to("x", 7)
    before = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    assert len(before["state.sqlite3-wal"]) > 0
    with state_database(world.folder, read_only=True) as copy:
        assert Counters(copy).value("x") == 7
        Counters(copy).raise_to("x", 8)
    after = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    before.pop("state.sqlite3-shm"), after.pop("state.sqlite3-shm")  # readers' locks
    assert after == before
    assert Counters(database).value("x") == 7
    with state_database(world.folder / "none", read_only=True) as empty:
        assert Counters(empty).value("x") == 0
    assert not (world.folder / "none").exists()


def test_a_log_that_a_power_cut_left_behind_is_read_too(world, database: SqliteFile, tmp_path: Path):
    Counters(database).raise_to("x", 7)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("state.sqlite3", "state.sqlite3-wal"):
        (left / name).write_bytes((world.folder / name).read_bytes())
    with state_database(left, read_only=True) as copy:
        assert Counters(copy).value("x") == 7
    assert len(list(left.iterdir())) == 2


def test_an_index_that_a_full_disk_left_half_made_is_passed_over(world):
    with state_database(world.folder) as database:
        Counters(database).raise_to("x", 7)
    (world.folder / "state.sqlite3-shm").write_bytes(b"abc")
    (world.folder / "state.sqlite3-wal").write_bytes(b"")
    assert not is_damaged(world.folder / "state.sqlite3", STATE)
    with state_database(world.folder, read_only=True) as copy:
        assert Counters(copy).value("x") == 7
