"""The demo's contact sheet: one panel a scenario, the frames the device looked at, and what it answered.

Pictures of people who do not exist; a real device keeps nothing of a frame and has no such sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import InputError
from edge.messages import text as words
from edge.session import Glimpse
from edge.types import U8

WIDTH, MARGIN = 1280, 24
_THUMB_W, _THUMB_H = 296, 222
_PANEL_H = 64 + _THUMB_H + 22
_INK, _PALE, _PAPER = (40, 40, 40), (150, 150, 150), (250, 250, 248)
_COLOURS = {"accept": (92, 148, 46), "reject": (60, 60, 200), "no_decision": (60, 140, 214)}
_MARK = (255, 220, 0)
#: A lower face, in pixels of a thumbnail, would be all marks.
_MARKED = 40
_FONT = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True, slots=True)
class Panel:
    """One scenario on the sheet: its title, what was answered, whether that was expected, and what was seen."""

    title: str
    outcome: str
    answer: str
    expected: bool
    glimpses: tuple[Glimpse, ...]


def _text(image: U8, text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int] = _INK) -> None:
    cv2.putText(image, text, at, _FONT, size, colour, 1, cv2.LINE_AA)


def _thumb(glimpse: Glimpse) -> U8:
    """A frame with the box, the landmarks, and a word about what became of it."""
    image = glimpse.frame.image.copy()
    colour = (170, 170, 170) if glimpse.passed is None else _COLOURS["accept" if glimpse.passed else "reject"]
    for face in glimpse.look.faces:
        x, y, w, h = (round(v) for v in face.box)
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, 3, cv2.LINE_AA)
    small = np.asarray(cv2.resize(image, (_THUMB_W, _THUMB_H), interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([_THUMB_W, _THUMB_H]) / (image.shape[1], image.shape[0])
    for face in glimpse.look.faces:
        # crosses of a colour that no face has: white dots look like flaws on teeth and like light in the eyes
        for x, y in np.rint(face.landmarks * scale).astype(int).tolist() if face.box[3] * scale[1] > _MARKED else ():
            cv2.drawMarker(small, (x, y), _MARK, cv2.MARKER_CROSS, 7, 1, cv2.LINE_8)
    if glimpse.passed is not None:
        word = f"look {glimpse.looks}: {'matches' if glimpse.passed else 'does not match'}"
    else:
        advice = glimpse.look.advice
        word = words(f"advice.{advice[0].value}") if advice else (glimpse.look.reason or "looking").replace("_", " ")
    cv2.rectangle(small, (0, _THUMB_H - 26), (_THUMB_W, _THUMB_H), (30, 30, 30), -1)
    _text(small, word, (8, _THUMB_H - 8), 0.5, (255, 255, 255))
    return small


def _panel(panel: Panel) -> U8:
    image = np.full((_PANEL_H, WIDTH - 2 * MARGIN, 3), 255, np.uint8)
    colour = _COLOURS[panel.outcome]
    cv2.rectangle(image, (0, 0), (8, _PANEL_H), colour, -1)
    _text(image, panel.title, (24, 26), 0.66)
    _text(image, panel.answer, (24, 52), 0.58, colour)
    verdict = "as expected" if panel.expected else "NOT AS EXPECTED"
    (width, _), _base = cv2.getTextSize(verdict, _FONT, 0.5, 1)
    _text(image, verdict, (image.shape[1] - width - 16, 26), 0.5, _PALE if panel.expected else _COLOURS["reject"])
    for k, glimpse in enumerate(panel.glimpses):
        x = 24 + k * (_THUMB_W + 8)
        image[64 : 64 + _THUMB_H, x : x + _THUMB_W] = _thumb(glimpse)
    if not panel.glimpses:
        x1, y1 = 24 + 4 * _THUMB_W + 24, 64 + 56
        cv2.rectangle(image, (24, 64), (x1, y1), (238, 238, 236), -1)
        _text(image, "no frame was looked at", (44, 64 + 34), 0.55, _PALE)
        image = image[: 64 + 56 + 22]
    return image


def draw(panels: Sequence[Panel], note: str) -> U8:
    """The whole sheet, BGR uint8 (H, 1280, 3)."""
    head = np.full((96, WIDTH, 3), 0, np.uint8)
    head[:] = _PAPER
    _text(head, "edge demo: one person, one claim, one decision", (MARGIN, 48), 1.0)
    _text(head, note, (MARGIN, 80), 0.52, (110, 110, 110))
    rows = [head]
    for panel in panels:
        drawn = _panel(panel)
        row = np.empty((drawn.shape[0] + 16, WIDTH, 3), np.uint8)
        row[:] = _PAPER
        row[: drawn.shape[0], MARGIN : WIDTH - MARGIN] = drawn
        rows.append(row)
    return np.vstack(rows)


def write(path: Path, image: U8) -> None:
    """Write the sheet as PNG.

    Raises:
        InputError: the path cannot be written.
    """
    ok, data = cv2.imencode(".png", image)
    try:
        path.write_bytes(bytes(data) if ok else b"")
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(path), remedy="choose another --out"
        ) from error
