"""Training judges a detector as the device will use it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.face.card import load_card
from edge.face.detect import Detector
from edge.face.runner import Runner
from models.training.decode import decode


def maps_of(image: np.ndarray) -> dict[str, np.ndarray]:
    card = load_card("detector")
    raw = Runner(card).run(image)
    return {spec.name: spec.scale * (raw[spec.name][0].astype(np.float32) - spec.zero_point) for spec in card.outputs}


def test_both_decoders_agree_on_the_shipped_model(picture):
    card = load_card("detector")
    height, width = card.input.shape[1:3]
    image = np.full((height, width, 3), 90, np.uint8)
    image[8 : height - 8, 40 : 40 + height - 16] = cv2.resize(
        picture("fara"), (height - 16, height - 16), interpolation=cv2.INTER_AREA
    )
    theirs = Detector(card).scan(image)
    mine = decode(maps_of(image), card.decode.strides, card.decode.score_threshold, card.decode.nms_iou)
    assert len(mine) == len(theirs) == 1
    assert mine[0][:4] == pytest.approx(np.array(theirs[0].box), abs=1.0)
    assert mine[0][4:14] == pytest.approx(np.ravel(theirs[0].landmarks), abs=1.0)


def test_no_cell_above_the_threshold_is_no_face():
    maps = {}
    for stride, (h, w) in {8: (18, 24), 16: (9, 12)}.items():
        maps |= {f"score_{stride}": np.full((h, w, 1), -5.0, np.float32)}
        maps |= {
            f"box_{stride}": np.zeros((h, w, 4), np.float32),
            f"landmarks_{stride}": np.zeros((h, w, 10), np.float32),
        }
    assert decode(maps).shape == (0, 15)


def test_one_cell_becomes_the_face_that_its_numbers_say():
    maps = {
        "score_8": np.full((18, 24, 1), -5.0, np.float32),
        "box_8": np.zeros((18, 24, 4), np.float32),
        "landmarks_8": np.zeros((18, 24, 10), np.float32),
    }
    maps["score_8"][3, 5] = 2.0
    maps["box_8"][3, 5] = [0.5, -0.5, np.log(4), np.log(5)]
    maps["landmarks_8"][3, 5, :2] = [-1, -2]
    (face,) = decode(maps, strides=(8,))
    assert face[:4] == pytest.approx([44 + 4 - 16, 28 - 4 - 20, 32, 40], abs=1e-3)
    assert face[4:6] == pytest.approx([36, 12])
