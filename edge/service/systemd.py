"""What a service tells systemd about itself (sd_notify(3)); nothing happens where no service manager listens.

    notify("READY=1")                       # once: doors and camera are open, the self-test says fit
    every = watchdog_s()                    # seconds at which WATCHDOG=1 is due, or None
    notify("WATCHDOG=1")                    # fed by what shows that the device works, never by a timer
    notify("STATUS=the camera is silent")   # a line for `systemctl status`
    notify("STOPPING=1")                    # when SIGTERM was seen
"""

from __future__ import annotations

import os
import socket


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
