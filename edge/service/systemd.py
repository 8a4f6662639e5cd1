"""What a service tells systemd about itself (sd_notify(3)); nothing happens where no service manager listens.

device.observe(tell_systemd, name="systemd")                       # READY=1, STATUS=..., STOPPING=1
Loop(device, readers, alive=Heartbeat(watchdog_s())).run(stop)     # WATCHDOG=1, fed by frames and by no timer
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

from edge.types.events import DoorFault, Event, Faulted, Ready, Recovered, Stopped, Unfit


def notify(*states: str) -> bool:
    """Send states to the service manager. Returns whether one was told; never raises, never blocks."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.connect("\0" + address[1:] if address.startswith("@") else address)
            sender.send("\n".join(states).encode())
    except OSError:  # a manager that is gone or does not read: the service goes on, and its watchdog tells
        return False
    return True


def watchdog_s() -> float | None:
    """How often WATCHDOG=1 is due: half of what the unit's WatchdogSec allows, as sd_watchdog_enabled(3) advises."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 2e6 if ours and microseconds.isdecimal() and int(microseconds) else None


def passed_socket(name: str) -> socket.socket | None:
    """A listening socket that the service manager has made for this service (sd_listen_fds_with_names(3)).

    Args:
        name: its FileDescriptorName.
    """
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or name not in names:
        return None
    number = 3 + names.index(name)
    os.set_inheritable(number, False)
    return socket.socket(fileno=number)


class Heartbeat:
    """Feeds the service manager's watchdog, as often as it asks and only when it is called.

    Args:
        every_s: from `watchdog_s`; None: nobody watches. clock: seconds, monotonic.
    """

    def __init__(self, every_s: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._clock, self._fed = every_s, clock, float("-inf")

    def __call__(self) -> None:
        """A frame was seen."""
        if self._every_s is not None and self._clock() - self._fed >= self._every_s / 2:
            self._fed = self._clock()
            notify("WATCHDOG=1")


def tell_systemd(event: Event) -> None:
    """An observer: readiness, a line for ``systemctl status``, the end."""
    match event:
        case Ready():
            notify("READY=1", "STATUS=ready")
        case Recovered():
            notify("STATUS=ready")
        case Faulted(what=what) | DoorFault(what=what) | Unfit(what=what):
            notify(f"STATUS={' '.join(what.split())}")
        case Stopped():
            notify("STOPPING=1")
