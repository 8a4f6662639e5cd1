"""The demo passes with the product as it is, and fails when any part that decides is put out of action.

Real models, real vault, real frames; frames are pulled as fast as they come. One test runs at the camera's pace.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.face import Detector, load_card
from edge.fictional import FictionalSource
from edge.service.demo import play
from edge.session.cell import Compared
from edge.session.cells import Cells, ClosedCell
from edge.state import ClockGuard
from edge.types import Face, Frame
from tests.cells import cells


def outcomes() -> dict[str, bool]:
    return {one.scenario.title: one.ok for one in play(fast=True)}


def test_every_outcome_is_the_expected_one():
    assert outcomes() == dict.fromkeys(
        (
            "hana with hana's card",
            "fara with hana's card",
            "nobody, fara's card",
            "two people, hana's card",
            "hana's expired card",
            "hana's card, one bit flipped",
            "fara with fara's card",
            "fara's picture, print",
            "fara's picture, phone",
            "fara turns as told",
            "a recording of fara",
        ),
        True,
    )


def test_the_command_prints_the_table_writes_the_sheet_and_exits_with_0(tmp_path, capsys):
    sheet = tmp_path / "demo.png"
    assert main(["demo", "--out", str(sheet)]) == 0
    text = capsys.readouterr().out
    assert "says nothing about accuracy" in text
    assert "Every outcome is the expected one." in text
    picture = cv2.imread(str(sheet))
    assert picture.shape[1] == 1280
    assert picture.shape[0] > 1000


@pytest.mark.parametrize("name", ["none/demo.png", "demo.jpg", "."])
def test_a_sheet_that_cannot_be_written_is_told_before_the_work(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr("edge.service.demo.play", lambda *_, **__: pytest.fail("it worked first"))
    assert main(["demo", "--out", str(tmp_path / name)]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert str(tmp_path / name) in told.err


def broken_detector(monkeypatch) -> None:
    """A fixed box: a face in the middle of whatever is there."""
    points = np.array([[280, 200], [360, 200], [320, 245], [290, 285], [350, 285]], np.float32)
    monkeypatch.setattr(Detector, "detect", lambda *_: [Face((240, 140, 160, 190), points, 0.99)])


def broken_embedder(monkeypatch) -> None:
    """A constant: everybody is the same person."""
    alike = cells(load_card("embedder").identity, lambda pixels: np.full(128, 100, np.int8))
    monkeypatch.setattr(Cells, "_begin", lambda self, session: alike(session))


def broken_comparison(monkeypatch) -> None:
    """It always passes."""
    monkeypatch.setattr(ClosedCell, "compare", lambda self, pixels: Compared(passed=True))


def broken_token_check(monkeypatch) -> None:
    """Always valid: the first claim that was ever genuine stands for every text."""
    from edge.session import admission

    genuine, good = admission.decode, []

    def decode(*arguments, **named):
        if not good:
            good.append(genuine(*arguments, **named))
        return replace(good[0], received_ns=named["received_ns"])

    monkeypatch.setattr(admission, "decode", decode)


def frozen_frames(monkeypatch) -> None:
    """One frame, again and again: the person of the script as they stand there."""
    genuine, stills = FictionalSource.read, {}

    def read(self, timeout_s: float) -> Frame:
        frame = genuine(self, timeout_s)
        if self not in stills:
            for _ in range(30):  # let them walk up first: the still shows a good face
                frame = genuine(self, timeout_s)
            stills[self] = frame.image
        return replace(frame, image=stills[self])

    monkeypatch.setattr(FictionalSource, "read", read)


@pytest.mark.parametrize(
    "sabotage", [broken_detector, broken_embedder, broken_comparison, broken_token_check, frozen_frames]
)
def test_the_demo_fails_without(sabotage, monkeypatch):
    sabotage(monkeypatch)
    noticed = not all(one.ok for one in play(fast=True))  # up to the first that is not as expected
    assert noticed, f"the demo does not notice: {sabotage.__doc__}"


def test_the_command_says_that_it_failed(monkeypatch, capsys):
    frozen_frames(monkeypatch)
    assert main(["demo", "--fast"]) == 4
    told = capsys.readouterr().out
    assert "NOT every outcome is the expected one." in told
    assert "Every outcome is the expected one" not in told


def test_it_plays_years_after_the_build_on_a_clock_that_nothing_synchronises(monkeypatch):
    monkeypatch.setitem(ClockGuard.__init__.__kwdefaults__, "synchronised", lambda: False)
    monkeypatch.setattr("edge.service.parts.BUILD_DATE", 1_000_000_000)
    assert next(play(fast=True)).ok
