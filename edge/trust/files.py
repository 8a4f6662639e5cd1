"""Private and public files of the keyring: written once, atomically; read only when nobody else can.

A private file is a new regular file of mode 0600, written beside its final name, synced and then linked into place, so
that it is either there completely or not at all and never replaces another key. Reading refuses links, wrong owners and
any access for group or others: a key that others could read is not a key any more.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge.errors import KeyringError

#: No file of the keyring is larger; anything beyond it is not one of ours.
MAX_BYTES = 16_384


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` with mode 0700 (parents with the usual mode); an existing one is left as it is.

    Raises:
        KeyringError: it cannot be created, or something else has its name.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KeyringError(
            f"the folder cannot be created ({error.strerror})",
            where=str(folder),
            remedy="create it for this user, or set device.state_dir and device.trust_dir to folders it may write",
        ) from None


def write_new(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write ``data`` to a new file, all or nothing.

    Args:
        path: final name; nothing may have it yet.
        data: the content.
        mode: permission bits, exact (the umask plays no part).

    Raises:
        KeyringError: the name is taken, or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            os.fchmod(handle, mode)
            with os.fdopen(handle, "wb", closefd=False) as file:
                file.write(data)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.link(draft, path)  # unlike a rename, a link fails when the name is taken
        _sync_folder(path.parent)
    except FileExistsError:
        raise KeyringError(
            "the file is already there, and a key is never overwritten",
            where=str(path),
            remedy="choose another name, or move the old key away yourself",
        ) from None
    except OSError as error:
        raise KeyringError(
            f"the key file cannot be written ({error.strerror})",
            where=str(path),
            remedy="use a folder this user may write, on a file system with links and permissions",
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_private(path: Path) -> bytes:
    """The content of a key file that only its owner can read.

    Raises:
        KeyringError: missing, a link, not a regular file, another user's, readable for others, or too large.
    """
    data, status = _read(path)
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyringError("the key file belongs to another user", where=str(path), remedy="chown it to this user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyringError(
            f"others may access this key file (mode {stat.S_IMODE(status.st_mode):04o})",
            where=str(path),
            remedy="chmod 600 it, and consider the key known to others: rotate it",
        )
    return data


def read_public(path: Path) -> bytes:
    """The content of a public file, at most `MAX_BYTES`.

    Raises:
        KeyringError: missing, not a regular file, unreadable, or too large.
    """
    return _read(path)[0]


def writable_by_others(path: Path) -> bool:
    """Whether someone besides root and this user could change ``path`` (owner, group or other write bits)."""
    status = path.stat()
    return status.st_uid not in (0, os.geteuid()) or bool(stat.S_IMODE(status.st_mode) & 0o022)


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyringError("there is no such key file", where=str(path), remedy="run `edge keys init`") from None
    except OSError as error:
        raise KeyringError(
            f"the key file cannot be opened ({error.strerror})", where=str(path), remedy="it must be a regular file"
        ) from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise KeyringError("this is not a regular file", where=str(path), remedy="name the key file itself")
        if status.st_size > MAX_BYTES:
            raise KeyringError("too large for a key file", where=str(path), remedy="name the key file itself")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise KeyringError("too large for a key file", where=str(path), remedy="name the key file itself")
        return data, status
    finally:
        os.close(handle)
