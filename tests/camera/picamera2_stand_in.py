"""picamera2 without a camera, with the habits of the real one (0.3.38 over libcamera 0.4, seen on real parts).

    habits = Habits(close_s=0.7)
    monkeypatch.setitem(sys.modules, "picamera2", stand_in(habits))

`Habits` says what is plugged in and what goes wrong. What is always so: a constructor that fails has opened a pipe and
leaves it open; a camera that is still closing is busy; reading ``sensor_modes`` configures the camera; arrays come in
the delivered format with its padding; a request that is not released is a buffer lost; buffers end with the camera's
object, which is part of a circle.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.camera.pictures import noise_picture

IMX219 = "/base/soc/i2c0mux/i2c@1/imx219@10"
USB = "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.2:1.0-046d:0825"


def mode(size, fps, crop, bit_depth=10) -> dict[str, Any]:
    return {"size": size, "fps": fps, "crop_limits": crop, "bit_depth": bit_depth}


@dataclass
class Habits:
    """What is plugged in, and how it behaves."""

    cameras: list[dict[str, Any]] = field(default_factory=lambda: [{"Model": "imx219", "Id": IMX219}])
    modes: list[dict[str, Any]] = field(
        default_factory=lambda: [
            mode((640, 480), 103.33, (1000, 752, 1280, 960)),
            mode((1640, 1232), 41.85, (0, 0, 3280, 2464)),
            mode((3280, 2464), 21.19, (0, 0, 3280, 2464)),
        ]
    )
    autofocus: bool = False
    fails: str = ""  # what libcamera says when the camera is opened
    close_s: float = 0.0
    hung_stop: bool = False
    stall: bool = False
    broken_buffer: bool = False
    format: str = ""  # delivered whatever was asked
    size: tuple[int, int] | None = None  # likewise
    padding: int = 0  # bytes at the end of a row
    startup: int = 0  # black frames before the exposure has settled
    view: list[np.ndarray] = field(default_factory=list)  # BGR pictures that it sees, over and over; else noise
    period_s: float = 0.0  # between two frames
    least_us: int = 23895  # shortest frame of the chosen mode
    stamp_ns: int | None = None
    taken: int = 0
    # what a test may look at
    calls: list[str] = field(default_factory=list)
    configs: list[dict[str, Any]] = field(default_factory=list)
    held: int = 0
    jobs: int = 0
    open: bool = False
    come_back: threading.Event = field(default_factory=threading.Event)


def stand_in(habits: Habits) -> SimpleNamespace:
    """The module."""
    return SimpleNamespace(Picamera2=type("Picamera2", (_Picamera2,), {"habits": habits}))


def yuv(format_: str, size: tuple[int, int], luma: int, padding: int) -> np.ndarray:
    """A grey picture as picamera2's make_array shapes it: YUV420 keeps the padding of its rows, NV12 has lost it."""
    stride = size[0] + (padding if format_ == "YUV420" else 0)
    array = np.full((size[1] * 3 // 2, stride), 255, np.uint8)  # 255: padding that must not be seen
    array[: size[1], : size[0]] = luma
    if format_ == "YUV420":
        array[size[1] :].reshape(size[1], stride // 2)[:, : size[0] // 2] = 128
    else:
        array[size[1] :, : size[0]] = 128
    return array


class _Picamera2:
    habits: Habits

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """USB cameras come last, but the first of them is number 0 where there is no other."""
        return sorted(cls.habits.cameras, key=lambda each: ("/usb" not in each["Id"], each["Id"]), reverse=True)

    def __init__(self, camera_num: int = 0) -> None:
        habits = self.habits
        reading, self.notifyme_w = os.pipe2(os.O_NONBLOCK)
        self.notifymeread = os.fdopen(reading, "rb")
        self.is_open = self.started = False
        self.config: dict[str, Any] = {}
        habits.calls.append(f"open {camera_num}")
        if habits.fails or habits.open:
            cause = RuntimeError(habits.fails or "Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from cause
        self.is_open = habits.open = True
        self.camera_controls: dict[str, Any] = {"FrameDurationLimits": (habits.least_us, 10**9, 0)}
        if habits.modes:
            self.camera_controls["ScalerCrop"] = ((0, 0, 64, 64), (0, 0, 3280, 2464), (0, 0, 3280, 2464))
        if habits.autofocus:
            self.camera_controls["AfMode"] = (0, 2, 0)

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        self.habits.calls.append("modes")
        return self.habits.modes

    def create_video_configuration(self, **config: Any) -> dict[str, Any]:
        return config

    def configure(self, config: dict[str, Any]) -> None:
        self.habits.calls.append("configure")
        self.buffers = [_Buffer() for _ in range(config["buffer_count"])]
        self.completed = self.wait  # what holds a camera is held by it: its buffers outlive the last name for it
        self.habits.configs.append(config)
        self.config = {
            name: {
                "format": self.habits.format or config[name]["format"],
                "size": self.habits.size or config[name]["size"],
            }
            for name in ("main", "lores")
        }

    def camera_configuration(self) -> dict[str, Any]:
        return self.config

    def start(self) -> None:
        self.habits.calls.append("start")
        self.started = True

    def capture_request(self, wait: bool) -> Future[_Request]:
        assert wait is False
        self.habits.jobs += 1
        self.job: Future[_Request] = Future()
        return self.job

    def wait(self, job: Future[_Request], timeout: float) -> _Request:
        assert job is self.job
        if self.habits.stall:
            return job.result(timeout)  # raises TimeoutError, or CancelledError after a flush
        time.sleep(self.habits.period_s)
        self.habits.held += 1
        self.habits.taken += 1
        return _Request(self)

    def cancel_all_and_flush(self) -> None:
        self.habits.calls.append("flush")
        self.job.set_exception(CancelledError())

    def stop(self) -> None:
        self.habits.calls.append("stop")
        if self.habits.hung_stop:
            self.habits.come_back.wait(30)
        self.started = False

    def close(self) -> None:
        if not self.is_open:
            return  # the real one: and leaves its pipe open
        self.habits.calls.append("close")
        time.sleep(self.habits.close_s)
        self.is_open = self.habits.open = False
        self.notifymeread.close()
        os.close(self.notifyme_w)


class _Buffer:
    def __init__(self) -> None:
        self.descriptor = os.open("/dev/null", os.O_RDONLY)

    def __del__(self) -> None:
        os.close(self.descriptor)


class _Request:
    def __init__(self, camera: _Picamera2) -> None:
        self.camera, self.habits = camera, camera.habits

    def make_array(self, name: str) -> np.ndarray:
        if self.habits.broken_buffer:
            raise RuntimeError("failed to find buffer")
        stream = self.camera.config[name]
        dark = self.habits.startup > 0
        if name == "lores":
            self.habits.startup = max(0, self.habits.startup - 1)
        width, height = stream["size"]
        if stream["format"] == "RGB888":
            view = self.habits.view
            picture = view[self.habits.taken % len(view)] if view else noise_picture(height, width)
            return np.zeros_like(picture) if dark else picture
        return yuv(stream["format"], (width, height), 16 if dark else 77, self.habits.padding)

    def get_metadata(self) -> dict[str, Any]:
        stamp = time.monotonic_ns() if self.habits.stamp_ns is None else self.habits.stamp_ns
        return {"SensorTimestamp": stamp, "ExposureTime": 9000, "AnalogueGain": 2.0, "SensorBlackLevels": (1,)}

    def release(self) -> None:
        self.habits.held -= 1
