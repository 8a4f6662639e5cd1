"""Exact arithmetic: the same bits with and without AVX2 and FMA, here and on arm64, and nearly the first version's."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge import _resources
from edge.errors import ModelError, ModelMismatch
from edge.face import Card, Chain, load_card
from edge.face.align import Aligner, lay
from edge.face.card import parse_card
from edge.face.detect import Detector, merge
from edge.face.heads import Heads
from edge.face.match import compare
from edge.pictures import read_image
from edge.settings.model import FaceSettings
from edge.types import Frame, Template

NAMES = ("ada", "chen", "goran", "kenji")
SIZES = ((384, 384), (333, 217), (640, 480), (1031, 1295))
#: Of `digest`: the same on x86-64 with AVX2 and FMA, without them, and on arm64 (qemu-user, cortex-a72, Python 3.13).
KNOWN = "81c30c677dd94cbb0e1b3ddb8a3291ea020f355dfa6f392f596252405604291b"


def pictures():
    for name in NAMES:
        portrait = read_image(_resources.path("people", f"{name}-0.jpg"))
        for width, height in SIZES:
            small = cv2.resize(portrait, (height, height), interpolation=cv2.INTER_LINEAR_EXACT)
            left = max(0, (height - width) // 2)
            picture = np.full((height, width, 3), 90, np.uint8)
            part = small[:, left : left + width]
            picture[:, (width - part.shape[1]) // 2 :][:, : part.shape[1]] = part
            yield picture


def exact(name: str) -> Card:
    """A shipped card as a new one would be: with exact arithmetic."""
    return replace(load_card(name), arithmetic=2)


def digest() -> str:
    """Of all faces and crops of the pictures, upright and tilted, and of their embeddings."""
    chain = Chain.load(FaceSettings(threads=1))
    detector = Detector(exact("detector"))
    aligner = Aligner(chain.embedder.card.align, exact=True)
    found = hashlib.sha256()
    for picture in pictures():
        for image in (picture, np.ascontiguousarray(np.rot90(picture))):
            for face in detector.detect(image):
                crop = aligner(image, face.landmarks)
                found.update(np.array([*face.box, face.score], np.float64).tobytes())
                found.update(face.landmarks.tobytes() + crop.tobytes())
                found.update(chain.embedder.runner.run(crop)[chain.embedder.card.outputs[0].name].tobytes())
    return found.hexdigest()


def test_the_bits_are_those_of_other_machines():
    assert digest() == KNOWN


def test_the_bits_do_not_depend_on_what_the_processor_can_do():
    code = "from tests.face.test_exact import digest; print(digest())"
    features = {"OPENCV_CPU_DISABLE": "AVX2,AVX,FP16,FMA3", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **features}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == KNOWN


def test_exact_faces_lie_where_the_first_version_has_them():
    first, second = Detector(load_card("detector")), Detector(exact("detector"))
    for picture in pictures():
        (a, *_), (b, *_) = first.detect(picture), second.detect(picture)
        eyes = np.linalg.norm(a.landmarks[1] - a.landmarks[0])
        assert np.abs(a.landmarks - b.landmarks).max() < 0.03 * eyes
        assert abs(a.score - b.score) < 0.05


@pytest.mark.parametrize("transform", [(0.9, 0.2, -30.5, 4.25), (0.31, 0.0, -10.0, -10.0), (0.2, -0.1, 30.0, 5.0)])
def test_an_exact_crop_is_the_warp_s_but_for_rounding(transform):
    image = read_image(_resources.path("people", "ada-0.jpg"))
    near, same = (lay(image, transform, (112, 112), exact=exact).astype(int) for exact in (False, True))
    assert np.abs(near - same).max() <= 6, "a 64th of a pixel at the steepest edge"
    assert np.abs(near - same).mean() < 0.5


def test_a_crop_outside_of_the_picture_repeats_its_border():
    image = np.full((40, 60, 3), 7, np.uint8)
    for transform in ((1.0, 0.0, 1e6, -1e6), (1e-3, 0.0, 0.0, 0.0), (50.0, 0.0, 0.0, 0.0)):
        assert (lay(image, transform, (16, 16), exact=True)[..., :3] == 7).all()


def test_merging_exactly_is_merging():
    rng = np.random.default_rng(2)
    rows = np.zeros((40, 15), np.float32)
    rows[:, 0], rows[:, 1:3], rows[:, 3:5] = rng.normal(2, 1, 40), rng.normal(50, 9, (40, 2)), 30
    rows[:, 5:] = rng.normal(50, 20, (40, 10))
    assert np.allclose(merge(rows.copy(), 0.4), merge(rows.copy(), 0.4, exact=True), rtol=1e-5)
    assert len(merge(np.zeros((0, 15), np.float32), 0.4, exact=True)) == 0


def test_sizes_of_boxes_are_decoded_exactly():
    card = load_card("detector")
    rng = np.random.default_rng(3)
    outputs = {spec.name: rng.integers(-128, 128, spec.shape, np.int64).astype(np.int8) for spec in card.outputs}
    near, same = Heads(card).decode(outputs), Heads(card, exact=True).decode(outputs)
    assert np.allclose(near, same, rtol=1e-6)
    nothing = {name: np.full_like(raw, -128) for name, raw in outputs.items()}
    assert len(Heads(card, exact=True).decode(nothing)) == 0


def chains(arithmetic: int) -> Chain:
    return Chain.load(FaceSettings(threads=1), lambda name: replace(load_card(name), arithmetic=arithmetic))


def test_the_arithmetic_is_part_of_a_model_s_identity():
    first, second = replace(load_card("embedder"), arithmetic=1), exact("embedder")
    assert first.identity == first.sha256
    assert second.identity != first.identity
    assert (first.earlier, second.earlier) == (None, first.identity)


def test_a_whole_chain_of_exact_cards_lays_faces_out_exactly():
    picture = next(pictures())
    look = chains(2).look(Frame(picture, 1, 1, "picture"), gate=False)
    crop = Aligner(load_card("embedder").align, exact=True)(
        picture, Detector(exact("detector")).detect(picture)[0].landmarks
    )
    assert np.array_equal(look.crop.image, crop)


def test_a_template_made_before_is_opened_and_matches_a_probe_of_now():
    first, second = chains(1), chains(2)
    frames = [Frame(picture, k, k, "picture") for k, picture in enumerate(pictures())]
    old = [first.embedder.embed(first.look(frame, gate=False).crop) for frame in frames]
    before = second.before()
    assert before is not None
    assert (before.model, first.before()) == (first.model, None)
    for frame, vector in zip(frames, old, strict=True):
        probe = before.embed(replace(before.look(frame, gate=False), reason=None), "s")
        with Template(vector, model=first.model, session="s") as template:
            assert compare(template, probe, "s") > 0.95, "far above any threshold"
        with pytest.raises(ModelMismatch), Template(vector, model=first.model, session="s") as template:
            compare(template, second.embed(replace(second.look(frame, gate=False), reason=None), "s"), "s")


def test_a_card_is_refused_whose_thresholds_were_measured_with_another_arithmetic():
    text = (_resources.path("models", "embedder.card.yaml")).read_text()
    data = text.replace("\narithmetic: 2\nalign:", "\nalign:", 1).encode()
    with pytest.raises(ModelError, match="another arithmetic; calibrate again"):
        parse_card(data, folder=_resources.path("models", "embedder.card.yaml").parent)
    measured = data.replace(b"\n  arithmetic: 2\n", b"\n", 1)
    assert parse_card(measured, folder=_resources.path("models", "embedder.card.yaml").parent).arithmetic == 1
