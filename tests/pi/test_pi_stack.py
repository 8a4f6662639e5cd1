"""The camera drivers on real parts of a Pi's stack, in a virtual machine: `pytest -m pi`.

Needs root on Debian or Ubuntu x86-64, a Debian mirror and PyPI, 5 GB in ``EDGE_PI_WORK`` (default /var/tmp/edge-pi).
The guest is built once, 8 minutes; each test boots it, 3 to 8 minutes: everything in it is emulated, so times are long
and say nothing about a Pi.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest

from edge.fictional import FictionalSource, OnePerson

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.pi, pytest.mark.timeout(3600)]


@pytest.fixture(scope="session")
def work() -> Path:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    work = Path(os.environ.get("EDGE_PI_WORK", "/var/tmp/edge-pi"))
    if not (work / "root.img").exists():
        subprocess.run(["bash", HERE / "root.sh", work], check=True)
    return work


def run(work: Path, tmp_path: Path, script: str, seconds: int) -> dict[str, list[dict]]:
    """Boot, run a script with the product's source and the frames of ada beside it; what it said, by case."""
    for name in ("edge", "models", "config"):
        shutil.copytree(ROOT / name, tmp_path / "src" / name, ignore=shutil.ignore_patterns("training", "__pycache__"))
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    shutil.copy(HERE / script, tmp_path / "guest.sh")
    frames = tmp_path / "frames"
    frames.mkdir()
    source = FictionalSource((OnePerson("ada", 60.0, walk_up=False, yaw=8.0, side_light=0.2, defocus=0.0),))
    source.open()
    for number in range(45):
        cv2.imwrite(str(frames / f"{number:03}.jpg"), source.read(1.0).image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    with (tmp_path / "console.log").open("wb") as console:
        subprocess.run(["bash", HERE / "boot.sh", work, tmp_path, str(seconds)], stdout=console, stderr=console)
    said: dict[str, list[dict]] = {}
    for line in (tmp_path / "guest.log").read_text(errors="replace").splitlines():
        if line.startswith('{"case"'):
            said.setdefault(json.loads(line)["case"], []).append(json.loads(line))
    print((tmp_path / "guest.log").read_text(errors="replace")[-4000:])
    return said


def test_a_kernel_s_cameras(work, tmp_path):
    said = run(work, tmp_path, "guest_v4l2.sh", 1800)
    assert "end" in said
    layouts = {each["fourcc"]: each for each in said["layout"]}
    assert len(layouts) == 8
    for fourcc, each in layouts.items():
        assert each["granted"] == fourcc
        assert each["off"] < 5, each
        assert 0 <= each["ages"][0] < 2e9, "the driver's clock is ours"
    (loopback,) = said["loopback"]
    assert loopback["motion"] in ("moving", "steady"), "emulated slowly, a walk is a handful of jumps"
    assert any("virtual camera" in note for note in loopback["notes"])
    (stall,) = said["stall"]
    assert stall["kind"] == "SourceTimeout"
    assert 2.5 < stall["after"] < 6
    assert "the camera is silent" in stall["what"]
    assert said["stop"][0]["after"] < 2
    assert said["again"][0]["sequence"] >= 1
    assert "damaged pictures" in said["torn"][0]["what"]
    assert said["mended"][0]["sequence"] > said["again"][0]["sequence"]
    assert "no pictures" in said["metadata"][0]["what"]
    assert "no pictures" in said["output"][0]["what"]
    assert "pixels" in said["size"][0]["what"]
    assert said["format"][0]["notes"][0].startswith("asked for H264, the camera gives ")
    assert "no camera" in said["null"][0]["what"]
    assert "another program" in said["second opener"][0]["remedy"]
    assert said["unplugged"][0]["kind"] == "CameraError"


def test_picamera2_over_libcamera_s_virtual_camera(work, tmp_path):
    said = run(work, tmp_path, "guest_picamera2.sh", 3000)
    assert "end" in said
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
