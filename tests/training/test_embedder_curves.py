"""The curve of what helped: logs of runs that went on from each other, in one picture."""

from __future__ import annotations

import json
from pathlib import Path

from models.training.embedder_curves import RUNS, draw, read


def log(folder: Path, *seen: int) -> None:
    folder.mkdir()
    rows = [{"seen": n, "held_tar3": 98.0, "held_tar4": 95.0, "held_clean": 0.8} for n in seen]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_run_goes_on_where_the_one_before_it_ended(tmp_path):
    log(tmp_path / RUNS[0][0], 10, 20)
    log(tmp_path / RUNS[2][0], 5, 30)
    runs = read(tmp_path)
    assert [title for title, _ in runs] == [RUNS[0][1], RUNS[2][1]]
    assert [[row["seen"] for row in rows] for _, rows in runs] == [[10, 20], [25, 50]]


def test_the_picture_is_a_png_even_where_a_figure_was_not_measured(tmp_path):
    log(tmp_path / RUNS[0][0], 10, 20)
    draw(read(tmp_path), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
