"""A head that is turned from one picture: the right way, aligned again, and its label goes where the skin goes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import _resources
from edge.fictional.mesh import Pose, rotation
from models.training.affine import similarity
from models.training.heads import Head, drawn
from models.training.turned import LANDMARKS
from models.training.turned_crops import looking

SIDE = 384
STILL = np.zeros((8, 2), np.float32)
PLAIN = np.eye(2, 3, dtype=np.float32)


def mesh_of(name: str) -> np.ndarray:
    with np.load(_resources.path("people", "mesh.npz")) as meshes:
        return meshes[name].astype(np.float32)


def landmarks_of(mesh: np.ndarray) -> np.ndarray:
    return np.array([mesh[list(group), :2].mean(0) for group in LANDMARKS], np.float32)


def head_of(name: str) -> Head:
    mesh = mesh_of(name)
    return Head(mesh, landmarks_of(mesh), SIDE)


def turned_about_y(mesh: np.ndarray, yaw: float) -> np.ndarray:
    middle = mesh.mean(0)
    return ((mesh - middle) @ rotation(Pose(yaw=yaw)).T + middle).astype(np.float32)


def dots(points: np.ndarray) -> np.ndarray:
    """A black picture with one colour at each of three points."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    for channel, (x, y) in enumerate(points):
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        cv2.circle(canvas, (round(float(x)), round(float(y))), 7, 255, -1)
        picture[..., channel] = canvas
    return picture


def found(picture: np.ndarray) -> np.ndarray:
    return np.array([np.argwhere(picture[..., c] > 127).mean(0)[::-1] for c in range(3)])


def test_a_head_that_is_not_turned_stays_where_it_is():
    places = head_of("ada").places(PLAIN, SIDE, Pose(), STILL)
    v, u = np.mgrid[2 : SIDE - 2, 2 : SIDE - 2]
    assert np.abs(places[2:-2, 2:-2] - np.stack([u, v], -1)).max() < 0.01


def test_positive_yaw_turns_the_nose_to_image_right():
    head = head_of("bela")
    moves = head.relief.displacement(Pose(yaw=20))
    moved = head.carried(head.landmarks, moves) - head.landmarks
    assert moved[2, 0] > moved[:2, 0].mean() + 5


@pytest.mark.parametrize("pose", [Pose(yaw=20), Pose(yaw=-20, pitch=10)])
def test_a_turned_head_is_aligned_again_by_its_own_landmarks(pose: Pose):
    head = head_of("chen")
    places = head.places(PLAIN, SIDE, pose, STILL)
    first = head.landmarks[[0, 1, 2]]
    second = head.landmarks[[2, 3, 4]]
    one, two = (
        found(cv2.remap(dots(points), places[..., 0], places[..., 1], cv2.INTER_LINEAR)) for points in (first, second)
    )
    seen = np.vstack([one, two[1:]]).astype(np.float32)
    again = similarity(seen, head.landmarks)
    assert np.abs(again[:, :2] - np.eye(2)).max() < 0.03
    assert np.linalg.norm(seen[2] - head.landmarks[2]) > 2, "the nose has moved against the rest"


@pytest.mark.parametrize("yaw", [-25, -10, 0, 10, 25])
def test_a_head_knows_how_far_it_looks_aside_already(yaw: float):
    mesh = turned_about_y(mesh_of("dara"), yaw)
    assert Head(mesh, landmarks_of(mesh), SIDE).yaw == pytest.approx(yaw, abs=3)


@given(st.floats(-60, 60), st.integers(0, 2**32 - 1))
def test_no_turn_leads_farther_aside_than_forty_degrees_or_than_the_head_looked_already(yaw: float, seed: int):
    class Turned:
        pass

    head = Turned()
    head.yaw = yaw  # type: ignore[attr-defined]
    pose, mien = drawn(head, np.random.default_rng(seed))  # type: ignore[arg-type]
    assert abs(pose.yaw) <= 25
    assert abs(pose.pitch) <= 15
    assert abs(yaw + pose.yaw) <= max(40.001, abs(yaw))
    assert np.allclose(mien[0:6:2] * [-1, 1], mien[1:6:2]), "left and right move alike, in a mirror"


def test_another_mien_moves_the_mouth_and_leaves_the_nose():
    head = head_of("emil")
    smile = STILL.copy()
    smile[:2] = [[-0.1, -0.05], [0.1, -0.05]]
    moved = head.carried(head.landmarks, head.bent(smile)) - head.landmarks
    eyes = float(np.linalg.norm(head.landmarks[1] - head.landmarks[0]))
    assert np.linalg.norm(moved[3:], axis=1).min() > 0.07 * eyes
    assert np.linalg.norm(moved[:3], axis=1).max() < 0.02 * eyes


@pytest.mark.parametrize("seed", range(4))
def test_the_label_of_a_head_that_looks_aside_lies_on_its_skin(seed: int):
    mesh = mesh_of("fara")
    points = landmarks_of(mesh)
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    row = np.concatenate([low, high - low, points.ravel(), [0.9]]).astype(np.float32)
    picture = dots(points[[0, 2, 4]])
    seen, label = looking(picture, row, mesh, np.random.default_rng(seed))
    assert np.abs(found(seen) - label[4:14].reshape(5, 2)[[0, 2, 4]]).max() < 3
    assert label[14] == row[14]
    assert 0.6 < label[2] / row[2] < 1.3
