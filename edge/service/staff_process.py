"""The operator's pages beside a device that serves claims: their process, started anew when it ends.

    with operator_pages(settings, failed, recovered=...) as url:
        Loop(device, readers, acts=acts).run(stop)

The socket is bound here, so that a port that is taken is told at once, and handed to the process; see
`edge.service.staff` for what that holds.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from edge import _isolated
from edge.errors import KioskError
from edge.kiosk import bound, loopback
from edge.settings.model import Settings
from edge.trust import ISSUER_FILE
from edge.vault import zone_of

#: Pause before a process that ended is started anew; twice as long each time up to the last.
_AGAIN_S, _AGAIN_MAX_S = 1.0, 60.0
#: One that was started anew and lived for so long works again.
_LIVED_S = 60.0
#: `edge.kiosk.desk` needs what is not installed: an import error ends Python with 1, before anything was served.
_STOP_S = 3.0


@contextlib.contextmanager
def operator_pages(
    settings: Settings,
    failed: Callable[[KioskError], None],
    listener: socket.socket | None = None,
    *,
    recovered: Callable[[int], None] = lambda _: None,
) -> Iterator[str]:
    """Serve the operator's pages while the block runs.

    Args:
        settings: with a section ``kiosk`` and its ``operator_port``.
        failed: told when the process has ended by itself, once until it has recovered; from a thread of its own.
        listener: a socket that listens already, on loopback; None: one is made.
        recovered: told after how many falls one has lived for a while again; from the same thread.

    Yields:
        The address of the pages.

    Raises:
        KioskError: the port is taken.
    """
    kiosk = settings.kiosk
    assert kiosk is not None
    assert kiosk.operator_port is not None
    port = kiosk.operator_port
    one = bound(port, "kiosk.operator_port") if listener is None else loopback(listener, port, "edge-operator.socket")
    stop = threading.Event()
    told = (one, _told(settings), failed, recovered, stop)
    keeper = threading.Thread(target=_keep, args=told, name="desk", daemon=True)
    keeper.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop.set()
        keeper.join(timeout=_STOP_S)
        one.close()


def _told(settings: Settings) -> bytes:
    """What the process has to know, in a line."""
    from edge.kiosk.desk.words import page_of_desk

    folder = settings.device.state_dir.absolute()
    said: dict[str, Any] = {
        "page": page_of_desk(settings),
        "folder": str(folder),
        "issuer": str(folder / ISSUER_FILE),
        "device": settings.device.name,
        "alternative": settings.alternative or "",
        "custody": settings.vault.custody,
        "zone": zone_of(settings.claim.schedule),
    }
    return json.dumps(said).encode() + b"\n"


def _keep(
    listener: socket.socket,
    told: bytes,
    failed: Callable[[KioskError], None],
    recovered: Callable[[int], None],
    stop: threading.Event,
) -> None:
    pause_s, falls = _AGAIN_S, 0
    while not stop.is_set():
        process = subprocess.Popen(
            _isolated.command("edge.service.staff", str(listener.fileno())),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(listener.fileno(),),
            env=_isolated.environment(),
            cwd="/",
        )
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.write(told)
            process.stdin.flush()
        started = time.monotonic()
        while process.poll() is None and not stop.wait(0.25):
            if falls and time.monotonic() - started >= _LIVED_S:
                recovered(falls)
                pause_s, falls = _AGAIN_S, 0
        with contextlib.suppress(OSError):
            process.stdin.close()  # it ends by itself when there is nothing to be told any more
        try:
            process.wait(timeout=_STOP_S - 1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if stop.is_set():
            return
        falls += 1
        if falls == 1:
            why = f"the process of the operator's pages ended with exit code {process.returncode}"
            failed(KioskError(why, where="kiosk.operator_port", remedy="it is started anew"))
        stop.wait(pause_s)
        pause_s = min(2 * pause_s, _AGAIN_MAX_S)
