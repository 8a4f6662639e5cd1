"""The page's process, and the observer that tells it what to show.

    kiosk = Kiosk(settings.kiosk, page_of(settings))
    device.observe(kiosk, name="kiosk")
    kiosk.close()

The socket is bound here, so that a port that is taken is told at once; the process inherits it, and another one takes
it over should it end. Only the newest screen is ever waiting: an observer's call sets it and returns.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from edge.errors import KioskError
from edge.kiosk.pin_pad import PinPad
from edge.kiosk.screen import Screen, drawn
from edge.settings.model import KioskSettings
from edge.types import U8, Frame
from edge.types.events import Event

#: The page's process is a file that imports nothing of this package.
_SERVER = Path(__file__).with_name("server.py")
#: A process that takes nothing for so long has hung; a small board needs some seconds to import what serves.
_STALL_S = 15.0
#: Pause before a process that ended is started anew; twice as long each time, and short again once it has lived.
_AGAIN_S, _AGAIN_MAX_S, _LIVED_S = 1.0, 60.0, 60.0
#: Exit codes of ``server.py`` that say more.
_ENDED = {69: "what serves it is not installed: pip install 'edge-verifier[kiosk]'"}
#: Shortest time between two pictures of a preview.
_PICTURE_S = 0.1
#: How often it is looked whether the process is alive while nothing happens.
_VISIT_S = 1.0


class Seen(Protocol):
    """What a session shows to whoever watches it."""

    @property
    def frame(self) -> Frame: ...


class Kiosk:
    """Serves the page. An observer.

    Args:
        settings: port and preview. page: as `edge.kiosk.words.page_of` makes it.
        listener: a socket that listens already, on loopback; None: one is made at the settings' port.
        failed: told when the page cannot be served, or its process has ended by itself, once until it lives again; from
            a thread of its own. It is tried again then; None: a port that is taken is an error.
        recovered: told how often it has failed, when it lives again.

    Attributes:
        url: where the page is. preview: whether people see themselves on it; see `watch`.
        pin_pad: what people type on it, as a reader; None: the settings want none, and the page takes nothing.

    Raises:
        KioskError: the port is taken, or the listener is another one.
    """

    def __init__(
        self,
        settings: KioskSettings,
        page: Mapping[str, Any],
        *,
        listener: socket.socket | None = None,
        failed: Callable[[KioskError], None] | None = None,
        recovered: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.url = f"http://127.0.0.1:{settings.port}/"
        self._page, self._failed, self._recovered = (
            json.dumps({"page": dict(page)}),
            failed or (lambda _: None),
            recovered,
        )
        self._port, self._socket = settings.port, listener and loopback(listener, settings.port)
        if self._socket is None and failed is None:
            self._socket = bound(self._port)
        self._screen, self._told = Screen("starting"), Screen("")
        self.preview = settings.preview
        self._alone = bool(page.get("pin_alone"))
        self.pin_pad = PinPad(lambda: self._screen.asks_pin(self._alone), self._alone) if settings.pin_pad else None
        self._image: U8 | None = None
        self._pictured, self._showing = 0.0, False
        self._process: subprocess.Popen[bytes] | None = None
        self._started, self._again, self._pause, self._falls = 0.0, 0.0, _AGAIN_S, 0
        self._change, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="kiosk", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Show what an event says. Never blocks."""
        with self._change:
            before, self._screen = self._screen, drawn(self._screen, event)
            if self.pin_pad is not None and not (before.asks_pin(self._alone) and self._screen.asks_pin(self._alone)):
                self.pin_pad.forget()
            self._change.notify()

    def watch(self, seen: Seen) -> None:
        """Show the frame that a session looks at. Never blocks; the picture is made in a thread of its own."""
        if time.monotonic() - self._pictured >= _PICTURE_S:
            self._pictured = time.monotonic()
            with self._change:
                self._image = seen.frame.image
                self._change.notify()

    def __enter__(self) -> Kiosk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the page's process. Harmless when repeated."""
        with self._change:
            self._closed = True
            self._change.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)
        self._end()
        if self._socket is not None:
            self._socket.close()
        if self.pin_pad is not None:
            self.pin_pad.close()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(self._news, timeout=_VISIT_S)
                if self._closed:
                    return
                screen, image, self._image = self._screen, self._image, None
            try:
                if self._alive():
                    self._tell(screen, image)
            except KioskError as error:
                self._fell(error)
            except (OSError, TimeoutError) as error:
                self._fell(self._error(str(error)))

    def _tell(self, screen: Screen, image: U8 | None) -> None:
        if screen is not self._told:
            self._send(screen.as_json(self._alone))
            self._told = screen
        if screen.looking and image is not None:
            from edge.kiosk.preview import preview  # OpenCV, which the operators' pages do without

            self._showing = True
            self._send(json.dumps({"jpeg": base64.b64encode(preview(image)).decode()}))
        elif self._showing and not screen.looking:
            self._showing = False
            self._send(json.dumps({"jpeg": ""}))

    def _news(self) -> bool:
        waiting = self._screen is not self._told or self._image is not None
        return self._closed or (waiting and time.monotonic() >= self._again)

    def _alive(self) -> bool:
        """Whether there is a process; one that has ended is started anew when its pause is over."""
        if self._process is not None and self._process.poll() is not None:
            why = _ENDED.get(self._process.returncode, f"it ended with exit code {self._process.returncode}")
            self._fell(self._error(why))
        if self._process is not None:
            if self._falls and time.monotonic() - self._started >= _LIVED_S:
                count, self._falls, self._pause = self._falls, 0, _AGAIN_S
                self._recovered(count)
            return True
        if time.monotonic() < self._again:
            return False
        self._start()
        return True

    def _start(self) -> None:
        """Raises KioskError, OSError, TimeoutError: the port is taken, or it could not be started, or takes nothing."""
        if self._socket is None:
            self._socket = bound(self._port)
        passed = (self._socket.fileno(), *(() if self.pin_pad is None else (self.pin_pad.far_end,)))
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_SERVER), *map(str, passed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=passed,
            cwd="/",
        )
        self._started, self._told = time.monotonic(), Screen("")
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._send(self._page)

    def _send(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        pipe, data = self._process.stdin.fileno(), memoryview((line + "\n").encode())
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        while data:
            if not poll.poll(_STALL_S * 1e3):
                raise TimeoutError("it takes nothing any more")
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(pipe, data) :]

    def _error(self, why: str) -> KioskError:
        return KioskError(f"the page's process fell: {why}", where=self.url, remedy="it is started anew")

    def _fell(self, error: KioskError) -> None:
        """There is no process, or it ended or hangs: away with it, and another one later."""
        self._end()
        self._falls, self._again = self._falls + 1, time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _AGAIN_MAX_S)
        if self._falls == 1 and not self._closed:
            self._failed(error)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # it ends by itself when there is nothing to be told any more
        try:
            process.wait(timeout=1.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def loopback(listener: socket.socket, port: int, unit: str = "edge-kiosk.socket") -> socket.socket:
    """A socket that was passed on, if it is the one that the settings mean. Raises `KioskError`."""
    try:
        address = listener.getsockname()
    except OSError:
        address = None
    if address == ("127.0.0.1", port):
        return listener
    listener.close()
    raise KioskError(
        "the socket that the service manager passed on listens elsewhere",
        where=f"kiosk.port: {port}",
        remedy=f"write the same port into {unit} (ListenStream=127.0.0.1:PORT)",
    )


def bound(port: int, key: str = "kiosk.port") -> socket.socket:
    """A socket on loopback that listens already: whoever connects before the process is ready waits a moment.

    Raises:
        KioskError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise KioskError(
            f"the page cannot be served ({error.strerror})",
            where=f"{key}: {port}",
            remedy=f"choose another port, or end what uses this one (ss -ltnp 'sport = :{port}')",
        ) from None
    return listener
