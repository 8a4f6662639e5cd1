"""What people see of themselves: mirrored, nobody behind them, and nothing of it stays."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import cv2
import numpy as np

from edge.kiosk import Kiosk, Screen, page_of
from edge.kiosk.preview import HEIGHT, WIDTH, preview
from edge.types import Frame
from tests.kiosk.conftest import settings


def shown(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(preview(image), np.uint8), cv2.IMREAD_COLOR)


def test_it_is_a_mirror_of_the_middle_of_the_frame():
    image = np.zeros((480, 640, 3), np.uint8)
    image[200:280, 320 - 60 : 320] = 255  # a little to the left
    seen = shown(image)
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert seen[190, WIDTH // 2 + 20].min() > 200, "a little to the right"
    assert seen[190, WIDTH // 2 - 20].max() < 55


def test_nobody_outside_the_oval_can_be_made_out(picture):
    face = cv2.resize(picture("ada"), (160, 160))
    image = np.full((480, 640, 3), 90, np.uint8)
    without = shown(image).astype(int)
    image[0:160, 640 // 2 - 189 : 640 // 2 - 29] = face  # behind the person, in a corner of what is shown
    corner = shown(image).astype(int)[0:60, WIDTH - 40 :]
    edges = np.abs(np.diff(corner, axis=1)).mean()
    assert edges < 3, "nothing but a soft patch of colour"
    assert np.abs(corner - without[0:60, WIDTH - 40 :]).mean() > 5, "though somebody is there"


def test_a_picture_is_sent_only_while_the_device_looks_and_forgotten_after_it(monkeypatch):
    wanted = settings(preview=True)
    sent: list[dict] = []
    kiosk = Kiosk(wanted.kiosk, page_of(wanted))
    kiosk.close()  # its thread tells nothing any more
    monkeypatch.setattr(kiosk, "_send", lambda line: sent.append(json.loads(line)))
    image = np.full((48, 64, 3), 7, np.uint8)
    for screen in (Screen("idle"), Screen("look"), Screen("welcome")):
        kiosk._tell(screen, image)
    assert [next(iter(one)) for one in sent] == ["screen", "screen", "jpeg", "screen", "jpeg"]
    assert base64.b64decode(sent[2]["jpeg"]).startswith(b"\xff\xd8")
    assert sent[4]["jpeg"] == ""


def test_watching_never_makes_the_picture_itself(monkeypatch):
    wanted = settings(preview=True)

    def made(image: object) -> None:
        raise AssertionError("in the session's thread")

    monkeypatch.setattr("edge.kiosk.preview.preview", made)
    kiosk = Kiosk(wanted.kiosk, page_of(wanted))
    kiosk.close()
    kiosk.watch(SimpleNamespace(frame=Frame(np.zeros((48, 64, 3), np.uint8), 1, 1, "test")))
    assert kiosk._image is not None
