"""From a source, which blocks, to a stream, which always has the newest frame.

    with Capture(open_source(settings.camera)) as stream:     # a thread; the clock is time.monotonic_ns
        claimed_at = stream.now_ns()
        frame = stream.next(claimed_at, timeout_s=3.0)         # captured after the claim, never before

`Capture` keeps one frame: who is slow sees the newest, and `dropped` counts what nobody saw. The thread is the only one
that touches the driver; when a driver blocks for ever, the consumer still gets its `SourceTimeout` and `stop` still
returns within half a second (the thread is a daemon and closes the source should the driver ever come back).

`Pulled` has no thread: each call pulls frames until one is young enough, and its clock is the newest frame's own
timestamp. Replayed and generated frames run through it as fast as the machine can, with the same decisions every time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from edge.errors import CameraError, EdgeError, SourceTimeout
from edge.types import Frame, Source

#: How long `Capture.stop` waits for the driver. The design allows a device two seconds to stop altogether.
STOP_S = 0.4
#: The longest single wait handed to a driver, so that a well-behaved one notices `stop` in time.
_SLICE_S = 0.25
#: A breath after a driver's timeout, so that one which times out at once does not take the processor.
_PAUSE_S = 0.01


class Capture:
    """A thread that reads a source and keeps only its newest frame. Implements `edge.types.Stream`.

    Args:
        source: opened by `start`, closed by the thread that reads it.
        clock: nanoseconds, the clock that the source stamps its frames with.
    """

    def __init__(self, source: Source, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._source, self._clock = source, clock
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._newest: Frame | None = None
        self._seen = False
        self._error: EdgeError | None = None
        self._received = self._dropped = 0

    @property
    def source(self) -> Source:
        return self._source

    @property
    def received(self) -> int:
        """Frames that the source delivered."""
        return self._received

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before anybody asked."""
        return self._dropped

    def start(self) -> Capture:
        """Open the source and begin. Raises `SourceUnavailable`; a capture starts once."""
        if self._thread is not None:
            raise CameraError("this capture was already started", where=self._source.name, remedy="make a new one")
        self._source.open()
        self._thread = threading.Thread(target=self._run, name=f"capture-{self._source.name}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, within `STOP_S` even when the driver blocks. Harmless when repeated."""
        self._stopping.set()
        with self._changed:
            self._newest = None
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_S)

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
            return self._newest

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        """The newest frame captured later than ``after_ns``; waits for it.

        Raises:
            SourceTimeout: none came within ``timeout_s``.
            SourceEnded, CameraError: what the source raised, once its last frame was handed out.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready(after_ns), timeout_s)
            frame = self._newest
            if frame is not None and frame.monotonic_ns > after_ns:
                self._seen = True
                return frame
            if self._error is not None:
                raise self._error
            if self._stopping.is_set():
                raise CameraError("the capture was stopped", where=self._source.name, remedy="start a new one")
        raise SourceTimeout(
            f"no new frame within {timeout_s:g} s", where=self._source.name, remedy="check the camera and its cable"
        )

    def _ready(self, after_ns: int) -> bool:
        young = self._newest is not None and self._newest.monotonic_ns > after_ns
        return young or self._error is not None or self._stopping.is_set()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._keep(self._source.read(_SLICE_S))
                except SourceTimeout:
                    self._stopping.wait(_PAUSE_S)  # the consumer's own timeout decides when this is too long
        except EdgeError as error:
            self._fail(error)
        except Exception as error:  # a driver may raise anything; the consumer gets one type
            text = f"the driver failed: {type(error).__name__}: {error}"
            self._fail(CameraError(text, where=self._source.name, remedy="reconnect the camera and start again"))
        finally:
            with suppress(Exception):  # the source is given up; what it says while closing changes nothing
                self._source.close()

    def _keep(self, frame: Frame) -> None:
        with self._changed:
            if self._stopping.is_set():
                return
            self._dropped += self._newest is not None and not self._seen
            self._received += 1
            self._newest, self._seen = frame, False
            self._changed.notify_all()

    def _fail(self, error: EdgeError) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()


class Pulled:
    """A stream without a thread, whose clock is the newest frame's timestamp. Implements `edge.types.Stream`.

    Args:
        source: opened by `start` or by entering the block, closed by `stop`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._newest: Frame | None = None
        self._received = 0
        self._open = False

    @property
    def source(self) -> Source:
        return self._source

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
        return self._newest

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        """Pull until a frame is younger than ``after_ns``.

        Raises:
            SourceTimeout: the stream's own time went on by more than ``timeout_s`` without one.
            SourceEnded, CameraError: what the source raised.
        """
        if self._newest is not None and self._newest.monotonic_ns > after_ns:
            return self._newest
        began = self._newest.monotonic_ns if self._newest else None
        while True:
            frame = self._pull(timeout_s)
            if frame.monotonic_ns > after_ns:
                return frame
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
