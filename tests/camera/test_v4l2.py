"""USB cameras against a stand-in for the kernel: what is asked, what is granted and told, and every way to fail."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from edge.camera import Capture, open_source
from edge.camera.v4l2 import V4L2Source
from edge.camera.v4l2_node import NodeFacts, PixelFormat, Taken, VideoNode
from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from tests.camera.pictures import encoded, noise_picture, silence_of

NOW = 50_000_000_000
WEBCAM = NodeFacts("uvcvideo", "HD Webcam", "usb-0000:01:00.0-1.2", pictures=True, metadata=False)
JPEG = encoded(noise_picture(480, 640))


class StandInNode:
    """`VideoNode` on a camera that has its own mind; as a factory it stands for the device as well."""

    def __init__(self, *buffers: Taken | OSError | bytes, facts: NodeFacts = WEBCAM, **habits) -> None:
        self.buffers, self.facts = list(buffers), facts
        self.fails: dict[str, int] = habits.pop("fails", {})  # method -> errno
        self.granted: dict = habits  # fourcc, width, height, stride, fps as granted, whatever was asked
        self.asked_for: list = []
        self.closed = self.taken = 0
        self.silent = False

    def __call__(self, path: str) -> StandInNode:
        self._fail("open")
        self.path = path
        return self

    def _fail(self, what: str) -> None:
        if what in self.fails:
            raise OSError(self.fails[what], os.strerror(self.fails[what]))

    def asked(self) -> NodeFacts:
        self._fail("asked")
        return self.facts

    def formats(self) -> list[str]:
        return ["YUYV", "H264"]

    def set_format(self, fourcc: str, width: int, height: int) -> PixelFormat:
        self._fail("set_format")
        self.asked_for.append((fourcc, width, height))
        given = {"fourcc": fourcc, "width": width, "height": height, "stride": 0, **self.granted}
        return PixelFormat(given["fourcc"], given["width"], given["height"], given["stride"])

    def set_rate(self, fps: float) -> float:
        self.asked_for.append(fps)
        return self.granted.get("fps", fps)

    def start(self) -> None:
        self._fail("start")

    def wait(self, timeout_s: float) -> bool:
        if self.silent or not self.buffers:
            time.sleep(min(max(timeout_s, 0), 0.01))
            return False
        return True

    def take(self) -> Taken | None:
        if not self.buffers or self.taken:  # one a wait, as a camera whose frames are fetched in time
            self.taken = 0
            return None
        step = self.buffers.pop(0)
        if isinstance(step, OSError):
            raise step
        self.taken = 1
        return Taken(step, NOW - 20_000_000, damaged=False) if isinstance(step, bytes) else step

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def links(tmp_path):
    """/dev/v4l/by-id with one camera, which is video0."""
    (tmp_path / "video0").touch()
    folder = tmp_path / "by-id"
    folder.mkdir()
    (folder / "usb-046d_HD_Webcam_ABC-video-index0").symlink_to("../video0")
    (folder / "usb-046d_HD_Webcam_ABC-video-index1").touch()
    return folder


def usb(node, links=None, *, device=None, clock=lambda: NOW, **keys) -> V4L2Source:
    device = str(next(links.glob("*0"))) if device is None and links else device or "/dev/camera"
    settings = CameraSettings(driver="v4l2", device=device, **keys)
    return V4L2Source(settings, factory=node, clock=clock, links=(links,) if links else ())


def opened(node, links=None, **keys) -> V4L2Source:
    source = usb(node, links, **keys)
    source.open()
    return source


def test_format_size_and_rate_are_asked_for_in_this_order():
    node = StandInNode()
    source = opened(node, fps=30, fourcc="YUYV", device="/dev/v4l/by-id/x")
    assert node.path == "/dev/v4l/by-id/x"
    assert node.asked_for == [("YUYV", 640, 480), 30]
    assert source.granted.notes == ()


def test_frames_carry_the_driver_s_timestamp():
    source = opened(StandInNode(JPEG, JPEG))
    frames = [source.read(1.0), source.read(1.0)]
    assert [frame.sequence for frame in frames] == [1, 2]
    assert np.abs(frames[0].image.astype(int) - noise_picture(480, 640)).mean() < 10
    assert frames[0].monotonic_ns == NOW - 20_000_000


@pytest.mark.parametrize("stamp", [None, 0, NOW + 5, NOW - 2_000_000_000])
def test_a_timestamp_of_another_clock_is_not_believed(stamp):
    assert opened(StandInNode(Taken(JPEG, stamp, damaged=False))).read(1.0).monotonic_ns == NOW


def test_a_picture_that_lay_in_a_buffer_while_the_camera_froze_keeps_its_age():
    source = opened(StandInNode(JPEG, Taken(JPEG, NOW - 7_000_000_000, damaged=False)))
    assert [source.read(1.0).monotonic_ns for _ in range(2)] == [NOW - 20_000_000, NOW - 7_000_000_000]


def test_of_several_waiting_pictures_the_newest_is_taken():
    node = StandInNode(*(Taken(JPEG, NOW - age, damaged=False) for age in (300, 200, 100)))
    node.take = lambda: node.buffers.pop(0) if node.buffers else None
    assert opened(node).read(1.0).monotonic_ns == NOW - 100


def picture(layout: str, stride: int) -> bytes:
    """Grey 77 (of 0..255 luma) in a layout, 640 x 480, its rows padded with 255."""
    wide = {"YUYV": 1280, "UYVY": 1280, "Y16 ": 1280, "BGR3": 1920, "RGB3": 1920}.get(layout, 640)
    rows = np.full((480, stride), 255, np.uint8)
    rows[:, :wide] = 77
    if layout in ("YUYV", "UYVY"):
        rows[:, 1 if layout == "YUYV" else 0 : wide : 2] = 128
    if layout == "Y16 ":
        rows[:, 0:wide:2] = 13  # the lower byte
    if layout == "NV12":
        rows = np.concatenate([rows, np.full((240, stride), 128, np.uint8)])
    if layout == "YU12":
        rows = np.concatenate([rows, np.full((240, stride), 128, np.uint8)])
    return rows.tobytes()


@pytest.mark.parametrize("padding", [0, 64])
@pytest.mark.parametrize("layout", ["YUYV", "UYVY", "NV12", "YU12", "GREY", "Y16 ", "BGR3", "RGB3"])
def test_every_layout_is_decoded_with_and_without_padding(layout, padding):
    stride = {"YUYV": 1280, "UYVY": 1280, "Y16 ": 1280, "BGR3": 1920, "RGB3": 1920}.get(layout, 640) + padding
    source = opened(StandInNode(picture(layout, stride), fourcc=layout, stride=stride), fourcc=layout)
    frame = source.read(1.0)
    full = layout in ("GREY", "Y16 ", "BGR3", "RGB3")  # others have limited range
    assert frame.image.shape == (480, 640, 3)
    assert np.abs(frame.image.astype(int) - (77 if full else round((77 - 16) * 255 / 219))).max() <= 1
    assert (frame.luma == 77).all() if frame.luma is not None else layout in ("BGR3", "RGB3")


def test_colours_keep_their_places():
    bgr = noise_picture(480, 640)
    for layout, data in (("BGR3", bgr), ("RGB3", bgr[..., ::-1]), ("YU12", cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420))):
        stride = 640 if layout == "YU12" else 1920
        frame = opened(StandInNode(data.tobytes(), fourcc=layout, stride=stride), fourcc=layout).read(1.0)
        assert np.abs(frame.image[:100, :100].astype(int) - bgr[:100, :100]).mean() < 3, layout


def test_a_size_that_the_camera_does_not_have_is_refused_and_the_device_freed():
    node = StandInNode(width=1280, height=720)
    with pytest.raises(SourceUnavailable, match="1280 x 720") as caught:
        opened(node)
    assert "1280 and 720" in caught.value.remedy
    assert node.closed == 1


def test_a_format_that_nobody_reads_here_is_refused_by_name_with_those_it_has():
    with pytest.raises(SourceUnavailable, match=r"gives H264.*it has YUYV, H264") as caught:
        opened(StandInNode(fourcc="H264"))
    assert "YUYV" in caught.value.remedy


def test_format_and_rate_that_were_not_granted_are_told():
    granted = opened(StandInNode(fourcc="YUYV", stride=1280, fps=7.5)).granted
    assert granted.notes == (
        "asked for MJPG, the camera gives YUYV",
        "asked for 15 frames a second, the camera grants 7.5",
    )
    assert (granted.format, granted.fps) == ("YUYV", 7.5)
    assert opened(StandInNode(fps=14.93)).granted.notes == ()
    assert opened(StandInNode(fps=0.0)).granted.notes == (), "a camera that does not say"


def test_identity_names_camera_socket_and_serial_number(tmp_path, links):
    device = tmp_path / "sys" / "usb1" / "1-2" / "1-2:1.0"
    device.mkdir(parents=True)
    for name, text in (("idVendor", "046d"), ("idProduct", "0825"), ("serial", "ABC")):
        (device.parent / name).write_text(text + "\n")
    (tmp_path / "class" / "video0").mkdir(parents=True)
    (tmp_path / "class" / "video0" / "device").symlink_to(device)
    settings = CameraSettings(driver="v4l2", device=str(links / "usb-046d_HD_Webcam_ABC-video-index0"))
    source = V4L2Source(settings, factory=StandInNode(), links=(links,), sysfs=tmp_path / "class")
    source.open()
    assert source.granted.identity == "HD Webcam (usb-0000:01:00.0-1.2, 046d:0825:ABC)"
    assert opened(StandInNode()).granted.identity == "HD Webcam (usb-0000:01:00.0-1.2)"


def test_a_number_for_a_path_and_a_virtual_camera_are_told():
    loopback = NodeFacts("v4l2 loopback", "edge", "platform:v4l2loopback-042", pictures=True, metadata=False)
    notes = opened(StandInNode(facts=loopback), device="/dev/video0").granted.notes
    assert "virtual" in notes[0]
    assert "whichever camera comes first" in notes[1]


def test_the_metadata_node_of_a_camera_leads_to_its_pictures(links):
    for facts in (
        NodeFacts("uvcvideo", "HD Webcam", "usb-1", pictures=False, metadata=True),
        NodeFacts("bcm2835-codec", "bcm2835-codec-decode", "platform:x", pictures=False, metadata=False),
    ):
        node = StandInNode(facts=facts)
        with pytest.raises(SourceUnavailable, match="has no pictures") as caught:
            opened(node, links)
        assert caught.value.remedy.endswith("usb-046d_HD_Webcam_ABC-video-index0")
        assert node.closed == 1
    assert "metadata of a camera" not in caught.value.what


@pytest.mark.parametrize(
    ("step", "code", "what", "helps"),
    [
        ("open", errno.ENOENT, "no such device", "index0"),
        ("open", errno.EACCES, "Permission denied", "group|usermod"),
        ("asked", errno.ENOTTY, "no camera", "index0"),
        ("open", errno.EISDIR, "no camera", "index0"),
        ("open", errno.ENOTDIR, "no camera", "index0"),
        ("set_format", errno.EBUSY, "busy", "fuser"),
        ("start", errno.EBUSY, "busy", "fuser"),
        ("start", errno.ENOSPC, "No space", "bandwidth"),
        ("start", errno.EPROTO, "Protocol", "cable"),
    ],
)
def test_what_the_kernel_refuses_is_told_with_its_true_remedy(links, step, code, what, helps):
    node = StandInNode(fails={step: code})
    with pytest.raises(SourceUnavailable, match=what) as caught:
        opened(node, links)
    assert any(word in caught.value.remedy for word in helps.split("|"))
    assert node.closed == (step != "open")


def test_a_missing_device_and_no_device_at_all_list_those_that_are_there(tmp_path, links):
    with pytest.raises(SourceUnavailable, match="no device is named") as caught:
        V4L2Source(CameraSettings(driver="v4l2"), links=(links,)).open()
    assert "usb-046d_HD_Webcam_ABC-video-index0" in caught.value.remedy
    with pytest.raises(SourceUnavailable, match="no such device") as caught:
        open_source(CameraSettings(driver="v4l2", device="/dev/v4l/by-id/no-such-camera")).open()
    plain = tmp_path / "file"
    plain.touch()
    with pytest.raises(SourceUnavailable, match="no camera"):
        V4L2Source(CameraSettings(driver="v4l2", device=str(plain))).open()


def test_a_torn_picture_is_no_picture():
    torn, middle = JPEG[: len(JPEG) // 2], bytearray(JPEG)
    middle[len(JPEG) // 3 : len(JPEG) // 3 + 400] = JPEG[-400:]  # the end of another one: an end mark and more
    node = StandInNode(torn, bytes(middle), b"", Taken(JPEG, NOW, damaged=True), encoded(noise_picture(240, 320)), JPEG)
    frame = opened(node).read(1.0)
    assert frame.sequence == 1
    assert np.abs(frame.image.astype(int) - noise_picture(480, 640)).mean() < 10
    assert not node.buffers, "every damaged one was passed over"


def test_a_short_buffer_is_no_picture_either():
    node = StandInNode(bytes(640 * 470), picture("GREY", 640), fourcc="GREY", stride=640)
    assert opened(node, fourcc="GREY").read(1.0).image[0, 0, 0] == 77


def test_damaged_pictures_only_are_told_as_such():
    ticks = iter(range(NOW, 2 * NOW, 100_000_000))
    source = opened(StandInNode(*[JPEG[:900]] * 50), clock=lambda: next(ticks))
    with pytest.raises(SourceTimeout, match="damaged pictures and no whole one") as caught:
        source.read(1.0)
    assert "cable" in caught.value.remedy
    assert caught.value.where.startswith("HD Webcam")


def test_silence_after_a_damaged_picture_is_told_as_silence():
    source = opened(StandInNode(JPEG[:900]), clock=time.monotonic_ns)
    for told in ("1 damaged pictures and no whole one", "the camera is silent"):
        with pytest.raises(SourceTimeout, match=told):
            source.read(0.02)


def test_a_silent_camera_is_a_timeout_in_time_and_an_unplugged_one_an_error():
    source = usb(StandInNode(), clock=time.monotonic_ns)
    source.open()
    began = time.monotonic()
    with pytest.raises(SourceTimeout, match="silent"):
        source.read(0.05)
    assert time.monotonic() - began < 0.5
    gone = opened(StandInNode(OSError(errno.ENODEV, "No such device")))
    with pytest.raises(CameraError, match="gone") as caught:
        gone.read(1.0)
    assert not isinstance(caught.value, SourceTimeout)


def test_a_silent_camera_is_given_back_and_opened_again_by_the_same_process():
    node = StandInNode(*[JPEG] * 40)
    for _ in range(2):
        node.silent = False
        with Capture(usb(node, clock=time.monotonic_ns)) as stream:
            stream.next(0, 2.0)
            node.silent = True
            assert re.fullmatch(r"no new frame for \d+\.\d s: the camera is silent", silence_of(stream, 0.5).what)
    assert node.closed == 2


def test_the_device_is_freed_once():
    node = StandInNode()
    source = opened(node)
    source.close()
    source.close()
    assert node.closed == 1
    with pytest.raises(CameraError, match="not open"):
        source.read(1.0)


def test_the_real_node_frees_what_it_opened_when_it_is_no_video_device():
    node = VideoNode("/dev/null")
    with pytest.raises(OSError, match="ioctl"):
        node.asked()
    assert node.formats() == []
    node.close()
    node.close()


def test_only_the_chosen_driver_is_imported():
    code = (
        "import sys; from edge.camera import open_source; from edge.settings.model import CameraSettings\n"
        "open_source(CameraSettings(driver='replay'))\n"
        "print([name for name in ('edge.camera.pi', 'edge.camera.v4l2', 'picamera2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
