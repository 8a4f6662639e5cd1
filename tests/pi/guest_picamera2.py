"""PiSource on an unmodified picamera2 over libcamera's virtual camera, inside the guest: one JSON object a line."""

from __future__ import annotations

import json
import time
from pathlib import Path

from edge.camera import Capture, motion, watch
from edge.camera.pi import PiSource
from edge.errors import EdgeError
from edge.settings.model import CameraSettings

PATIENCE_S = 60.0  # of an emulated machine that shares its processors
RATE = {"width": 640, "height": 480, "fps": 15}


def say(case: str, **what: object) -> None:
    print(json.dumps({"case": case, **what}), flush=True)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def refused(case: str, **keys: object) -> None:
    try:
        with Capture(PiSource(CameraSettings(driver="picamera2", **{**RATE, **keys}))):
            say(case, opened=True)
    except EdgeError as error:
        say(case, kind=type(error).__name__, what=error.what, remedy=error.remedy)


def main() -> None:
    import picamera2

    picamera2.Picamera2.global_camera_info()  # decodes the virtual camera's pictures, once a process
    for round_ in range(3):  # opened again at once, as the self-test and the loop do
        began = time.monotonic()
        with Capture(PiSource(CameraSettings(driver="picamera2", **RATE))) as stream:
            opened = time.monotonic() - began
            frames = watch(stream, timeout_s=PATIENCE_S)
            shape, luma = (
                stream.next(stream.now_ns(), PATIENCE_S).image.shape,
                stream.next(stream.now_ns(), PATIENCE_S).luma,
            )
            granted = stream.granted
        say(
            "stream",
            round=round_,
            opened=opened,
            frames=len(frames),
            shape=shape,
            luma=luma.shape,
            motion=motion(frames),
            identity=granted.identity,
            format=granted.format,
        )
    refused("number", device="7")  # what libcamera keeps of having listed its cameras, once a process
    time.sleep(1)
    before = descriptors()
    for _ in range(3):
        refused("size", width=800)
        refused("number", device="7")
    time.sleep(1)
    say("descriptors", more=descriptors() - before)
    with Capture(PiSource(CameraSettings(driver="picamera2", **RATE))):
        refused("twice")
    say("end")


if __name__ == "__main__":
    main()
