"""`edge compare`: two pictures by the lab's code give the very score of a door."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import InputError
from edge.face import Chain
from edge.face.match import compare
from edge.lab.extract import compare_pictures
from edge.settings.model import FaceSettings
from edge.types import Frame, Template
from tests.conftest import PEOPLE


def test_the_score_of_two_pictures_is_the_score_of_template_and_probe():
    chain = Chain.load(FaceSettings(threads=1))
    paths = [PEOPLE / "hana-0.jpg", PEOPLE / "hana-1.jpg"]
    score = compare_pictures(chain, *paths)
    from edge.pictures import read_image

    first, second = (
        chain.embed(chain.look(Frame(read_image(path), 0, 0, "test"), pick="central", gate=False), "s")
        for path in paths
    )
    with Template(first.consume("s"), model=chain.model, session="s") as template:
        assert score == compare(template, second, "s")
    assert score > chain.threshold(1e-3)


def test_a_picture_without_a_face_is_refused(tmp_path):
    import cv2

    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), 90, np.uint8))
    with pytest.raises(InputError, match="no face was found"):
        compare_pictures(Chain.load(FaceSettings(threads=1)), PEOPLE / "ada-0.jpg", path)
