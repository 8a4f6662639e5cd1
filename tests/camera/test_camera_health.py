"""Frame health: each fault is seen, good frames have none, and a still is no scene however much noise it wears."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.camera import Health, Motion, Pulled, changing, motion, watch
from edge.fictional import FictionalSource, Nobody, OnePerson
from edge.settings.model import CameraSettings
from edge.types import Fault, Frame
from tests.camera.pictures import frame

SECOND = 15


def recorded(*script, count: int = 2 * SECOND, seed: int = 4) -> list[Frame]:
    with Pulled(FictionalSource(script, seed=seed)) as stream:
        return [stream.next(stream.now_ns(), 1.0) for _ in range(count)]


@pytest.fixture(scope="module")
def visit() -> list[Frame]:
    return recorded(Nobody(1.0), OnePerson("ada", 4.0), count=4 * SECOND)


@pytest.fixture(scope="module")
def still() -> np.ndarray:
    return recorded(OnePerson("ada", 2.0, still=True), count=1)[0].image


def faults(images, settings: CameraSettings | None = None) -> list[tuple[Fault, ...]]:
    health = Health(settings or CameraSettings())
    return [health.check(frame(image, number)) for number, image in enumerate(images)]


def test_a_good_visit_has_no_fault(visit):
    assert all(not found for found in faults(item.image for item in visit))


def test_bit_identical_frames_are_frozen_after_a_second(still):
    found = faults([still] * (2 * SECOND))
    assert not found[SECOND - 2]
    assert found[SECOND + 2] == (Fault.FROZEN,)


def test_frozen_ends_with_the_first_new_frame(still, visit):
    assert faults([still] * (2 * SECOND) + [visit[40].image])[-1] == ()


def test_a_change_beside_the_sampled_pixels_is_not_frozen(still):
    images = [still.copy() for _ in range(2 * SECOND)]
    for number, image in enumerate(images):
        image[3, 3] = number
    assert all(Fault.FROZEN not in found for found in faults(images))


def with_noise(image: np.ndarray, seed: int, sigma: float = 2.0) -> np.ndarray:
    grain = np.random.default_rng(seed).standard_normal(image.shape, np.float32) * sigma
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def test_a_lens_cap_is_black_and_a_lamp_over_exposes():
    black, white = np.full((480, 640, 3), 6, np.uint8), np.full((480, 640, 3), 254, np.uint8)
    assert faults([with_noise(black, 1)])[0] == (Fault.BLACK,)
    assert faults([with_noise(white, 1)])[0] == (Fault.OVER_EXPOSED,)


def test_a_dim_room_is_not_black(visit):
    assert not faults([(visit[40].image * 0.35).astype(np.uint8)])[0]


@pytest.mark.parametrize("sigma", [0.5, 4.0])
def test_a_blurred_stream_is_told_after_a_second_with_and_without_noise(visit, sigma):
    quarters = [cv2.resize(item.image, (80, 60), interpolation=cv2.INTER_AREA) for item in visit[:20]]
    soft = [cv2.resize(cv2.GaussianBlur(each, (0, 0), 1.7), (640, 480)) for each in quarters]
    images = [with_noise(image, number, sigma) for number, image in enumerate(soft)]
    found = faults(images)
    assert not found[3]
    assert found[-1] == (Fault.BLURRED,)


def test_one_blurred_frame_is_no_fault(visit):
    images = [item.image for item in visit[:30]]
    images[10] = cv2.GaussianBlur(images[10], (0, 0), 14)
    assert not any(faults(images))


def test_a_wrong_size_is_told_and_a_rotated_camera_is_right(visit):
    image = visit[40].image
    assert faults([np.ascontiguousarray(image[:240])])[0] == (Fault.WRONG_SIZE,)
    turned = np.ascontiguousarray(np.rot90(image))
    assert faults([turned])[0] == (Fault.WRONG_SIZE,)
    assert faults([turned], CameraSettings(rotate=90))[0] == ()


def test_time_that_stands_or_runs_back_is_told(visit):
    health = Health(CameraSettings())
    stamps = [10, 20, 20, 15, 30]
    found = [health.check(frame(item.image, 1, period_ns=stamp)) for item, stamp in zip(visit, stamps, strict=False)]
    assert [Fault.TIME_BACKWARDS in each for each in found] == [False, False, True, True, False]


@pytest.mark.parametrize("script", [(Nobody(4.0),), (OnePerson("ada", 4.0, walk_up=False),)])
@pytest.mark.parametrize("seed", range(3))
def test_a_live_scene_changes_even_when_nobody_is_there(script, seed):
    assert changing(recorded(*script, seed=seed))


def test_one_still_picture_does_not_change(still):
    assert not changing([frame(still, number) for number in range(30)])


def gaussian(image, rng):
    return image + rng.normal(0, 6, image.shape)


def heavy_tailed(image, rng):
    return image + rng.standard_t(2, image.shape) * 3


def signal_dependent(image, rng):
    return image + rng.normal(0, 1, image.shape) * np.sqrt(1 + 0.1 * image)


def shared_by_neighbours(image, rng):
    return image + cv2.GaussianBlur(rng.normal(0, 60, image.shape), (0, 0), 12)


def flickering_at_random(image, rng):
    return image * (1 + rng.normal(0, 0.03))


def compressed(image, rng):
    noisy = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    "noise", [gaussian, heavy_tailed, signal_dependent, shared_by_neighbours, flickering_at_random, compressed]
)
def test_a_still_with_any_fresh_noise_does_not_change(still, noise):
    small = cv2.resize(still, (320, 240), interpolation=cv2.INTER_AREA)
    passed = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        images = [np.clip(noise(small.astype(np.float64), rng), 0, 255).astype(np.uint8) for _ in range(24)]
        passed += changing([frame(image, number) for number, image in enumerate(images)])
    assert passed == 0


def test_a_noisy_still_whose_frames_come_twice_does_not_change(still):
    small = cv2.resize(still, (320, 240), interpolation=cv2.INTER_AREA)
    images = [with_noise(small, number // 2, 5.0) for number in range(48)]
    assert not changing([frame(image, number) for number, image in enumerate(images)])


def test_a_small_thing_that_moves_in_a_noisy_picture_changes(still):
    small = cv2.resize(still, (320, 240), interpolation=cv2.INTER_AREA)
    images = []
    for number in range(30):
        image = small.copy()
        cv2.circle(image, (60 + 3 * number, 60), 14, (30, 30, 200), -1)
        images.append(with_noise(image, number, 5.0))
    assert changing([frame(image, number) for number, image in enumerate(images)])


def test_too_few_frames_do_not_show_a_change(visit):
    assert not changing(visit[:15])
    assert not changing([])


def seen_by(source: str, images) -> list[Frame]:
    return [Frame(image, number * 66_666_667, number, source) for number, image in enumerate(images)]


@pytest.mark.parametrize("source", ["picamera2", "v4l2"])
def test_an_empty_still_hall_through_jpeg_is_steady_and_not_a_still(still, source):
    rng = np.random.default_rng(1)
    hall = cv2.resize(still, (320, 240), interpolation=cv2.INTER_AREA).astype(np.float64)
    images = [compressed(hall, rng) for _ in range(31)]
    assert motion(seen_by(source, images)) is Motion.STEADY
    assert motion(seen_by(source, [image for image in images[:12] for _ in range(3)])) is Motion.STEADY


@pytest.mark.parametrize("source", ["v4l2", "fictional"])
def test_a_frozen_camera_is_a_still(still, source):
    assert motion(seen_by(source, [still] * 31)) is Motion.STILL
    assert motion(seen_by(source, [still if number % 2 else 255 - still for number in range(31)])) is Motion.STILL


@pytest.mark.parametrize("source", ["fictional", "replay"])
def test_generated_and_replayed_people_are_never_steady(still, source):
    images = [with_noise(still[::2, ::2], number) for number in range(31)]
    assert motion(seen_by(source, images)) is Motion.STILL


def test_a_scene_moves_and_a_slow_camera_is_watched_longer():
    for fps in (15, 7, 1):
        with Pulled(FictionalSource((OnePerson("ada", 30.0),), fps=fps)) as stream:
            frames = watch(stream)
        assert len(frames) >= 16
        assert len(frames) == max(2 * fps, 24)
        assert frames[0].image.shape == (240, 320, 3)
        assert motion(frames) is Motion.MOVING
    assert motion(frames[:15]) is Motion.STILL
