"""One process a state folder: the one that decides or changes something holds it.

    with FolderLock(state_dir, "edge run"):      # FolderBusy names who holds it

Two processes that decide beside one another would count a card's failures past each other. The lock is the kernel's
(flock), so it goes with its process, however that ends; what stands in the file only names the holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from edge.errors import FolderBusy, StateError
from edge.files import belongs_to, others_may_change, refusal

FILE = "device.lock"
#: A command waits so long for another one that is about to end.
WAIT_S = 10.0
_STEP_S = 0.1


def need_own_folder(folder: Path) -> None:
    """Return when only this user, and root on the way to it, can change what lies in a state folder.

    Raises:
        StateError: another user's, open to others, or reached through a link; a missing one is fine.
    """
    place = folder.absolute()
    for above, owners in ((True, frozenset({0, os.geteuid()})), (False, frozenset({os.geteuid()}))):
        for part in reversed(place.parents) if above else (place,):
            try:
                why = others_may_change(part, owners, above=above)
            except FileNotFoundError:
                return
            except OSError as error:
                raise refusal(StateError, error, part, "the way to the state folder cannot be looked at") from None
            if not why and not above and stat.S_IMODE(part.lstat().st_mode) & 0o077:
                why = "others may read it"
            if not why:
                continue
            remedy = "name the folder itself in device.state_dir; on a device it lies below others that belong to root"
            if not above:
                remedy = belongs_to(part, part.lstat()) if "belongs" in why else f"chmod 700 {part}"
            if "link" in why:
                remedy = "name the folder that the link leads to in device.state_dir"
            what = f"others could change what this device remembers: {why}"
            raise StateError(what, where=str(part), remedy=remedy)


class FolderLock:
    """The right to decide and to change in one state folder.

    Args:
        folder: made when missing (0700). name: of the command, shown to those who wait.
        wait_s: how long to wait for another process. waiting: told its name, once.

    Raises:
        FolderBusy: another process holds it, and went on holding it.
        StateError: the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        wait_s: float = 0.0,
        waiting: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refusal(StateError, error, path, "the state folder cannot be used") from None
        until, told = clock() + wait_s, False
        try:
            while not self._taken():
                self._give_up(clock() >= until, folder)
                if not told:
                    told = True
                    waiting(self._holder())
                sleep(_STEP_S)
            self._sign(f"{name} (process {os.getpid()})")
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let go. Harmless when repeated."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _sign(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, text.encode("utf-8", "replace"), 0)

    def _holder(self) -> str:
        return os.pread(self._fd, 200, 0).decode("utf-8", "replace").strip() or "another process"

    def _give_up(self, late: bool, folder: Path) -> None:
        if late:
            holder = self._holder()
            raise FolderBusy(
                f"{holder} holds this device's state",
                where=str(folder),
                remedy="wait until it has ended, or stop it",
                holder=holder,
            )
