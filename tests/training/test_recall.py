"""The detector's recall is measured on faces that lie where the truth says, in the light that the row says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import _resources
from edge.face import load_card
from edge.fictional.figure import load_figure
from edge.settings.model import FaceSettings
from edge.types import Face
from models.training import data, detector, recall, recall_covers, recall_report, recall_scenes
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
    tally.add({"two": [face(scene, 40)], "first": [face(scene, 30)], "one": [face(scene, 5, landmarks=4)]}, (scene,))
    assert tally.found == {"two": 0, "first": 1, "one": 1}
    assert tally.errors["one"] == pytest.approx([4 / 40])


def natural(height: float, rng) -> recall_scenes.Scene:
    """A face of ordinary proportions, made of noise, so that every pixel of a cover is a change."""
    marks = [40, 50, 80, 50, 60, 73, 45, 90, 75, 90]
    noise = rng.integers(0, 256, (160, 120, 3), np.uint8)
    row = np.array([17, 6, 86, 114, *marks, 1], np.float32)
    return recall_scenes.paste(np.zeros((HEIGHT, WIDTH, 3), np.uint8), noise, row, height, rng)


#: Which landmarks each cover hides: eyes, nose, corners of the mouth.
HIDDEN = {"glasses": [1, 1, 0, 0, 0], "mask": [0, 0, 1, 1, 1], "hat": [0, 0, 0, 0, 0]}


@pytest.mark.parametrize("height", [96, 288])
@pytest.mark.parametrize("what", recall_covers.COVERS)
def test_a_cover_hides_what_its_row_says_and_nothing_far_from_the_face(what, height, rng):
    for _ in range(20):
        scene = natural(height, rng)
        worn = recall_covers.wear(scene, what, rng)
        changed = (worn.image != scene.image).any(2)
        rows, columns = np.nonzero(changed)
        x, y, w, h = scene.box
        assert x - 0.6 * w < columns.min() <= columns.max() < x + 1.6 * w
        assert y - 0.6 * h < rows.min() <= rows.max() < y + 1.6 * h
        for hidden in scene.landmarks[~worn.visible]:
            assert changed[round(hidden[1]), round(hidden[0])]
        if what in HIDDEN:
            assert worn.visible.tolist() == [not hidden for hidden in HIDDEN[what]]
        share = changed[recall_scenes.ellipse(scene.box)].mean()
        assert 0.01 < share < (recall_covers.MOST + 4 / height if what == "hand" else 0.6)  # and its soft outline
        if what == "hat":
            assert rows.max() < scene.landmarks[:2, 1].min(), "above the eyes"
            assert rows.min() < y
        if what == "hand":
            assert y + h / 3 < rows.max()


def test_covers_do_not_come_from_training():
    source = Path(recall_covers.__file__).read_text(encoding="utf-8")
    assert "import" in source
    assert not [line for line in source.splitlines() if "import" in line and "training.covers" in line]


@pytest.mark.parametrize("edge", recall_scenes.EDGES)
@pytest.mark.parametrize("share", [0.1, 0.2, 0.35])
def test_a_face_is_cut_by_as_much_as_its_row_says(edge, share, rng):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for height in (100, 280):
        scene = recall_scenes.cut(black, dots(), ROW, height, edge, share, rng)
        x, y, w, h = scene.box
        assert (w, h) == pytest.approx((height * 60 / 90, height), rel=1e-3)
        outside = {"left": -x / w, "right": (x + w - WIDTH) / w, "top": -y / h, "bottom": (y + h - HEIGHT) / h}
        assert outside.pop(edge) == pytest.approx(share, abs=1e-3)
        assert max(outside.values()) <= 0
        inside = (scene.landmarks >= 0).all(1) & (scene.landmarks <= [WIDTH - 1, HEIGHT - 1]).all(1)
        assert (scene.visible == inside).all()
        for across, down in scene.landmarks[inside]:
            assert scene.image[round(down), round(across), 0] > 60, "a landmark that counts is in the picture"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """The bench over a tiny cache: portraits are dots, each person of another grey."""
    work = tmp_path_factory.mktemp("cache")
    for kind, count in (("portraits", 46), ("crops", 41), ("backgrounds", 31)):
        wide = ((0, 0), (0, 40 * (kind == "crops")), (0, 0))
        data._write(work, kind, ((f"{number}", np.pad(dots(number), wide, "edge")) for number in range(count)))
        labels = np.zeros((count, 15)) if kind == "backgrounds" else np.tile(ROW, (count, 1))
        np.save(work / f"{kind}.labels.npy", labels.astype(np.float32))
    with np.load(_resources.path("people", "mesh.npz")) as meshes:
        mesh = meshes["ada"]
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    scale = float(ROW[3] / (high - low)[1])
    mesh = scale * (mesh - [*low, 0]) + [*ROW[:2], 0]
    np.save(work / "crops.mesh.npy", np.tile(mesh, (41, 1, 1)).astype(np.float16))
    return recall.Bench(work, each=2, seed=1)


def test_the_total_is_the_number_of_frames(bench):
    groups = Counter(case.group for case in bench.cases())
    assert sum(groups.values()) == len(bench)
    assert groups.keys() == recall_report.WHAT.keys()
    assert groups["covered"] == groups["cut"] == 8
    assert groups["second"] == 6
    assert groups["crops"] == 4


def test_a_crop_fills_the_frame_and_its_label_goes_with_it(bench):
    borders = set()
    for case in bench.by_crop():
        (scene,) = case.truths
        assert scene.box[3] == pytest.approx(recall.WILD * HEIGHT, rel=0.35 if case.key == "looking aside" else 1e-3)
        borders.add(int(case.image[0, 0, 0]))
        for across, down in scene.landmarks:
            assert case.image[round(down), round(across), 0] > 60
    assert borders == {0, 40}, "their borders go on to the frame's edge"


def test_two_people_stand_apart_one_so_much_as_high_as_the_other(bench):
    keys = [f"{low:g}" for low in recall.RATIOS[:-1]]
    assert recall.RATIOS[0] == FaceSettings().second_face
    for case in bench.by_second():
        first, second = case.truths
        assert data.iou(first.box, second.box) == 0
        low, high = recall.FIRST
        assert low * HEIGHT <= first.box[3] <= high * HEIGHT
        at = keys.index(case.key)
        assert recall.RATIOS[at] <= second.box[3] / first.box[3] + 1e-4
        assert second.box[3] / first.box[3] <= recall.RATIOS[at + 1] + 1e-4
        greys = []
        for scene in case.truths:
            assert scene.image is case.image
            assert all(case.image[round(down), round(across), 0] > 60 for across, down in scene.landmarks)
            x, y, w, h = scene.box
            greys.append(int(case.image[round(y + 0.5 * h) - 2, round(x + 0.85 * w), 0]))
        assert greys[0] != greys[1], "two people, not one twice"


def test_a_second_person_who_is_not_found_counts_as_not_found(rng):
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    one = recall_scenes.paste(black, dots(), ROW, 200, rng)
    x, y, w, h = one.box
    other = replace(one, box=np.array([x + w, y, w, h], np.float32))  # side by side
    seen = {"two": [face(one, 0)], "one": [face(one, 2), face(other, 2)], "first": [face(one, float(w / 2))]}
    tally = recall.Tally()
    tally.add(seen, (one, other))
    assert tally.found == {"two": 0, "first": 0, "one": 1}, "one box between two people is not two people"
    assert [len(tally.errors[look]) for look in ("two", "one")] == [1, 2]
    tally.add({look: [] for look in seen}, ())
    assert tally.found["one"] == 1


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
        ("roll", recall.ROLLS), ("luminance", recall.LUMINANCES), ("covered", recall_covers.COVERS),
        ("cut", recall_scenes.EDGES), ("second", recall.RATIOS[:-1]),
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
