"""The demo's contact sheet: what it draws over faces is not taken for a part of them."""

from __future__ import annotations

import numpy as np

from edge.cli import _sheet
from edge.face import Look
from edge.session import Glimpse
from edge.types import Face, Frame


def thumb(height: float) -> np.ndarray:
    points = np.array([[230, 200], [310, 200], [270, 240], [240, 290], [300, 290]], np.float32)
    face = Face((200.0, 160.0, 140.0, height), points, 0.9)
    return _sheet._thumb(
        Glimpse(Frame(np.full((480, 640, 3), 235, np.uint8), 0, 0, "test"), Look((face,), face), 1, None)
    )


def test_landmarks_are_crosses_in_a_colour_that_no_face_has():
    image = thumb(180.0)
    marked = np.argwhere((image == _sheet._MARK).all(2))
    assert 5 * 9 <= len(marked) <= 5 * 13
    # white dots at the corners of a mouth looked like flaws on teeth
    assert not (image[60:150, 90:160] == 255).all(2).any()


def test_a_face_far_away_is_not_covered_by_marks():
    assert not (thumb(60.0) == _sheet._MARK).all(2).any()
