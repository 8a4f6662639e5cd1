"""One SQLite file that tells the truth after a power cut.

A commit returns when its data is on the disk: WAL with ``synchronous=FULL`` syncs the log at every commit. The file is
0600 in a folder 0700; SQLite gives its ``-wal`` and ``-shm`` files the same mode as the database. Versions are counted
in ``PRAGMA user_version``; each migration is one script, applied in one transaction. Damage, a foreign file, a newer
version and a full disk are typed errors with a remedy, and nothing is ever deleted because of them. Which of them it is
SQLite's result code says (https://www.sqlite.org/rescode.html), never its text: a full disk may read "disk I/O error".
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from edge.errors import EdgeError
from edge.files import refusal

Row = tuple[Any, ...]

_WAIT_MS = 5000  # another process (an operator's command beside the running service) may hold the write lock so long

#: SQLite's primary result codes of a file whose content is wrong. SQLITE_ERROR: a table or column is missing.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR})
_COLUMNS = "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'"
_NO_ACCESS = ("it cannot be opened or written", "check the owner and mode of the file and its folder")
_LOCKED = ("another process keeps it locked", "wait for the other command to end, then try again")
#: A log's index that cannot be used: a medium that is read only, a disk that was full when it was made.
_NO_INDEX = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR})
#: The others -> what is wrong, and the remedy. The file is whole after all of these.
_TROUBLES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "make room; nothing was changed"),
    sqlite3.SQLITE_IOERR: (
        "the disk did not read or write it",
        "look for a full disk (df), then for errors of the disk (dmesg); nothing was changed",
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _NO_ACCESS,
    sqlite3.SQLITE_CANTOPEN: _NO_ACCESS,
    sqlite3.SQLITE_PERM: _NO_ACCESS,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is for, and how its troubles are named.

    Attributes:
        name: in words, for messages. application_id: SQLite's 32-bit tag in the file's header.
        migrations: one SQL script a version, oldest first.
        error: raised for every trouble; remedy: for damage.
        check: run ``PRAGMA quick_check`` when opening (small files only: it reads every page), and miss no column.
        secure_delete: overwrite deleted content with zeros.
    """

    name: str
    application_id: int
    migrations: tuple[str, ...]
    error: type[EdgeError]
    remedy: str
    check: bool = False
    secure_delete: bool = False


