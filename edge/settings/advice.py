"""What a settings file may say and probably does not mean: told by `edge config check` and the self-test."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge.settings.describe import leaves
from edge.settings.model import Settings
from edge.settings.problems import Problem
from edge.settings.yaml_core import Document

#: At 640 pixels a printed code is read up to 15 cm, at 1280 up to 25 cm (simulated: tests/claim/test_card_in_view.py).
QR_WIDTH = 1280

_FIXED = {"enum", "const", "pattern"}  # a comment after one of these takes nothing from it
_NUMBERED = re.compile(r"/dev/video\d+")


def advice(settings: Settings, document: Document) -> Iterator[Problem]:
    """One problem for each, in the order of this function.

    Args:
        settings: valid. document: what they were read from.
    """
    camera = settings.camera
    if camera.driver == "v4l2" and _NUMBERED.fullmatch(camera.device):
        yield document.problem(
            ("camera", "device"),
            "the kernel numbers cameras anew at each start, so this may be another one tomorrow",
            "the stable name that `ls -l /dev/v4l/by-id` shows for it",
        )
    if "qr" in settings.claim.readers and camera.width < QR_WIDTH:
        yield document.problem(
            ("camera", "width"),
            f"at {camera.width} pixels a QR code is read to 15 cm only",
            f"{QR_WIDTH} or more where claim.readers has qr",
        )
    if camera.driver == "replay" and camera.path is not None and not camera.path.exists():
        yield document.problem(("camera", "path"), f"there is no {camera.path}", "a video file or a folder of pictures")
    free = (path for path, here in leaves() if here.get("type") == "string" and not _FIXED & here.keys())
    yield from document.cut_short(*free)
