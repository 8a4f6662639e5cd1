"""V4L2Source on a kernel's devices, inside the guest: one JSON object a line, `test_pi.py` reads them.

vivid is the kernel's own test camera: every layout, an unplugging on demand, and a metadata node beside its pictures.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.camera import Capture, motion, watch
from edge.camera.v4l2 import V4L2Source
from edge.errors import EdgeError, SourceTimeout
from edge.settings.model import CameraSettings

RATE = {"width": 640, "height": 480, "fps": 15}


def say(case: str, **what: object) -> None:
    print(json.dumps({"case": case, **what}), flush=True)


def until(stream: Capture, wanted: Callable[[EdgeError | None], bool]) -> str:
    """Take frames until one comes, or an error, that is wanted; what was on its way comes first, and late here."""
    for _ in range(100):
        found: EdgeError | None = None
        try:
            stream.next(stream.now_ns(), 3.0)
        except EdgeError as error:
            found = error
        if wanted(found):
            return found.what if found else "a frame"
    return "nothing"


def refused(case: str, **keys: object) -> None:
    source = V4L2Source(CameraSettings(driver="v4l2", **{**RATE, **keys}))
    try:
        source.open()
        say(case, opened=True, notes=source.granted.notes)
        source.close()
    except EdgeError as error:
        say(case, kind=type(error).__name__, what=error.what, remedy=error.remedy)


def nodes(driver: str) -> dict[str, str]:
    """Path -> name of every video node whose name has this in it."""
    names = {
        f"/dev/{path.parent.name}": path.read_text().strip() for path in Path("/sys/class/video4linux").glob("*/name")
    }
    return {path: name for path, name in names.items() if driver in name}


def layouts(device: str) -> None:
    reference = None
    for fourcc in ("BGR3", "RGB3", "YUYV", "UYVY", "NV12", "YU12", "GREY", "Y16 "):
        source = V4L2Source(CameraSettings(driver="v4l2", device=device, fourcc=fourcc, **RATE))
        try:
            opened = time.monotonic_ns()
            source.open()
            frames = [source.read(5.0) for _ in range(6)]
            stamps = [opened, frames[0].monotonic_ns, frames[-1].monotonic_ns, time.monotonic_ns()]
            image = frames[-1].image[100:].astype(int)  # the upper rows hold a running clock
            reference = image if reference is None else reference
            grey = fourcc in ("GREY", "Y16 ")  # of other weights and range: alike, not the same
            alike = np.corrcoef(image.mean(2).ravel(), (reference @ [0.114, 0.587, 0.299]).ravel())[0, 1]
            off = 100 * (1 - alike) if grey else np.abs(image - reference).mean()
            rate = 5e9 / (frames[-1].monotonic_ns - frames[0].monotonic_ns)
            say(
                "layout",
                fourcc=fourcc,
                off=off,
                rate=rate,
                stamps=stamps,
                granted=source.granted.format,
                notes=source.granted.notes,
            )
        except EdgeError as error:
            say("layout", fourcc=fourcc, error=str(error))
        finally:
            source.close()


def loopback(feeder: subprocess.Popen[bytes]) -> None:
    settings = CameraSettings(driver="v4l2", device="/dev/video42", **RATE)
    with Capture(V4L2Source(settings)) as stream:
        frames = watch(stream)
        say(
            "loopback",
            frames=len(frames),
            motion=motion(frames),
            identity=stream.granted.identity,
            notes=stream.granted.notes,
        )
        os.kill(feeder.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            for _ in range(10):  # what was on its way arrives late on an emulated machine
                began = time.monotonic()
                stream.next(stream.now_ns(), 3.0)
            say("stall", came=True)
        except EdgeError as error:
            say("stall", after=time.monotonic() - began, kind=type(error).__name__, what=error.what)
        began = time.monotonic()
    say("stop", after=time.monotonic() - began)
    again = Capture(V4L2Source(settings))
    try:
        again.start()  # in the same process, while the camera is still silent
        os.kill(feeder.pid, signal.SIGCONT)
        say("again", sequence=again.next(again.now_ns(), 5.0).sequence)
        os.kill(feeder.pid, signal.SIGUSR1)
        say("torn", what=until(again, lambda error: error is not None and "damaged pictures" in error.what))
        os.kill(feeder.pid, signal.SIGUSR1)
        say("mended", what=until(again, lambda error: error is None))
    except EdgeError as error:
        say("again", error=str(error))
    finally:
        os.kill(feeder.pid, signal.SIGCONT)
        again.stop()


def unplugged(device: str) -> None:
    with Capture(V4L2Source(CameraSettings(driver="v4l2", device=device, fourcc="YUYV", **RATE))) as stream:
        stream.next(stream.now_ns(), 5.0)
        refused("second opener", device=device, fourcc="YUYV")
        subprocess.run(["v4l2-ctl", "-d", device, "-c", "disconnect=1"], check=False)
        say("unplugged", what=until(stream, lambda error: error is not None and not isinstance(error, SourceTimeout)))


def main() -> None:
    say("nodes", vivid=nodes("vivid"))
    camera = next(path for path, name in sorted(nodes("vid-cap").items()))
    layouts(camera)
    metadata = next((path for path, name in sorted(nodes("meta-cap").items())), None)
    if metadata:
        refused("metadata", device=metadata)
    refused("output", device=next(path for path in sorted(nodes("vid-out"))))
    refused("size", device=camera, fourcc="YUYV", width=800)
    refused("format", device=camera, fourcc="H264")
    refused("null", device="/dev/null")
    feeder = subprocess.Popen(
        [sys.executable, "feed.py", "/dev/video42", "frames", "640", "480"], stdout=subprocess.PIPE
    )
    try:
        assert feeder.stdout is not None
        feeder.stdout.readline()  # until somebody writes into it, the device has no pictures
        loopback(feeder)
    finally:
        feeder.kill()
    unplugged(camera)
    say("end")


if __name__ == "__main__":
    main()
