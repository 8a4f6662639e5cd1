"""The Pi's camera against a stand-in with the real one's habits: what is asked, what is checked, and how it ends."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.camera import Capture, open_stream, pi
from edge.camera.pi import PiSource
from edge.camera.sensor_modes import full_view
from edge.errors import CameraError, SourceHung, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from tests.camera.picamera2_stand_in import IMX219, USB, Habits, mode, stand_in
from tests.camera.pictures import noise_picture, silence_of

NOW = 50_000_000_000


@pytest.fixture
def habits(monkeypatch) -> Habits:
    habits = Habits(stamp_ns=NOW - 30_000_000)
    monkeypatch.setitem(sys.modules, "picamera2", stand_in(habits))
    monkeypatch.setattr(pi, "_MODES", {})
    return habits


def camera(**keys) -> PiSource:
    return PiSource(CameraSettings(driver="picamera2", **keys), clock=lambda: NOW)


def opened(**keys) -> PiSource:
    source = camera(**keys)
    source.open()
    return source


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# What `rpicam-hello --list-cameras` prints of each sensor (Raspberry Pi's documentation, camera software), 10 bits;
# then the picture asked for, and the size of the mode that sees everything with the fewest pixels to read.
SENSORS = {
    "imx219": [
        mode((640, 480), 103.33, (1000, 752, 1280, 960)),
        mode((1640, 1232), 41.85, (0, 0, 3280, 2464)),
        mode((1920, 1080), 47.57, (680, 692, 1920, 1080)),
        mode((3280, 2464), 21.19, (0, 0, 3280, 2464)),
    ],
    "imx708": [
        mode((1536, 864), 120.13, (768, 432, 3072, 1728)),
        mode((2304, 1296), 56.03, (0, 0, 4608, 2592)),
        mode((4608, 2592), 14.35, (0, 0, 4608, 2592)),
    ],
    "imx477": [
        mode((1332, 990), 120.05, (696, 528, 2664, 1980)),
        mode((2028, 1080), 50.03, (0, 440, 4056, 2160), 12),
        mode((2028, 1520), 40.01, (0, 0, 4056, 3040), 12),
        mode((4056, 3040), 10.0, (0, 0, 4056, 3040), 12),
    ],
    "ov5647": [
        mode((640, 480), 58.92, (16, 0, 2560, 1920)),
        mode((1296, 972), 43.25, (0, 0, 2592, 1944)),
        mode((1920, 1080), 30.62, (348, 434, 1928, 1080)),
        mode((2592, 1944), 15.63, (0, 0, 2592, 1944)),
    ],
    "imx500": [
        mode((2028, 1520), 30.02, (0, 0, 4056, 3040)),
        mode((4056, 3040), 10.0, (0, 0, 4056, 3040)),
    ],
    "imx296": [mode((1456, 1088), 60.38, (0, 0, 1456, 1088))],
    "ov9281": [
        mode((640, 400), 309.79, (0, 0, 1280, 800)),
        mode((1280, 720), 171.79, (0, 0, 1280, 720)),
        mode((1280, 800), 143.66, (0, 0, 1280, 800)),
    ],
}
CHOSEN = [
    ("imx219", (640, 480), 15, (1640, 1232)),
    ("imx219", (1280, 720), 15, (1640, 1232)),
    ("imx219", (1920, 1080), 15, (3280, 2464)),
    ("imx708", (640, 480), 15, (2304, 1296)),
    ("imx708", (1280, 720), 30, (2304, 1296)),
    ("imx708", (2592, 1944), 15, (4608, 2592)),
    ("imx477", (640, 480), 15, (2028, 1520)),
    ("imx477", (1280, 720), 15, (2028, 1520)),
    ("ov5647", (640, 480), 15, (640, 480)),
    ("ov5647", (1296, 972), 15, (1296, 972)),
    ("ov5647", (1280, 720), 15, (1296, 972)),
    ("imx500", (640, 480), 15, (2028, 1520)),
    ("imx296", (640, 480), 15, (1456, 1088)),
    ("ov9281", (640, 480), 15, (1280, 800)),
    ("ov9281", (1280, 720), 15, (1280, 720)),
]


@pytest.mark.parametrize(("sensor", "size", "fps", "chosen"), CHOSEN)
def test_every_sensor_is_read_in_a_mode_that_sees_it_all(sensor, size, fps, chosen):
    assert full_view(SENSORS[sensor], size, fps)["size"] == chosen


def test_of_two_modes_of_one_size_the_finer_one_is_taken_and_of_none_none():
    coarse, fine = mode((1640, 1232), 41.85, (0, 0, 3280, 2464), 8), mode((1640, 1232), 41.85, (0, 0, 3280, 2464))
    assert full_view([coarse, fine], (640, 480), 15) is fine
    assert full_view([{"format": "NV12"}], (640, 480), 15) is None


def test_the_face_gets_bgr_the_code_reader_luma_and_the_sensor_its_full_view(habits):
    opened(fps=15)
    config = habits.configs[-1]
    assert config["main"] == {"size": (640, 480), "format": "RGB888"}
    assert config["lores"] == {"size": (640, 480), "format": "YUV420"}
    assert config["sensor"] == {"output_size": (1640, 1232), "bit_depth": 10}
    assert config["controls"] == {"FrameDurationLimits": (66667, 66667)}
    assert habits.calls == ["open 0", "modes", "configure", "start"]


def test_a_camera_that_focuses_does_so_and_modes_are_read_once_in_a_process(habits):
    habits.autofocus = True
    opened().close()
    opened().close()
    assert habits.configs[-1]["controls"]["AfMode"] == 2
    assert habits.calls.count("modes") == 1


def test_a_virtual_camera_has_no_sensor_modes_to_choose_from(habits):
    habits.modes = []
    opened()
    assert "sensor" not in habits.configs[-1]


def test_frames_carry_luma_and_the_sensor_s_time(habits):
    habits.padding = 64
    source = opened()
    frame = source.read(1.0)
    assert np.array_equal(frame.image, noise_picture(480, 640))
    assert frame.luma.shape == (480, 640)
    assert (frame.luma == 77).all()
    assert frame.monotonic_ns == NOW - 30_000_000
    assert frame.meta == {"ExposureTime": 9000, "AnalogueGain": 2.0}
    assert source.read(1.0).sequence == 2


@pytest.mark.parametrize(("delivered", "padding"), [("NV12", 0), ("YUV420", 0), ("YUV420", 64)])
def test_yuv_whatever_was_asked_is_decoded(habits, delivered, padding):
    habits.format, habits.padding = delivered, padding
    source = opened()
    frame = source.read(1.0)
    grey = round((77 - 16) * 255 / 219)  # limited range
    assert frame.image.shape == (480, 640, 3)
    assert frame.image.flags.c_contiguous
    assert np.abs(frame.image.astype(int) - grey).max() <= 1
    assert (frame.luma == 77).all()
    assert source.granted.format == delivered


@pytest.mark.parametrize("delivered", ["MJPEG", "YUYV", "XBGR8888", "SRGGB10_CSI2P"])
def test_any_other_format_is_refused_by_name_and_the_camera_closed(habits, delivered):
    habits.format = delivered
    with pytest.raises(SourceUnavailable, match=delivered):
        opened()
    assert habits.calls[-1] == "close"


def test_another_size_is_refused_and_the_camera_closed(habits):
    habits.size = (1296, 972)
    with pytest.raises(SourceUnavailable, match="1296 x 972") as caught:
        opened()
    assert "1296 and 972" in caught.value.remedy
    assert habits.calls[-2:] == ["configure", "close"]


def test_the_sensor_is_named_and_a_rate_that_is_not_granted_is_told(habits):
    assert opened().granted.identity == f"imx219 ({IMX219})"
    habits.open, habits.least_us = False, 100_000
    source = opened(fps=15)
    assert source.granted.fps == 10
    assert source.granted.notes == ("asked for 15 frames a second, the camera grants 10",)


TWO = [{"Model": "imx708", "Id": "/base/axi/i2c@80000/imx708@1a"}, {"Model": "imx219", "Id": IMX219}]
WEBCAM = {"Model": "HD Webcam", "Id": USB}
PC_WEBCAM = {"Model": "HD Webcam", "Id": r"\_SB_.PCI0.XHC_-2.1:1.0-17ef:4831"}


@pytest.mark.parametrize(
    ("device", "number"), [("", 0), ("0", 0), ("1", 1), ("imx708", 1), ("imx219", 0), (TWO[0]["Id"], 1), (USB, 2)]
)
def test_a_camera_is_chosen_by_number_name_or_path(habits, device, number):
    habits.cameras = [WEBCAM, *TWO]
    opened(device=device)
    assert habits.calls[0] == f"open {number}"


@pytest.mark.parametrize("webcam", [WEBCAM, PC_WEBCAM])
@pytest.mark.parametrize("device", ["", "0"])
def test_camera_0_never_means_a_usb_camera(habits, webcam, device):
    habits.cameras = [webcam]
    with pytest.raises(SourceUnavailable, match="USB camera only") as caught:
        opened(device=device)
    assert "ribbon" in caught.value.remedy
    assert "v4l2" in caught.value.remedy
    assert not habits.calls


def test_a_number_beyond_the_fixed_cameras_is_no_usb_camera_either(habits):
    habits.cameras.append(WEBCAM)
    with pytest.raises(SourceUnavailable, match="there is no camera '1'; there are 0: imx219"):
        opened(device="1")


def test_two_cameras_of_one_name_are_not_guessed_between(habits):
    habits.cameras = [{"Model": "imx219", "Id": f"/base/i2c@{n}/imx219@10"} for n in range(2)]
    with pytest.raises(SourceUnavailable, match="2 cameras are called 'imx219'"):
        opened(device="imx219")


def test_no_camera_at_all_is_the_ribbon_cable(habits):
    habits.cameras = []
    with pytest.raises(SourceUnavailable, match="finds no camera") as caught:
        opened()
    assert "ribbon" in caught.value.remedy


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("Failed to acquire camera: Device or resource busy", "another program"),
        ("Permission denied", "group|usermod"),
        ("Could not open any dmaHeap device", "/dev/dma_heap"),
        ("Invalid camera configuration: {...}", "camera.width"),
        ("Failed to allocate buffers: Cannot allocate memory", "memory"),
        ("Dequeue timer has expired: Connection timed out", "ribbon"),
        ("something new", "rpicam-hello"),
    ],
)
def test_a_failed_open_names_the_sensor_its_cause_and_the_true_remedy(habits, said, helps):
    habits.fails = said
    with pytest.raises(SourceUnavailable, match="does not start") as caught:
        opened()
    assert said in caught.value.what
    assert "imx219" in caught.value.where
    assert any(word in caught.value.remedy for word in helps.split("|"))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Python's own collector comes when it comes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_failed_opens_leave_no_file_descriptor_behind(habits):
    habits.fails = "busy"
    before = descriptors()
    for _ in range(10):
        with pytest.raises(SourceUnavailable):
            opened()
    habits.fails, habits.size = "", (8, 8)
    for _ in range(10):
        with pytest.raises(SourceUnavailable):
            opened()
    habits.size = None
    opened().close()
    assert descriptors() == before


def test_every_request_is_given_back_even_when_its_buffer_fails(habits):
    source = opened()
    for _ in range(3):
        source.read(1.0)
    habits.broken_buffer = True
    with pytest.raises(RuntimeError):
        source.read(1.0)
    assert habits.held == 0


def test_a_silent_camera_is_a_timeout_and_its_job_is_waited_for_again(habits):
    source = opened()
    habits.stall = True
    for _ in range(3):
        with pytest.raises(SourceTimeout) as caught:
            source.read(0.01)
    assert "imx219" in caught.value.where
    assert habits.jobs == 1, "an abandoned job would swallow a request"
    habits.stall = False
    assert source.read(0.5).sequence == 1
    assert habits.held == 0


def test_closing_a_silent_camera_cancels_its_job_and_closes_once(habits):
    source = opened()
    habits.stall = True
    with pytest.raises(SourceTimeout):
        source.read(0.01)
    source.close()
    source.close()
    assert habits.calls[-3:] == ["flush", "stop", "close"]
    with pytest.raises(CameraError, match="not open"):
        source.read(1.0)


def test_a_sensor_time_of_another_clock_is_not_believed(habits):
    source = opened()
    habits.stamp_ns = NOW + 10**12
    assert source.read(1.0).monotonic_ns == NOW


@pytest.fixture
def live(habits) -> Habits:
    """As `habits`, on the real clock."""
    habits.stamp_ns = None
    return habits


def stream() -> Capture:
    return Capture(PiSource(CameraSettings(driver="picamera2")))


def test_the_next_stream_waits_until_the_last_close_has_ended(live):
    live.close_s = 0.7
    for _ in range(2):
        with stream() as running:
            assert running.next(running.now_ns(), 2.0).source == "picamera2"
            assert "imx219" in running.granted.identity
    assert live.calls.count("open 0") == 2
    time.sleep(0.5)
    assert live.held == 0


def test_two_streams_at_once_are_refused_and_not_told_as_another_program(live):
    with stream(), pytest.raises(SourceUnavailable, match="this program has the camera open"):
        stream().start()
    assert live.calls.count("open 0") == 1


def test_a_camera_mounted_on_its_side_is_the_same_camera(live):
    settings = CameraSettings(driver="picamera2", rotate=90)
    with open_stream(settings) as running:
        assert running.next(0, 2.0).image.shape == (640, 480, 3)
        assert "imx219" in running.granted.identity
        with pytest.raises(SourceUnavailable, match="this program has the camera open"):
            stream().start()


def test_a_stop_that_hangs_is_told_as_such_and_the_camera_comes_back_when_it_does(live, monkeypatch):
    monkeypatch.setattr("edge.camera.capture.CLOSE_S", 0.2)
    live.hung_stop = True
    first = stream().start()
    began = time.monotonic()
    first.stop()
    assert time.monotonic() - began < 0.5
    for _ in range(2):
        with pytest.raises(SourceHung, match="told to stop") as caught:
            stream().start()
    assert "hangs" in caught.value.remedy
    assert live.calls.count("open 0") == 1
    live.hung_stop = False
    live.come_back.set()
    monkeypatch.setattr("edge.camera.capture.CLOSE_S", 5.0)
    with stream() as again:
        again.next(0, 2.0)


def test_a_failed_open_can_be_tried_again_at_once(live):
    live.fails = "busy"
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="does not start"):
            stream().start()
    live.fails = ""
    with stream() as running:
        running.next(0, 2.0)


def test_a_stall_is_told_with_its_true_length_and_the_camera_s_name(live):
    with stream() as running:
        running.next(0, 2.0)
        live.stall = True
        silence_of(running)
        time.sleep(0.3)
        last = silence_of(running)
    assert float(last.what.split()[4]) >= 0.4
    assert "silent" in last.what
    assert "imx219" in last.where


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
        opened()
    assert "sudo apt install python3-picamera2" in caught.value.remedy
    assert "--system-site-packages" in caught.value.remedy


def test_beside_numpy_2_bookworm_s_picamera2_asks_for_numpy_1_and_not_for_the_venv_that_it_is_in(monkeypatch):
    said = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88"
    monkeypatch.setattr("edge.camera.pi.import_module", lambda name: (_ for _ in ()).throw(ValueError(said)))
    with pytest.raises(SourceUnavailable, match="size changed") as caught:
        opened()
    assert "numpy<2" in caught.value.remedy
    assert "--system-site-packages" not in caught.value.remedy