class SqliteFile:
    """An open database; safe to share between threads, and between processes.

    Args:
        path: the file; it and its folder are made when missing.
        kind: what it is for.
        read_only: work on a copy in memory, of this moment (empty without a file); the medium stays as it is.

    Raises:
        EdgeError: of ``kind.error``: damaged, another program's, newer than this build, not writable.
    """

    def __init__(self, path: Path, kind: Kind, *, read_only: bool = False) -> None:
        self.path, self.kind = path, kind
        self._lock = threading.RLock()
        with self._typed():
            if not read_only:
                _private_file(path)
            self._db = _in_memory(path) if read_only else _connect(path)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed, and on the disk, when the block ends; undone when it raises."""
        with self._lock, self._typed():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # a full disk has undone it already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several reads of one and the same state, without keeping other processes from writing."""
        with self._lock, self._typed():
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of one SELECT."""
        with self._lock, self._typed():
            return self._db.execute(sql, values).fetchall()

    def checkpoint(self) -> bool:
        """Move the log into the database and cut it to zero bytes, so that no deleted content stays in it.

        Returns:
            Whether it is empty now; another process that reads at this moment prevents it.
        """
        with self._lock, self._typed():
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def rebuild(self) -> None:
        """Write the whole database anew, without free space in it, and so without what lay there."""
        with self._lock, self._typed():
            self._db.execute("VACUUM")

    def serialized(self) -> bytes:
        """The bytes of the database, free pages included."""
        with self._lock, self._typed():
            return self._db.serialize()

    def check(self) -> None:
        """Read every page.

        Raises:
            EdgeError: of the kind's type, when SQLite finds damage.
        """
        with self._lock, self._typed():
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise self._damaged()

    def close(self) -> None:
        """Write the log back and close. Harmless when repeated."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        run = self._db.execute
        if self.kind.secure_delete:
            run("PRAGMA secure_delete=ON")
        run("PRAGMA journal_mode=WAL").fetchall()
        run("PRAGMA synchronous=FULL")
        run("PRAGMA foreign_keys=ON")
        run("PRAGMA trusted_schema=OFF")
        if self.kind.check:
            self.check()
        self._migrate()
        if self.kind.check and not self._columns() <= set(run(_COLUMNS)):
            raise self._damaged()

    def _migrate(self) -> None:
        latest = len(self.kind.migrations)
        with self.write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tag = db.execute("PRAGMA application_id").fetchone()[0]
            tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if tag != self.kind.application_id and (version or tag or tables):
                raise self.kind.error("this is another program's database", where=str(self.path), remedy="move it away")
            if version > latest:
                raise self.kind.error(
                    f"it was written by a newer version of this product (format {version}, this build knows {latest})",
                    where=str(self.path),
                    remedy="install that version again",
                )
            for script in self.kind.migrations[version:]:
                # not executescript: it would commit our transaction first
                for statement in _statements(script):
                    db.execute(statement)
            if version < latest:
                db.execute(f"PRAGMA application_id={self.kind.application_id}")
                db.execute(f"PRAGMA user_version={latest}")

    def _columns(self) -> set[Row]:
        """What the migrations make: (table, column)."""
        with closing(_connect(":memory:")) as fresh:
            for script in self.kind.migrations:
                for statement in _statements(script):
                    fresh.execute(statement)
            return set(fresh.execute(_COLUMNS))

    @contextmanager
    def _typed(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise self.kind.error(f"{self.kind.name}: {error}", where=str(self.path)) from error
        except sqlite3.ProgrammingError as error:
            raise self.kind.error("it is closed", where=str(self.path), remedy="open it again") from error
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        except OSError as error:
            raise refusal(self.kind.error, error, Path(error.filename or self.path), "it cannot be used") from error

    def _damaged(self) -> EdgeError:
        return self.kind.error(f"{self.kind.name}: damaged", where=str(self.path), remedy=self.kind.remedy)

    def _trouble(self, error: sqlite3.Error) -> EdgeError:
        code = _primary(error)
        if code in _DAMAGE:
            return self._damaged()
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        what, remedy = _TROUBLES.get(code, (f"SQLite refused it ({name})", "try again; restart the device"))
        trouble = self.kind.error(what, where=str(self.path), remedy=remedy)
        # Nothing that was handed in is wrong: the machine is unfit, and may be fit again. systemd starts a unit anew
        # that ended with 4, and lets one lie that ended with 3 (deploy/edge-verifier.service).
        trouble.exit_code = 4
        return trouble


def is_damaged(path: Path, kind: Kind) -> bool:
    """Whether a database's content is wrong, as opening it says; it is asked of a copy.

    A full disk, a lock, a file that may not be read and a newer version are no damage.
    """
    try:
        SqliteFile(path, kind, read_only=True).close()
    except EdgeError as error:
        return error.remedy == kind.remedy
    return False


def set_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged database, with its log, so that a new one can begin; nothing is deleted.

    Args:
        stamp: appended to the name, such as ``2026-11-03T101500``.

    Returns:
        The new path of the database.
    """
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("-wal", "-shm", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    return target


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner enters (0700), or tighten it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code: the low byte of the extended one. 0: Python's own error, without a code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path | str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAIT_MS / 1000, uri=uri)


def _in_memory(path: Path) -> sqlite3.Connection:
    """A copy of a database and its log in memory, empty without a file; nothing is written beside it.

    Not even the log's index (-shm), which SQLite makes where it is missing: made by root, it locks out the service.

    Raises:
        sqlite3.Error, OSError: it cannot be read.
    """
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    memory = _connect(":memory:")
    try:
        if not path.exists() or not path.stat().st_size:
            return memory
        if index.exists():  # some process has it open, or had when the power went
            try:
                return _copied(f"{path.absolute().as_uri()}?mode=ro", memory)
            except sqlite3.OperationalError as error:
                if _primary(error) not in _NO_INDEX:
                    raise
        if not log.exists() or not log.stat().st_size:  # then nothing changes the file, as `immutable` asserts
            return _copied(f"{path.absolute().as_uri()}?immutable=1", memory)
        with TemporaryDirectory() as folder:
            for part in (path, log):
                shutil.copyfile(part, Path(folder, part.name))
            return _copied(Path(folder, path.name).as_uri(), memory)
    except BaseException:
        memory.close()
        raise


def _copied(uri: str, memory: sqlite3.Connection) -> sqlite3.Connection:
    with closing(_connect(uri, uri=True)) as source:
        source.backup(memory)
    return memory


def _private_file(path: Path) -> None:
    private_folder(path.parent)
    if path.is_dir():
        raise IsADirectoryError(21, "it is a directory", str(path))
    # made before SQLite sees it, so that no moment exists at which others could open it
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError("a migration ends in the middle of a statement")
