"""The two hardware drivers, against stand-ins for what is not here: OpenCV's V4L2 capture and picamera2."""

from __future__ import annotations

import sys

import cv2
import pytest

from edge.camera import open_source
from edge.camera.v4l2 import V4L2Source
from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from tests.camera.pictures import noise_picture

NOW = 50_000_000_000


class FakeCapture:
    """cv2.VideoCapture on a camera that supports some sizes only."""

    def __init__(self, *, opens=True, size=None, pictures=3, stamp_ms=NOW / 1e6 - 20):
        self.opens, self.size, self.pictures, self.stamp_ms = opens, size, pictures, stamp_ms
        self.properties: dict[int, float] = {}
        self.order: list[int] = []
        self.released = 0

    def __call__(self, device, backend):
        self.device, self.backend = device, backend
        return self

    def isOpened(self):  # noqa: N802
        return self.opens

    def set(self, key, value):
        self.order.append(key)
        self.properties[key] = value
        return True

    def get(self, key):
        if self.size and key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            return float(self.size[key == cv2.CAP_PROP_FRAME_HEIGHT])
        return self.stamp_ms if key == cv2.CAP_PROP_POS_MSEC else self.properties[key]

    def read(self):
        self.pictures -= 1
        return (True, noise_picture(480, 640)) if self.pictures >= 0 else (False, None)

    def release(self):
        self.released += 1


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "usb-cam-video-index0"
    path.touch()
    return str(path)


def usb(device, capture, **keys):
    settings = CameraSettings(driver="v4l2", device=device, **keys)
    return V4L2Source(settings, factory=capture, clock=lambda: NOW, by_id=keys.pop("by_id", None) or _nowhere())


def _nowhere():
    from pathlib import Path

    return Path("nowhere")


def test_v4l2_asks_for_format_size_rate_and_one_buffer(device):
    capture = FakeCapture()
    source = usb(device, capture, fps=30, fourcc="YUYV")
    source.open()
    assert (capture.device, capture.backend) == (device, cv2.CAP_V4L2)
    assert capture.properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
        cv2.CAP_PROP_FRAME_WIDTH: 640,
        cv2.CAP_PROP_FRAME_HEIGHT: 480,
        cv2.CAP_PROP_FPS: 30,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }
    assert capture.order[0] == cv2.CAP_PROP_FOURCC, "the sizes that a camera offers depend on the format"


def test_v4l2_delivers_frames_with_the_driver_s_timestamp(device):
    source = usb(device, FakeCapture())
    source.open()
    frames = [source.read(1.0), source.read(1.0)]
    assert [frame.sequence for frame in frames] == [1, 2]
    assert frames[0].image.shape == (480, 640, 3)
    assert frames[0].monotonic_ns == NOW - 20_000_000


@pytest.mark.parametrize("stamp_ms", [0.0, 1.7e12, NOW / 1e6 + 5])
def test_v4l2_does_not_believe_a_timestamp_from_another_clock(device, stamp_ms):
    source = usb(device, FakeCapture(stamp_ms=stamp_ms))
    source.open()
    assert source.read(1.0).monotonic_ns == NOW


def test_v4l2_refuses_a_size_that_the_camera_does_not_take(device):
    capture = FakeCapture(size=(1280, 720))
    with pytest.raises(SourceUnavailable, match="1280 x 720") as caught:
        usb(device, capture).open()
    assert "1280 and 720" in caught.value.remedy
    assert capture.released == 1


def test_v4l2_refuses_a_missing_device_and_lists_those_that_are_there(tmp_path, device):
    for name in ("", "/dev/v4l/by-id/no-such-camera"):
        settings = CameraSettings(driver="v4l2", device=name)
        with pytest.raises(SourceUnavailable) as caught:
            V4L2Source(settings, by_id=tmp_path).open()
        assert device in caught.value.remedy
    with pytest.raises(SourceUnavailable, match="no such device"):
        open_source(CameraSettings(driver="v4l2", device="/dev/v4l/by-id/no-such-camera")).open()


def test_v4l2_refuses_what_is_not_a_camera(device):
    capture = FakeCapture(opens=False)
    with pytest.raises(SourceUnavailable, match="does not open"):
        usb(device, capture).open()
    assert capture.released == 1


def test_v4l2_with_real_opencv_refuses_a_plain_file(device):
    with pytest.raises(SourceUnavailable):
        V4L2Source(CameraSettings(driver="v4l2", device=device)).open()


def test_an_unplugged_v4l2_camera_is_an_error_and_a_silent_one_a_timeout(device):
    source = usb(device, FakeCapture(pictures=0))
    source.open()
    with pytest.raises(CameraError) as caught:
        source.read(1.0)
    assert not isinstance(caught.value, SourceTimeout)
    with pytest.raises(SourceTimeout):
        source.read(0.0)


def test_v4l2_frees_the_device_once(device):
    capture = FakeCapture()
    source = usb(device, capture)
    source.open()
    source.close()
    source.close()
    assert capture.released == 1
    with pytest.raises(CameraError, match="not open"):
        source.read(1.0)


def test_only_the_chosen_driver_is_imported():
    import subprocess

    code = (
        "import sys; from edge.camera import open_source; from edge.settings.model import CameraSettings\n"
        "open_source(CameraSettings(driver='replay'))\n"
        "print([name for name in ('edge.camera.pi', 'edge.camera.v4l2', 'edge.camera.fictional', 'picamera2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
