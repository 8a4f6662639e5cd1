"""The detector: the way into the net's input and back, merging, and the shipped model on people who do not exist."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError, ModelError
from edge.face import Detector, load_card
from edge.face.detect import MOST_FACES, merge
from tests.face.conftest import PEOPLE
from tests.face.encoder import Encoder, face_points


class Scripted:
    """A runner that answers with the maps of given faces and keeps what it was shown."""

    def __init__(self, card, faces) -> None:
        self.card, self.faces, self.seen = card, faces, None

    def run(self, image):
        self.seen = image.copy()
        return Encoder(self.card).maps(self.faces)


@pytest.fixture
def detector() -> Detector:
    return Detector(load_card("detector"))


SIZES = [
    (640, 480),
    (320, 240),
    (250, 250),
    (1280, 720),
    (480, 640),
    (1920, 1080),
    (192, 144),
    (2592, 1944),
    (333, 101),
]


@pytest.mark.parametrize(("width", "height"), SIZES, ids=lambda n: str(n))
@pytest.mark.parametrize(("right", "down"), [(0.3, 0.4), (0.62, 0.71)])
def test_a_point_comes_back_to_where_it_was_in_the_frame(
    detector: Detector, width: int, height: int, right: float, down: float
):
    """A soft light in the frame; the net "sees" a landmark exactly where the light lies in its input."""
    shrink = max(width / 192, height / 144)
    place = np.array([right * width, down * height])
    y, x = np.mgrid[:height, :width]
    light = 255 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * (2.5 * max(shrink, 1)) ** 2))
    detector.runner = Scripted(detector.card, [])
    detector.scan(np.repeat(light.astype(np.uint8)[..., None], 3, 2))
    weight = detector.runner.seen[..., 0].astype(float)
    rows, columns = np.indices(weight.shape)
    seen = ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
    apart = [(seen[0] - 10, seen[1]), (seen[0] + 10, seen[1]), seen, seen, seen]
    detector.runner.faces = [(*seen, 30.0, 40.0, apart, 2.0, 8)]
    face = detector.scan(np.zeros((height, width, 3), np.uint8))[0]
    # int8 landmarks at stride 8 are known to 0.08 input pixels
    assert np.abs(face.landmarks[2:] - place).max() <= 0.15 * shrink + 0.05
    assert np.abs(face.landmarks[:2].mean(0) - place).max() <= 0.15 * shrink + 0.05
    assert abs(face.box[2] - 30 * shrink) <= 0.02 * 30 * shrink
    assert abs(face.box[1] + face.box[3] / 2 - place[1]) <= 0.15 * shrink + 0.05


def test_faces_are_sorted_by_height(detector: Detector):
    sizes = [(50.0, 60.0, 40.0, 1.0), (140.0, 70.0, 80.0, 0.5), (100.0, 20.0, 20.0, 2.5)]
    detector.runner = Scripted(
        detector.card, [(x, y, h, h, face_points(x, y, h, h), logit, 16) for x, y, h, logit in sizes]
    )
    found = [face.height for face in detector.scan(np.zeros((480, 640, 3), np.uint8))]
    assert found == sorted(found, reverse=True)
    assert len(found) == 3


def test_a_box_whose_eyes_lie_on_one_point_is_no_face(detector: Detector):
    """It could not be aligned; a detector may say so of noise, and that is nobody's error."""
    detector.runner = Scripted(detector.card, [(90.0, 70.0, 40.0, 50.0, [(90.0, 70.0)] * 5, 2.0, 8)])
    assert detector.scan(np.zeros((480, 640, 3), np.uint8)) == []


def test_the_bars_are_empty_again_when_the_frame_s_shape_changes(detector: Detector):
    detector.runner = Scripted(detector.card, [])
    detector.scan(np.full((480, 640, 3), 255, np.uint8))
    detector.scan(np.full((480, 480, 3), 255, np.uint8))
    seen = detector.runner.seen
    assert seen[:, 24:168].min() == 255
    assert seen[:, :24].max() == 0
    assert seen[:, 168:].max() == 0


SHAPES = [((480, 640), np.uint8), ((480, 640, 4), np.uint8), ((4, 4, 3), np.float32), ((0, 5, 3), np.uint8)]


