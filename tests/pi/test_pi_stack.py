"""The camera drivers on real parts of a Pi's stack, in a virtual machine: `pytest -m pi tests/pi/test_pi_stack.py`.

Needs what `make_guest.sh` names; each test boots the guest: everything in it is emulated, so times are long and say
nothing about a Pi.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge.fictional import FictionalSource, OnePerson
from tests.pi.guest import Guest, cases

pytestmark = [pytest.mark.pi, pytest.mark.timeout(7200)]


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A folder for the guest, with frames of ada, and of chen.

    So many that the few frames of a session hardly meet one twice, as no camera's do (`edge.session.run`); so few that
    libcamera decodes all of them in the minute that a camera has to open.
    """
    for name, folder in (("ada", "frames"), ("chen", "chen")):
        (tmp_path / folder).mkdir()
        source = FictionalSource((OnePerson(name, 60.0, walk_up=False, yaw=8.0, side_light=0.2, defocus=0.0),))
        source.open()
        for number in range(45):
            picture = tmp_path / folder / f"{number:03}.jpg"
            cv2.imwrite(str(picture), source.read(1.0).image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return tmp_path


def test_a_kernel_s_cameras(shown):
    log = Guest().run("guest_v4l2.sh", shown)
    said = cases(log)
    assert "end" in said, log[-4000:]
    layouts = {each["fourcc"]: each for each in said["layout"]}
    assert len(layouts) == 8
    for fourcc, each in layouts.items():
        assert each["granted"] == fourcc
        assert each["off"] < 5, each
        assert each["stamps"] == sorted(each["stamps"]), "the driver's clock is ours: opened, first, last, now"
    (loopback,) = said["loopback"]
    assert loopback["motion"] in ("moving", "steady"), "emulated slowly, a walk is a handful of jumps"
    assert any("virtual camera" in note for note in loopback["notes"])
    (stall,) = said["stall"]
    assert stall["kind"] == "SourceTimeout"
    assert 2.5 < stall["after"] < 45, "the settings say 3 s; OpenCV's own patience is 50"
    assert "the camera is silent" in stall["what"]
    assert "stop" in said, "a camera that is silent lets go"
    assert said["again"][0]["sequence"] >= 1
    assert "damaged pictures" in said["torn"][0]["what"]
    assert said["mended"][0]["what"] == "a frame"
    assert "no pictures" in said["metadata"][0]["what"]
    assert "no pictures" in said["output"][0]["what"]
    assert "pixels" in said["size"][0]["what"]
    assert said["format"][0]["notes"][0].startswith("asked for H264, the camera gives ")
    assert "no camera" in said["null"][0]["what"]
    assert "another program" in said["second opener"][0]["remedy"]
    assert said["unplugged"][0]["what"] != "nothing", "more than a silence"


def test_picamera2_over_libcamera_s_virtual_camera(shown):
    log = Guest().run("guest_picamera2.sh", shown)
    said = cases(log)
    assert "end" in said, log[-4000:]
    for each in said["stream"]:
        assert (each["format"], each["shape"], each["luma"]) == ("NV12", [480, 640, 3], [480, 640])
        assert each["motion"] in ("moving", "steady")
    assert "800 x 480" in said["size"][0]["what"]
    assert "there is no camera '7'" in said["number"][0]["what"]
    assert said["descriptors"][0]["more"] <= 0
    assert "this program has the camera open" in said["twice"][0]["what"]
    codes = {name: said[name][0]["code"] for name in ("check", "selftest", "enrol", "verify", "impostor", "run")}
    assert codes == {"check": 0, "selftest": 0, "enrol": 0, "verify": 0, "impostor": 1, "run": 0}, said
    assert "ACCEPT" in said["run"][0]["said"].upper()
