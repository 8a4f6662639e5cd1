"""From a source, which blocks, to a stream, which always has the newest frame.

    with Capture(open_source(settings.camera)) as stream:     # a thread; the clock is time.monotonic_ns
        claimed_at = stream.now_ns()
        frame = stream.next(claimed_at, timeout_s=3.0)         # captured after the claim, never before

`Capture` keeps one frame: who is slow sees the newest, and `dropped` counts what nobody saw. The thread is the only one
that touches the driver: it opens, reads and closes. When a driver blocks for ever, the consumer still gets its
`SourceTimeout` and `stop` still returns within half a second (the thread is a daemon and closes the source should the
driver ever come back).

A camera has one user at a time. A driver that names its ``hardware`` is never opened before the last close has ended:
`start` waits for it, and a close that does not end is told as what it is, `SourceHung`.

`Pulled` has no thread: each call pulls frames until one is young enough, and its clock is the newest frame's own
timestamp. Replayed and generated frames run through it as fast as the machine can, with the same decisions every time.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from edge.camera.granted import Granted
from edge.errors import CameraError, EdgeError, SourceHung, SourceTimeout, SourceUnavailable
from edge.types import Frame, Source

#: How long `Capture.stop` waits for the driver. The design allows a device two seconds to stop altogether.
STOP_S = 0.4
#: How long `Capture.start` waits for the last close of the same camera: picamera2's takes 0.65 s on a loaded machine.
CLOSE_S = 1.5
#: How long `Capture.start` waits for the driver to open: importing picamera2 alone took 7 s, on an overloaded emulated
#: machine more than 20.
OPEN_S = 60.0
#: The longest single wait handed to a driver, so that a well-behaved one notices `stop` in time.
_SLICE_S = 0.25
#: A breath after a driver's timeout, so that one which times out at once does not take the processor.
_PAUSE_S = 0.01
_HUNG = "its driver hangs: end this program and start it again; if that does not help, cut the device's power"

_LOCK = threading.Lock()
#: Hardware -> the capture that opened it and has not closed it yet.
_USERS: dict[str, Capture] = {}


class Capture:
    """A thread that reads a source and keeps only its newest frame. Implements `edge.types.Stream`.

    Args:
        source: opened, read and closed by the thread. Its attribute ``hardware``, where it has one that is not empty,
            names what only one capture may have open.
        clock: nanoseconds, the clock that the source stamps its frames with.
    """

    __slots__ = (
        "__weakref__", "_changed", "_clock", "_dropped", "_ended", "_error", "_hardware", "_heard_ns", "_newest",
        "_opened", "_received", "_refusal", "_seen", "_silence", "_source", "_stopped_ns", "_stopping", "_thread",
    )  # fmt: skip

    def __init__(self, source: Source, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._source, self._clock = source, clock
        self._hardware: str = getattr(source, "hardware", "")
        self._changed = threading.Condition()
        self._opened, self._stopping, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._newest: Frame | None = None
        self._seen = False
        self._error: EdgeError | None = None
        self._refusal: EdgeError | None = None
        self._silence: SourceTimeout | None = None
        self._heard_ns = self._stopped_ns = 0
        self._received = self._dropped = 0

    @property
    def hardware(self) -> str:
        """What only one capture may have open; empty for files and generated people."""
        return self._hardware

    @property
    def granted(self) -> Granted | None:
        """What the camera granted, once it is open; None for files and generated people."""
        return getattr(self._source, "granted", None)

    @property
    def received(self) -> int:
        """Frames that the source delivered."""
        return self._received

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before anybody asked."""
        return self._dropped

    def start(self) -> Capture:
        """Open the source and begin. Harmless while it runs, so that a stream can be handed on; it starts once.

        Raises:
            SourceUnavailable: it does not open, or this program has it open already.
            SourceHung: its driver does not come back, from this open or from the last close.
        """
        if self._thread is not None and self._opened.is_set() and not self._stopping.is_set():
            return self
        if self._thread is not None:
            raise CameraError("this capture was already started", where=self._source.name, remedy="make a new one")
        if self._hardware:
            self._wait_for_the_last_close()
        self._thread = threading.Thread(target=self._run, name=f"capture-{self._source.name}", daemon=True)
        atexit.register(self._close_at_the_end)
        self._thread.start()
        if not self._opened.wait(OPEN_S):
            self.stop()
            raise SourceHung(f"the camera does not open within {OPEN_S:g} s", where=self._source.name, remedy=_HUNG)
        if self._refusal is not None:
            self.stop()
            raise self._refusal
        return self

    def stop(self) -> None:
        """End the thread, within `STOP_S` even when the driver blocks. Harmless when repeated."""
        if not self._stopping.is_set():
            self._stopped_ns = self._clock()
        self._stopping.set()
        with self._changed:
            self._newest = None
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_S)

    def _close_at_the_end(self) -> None:
        """A program that ends while a source reads or closes may crash in native code, after its answer was given."""
        self.stop()
        self._ended.wait(CLOSE_S)

    def __enter__(self) -> Capture:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def now_ns(self) -> int:
        """The stream's clock: monotonic nanoseconds."""
        return self._clock()

    def newest(self) -> Frame | None:
        """The newest frame at once, or None before the first; for the idle loop, which must not wait."""
        with self._changed:
            self._seen = True
            return self._newest.twin() if self._newest else None

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        """The newest frame captured later than ``after_ns``; waits for it.

        Raises:
            SourceTimeout: none came within ``timeout_s``; says how long the source has been silent, and why.
            SourceEnded, CameraError: what the source raised, once its last frame was handed out.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready(after_ns), timeout_s)
            frame = self._newest
            if frame is not None and frame.monotonic_ns > after_ns:
                self._seen = True
                return frame.twin()
            if self._error is not None:
                raise self._error
            if self._stopping.is_set():
                raise CameraError("the capture was stopped", where=self._source.name, remedy="start a new one")
            silence, silent_s = self._silence, (self._clock() - self._heard_ns) / 1e9
        raise SourceTimeout(
            f"no new frame for {silent_s:.1f} s" + (f": {silence.what}" if silence else ""),
            where=self.granted.identity if self.granted else self._source.name,
            remedy=silence.remedy if silence else "check the camera and its cable",
        )

    def _ready(self, after_ns: int) -> bool:
        young = self._newest is not None and self._newest.monotonic_ns > after_ns
        return young or self._error is not None or self._stopping.is_set()

    def _wait_for_the_last_close(self) -> None:
        with _LOCK:
            last = _USERS.get(self._hardware)
        if last is not None and last._stopping.is_set():
            last._ended.wait(CLOSE_S)
        with _LOCK:
            if _USERS.setdefault(self._hardware, self) is self:
                return
        if last is None or not last._stopping.is_set():
            raise SourceUnavailable(
                "this program has the camera open already",
                where=self._source.name,
                remedy="stop the other stream first",
            )
        silent_s = (self._clock() - last._stopped_ns) / 1e9
        raise SourceHung(
            f"the camera was told to stop {silent_s:.0f} s ago and has not", where=self._source.name, remedy=_HUNG
        )

    def _run(self) -> None:
        try:
            self._source.open()
            self._heard_ns = self._clock()
            self._opened.set()
            while not self._stopping.is_set():
                try:
                    self._keep(self._source.read(_SLICE_S))
                except SourceTimeout as silence:
                    self._silence = silence  # the consumer's own timeout decides when this is too long
                    self._stopping.wait(_PAUSE_S)
        except EdgeError as error:
            self._fail(error)
        except Exception as error:  # a driver may raise anything; the consumer gets one type
            text = f"the driver failed: {type(error).__name__}: {error}"
            self._fail(CameraError(text, where=self._source.name, remedy="reconnect the camera and start again"))
        finally:
            with suppress(Exception):  # the source is given up; what it says while closing changes nothing
                self._source.close()
            with _LOCK:
                if _USERS.get(self._hardware) is self:
                    del _USERS[self._hardware]
            self._ended.set()
            atexit.unregister(self._close_at_the_end)

    def _keep(self, frame: Frame) -> None:
        with self._changed:
            if self._stopping.is_set():
                return
            self._dropped += self._newest is not None and not self._seen
            self._received += 1
            self._newest, self._seen, self._silence, self._heard_ns = frame, False, None, self._clock()
            self._changed.notify_all()

    def _fail(self, error: EdgeError) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()
        if not self._opened.is_set():
            self._refusal = error
            self._opened.set()


class Pulled:
    """A stream without a thread, whose clock is the newest frame's timestamp. Implements `edge.types.Stream`.

    Args:
        source: opened by `start` or by entering the block, closed by `stop`.
    """

    __slots__ = ("__weakref__", "_newest", "_open", "_received", "_source")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._newest: Frame | None = None
        self._received = 0
        self._open = False

    @property
    def granted(self) -> Granted | None:
        """See `Capture.granted`."""
        return getattr(self._source, "granted", None)

    @property
    def received(self) -> int:
        """Frames that the source delivered."""
        return self._received

    @property
    def dropped(self) -> int:
        """Always 0: every frame is pulled by somebody."""
        return 0

    def start(self) -> Pulled:
        """Open the source. Raises `SourceUnavailable`."""
        if not self._open:
            self._source.open()
            self._open = True
        return self

    def stop(self) -> None:
        """Close the source. Harmless when repeated."""
        self._newest, self._open = None, False
        self._source.close()

    def __enter__(self) -> Pulled:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def now_ns(self) -> int:
        """The newest frame's timestamp; 0 before the first frame."""
        return self._newest.monotonic_ns if self._newest else 0

    def newest(self) -> Frame | None:
        """The next frame of the source, pulled: here the idle loop is what moves time on."""
        self._pull(_SLICE_S)
        return self._newest.twin() if self._newest else None

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        """Pull until a frame is younger than ``after_ns``.

        Raises:
            SourceTimeout: the stream's own time went on by more than ``timeout_s`` without one.
            SourceEnded, CameraError: what the source raised.
        """
        if self._newest is not None and self._newest.monotonic_ns > after_ns:
            return self._newest.twin()
        began = self._newest.monotonic_ns if self._newest else None
        while True:
            frame = self._pull(timeout_s)
            if frame.monotonic_ns > after_ns:
                return frame.twin()
            began = frame.monotonic_ns if began is None else began
            if frame.monotonic_ns - began > timeout_s * 1e9:
                raise SourceTimeout(
                    f"no frame younger than asked within {timeout_s:g} s of the stream's time",
                    where=self._source.name,
                    remedy="check the timestamps of the source",
                )

    def _pull(self, timeout_s: float) -> Frame:
        try:
            self._newest = self._source.read(timeout_s)
        except EdgeError:
            raise
        except Exception as error:
            text = f"the driver failed: {type(error).__name__}: {error}"
            raise CameraError(text, where=self._source.name, remedy="start again") from error
        self._received += 1
        return self._newest
