"""The state file: private, synced, typed in its troubles, and never deleted because of them."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from edge.errors import StateError
from edge.state import Counters, Kind, SqliteFile, set_aside, state_database

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