@pytest.mark.parametrize(("shape", "dtype"), SHAPES, ids=["grey", "alpha", "float", "empty"])
def test_what_is_no_bgr_picture_is_refused(detector: Detector, shape: tuple[int, ...], dtype: type):
    with pytest.raises(InputError, match="BGR"):
        detector.detect(np.zeros(shape, dtype))


def test_an_embedder_s_card_is_refused():
    with pytest.raises(ModelError, match="no detector"):
        Detector(load_card("embedder"))


def candidate(x: float, y: float, size: float, logit: float, nose: float = 0.0) -> list[float]:
    return [logit, x, y, size, size, *[nose] * 10]


def test_two_cells_of_one_face_become_their_weighted_average():
    found = merge(np.array([candidate(50, 50, 40, 0.0, 10), candidate(52, 50, 40, 20.0, 13)], np.float32), 0.4)
    # weights: sigmoid(0) = 0.5, sigmoid(20) = 1
    assert found.shape == (1, 15)
    np.testing.assert_allclose(found[0, [0, 1, 5]], [1.0, (50 * 0.5 + 52) / 1.5, (10 * 0.5 + 13) / 1.5], rtol=1e-5)


def test_two_faces_side_by_side_stay_two():
    found = merge(np.array([candidate(50, 50, 40, 1.0), candidate(95, 50, 40, 2.0)], np.float32), 0.4)
    np.testing.assert_allclose(found[:, 1], [95, 50], rtol=1e-6)


def test_a_box_inside_a_more_certain_face_is_no_second_person():
    found = merge(np.array([candidate(50, 50, 80, 3.0), candidate(60, 60, 30, 1.0)], np.float32), 0.4)
    assert found[:, 3].tolist() == [80]


def test_no_candidate_gives_no_face():
    assert len(merge(np.zeros((0, 15), np.float32), 0.4)) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 192), st.floats(0, 144), st.floats(1, 150), st.floats(-5, 5)), max_size=60))
def test_merged_faces_do_not_overlap_more_than_asked_and_none_is_invented(cells: list[tuple[float, ...]]):
    found = merge(np.array([candidate(*cell) for cell in cells], np.float32).reshape(-1, 15), 0.4)
    assert len(found) <= min(len(cells), MOST_FACES)
    assert (len(found) > 0) == (len(cells) > 0)
    if cells:
        assert found[0, 0] == pytest.approx(1 / (1 + np.exp(-max(cell[3] for cell in cells))), rel=1e-4)
        assert found[:, 3].max() <= max(cell[2] for cell in cells) * 1.001


@pytest.mark.parametrize("name", PEOPLE)
def test_the_shipped_model_finds_everybody_with_landmarks_near_the_mesh(
    detector: Detector, picture, mesh_landmarks, name
):
    face = detector.detect(picture(name, 0))[0]
    truth = mesh_landmarks(name)
    eyes = np.linalg.norm(truth[1] - truth[0])
    assert np.linalg.norm(face.landmarks - truth, axis=1).mean() < 0.12 * eyes
    x, y, width, height = face.box
    assert (x, y) < tuple(truth.min(0))
    assert (x + width, y + height) > tuple(truth.max(0))


@pytest.mark.parametrize("share", [0.1, 0.15, 0.25, 0.5, 0.8])
def test_the_shipped_model_finds_faces_of_all_sizes_in_a_frame(detector: Detector, scene, share: float):
    found = [detector.detect(scene((name, 0, 320, 240, share)).image) for name in PEOPLE]
    hits = [faces and abs(faces[0].height / 480 - share) < 0.35 * share for faces in found]
    assert sum(map(bool, hits)) >= len(PEOPLE) - (1 if share < 0.2 else 0)


def test_the_shipped_model_sees_nobody_in_noise_and_plain_walls(detector: Detector):
    random = np.random.default_rng(4)
    frames = [np.full((480, 640, 3), level, np.uint8) for level in (0, 60, 128, 255)]
    frames += [random.integers(0, 256, (480, 640, 3), dtype=np.uint8)]
    frames += [cv2.GaussianBlur(random.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 12) for _ in range(3)]
    assert sum(len(detector.detect(frame)) for frame in frames) == 0


def test_the_same_frame_gives_the_same_faces(detector: Detector, picture):
    first, other, again = (detector.detect(picture(name, 0)) for name in ("ada", "bela", "ada"))
    assert first[0].box == again[0].box != other[0].box
    assert np.array_equal(first[0].landmarks, again[0].landmarks)
