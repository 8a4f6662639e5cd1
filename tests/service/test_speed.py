"""How fast a board is: looks are timed, and estimates come from figures that somebody published."""

from __future__ import annotations

import pytest

from edge.cli import main
from edge.face import Chain, load_card
from edge.service.speed import BOARDS, Board, measure
from edge.settings.model import FaceSettings


def test_every_part_of_a_look_is_timed():
    found = measure(Chain.load(FaceSettings(threads=1)))
    assert all(part > 0 for part in (found.detect, found.align, found.quality, found.passive, found.embedding))
    assert 0 < found.models < found.look


def test_an_estimate_is_work_over_the_published_rate():
    board = Board("like MobileNet v1 on a Pi 4", (569 / 24, 569 / 24), "XNNPACK")
    least, most = board.models_ms(569_000_000, 0)
    assert least == pytest.approx(24 / 0.8)
    assert most == pytest.approx(24 / 0.5)


def test_the_passive_network_counts_as_what_runs_once_a_look(capsys):
    macs = {name: int(load_card(name).raw["macs"]) for name in ("detector", "embedder", "passive")}
    assert main(["bench"]) == 0
    least, most = BOARDS[0].models_ms(macs["embedder"] + macs["passive"], macs["detector"])
    assert f"{least:5.1f} to {most:5.1f}" in capsys.readouterr().out


def test_every_board_names_its_source_and_slower_boards_stay_slower(capsys):
    rates = [board.rate for board in BOARDS]
    assert rates == sorted(rates)
    assert main(["bench"]) == 0
    told = capsys.readouterr().out
    for board in BOARDS:
        assert board.name in told
        assert board.source in told
    assert "face of 30 %" in told
