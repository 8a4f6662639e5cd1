"""Files: written atomically, and read only while they are what they should be.

    with atomic(path, mode=0o600) as file:              # whole or not at all, and on the disk when the block ends
        file.write(data)
    write_atomic(path, data, mode=0o600, new=True)             # the same for bytes; `new`: the name must be free

    data = read_file(path, limit=16_384, kind=KeyringError, noun="key file", private=True)
    raise refusal(KeyringError, error, path, "the key file cannot be written") from None
    check_writable(path, suffix=".png")                        # before an hour of work, not after it

Writing raises `OSError`, since each room has its own words for what could not be written; `refusal` turns it into a
typed error whose remedy is true for this file, this user and this cause. Reading raises the caller's own kind of error.
Nothing but the standard library is imported: the build hook and the command line's start use it.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import BinaryIO, TypeVar

from edge.errors import EdgeError, InputError

E = TypeVar("E", bound=EdgeError)


@contextmanager
def atomic(path: Path, *, mode: int | None = None, new: bool = False, stick: bool = False) -> Iterator[BinaryIO]:
    """A draft in the same folder that takes the name ``path`` when the block ends without an error.

    The draft is synced before it is renamed and its folder afterwards, so that a power cut leaves the old content or
    the new one. A link of that name is replaced, never followed. What a killed process left is swept by the next one.

    Args:
        path: the final name.
        mode: exact permission bits; None keeps those of the file that is replaced, else follows the umask.
        new: nothing may have the name yet.
        stick: the file may go to a USB stick whose file system has neither permissions nor hard links (FAT).

    Raises:
        OSError: `FileExistsError` when ``new`` and the name is taken; then, as after any error, nothing is left behind.
    """
    if mode is None and not new:
        with suppress(FileNotFoundError):
            old = path.lstat()
            mode = stat.S_IMODE(old.st_mode) if stat.S_ISREG(old.st_mode) else None
    _sweep(path)
    draft, handle = _draft(path, 0o666 if mode is None else mode)
    try:
        with os.fdopen(handle, "w+b") as file:
            try:
                if mode is not None:
                    os.fchmod(handle, mode)
            except PermissionError:
                if not stick:
                    raise
            yield file
            file.flush()
            os.fsync(handle)
            if new:
                _claim(draft, path, stick)
            else:
                draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except OSError:
        if new:
            path.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, data: bytes, *, mode: int | None = None, new: bool = False, stick: bool = False) -> None:
    """Write ``data`` as `atomic` does. Raises `OSError`."""
    with atomic(path, mode=mode, new=new, stick=stick) as file:
        file.write(data)


def check_writable(path: Path, *, suffix: str = "") -> None:
    """Find out before long work what would stop its file at the end: a draft is made in the folder, and removed.

    Args:
        suffix: what the name must end with, such as ``.png``; a name in capitals counts.

    Raises:
        InputError: another suffix, a folder, or the file cannot be written.
    """
    if suffix and path.suffix.lower() != suffix:
        remedy = f"name a {suffix} file"
        raise InputError(f"what is written is a {suffix} file", where=str(path), remedy=remedy)
    try:
        if path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
        else:
            draft, handle = _draft(path, 0o600)
            draft.unlink()
            os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise refusal(InputError, error, path, "this cannot be written") from None


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot sync folders, such as some network ones
            raise
    finally:
        os.close(handle)


def _draft(path: Path, mode: int) -> tuple[Path, int]:
    """A new file beside ``path``, locked as long as it is open, which tells `_sweep` that it is being written."""
    while True:
        draft = path.with_name(f".{path.name[:40]}.{os.urandom(6).hex()}.new")
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with suppress(OSError):  # not every network file system has locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return draft, handle
        os.close(handle)  # swept between its making and its lock


def _sweep(path: Path) -> None:
    """Remove drafts of this file whose process is gone: they may hold what should be deleted long ago."""
    with suppress(OSError):
        for draft in path.parent.glob(f".{glob.escape(path.name[:40])}.{'[0-9a-f]' * 12}.new"):
            handle = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()
            except BlockingIOError:
                continue
            finally:
                os.close(handle)


def _claim(draft: Path, path: Path, stick: bool) -> None:
    """Give the draft a name that must be free; unlike a rename, a hard link fails when it is taken."""
    try:
        os.link(draft, path)
    except OSError as error:
        if not stick or error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        draft.replace(path)


def read_file(
    path: Path,
    *,
    limit: int,
    kind: type[E],
    noun: str = "file",
    private: bool = False,
    missing: str = "check the name",
) -> bytes:
    """The content of a regular file; a link is not followed, a pipe or device not waited for.

    Args:
        path: the file. limit: most bytes. kind: of the errors. noun: what it is, for messages.
        private: only its owner may have access to it, and that is this process's user or root.
        missing: the remedy when there is no such file.

    Raises:
        EdgeError: of ``kind``: missing, unreadable, a link, not a regular file, too large, or (private) another user's
            or open to others.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise kind(f"there is no such {noun}", where=str(path), remedy=missing) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise refusal(kind, error, path, f"the {noun} cannot be opened") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise kind("this is not a regular file", where=str(path), remedy=f"name the {noun} itself")
        if private:
            _check_private(path, status, kind, noun)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise refusal(kind, error, path, f"the {noun} cannot be read") from None
    finally:
        os.close(handle)
    if len(data) > limit:
        raise kind(f"too large for a {noun}", where=str(path), remedy=f"name the {noun} itself")
    return data


