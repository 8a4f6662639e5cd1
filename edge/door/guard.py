"""The guard: a small process that locks the door when the process that drives it is gone, however it went.

    python -m edge.door.guard --pin 17              waits for its standard input to end, then locks and ends
    python -m edge.door.guard --pin 17 --now        locks at once (for systemd's ExecStopPost)

It holds nothing but one end of a pipe, whose other end is in the driving process. A process that dies, by SIGKILL too,
closes its end; the guard then takes the pin as an output at the locked level. This matters on a Raspberry Pi, whose
kernel leaves a freed output at its last level unless ``dtparam=strict_gpiod`` is set.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from edge.errors import DoorError

_DISMISSED = b"closed\n"
_TRIES, _PAUSE_S = 20, 0.05  # the kernel may need a moment to free the pin of a dead process


class GuardProcess:
    """The driving side: a running guard.

    Args:
        pin: BCM number. active_high: as of the relay.
        mock: let it print instead of driving a pin (tests of the guard itself).

    Raises:
        DoorError: it cannot be started.
    """

    def __init__(self, pin: int, *, active_high: bool = True, mock: bool = False) -> None:
        arguments = [sys.executable, "-m", "edge.door.guard", "--pin", str(pin)]
        arguments += [] if active_high else ["--active-low"]
        arguments += ["--mock"] if mock else []
        try:
            # a session of its own: a Ctrl-C or hang-up meant for the service must not reach it
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, start_new_session=True)
        except OSError as error:
            raise DoorError(f"the guard process cannot be started ({error.strerror})", where="door") from error

    def alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Tell it that the door was locked in good order, and wait for its end."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(_DISMISSED)
            self._process.stdin.flush()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2.0)


def lock(pin: int, active_high: bool, factory: Callable[[], Any]) -> None:
    """Take the pin as an output at the locked level, trying for a second.

    Raises:
        DoorError: the pin could not be had.
    """
    from gpiozero import OutputDevice

    for left in reversed(range(_TRIES)):
        try:
            OutputDevice(pin, active_high=active_high, initial_value=False, pin_factory=factory()).off()
            return
        except Exception as error:
            if not left:
                raise DoorError(
                    f"GPIO {pin} cannot be locked ({error})", where="guard", remedy="cut its power"
                ) from error
            time.sleep(_PAUSE_S)


def main(arguments: list[str] | None = None) -> int:
    """The guard itself; returns an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.door.guard", description="Lock the door when its process dies."
    )
    parser.add_argument("--pin", type=int, required=True, help="BCM number")
    parser.add_argument("--active-low", action="store_true", help="a low level energises the relay")
    parser.add_argument("--now", action="store_true", help="lock at once")
    parser.add_argument("--mock", action="store_true", help="gpiozero's mock pins")
    given = parser.parse_args(arguments)
    # systemd sends SIGTERM to the whole group: the guard outlives the service it watches
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not given.now and sys.stdin.buffer.read() == _DISMISSED:
        return 0
    from edge.door.pins import hardware_factory, mock_factory

    try:
        lock(given.pin, not given.active_low, mock_factory if given.mock else hardware_factory)
    except DoorError as error:
        sys.stderr.write(f"edge: {error}\n")
        return 4
    sys.stderr.write(f"edge: guard: locked GPIO {given.pin}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
