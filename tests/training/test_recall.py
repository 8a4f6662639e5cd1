"""The detector's recall is measured on faces that lie where the truth says, in the light that the row says."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edge import _resources
from edge.camera.figure import load_figure
from edge.face import load_card
from edge.types import Face
from models.training import detector, recall, recall_report, recall_scenes
from models.training.paths import WORK
from models.training.recall_scenes import HEIGHT, WIDTH
from models.training.turned import stand, turn

MARKS = np.array([[40, 50], [80, 50], [60, 75], [45, 100], [75, 100]], np.float32)
#: x, y, w, h of the face, its five landmarks, a score.
ROW = np.concatenate([[30, 30, 60, 90], MARKS.ravel(), [1.0]]).astype(np.float32)
GREEN = np.array([0, 255, 0], np.uint8)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def dots(grey: int = 0) -> np.ndarray:
    """A portrait whose landmarks can be seen: white dots."""
    picture = np.full((160, 120, 3), grey, np.uint8)
    for x, y in MARKS.astype(int):
        cv2.circle(picture, (int(x), int(y)), 3, (255, 255, 255), -1)
    return picture


@pytest.mark.parametrize(("height", "roll"), [(40, 0), (90, 0), (200, 30), (300, -40), (455, 0)])
def test_landmarks_land_where_the_pixels_do(height, roll, rng):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    scene = recall_scenes.paste(black, dots(), ROW, height, rng, roll)
    count, _, _, centres = cv2.connectedComponentsWithStats((scene.image[..., 0] > 60).astype(np.uint8))
    assert count == 6
    apart = np.linalg.norm(centres[1:, None] - scene.landmarks[None], axis=2)
    assert apart.min(0).max() < 0.8
    x, y, w, h = scene.box
    assert min(x, y) > -0.01
    assert (x + w, y + h) < (WIDTH, HEIGHT)
    assert scene.eyes == pytest.approx(height * 40 / 90, rel=1e-3)


def test_a_face_comes_to_lie_all_over_the_frame(rng):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    places = np.array([recall_scenes.paste(black, dots(), ROW, 48, rng).box[:2] for _ in range(40)])
    assert (np.ptp(places, axis=0) > [0.7 * WIDTH, 0.7 * HEIGHT]).all()


@pytest.mark.parametrize("shape", [(300, 200, 3), (100, 420, 3), (480, 640, 3), (900, 1000, 3)])
def test_any_picture_fills_a_frame(shape):
    assert recall_scenes.cover(np.zeros(shape, np.uint8)).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("luminance", recall.LUMINANCES)
def test_a_face_is_as_bright_as_its_row_says(luminance, rng):
    walls = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    scene = recall_scenes.paste(walls, dots(90) // 2 + 30, ROW, 150, rng)
    taken = recall_scenes.expose(scene, luminance, rng)
    assert recall_scenes.luminance_of(taken.image, taken.box) == pytest.approx(luminance, abs=0.03 * luminance + 0.3)


def test_noise_covers_more_of_a_picture_the_darker_it_is(rng):
    flat = recall_scenes.Scene(
        np.full((HEIGHT, WIDTH, 3), 120, np.uint8), np.array([200, 100, 200, 250.0]), MARKS, 40.0, recall_scenes.ALL
    )
    shares = []
    for luminance in (25, 60, 120):
        face = recall_scenes.expose(flat, luminance, rng).image[150:300, 250:350].astype(float)
        shares.append(face.std() / luminance)
    assert shares[0] > 2 * shares[1] > 4 * shares[2]


@pytest.fixture(scope="module")
def ada():
    with np.load(_resources.path("people", "mesh.npz")) as meshes:
        return load_figure("ada"), meshes["ada"].astype(np.float32)


def standing(ada, yaw):
    return stand(np.full((HEIGHT, WIDTH, 3), GREEN, np.uint8), ada[0], turn(*ada, yaw), (320, 220), 192.0)


@pytest.mark.parametrize("yaw", recall.YAWS)
def test_landmarks_of_a_turned_head_stay_on_its_face(ada, yaw):
    scene = standing(ada, yaw)
    x, y, w, h = scene.box
    assert h == pytest.approx(192, rel=0.02)
    assert ((scene.landmarks >= [x, y]) & (scene.landmarks <= [x + w, y + h])).all()
    assert scene.visible.sum() >= 3
    eyes = scene.landmarks[1] - scene.landmarks[0]
    assert eyes[0] > 0
    assert np.hypot(*eyes) <= scene.eyes * 1.001
    for across, down in scene.landmarks[scene.visible]:
        assert (scene.image[round(down), round(across)] != GREEN).any(), "a landmark that is seen lies on the person"


def test_a_head_that_does_not_turn_looks_as_its_portrait(ada):
    figure, mesh = ada
    seen = turn(figure, mesh, 0.0)
    inside = seen.layer[100:280, 250:330, :3].astype(float) - figure.head[0][100:280, 150:230, :3]
    assert np.abs(inside).mean() < 3
    assert seen.visible.all()
    assert seen.landmarks[2] == pytest.approx(mesh[4, :2], abs=0.6)


def test_the_nose_points_where_the_face_turns(ada):
    noses = [(s := standing(ada, yaw)).landmarks[2, 0] - s.landmarks[:2, 0].mean() for yaw in (-45, 0, 45)]
    assert noses[0] < noses[1] - 10
    assert noses[2] > noses[1] + 10


def test_what_is_turned_away_is_hidden(ada):
    left, right = standing(ada, -80).visible, standing(ada, 80).visible
    assert not left.all()
    assert not right.all()
    assert left[1], "the eye on image right stays in sight when the face turns to image left"
    assert right[0]


def face(scene, shift: float, landmarks: float = 0.0) -> Face:
    x, y, w, h = (float(value) for value in scene.box)
    return Face((x + shift, y, w, h), scene.landmarks + np.float32([landmarks, 0]), 0.9)


def test_a_face_beside_the_true_one_is_no_find(rng):
    scene = recall_scenes.paste(np.zeros((HEIGHT, WIDTH, 3), np.uint8), dots(), ROW, 90, rng)
    tally = recall.Tally()
    tally.add({"two": [face(scene, 40)], "first": [face(scene, 30)], "one": [face(scene, 5, landmarks=4)]}, scene)
    assert tally.found == {"two": 0, "first": 1, "one": 1}
    assert tally.errors["one"] == pytest.approx([4 / 40])


def test_rates_come_with_wilson_s_interval():
    tally = recall.Tally(cases=100, found={"two": 90, "first": 100, "one": 0})
    row = tally.row()
    assert row["two"] == {"found": 90, "recall": 0.9, "low": 0.82563, "high": 0.94477}
    assert row["first"]["high"] == 1
    assert row["one"]["low"] == 0


def test_what_is_quoted_adds_up_both_sides():
    tallies = {key: recall.Tally(10, {"two": count, "first": 10, "one": 0}) for key, count in (("-45", 9), ("45", 7))}
    some = {str(value): recall.Tally() for value in (*recall.ROLLS, *recall.LUMINANCES)}
    sizes = {f"{low:.4f}": recall.Tally() for low in recall.SIZES}
    empty = {"held out": recall.Tally(4, {"two": 1, "first": 2, "one": 3}), "seen in training": recall.Tally(6)}
    found = {
        "size": sizes, "size_disturbed": sizes, "yaw_plain": tallies, "yaw_cluttered": tallies, "roll": some,
        "luminance": some, "empty_frames": empty, "empty_pictures": empty,
    }  # fmt: skip
    quoted = recall_report.result(found, 1)["quoted"]
    assert quoted["yaw 45"]["two"]["recall"] == 0.8
    assert quoted["yaw 45"]["cases"] == 40
    assert quoted["empty frames"]["two"]["share"] == 0.1
    assert quoted["empty frames, held out"]["cases"] == 4


@pytest.mark.slow
def test_the_command_measures_every_row_and_the_second_look_raises_no_alarms(shared, tmp_path):
    if not (WORK / "data" / "portraits.labels.npy").is_file():
        pytest.skip("needs the cache of `python -m models.training.detector prepare` (4 minutes, 2.3 GB)")
    detector.main(["recall", "--each", "3", "--out", str(tmp_path)])
    result = json.loads((tmp_path / "detector.json").read_text())
    assert result["models"] == {"detector": load_card("detector").sha256}
    assert result["command"].endswith("recall --each 3 --seed 1")
    groups = result["groups"]
    assert groups.keys() == result["what"].keys()
    for group, keys in (
        ("size", recall.SIZES[:-1]), ("yaw_plain", recall.YAWS), ("yaw_cluttered", recall.YAWS),
        ("roll", recall.ROLLS), ("luminance", recall.LUMINANCES),
    ):  # fmt: skip
        assert len(groups[group]) == len(keys)
        assert all(row["cases"] >= 1 for row in groups[group].values())
    for group in ("empty_pictures", "empty_frames"):
        row = groups[group]["held out"]
        assert row["cases"] == 30
        assert row["two"]["found"] <= row["one"]["found"]
    large = groups["size"]["0.4500"]
    assert large["two"]["recall"] == 1, "three portraits that fill half of the frame"
    assert (tmp_path / "detector-recall.png").read_bytes()[:4] == b"\x89PNG"
