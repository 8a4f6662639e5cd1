"""Which set a crop is of, and where its picture ends."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from models.training.crops import frames_of, of_source, source_of

NAMES = ["ff_000001.jpg", "03350A29.jpg", "34_1_0_20170116.jpg", "me.png", "07381A44.jpg"]


def test_names_say_which_set_a_crop_is_of():
    assert [source_of(name) for name in NAMES] == ["ff", "aaf", "own", "own", "aaf"]
    assert of_source(NAMES, "aaf").tolist() == [1, 4]
    assert of_source(NAMES, "ff").tolist() == [0]


def test_every_picture_that_is_there_is_of_a_set_whose_terms_are_known(shared: Path):
    for tar in sorted((shared / "data" / "train").glob("*.tar")):
        with tarfile.open(tar) as file:
            assert {source_of(name) for name in file.getnames()} == {tar.name.split("-")[0]}


def test_a_crop_knows_where_its_picture_lies(tmp_path: Path):
    table = tmp_path / "measures.csv"
    table.write_text("file,a,b,tx,ty\nff_000001.jpg,0.5,0.1,12,30\n")
    frames = frames_of(NAMES, table)
    assert frames[0] @ [10, 20, 1] == pytest.approx([0.5 * 10 - 0.1 * 20 + 12, 0.1 * 10 + 0.5 * 20 + 30])
    assert np.isnan(frames[1:]).all()