def utf8(data: bytes, *, where: str, kind: type[E]) -> str:
    """UTF-8 text as editors write it: a byte order mark is dropped, CR LF and CR end lines as LF does.

    Raises:
        EdgeError: of ``kind``: another encoding. The content is in no message.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"this is not UTF-8 text (byte {error.start + 1})"
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]:
            what = "this is UTF-16 text, not UTF-8"
        raise kind(what, where=where, remedy="save it in the encoding UTF-8") from None
    if "\0" in text[:2]:  # UTF-16 without its mark, of letters that ASCII has, too
        raise kind("this is UTF-16 text, not UTF-8", where=where, remedy="save it in the encoding UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def visible_files(folder: Path, suffix: str) -> list[Path]:
    """The files of a folder with this suffix, by name. Hidden ones, such as the ``._x.pub`` that macOS adds, are none.

    Raises:
        OSError: the folder cannot be read; one that is missing is empty.
    """
    try:
        return sorted(p for p in folder.iterdir() if p.name.endswith(suffix) and not p.name.startswith("."))
    except FileNotFoundError:
        return []


def refusal(kind: type[E], error: Exception, path: Path, what: str) -> E:
    """The typed error for what the operating system refused.

    Args:
        kind: its class. error: as caught. path: of the file. what: could not be done, such as "it cannot be written".
    """
    reason = getattr(error, "strerror", None) or "not a file name"
    reason = "it is a link" if getattr(error, "errno", None) == errno.ELOOP else reason
    return kind(f"{what} ({reason})", where=str(path), remedy=_remedy(error, path))


def _remedy(error: Exception, path: Path) -> str:
    code = getattr(error, "errno", None)
    if code in (errno.EACCES, errno.EPERM):
        return _permission(path)
    if code == errno.EROFS:
        return (
            f"it is mounted read-only, maybe after a disk's errors (`dmesg`): mount -o remount,rw {_mount_point(path)}"
        )
    return {
        errno.ENOSPC: f"make room; `df -h {path.parent}` shows how much there is",
        errno.EDQUOT: "make room: this user's quota is used up",
        errno.ELOOP: "name the file that it leads to",
        errno.EEXIST: "choose another name",
        errno.ENOENT: "check the name; its folder must exist",
        errno.ENOTDIR: "check the name; a part of it is a file, not a folder",
        errno.EISDIR: "this is a folder; name a file",
        errno.ENXIO: "this is a socket or a device; name the file itself",
    }.get(code or 0, "check the name and the disk")


def _mount_point(path: Path) -> str:
    """Where the file system lies on which something is, or would be."""
    places = (path.absolute(), *path.absolute().parents)
    return shlex.quote(str(next(place for place in places if place.is_mount())))


def _permission(path: Path) -> str:
    """Whose the file, or the first folder that keeps this user out, is."""
    folders = reversed(path.absolute().parents)
    barred = next((folder for folder in folders if not os.access(folder, os.X_OK, effective_ids=True)), None)
    place = barred or (path if path.exists() and not os.access(path, os.R_OK, effective_ids=True) else path.parent)
    wanted = os.R_OK | os.W_OK | (os.X_OK if place is not path else 0)
    if os.access(place, wanted, effective_ids=True):
        return "check whether it is immutable: lsattr shows it"
    status = place.stat()
    if status.st_uid != os.geteuid():
        other = (
            f"{user_name(os.geteuid())} may not enter {shlex.quote(str(place))}: use another folder; or "
            if barred
            else ""
        )
        return other + belongs_to(place, status)
    return f"chmod u+rw{'' if place is path else 'x'} {place}"


def belongs_to(path: Path, status: os.stat_result) -> str:
    """What to do about another user's file: be that user, since a file that changes hands is lost to who used it.

    Only a file that lies in this user's own folder is the one that is out of place.
    """
    owner = user_name(status.st_uid)
    if stat.S_ISREG(status.st_mode) and path.parent.stat().st_uid == os.geteuid() != 0:
        me = user_name(os.geteuid())
        return f"it belongs to {owner} and lies in a folder of {me}: sudo chown {me} {shlex.quote(str(path))}"
    if status.st_uid == 0:
        return "it belongs to root: sudo edge ..."
    if owner.isdigit():  # sudo knows only users that have a name
        way = f"sudo setpriv --reuid={status.st_uid} --regid={status.st_gid} --clear-groups edge ..."
        return f"run it as the owner, user {owner}: {way}"
    if os.geteuid() == 0 and which("sudo") is None:  # a bare Debian
        group = pwd.getpwuid(status.st_uid).pw_gid
        return f"run it as the owner: setpriv --reuid={owner} --regid={group} --init-groups edge ..."
    return f"run it as the owner: sudo -u {owner} edge ..."


def others_may_change(place: Path, owners: frozenset[int], *, above: bool = False) -> str:
    """Why others than ``owners`` could change what lies at a place, in words; empty when they could not.

    Args:
        place: is never followed, so a link is a reason. owners: user numbers.
        above: it is only on the way: a folder with the sticky bit (/tmp) may be written by others, who can add names
            there, but not take away one that is not theirs.

    Raises:
        FileNotFoundError: nothing is there.
    """
    status = place.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return "it is a link"
    if status.st_uid not in owners:
        return "it belongs to another user"
    if mode & 0o022 and not (above and mode & stat.S_ISVTX):
        return f"others may write it (mode {mode:04o})"
    return ""


def user_name(uid: int) -> str:
    """The name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _check_private(path: Path, status: os.stat_result, kind: type[E], noun: str) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise kind(f"this {noun} belongs to another user", where=str(path), remedy=belongs_to(path, status))
    # a credential of systemd's is root's; its group's bits are the mask of a list that names the service's user alone
    credential = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o440)
    if stat.S_IMODE(status.st_mode) & 0o077 and not credential:
        raise kind(
            f"others may access this {noun} (mode {stat.S_IMODE(status.st_mode):04o})",
            where=str(path),
            remedy=f"chmod 600 {shlex.quote(str(path))}, and consider what is in it known to others",
        )
