"""A file that cannot be written in the end is told before the work, not after it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import main

#: What the command does in earnest, and how it is asked for a file below a folder that is not there.
LONG = [
    ("edge.prove.prove", "prove --wheel x.whl --report none/page.html"),
    ("edge.service.support.collect", "support-report --config device.yaml none/report.json"),
    ("edge.models.importing.examine_file", "models import x.tflite --spec x.yaml --sheet none/crops.png"),
    ("edge.models.importing.examine_file", "models import x.tflite --spec x.yaml --sheet crops.jpg"),
    ("edge.lab.calibrate_run.trials_of", "lab calibrate --images staff --out report --card-out none/card.yaml"),
]


@pytest.mark.parametrize(("work", "words"), LONG)
def test_a_bad_path_is_told_before_the_work(tmp_path: Path, monkeypatch, capsys, work: str, words: str):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, lambda *_, **__: pytest.fail("it worked first"))
    for person in ("ada", "ben"):
        (tmp_path / "staff" / person).mkdir(parents=True)
        cv2.imwrite(f"staff/{person}/1.png", np.zeros((32, 32, 3), np.uint8))
    assert main(words.split()) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert words.split()[-1] in told.err
    assert "cannot be written" in told.err or "name a .png file" in told.err
