"""The two hardware drivers, against stand-ins for what is not here: OpenCV's V4L2 capture and picamera2."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge.camera import Capture, open_source
from edge.camera.pi import PiSource
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


class FakeRequest:
    def __init__(self, camera):
        self.camera = camera

    def make_array(self, name):
        if self.camera.broken:
            raise RuntimeError("buffer gone")
        if name == "main":
            return noise_picture(480, 640)
        planes = np.zeros((720, 704), np.uint8)  # YUV420: 480 rows of Y and 240 of U and V, padded to a stride of 704
        planes[:480, :640] = 77
        return planes

    def get_metadata(self):
        return {
            "SensorTimestamp": self.camera.stamp,
            "ExposureTime": 9000,
            "AnalogueGain": 2.0,
            "SensorBlackLevels": (1,),
        }

    def release(self):
        self.camera.held -= 1


class FakePicamera2:
    """picamera2.Picamera2, as far as the driver uses it; counts what is held."""

    size = (640, 480)
    stamp = NOW - 30_000_000

    def __init__(self, number):
        self.number, self.held, self.jobs, self.flushed, self.broken, self.silent = number, 0, 0, 0, False, False
        self.calls = []
        FakePicamera2.last = self

    def create_video_configuration(self, **config):
        return config

    def configure(self, config):
        self.calls.append("configure")
        self.config = config

    def camera_configuration(self):
        return {"main": {"size": self.size}}

    def start(self):
        self.calls.append("start")

    def capture_request(self, wait):
        assert wait is False
        self.jobs += 1
        return object()

    def wait(self, job, timeout):
        assert job is not None
        assert timeout > 0
        if self.silent:
            raise TimeoutError
        self.held += 1
        return FakeRequest(self)

    def cancel_all_and_flush(self):
        self.flushed += 1

    def stop(self):
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")


@pytest.fixture
def picamera2(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=FakePicamera2))
    monkeypatch.setattr(FakePicamera2, "size", (640, 480))
    monkeypatch.setattr(FakePicamera2, "stamp", NOW - 30_000_000)
    return FakePicamera2


def pi(**keys):
    return PiSource(CameraSettings(driver="picamera2", **keys), clock=lambda: NOW)


def test_the_pi_camera_gets_bgr_for_the_face_and_yuv_for_the_code_reader(picamera2):
    source = pi(device="1", fps=15)
    source.open()
    camera = picamera2.last
    assert camera.number == 1
    assert camera.config["main"] == {"size": (640, 480), "format": "RGB888"}
    assert camera.config["lores"] == {"size": (640, 480), "format": "YUV420"}
    assert camera.config["controls"] == {"FrameDurationLimits": (66667, 66667)}
    assert camera.calls == ["configure", "start"]


def test_the_pi_camera_s_frames_carry_luma_and_the_sensor_s_time(picamera2):
    source = pi()
    source.open()
    frame = source.read(1.0)
    assert np.array_equal(frame.image, noise_picture(480, 640))
    assert frame.luma.shape == (480, 640)
    assert (frame.luma == 77).all()
    assert frame.monotonic_ns == NOW - 30_000_000
    assert frame.meta == {"ExposureTime": 9000, "AnalogueGain": 2.0}
    assert source.read(1.0).sequence == 2


def test_every_request_is_given_back_even_when_its_buffer_fails(picamera2):
    source = pi()
    source.open()
    for _ in range(3):
        source.read(1.0)
    picamera2.last.broken = True
    with pytest.raises(RuntimeError):
        source.read(1.0)
    assert picamera2.last.held == 0


def test_a_silent_pi_camera_is_a_timeout_and_its_job_is_waited_for_again(picamera2):
    source = pi()
    source.open()
    picamera2.last.silent = True
    for _ in range(3):
        with pytest.raises(SourceTimeout):
            source.read(0.5)
    assert picamera2.last.jobs == 1, "an abandoned job would swallow a request"
    picamera2.last.silent = False
    assert source.read(0.5).sequence == 1
    assert picamera2.last.held == 0


def test_closing_a_silent_pi_camera_cancels_its_job(picamera2):
    source = pi()
    source.open()
    picamera2.last.silent = True
    with pytest.raises(SourceTimeout):
        source.read(0.5)
    source.close()
    assert picamera2.last.flushed == 1
    assert picamera2.last.calls[-2:] == ["stop", "close"]


def test_a_sensor_time_of_another_clock_is_not_believed(picamera2):
    source = pi()
    source.open()
    picamera2.last.stamp = NOW + 10**12
    assert source.read(1.0).monotonic_ns == NOW


def test_the_pi_camera_stops_and_closes_once(picamera2):
    source = pi()
    source.open()
    source.close()
    source.close()
    assert picamera2.last.calls == ["configure", "start", "stop", "close"]
    with pytest.raises(CameraError, match="not open"):
        source.read(1.0)


def test_a_size_that_the_pi_camera_does_not_take_is_refused_and_the_camera_closed(picamera2):
    picamera2.size = (1296, 972)
    with pytest.raises(SourceUnavailable, match="1296 x 972"):
        pi().open()
    assert picamera2.last.calls == ["configure", "close"]


def test_a_missing_pi_camera_is_refused(picamera2, monkeypatch):
    def none_connected(number):
        raise IndexError("list index out of range")

    monkeypatch.setattr(sys.modules["picamera2"], "Picamera2", none_connected)
    with pytest.raises(SourceUnavailable, match="does not start") as caught:
        pi().open()
    assert "rpicam-hello" in caught.value.remedy


@pytest.mark.parametrize("failure", ["absent", "broken"])
def test_without_picamera2_the_remedy_names_the_package_and_the_venv_flag(monkeypatch, failure):
    if failure == "absent":
        monkeypatch.setitem(sys.modules, "picamera2", None)
    else:
        monkeypatch.delitem(sys.modules, "picamera2", raising=False)
        monkeypatch.setattr(
            "edge.camera.pi.import_module", lambda name: (_ for _ in ()).throw(ImportError("libcamera.so"))
        )
    with pytest.raises(SourceUnavailable) as caught:
        pi().open()
    assert "sudo apt install python3-picamera2" in caught.value.remedy
    assert "--system-site-packages" in caught.value.remedy


def test_the_pi_camera_runs_behind_the_capture_thread(picamera2):
    with Capture(pi(), clock=lambda: NOW) as stream:
        assert stream.next(0, 2.0).source == "picamera2"
    assert picamera2.last.calls[-1] == "close"
    assert picamera2.last.held == 0


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
