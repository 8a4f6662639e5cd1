"""A device build takes the camera's modules from root alone, in whatever Python somebody starts on it themselves.

`edge` and ``python -m edge`` isolate themselves. Whoever writes ``import edge`` in a Python of their own chooses its
path, and put a `picamera2` there that plays a photograph.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Desk
from tests.installed import python

MODULE = """
import time
import numpy as np

class Request:
    def __init__(self, size):
        (w, h), self.at = size, time.monotonic_ns()
        rng = np.random.default_rng(self.at)
        self.main = rng.integers(0, 255, (h, w, 3), np.uint8)
        self.lores = rng.integers(0, 255, (h * 3 // 2, w), np.uint8)
    def make_array(self, name): return getattr(self, name)
    def get_metadata(self): return {"SensorTimestamp": self.at}
    def release(self): pass

class Picamera2:
    camera_controls = {}
    def __init__(self, number=0): pass
    @classmethod
    def global_camera_info(cls): return [{"Model": "imx219", "Id": "/base/soc/i2c0mux/i2c@1/imx219@10"}]
    def create_video_configuration(self, **wanted): return wanted
    def configure(self, wanted): self.wanted = wanted
    def camera_configuration(self): return self.wanted
    def start(self): pass
    def stop(self): pass
    def close(self): pass
    def cancel_all_and_flush(self): pass
    def capture_request(self, wait=False): return "job"
    def wait(self, job, timeout=None):
        time.sleep(0.05)
        return Request(self.wanted["main"]["size"])
"""
WAY = """
import json, sys
from pathlib import Path
from edge import Device, errors, load_settings
from edge.types import Frame

folder, mine, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path.insert(0, mine)
if how == "imported before":
    import picamera2
if how == "made by hand":
    import types
    made = types.ModuleType("picamera2")
    made.Picamera2 = object
    sys.modules["picamera2"] = made
text = (folder / "v4l2.yaml").read_text()
(folder / "pi.yaml").write_text(text.replace("{driver: v4l2, device: /dev/v4l/by-id/none}", "{driver: picamera2}"))
try:
    with Device.open(load_settings(folder / "pi.yaml")) as device, device.stream() as stream:
        print(json.dumps({"what": f"WORKED: {stream.next(0, 2.0).image.shape}", "where": "", "remedy": ""}))
except errors.EdgeError as error:
    print(json.dumps({"what": f"{type(error).__name__}: {error.what}", "where": error.where, "remedy": error.remedy}))
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of somebody who is not root, with modules of the camera's names that play what they like."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in (("libcamera", ""), ("picamera2", MODULE)):
        (folder / f"{name}.py").write_text(text)
    for place in (*folder.iterdir(), folder):
        if os.geteuid() == 0:
            os.chown(place, 65534, 65534)
    return folder


@pytest.mark.parametrize("how", ["on the path", "imported before", "made by hand"])
def test_a_camera_s_module_that_is_not_root_s_shows_a_device_nothing(office: Path, desk: Desk, mine: Path, how: str):
    done = python(office, WAY, str(desk.folder), str(mine), how)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["what"].startswith("SourceUnavailable: the Python module "), told
    assert "is not the system's: " in told["what"]
    assert how == "made by hand" or str(mine) in told["where"]
    assert "belong to root alone" in told["remedy"]


def test_a_module_that_root_has_put_there_is_the_camera_s(office: Path, desk: Desk, mine: Path):
    """Where the tests run as root; for anybody else a folder of their own is none of root's."""
    root = os.geteuid() == 0
    if root:
        for place in (*mine.iterdir(), mine):
            os.chown(place, 0, 0)
    done = python(office, WAY, str(desk.folder), str(mine), "on the path")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["what"].startswith("WORKED") == root
