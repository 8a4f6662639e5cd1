"""From a source to a stream: the newest frame, errors that reach the consumer, and no hang whatever a driver does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from edge.camera import Capture, Pulled
from edge.errors import CameraError, SourceEnded, SourceTimeout, SourceUnavailable
from edge.types import Frame
from tests.camera.pictures import ListSource, frame

IMAGE = np.zeros((4, 4, 3), np.uint8)


class LiveSource:
    """A camera of 200 frames a second on the real clock."""

    name = "live"

    def __init__(self) -> None:
        self.sequence, self.closed = 0, threading.Event()

    def open(self) -> None:
        pass

    def read(self, timeout_s: float) -> Frame:
        time.sleep(0.005)
        self.sequence += 1
        return Frame(IMAGE, time.monotonic_ns(), self.sequence, self.name)

    def close(self) -> None:
        self.closed.set()


class BlockedSource(LiveSource):
    """A driver that takes no notice of the timeout."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def read(self, timeout_s: float) -> Frame:
        self.release.wait(20)
        return super().read(timeout_s)


def test_a_stream_gives_only_frames_younger_than_asked():
    with Capture(LiveSource()) as stream:
        for _ in range(5):
            now = stream.now_ns()
            assert stream.next(now, 2.0).monotonic_ns > now


def test_a_slow_consumer_gets_the_newest_frame_and_the_others_are_counted():
    with Capture(LiveSource()) as stream:
        first = stream.next(0, 2.0)
        time.sleep(0.15)
        second = stream.next(first.monotonic_ns, 2.0)
        assert stream.now_ns() - second.monotonic_ns < 100_000_000
        gap = second.sequence - first.sequence - 1
        assert gap >= 3
        assert stream.dropped >= gap
        assert stream.received >= second.sequence


def test_the_newest_frame_is_there_at_once():
    with Capture(LiveSource()) as stream:
        first = stream.next(0, 2.0)
        newest = stream.newest()
        assert newest is not None
        assert newest.sequence >= first.sequence


def test_stopping_closes_the_source_and_ends_the_thread():
    source = LiveSource()
    before = threading.active_count()
    with Capture(source) as stream:
        stream.next(0, 2.0)
    assert source.closed.is_set()
    assert threading.active_count() == before
    stream.stop()


def test_stopping_takes_less_than_half_a_second_when_the_driver_blocks():
    source = BlockedSource()
    stream = Capture(source).start()
    began = time.monotonic()
    stream.stop()
    assert time.monotonic() - began < 0.5
    source.release.set()
    assert source.closed.wait(2.0), "the thread closes the source as soon as the driver comes back"


def test_a_driver_that_blocks_is_a_timeout_and_not_a_hang():
    source = BlockedSource()
    with Capture(source) as stream:
        began = time.monotonic()
        with pytest.raises(SourceTimeout, match=r"no new frame for \d+\.\d s") as caught:
            stream.next(0, 0.1)
        assert time.monotonic() - began < 0.5
        assert caught.value.where == "live"
        source.release.set()


def test_a_source_that_stops_is_a_timeout_and_goes_on_when_it_comes_back():
    steps = [SourceTimeout("nothing", where="list")] * 20
    with Capture(ListSource(*steps, frame(IMAGE, 1), *steps)) as stream:
        with pytest.raises(SourceTimeout):
            stream.next(0, 0.05)
        assert stream.next(0, 2.0).sequence == 1


def test_a_typed_error_of_the_source_reaches_the_consumer_after_the_last_frame():
    with Capture(ListSource(frame(IMAGE, 1), CameraError("unplugged", where="list"))) as stream:
        assert stream.next(0, 2.0).sequence == 1
        for _ in range(2):
            with pytest.raises(CameraError, match="unplugged"):
                stream.next(66_666_667, 2.0)


def test_any_other_error_of_a_driver_becomes_a_camera_error():
    stream = Capture(ListSource(ZeroDivisionError("driver bug"))).start()
    with pytest.raises(CameraError, match="ZeroDivisionError"):
        stream.next(0, 2.0)


def test_the_end_of_a_replay_is_told():
    with Capture(ListSource(frame(IMAGE, 1))) as stream:
        stream.next(0, 2.0)
        with pytest.raises(SourceEnded):
            stream.next(66_666_667, 2.0)


def test_a_source_that_does_not_open_is_told_at_the_start():
    source = ListSource()
    source.open = lambda: (_ for _ in ()).throw(SourceUnavailable("no such device"))
    with pytest.raises(SourceUnavailable):
        Capture(source).start()


def test_a_stopped_capture_says_so_and_does_not_start_again():
    stream = Capture(LiveSource()).start()
    stream.stop()
    with pytest.raises(CameraError, match="stopped"):
        stream.next(0, 1.0)
    with pytest.raises(CameraError, match="already started"):
        stream.start()


def test_stopping_wakes_a_waiting_consumer():
    source = BlockedSource()
    stream = Capture(source).start()
    threading.Timer(0.05, stream.stop).start()
    began = time.monotonic()
    with pytest.raises(CameraError, match="stopped"):
        stream.next(0, 10.0)
    assert time.monotonic() - began < 2
    source.release.set()


def test_pulled_time_is_the_newest_frame_s_own():
    with Pulled(ListSource(*(frame(IMAGE, number) for number in range(1, 9)))) as stream:
        assert stream.now_ns() == 0
        first = stream.next(0, 1.0)
        assert stream.now_ns() == first.monotonic_ns
        assert stream.next(first.monotonic_ns, 1.0).sequence == 2
        assert stream.next(first.monotonic_ns, 1.0).sequence == 2, "a frame young enough is not pulled past"
        assert stream.next(5 * 66_666_667, 1.0).sequence == 6
        assert stream.received == 6


def test_pulled_gives_up_when_the_stream_s_own_time_has_passed():
    source = ListSource(*(frame(IMAGE, number) for number in range(1, 100)))
    with Pulled(source) as stream:
        with pytest.raises(SourceTimeout):
            stream.next(10**18, 1.0)
        assert 15 <= stream.received <= 18


def test_pulled_does_not_time_out_because_its_clock_starts_late():
    with Pulled(ListSource(frame(IMAGE, 10**6))) as stream:
        assert stream.next(0, 1.0).sequence == 10**6


def test_pulled_opens_and_closes_its_source_and_passes_errors_on():
    source = ListSource(frame(IMAGE, 1), ValueError("odd"))
    with Pulled(source) as stream:
        assert stream.newest().sequence == 1
        with pytest.raises(CameraError, match="odd"):
            stream.newest()
        with pytest.raises(SourceEnded):
            stream.next(10**18, 1.0)
    assert (source.opened, source.closed) == (1, 1)


def test_a_program_that_ends_waits_for_the_camera_to_close_but_not_for_ever():
    code = """
import sys, time
sys.path.insert(0, ".")
from edge.camera import Capture
from tests.camera.test_capture import LiveSource

class Slow(LiveSource):
    hardware = "slow"
    def close(self):
        time.sleep(float(sys.argv[1]))
        print("closed", flush=True)

stream = Capture(Slow()).start()
stream.next(0, 2.0)
stream.stop()
"""
    for seconds, said in (("0.8", "closed"), ("30", "")):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code, seconds], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
        assert time.monotonic() - began < 25
