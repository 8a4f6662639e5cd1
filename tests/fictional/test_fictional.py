"""The generated kiosk sequence: the script is followed, heads turn in depth, and everything can be repeated."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp

from edge import _resources
from edge.camera import Capture, Pulled, open_source, open_stream
from edge.errors import CameraError, InputError, SourceEnded
from edge.fictional import FictionalSource, Nobody, OnePerson, ShowCode, TwoPeople, one_who_stays
from edge.fictional.figure import PEOPLE, load_figure
from edge.fictional.mesh import Pose, Relief, rotation
from edge.fictional.paint import Painter
from edge.fictional.scene import HeadInView, Timeline, View, default_script, look_up
from edge.fictional.sensor import READ, SHOT, Sensor
from edge.settings.model import CameraSettings
from edge.types import Source


def frames(script, count, **keys):
    with Pulled(FictionalSource(script, **keys)) as stream:
        return [stream.next(stream.now_ns(), 1.0) for _ in range(count)]


def test_frames_are_vga_bgr_at_fifteen_a_second():
    seen = frames((Nobody(1.0),), 3)
    assert isinstance(FictionalSource(), Source)
    assert [frame.sequence for frame in seen] == [1, 2, 3]
    assert np.diff([frame.monotonic_ns for frame in seen]).tolist() == [66_666_667] * 2
    for frame in seen:
        assert frame.image.shape == (480, 640, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert frame.source == "fictional"


def test_the_script_is_followed_and_ends():
    script = (Nobody(0.2), OnePerson("ada", 0.4), TwoPeople("fara", "goran", 0.2))
    seen = frames(script, 12)
    people = [frame.meta["people"] for frame in seen]
    assert people[:3] == [()] * 3
    assert people[3:9] == [("ada",)] * 6
    assert all(set(names) == {"fara", "goran"} for names in people[9:])
    with pytest.raises(SourceEnded):
        frames(script, 13)


def test_a_loop_and_the_default_script_go_on():
    timeline = Timeline((Nobody(1.0), OnePerson("ada", 1.0)), loop=True)
    assert look_up(timeline, 7.5).heads[0].name == "ada"
    endless = Timeline(default_script(), loop=True)
    assert look_up(endless, 1e6) is not None
    assert look_up(Timeline(default_script()), 1e6) is None


def test_the_same_seed_gives_the_same_frames_and_another_seed_others():
    script = (OnePerson("ada", 2.0),)
    first, again, other = (frames(script, 4, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[3].image, other[3].image)


def test_a_person_walks_up_from_a_twelfth_to_half_of_the_frame():
    timeline = Timeline((OnePerson("ada", 3.0),))
    heights = [look_up(timeline, moment).heads[0].height for moment in np.arange(0, 3, 0.1)]
    assert heights[0] == pytest.approx(0.08)
    assert heights[13:] == [pytest.approx(0.5)] * 17
    assert all(step >= 0 for step in np.diff(heights))


class Evil(float):
    """A number that answers for itself, as a picture could."""

    def _never(self, *_, **__):
        raise AssertionError("a scene's own number is asked")

    __mul__ = __rmul__ = __truediv__ = __add__ = __array_ufunc__ = _never


class Name(str):
    __slots__ = ()

    def __eq__(self, other):
        raise AssertionError("a scene's own name is asked")

    __hash__ = str.__hash__
    __str__ = __format__ = encode = __eq__


def test_what_a_scene_holds_is_a_number_or_a_name_of_python_s_own_and_draws_nothing():
    number, name = Evil(0.5), Name("ada")
    scene = OnePerson(name, Evil(60.0), walk_up=False, height=number, place=number, gain=(Evil(1.0), Evil(1.0)))
    plain = OnePerson("ada", 60.0, walk_up=False, height=0.5, place=0.5, gain=(1.0, 1.0))
    assert [type(value) for value in (scene.name, scene.seconds, scene.height, *scene.gain)] == [str, *[float] * 4]
    assert np.array_equal(frames((scene,), 2)[1].image, frames((plain,), 2)[1].image)

    class Still:
        def pose(self, at_s):
            return Pose(Evil(3.0), Evil(0.0), Evil(0.0))

    assert frames((plain,), 1, actor=Still())[0].image.shape == (480, 640, 3)


@pytest.mark.parametrize(
    "words", [{"height": float("nan")}, {"gain": (1.0, float("inf"))}, {"seconds": "long"}, {"attack": 3}]
)
def test_a_scene_refuses_what_is_no_finite_number_or_no_name(words):
    with pytest.raises((ValueError, TypeError)):
        OnePerson("ada", **words)


def test_a_standing_person_turns_the_head_to_both_sides_and_looks_ahead_first():
    timeline = Timeline((OnePerson("ada", 6.0),))
    moments = np.arange(1.2, 6.0, 1 / 30)
    heads = [look_up(timeline, moment).heads[0] for moment in moments]
    yaws = np.array([head.yaw for head in heads])
    assert yaws.max() > 15
    assert yaws.min() < -15
    assert np.abs(yaws).max() <= 23
    assert np.abs(yaws[:12]).max() < 4
    assert np.abs(np.diff(yaws)).max() < 3, "a head that jumps between frames is no head"
    assert max(abs(head.pitch) for head in heads) <= 3.1


def test_two_people_are_of_similar_height_and_do_not_hide_each_other():
    heads = look_up(Timeline((TwoPeople("ada", "bela", 3.0),)), 2.0).heads
    assert 0.85 < heads[0].height / heads[1].height < 1
    assert abs(heads[0].x - heads[1].x) * 640 > 0.8 * heads[1].height * 480


@pytest.mark.parametrize("pose", [Pose(20, 0, 0), Pose(-20, 0, 0), Pose(10, 5, 3), Pose(0, -6, 0)])
def test_a_head_turns_as_its_mesh_does(pose):
    # The warp's inverse, asked at where the mesh says a landmark goes, must lead back to that landmark.
    mesh = np.load(_resources.path("people", "mesh.npz"))["ada"].astype(np.float32)
    relief = Relief(mesh, (384, 384))
    for index in (1, 33, 263, 61, 291):  # nose tip, outer eye corners, mouth corners
        moved = (mesh[index] - relief.pivot) @ rotation(pose).T + relief.pivot
        back = relief.sources(moved[None, None, :2], pose)[0, 0]
        assert np.linalg.norm(back - mesh[index, :2]) < 6, index


def test_the_signs_of_a_pose_are_those_of_the_types():
    nose = np.array([0.0, 0.0, -100.0])
    assert (rotation(Pose(yaw=10)) @ nose)[0] > 0, "positive yaw: the face turns to image right"
    assert (rotation(Pose(pitch=10)) @ nose)[1] > 0, "positive pitch: it looks down"
    assert (rotation(Pose(roll=10)) @ np.array([100.0, 0.0, 0.0]))[1] > 0, "positive roll: clockwise"


def test_a_warp_never_folds():
    relief = load_figure("ada").relief
    grid = np.stack(np.meshgrid(np.arange(40, 344, 2), np.arange(40, 344, 2)), axis=-1).astype(np.float32)
    for yaw in (-22, 22):
        sources = relief.sources(grid, Pose(yaw, 4, 2))
        assert (np.diff(sources[..., 0], axis=1) > -0.05).all()
        assert (np.diff(sources[..., 1], axis=0) > -0.05).all()


def test_a_straight_head_is_the_portrait_itself(picture):
    painter = Painter((640, 480), 0, noise=0.0)
    view = View("test", heads=(HeadInView("kenji", 0, 0.5, 0.5, 0.4, 0.0, 0.0, 0.0),))
    figure = load_figure("kenji")
    scale = 0.4 * 480 / figure.height
    image = painter.paint(view, 0)
    place = np.array([[scale, 0, 320 - scale * figure.centre[0]], [0, scale, 240 - scale * figure.centre[1]]])
    expected = cv2.warpAffine(picture("kenji"), place, (640, 480))
    middle = np.s_[190:290, 280:360]
    assert cv2.absdiff(image[middle], expected[middle]).mean() < 6


def test_everybody_can_be_shown_in_every_variant():
    assert len(PEOPLE) == 12
    for name in ("ada", "dara"):
        figures = [load_figure(name, variant) for variant in (0, 1, 2)]
        assert not np.array_equal(figures[0].portrait, figures[1].portrait)
    with pytest.raises(InputError, match="nobody-0"):
        load_figure("nobody")


def test_a_still_scene_is_one_frozen_picture_until_it_ends():
    seen = frames((OnePerson("ada", 0.4, still=True), OnePerson("ada", 0.4)), 9)
    assert all(np.array_equal(frame.image, seen[0].image) for frame in seen[:6])
    assert not np.array_equal(seen[6].image, seen[0].image)
    assert seen[0].meta["people"] == ("ada",)


def test_a_noisy_still_differs_in_every_frame_by_noise_alone():
    seen = [frame.image.astype(int) for frame in frames((OnePerson("ada", 1.0, still=True, noise_on_still=True),), 6)]
    difference = seen[1] - seen[0]
    assert 1.5 < difference.std() < 6
    assert abs(difference.mean()) < 0.05


def test_a_flat_photograph_is_shown_as_a_sheet_with_a_border():
    image = frames((OnePerson("dara", 1.0, flat=True, walk_up=False, gain=(1, 1)),), 1, noise=0.0)[0].image
    empty = frames((Nobody(1.0),), 1, noise=0.0)[0].image
    assert (image.min(axis=2) > 200).sum() > (empty.min(axis=2) > 200).sum() + 2000


CODE = "EV1:" + "ABCDEF0123456789" * 18


def read(frame) -> list[str]:
    grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
    return [found.text for found in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormat.QRCode)]


def test_a_code_held_into_view_can_be_read():
    seen = frames((Nobody(0.2), ShowCode(CODE, 1.0)), 15)
    assert not read(seen[0])
    assert read(seen[14]) == [CODE]


def test_a_code_can_be_shown_and_taken_away_over_any_scene():
    source = FictionalSource((Nobody(3.0),))
    source.open()
    assert not read(source.read(1.0))
    source.show_code(CODE)
    assert read(source.read(1.0))
    source.show_code(None)
    assert not read(source.read(1.0))


def test_the_room_is_another_for_another_seed():
    rooms = [frames((Nobody(1.0),), 1, seed=seed)[0].image for seed in (0, 1)]
    assert cv2.absdiff(*rooms).mean() > 3


def test_noise_follows_the_photon_transfer_curve():
    sensor = Sensor(0, (320, 240))
    for level in (20, 100, 220):
        flat = np.full((240, 320, 3), level, np.uint8)
        measured = np.std([sensor.noise(flat, index).astype(float) for index in range(3)])
        assert measured == pytest.approx(np.sqrt(READ**2 + SHOT * level + 1 / 12), rel=0.06)


def test_noise_is_new_in_every_frame_and_absent_on_demand():
    flat = np.full((240, 320, 3), 100, np.uint8)
    sensor = Sensor(0, (320, 240))
    assert not np.array_equal(sensor.noise(flat, 1), sensor.noise(flat, 2))
    assert np.array_equal(sensor.noise(flat, 1), sensor.noise(flat, 1))
    assert np.array_equal(Sensor(0, (320, 240), noise=0).noise(flat, 1), flat)


def test_light_scales_and_leans():
    flat = np.full((240, 320, 3), 100, np.uint8)
    sensor = Sensor(0, (320, 240), noise=0)
    assert sensor.expose(flat, gain=0.5, side=0, blur=0, index=0).mean() == pytest.approx(50, abs=1)
    lit = sensor.expose(flat, gain=1.0, side=0.8, blur=0, index=0)
    assert lit[:, -1].mean() > lit[:, 0].mean() + 40


@pytest.mark.parametrize("size", [(320, 240), (800, 600)])
def test_other_frame_sizes_work(size):
    image = frames((OnePerson("ada", 1.0, walk_up=False),), 1, width=size[0], height=size[1])[0].image
    assert image.shape == (size[1], size[0], 3)


def test_the_settings_choose_size_rate_pace_and_the_endless_script():
    settings = CameraSettings(driver="fictional", pace="fast", fps=10, width=320, height=240)
    with open_stream(settings) as stream:
        assert isinstance(stream, Pulled)
        assert stream.next(0, 1.0).image.shape == (240, 320, 3)
        assert stream.next(stream.now_ns(), 1.0).monotonic_ns == 200_000_000


def test_at_real_pace_frames_are_on_the_capture_s_clock():
    with open_stream(CameraSettings(driver="fictional", fps=30), script=(Nobody(5.0),)) as stream:
        assert isinstance(stream, Capture)
        now = stream.now_ns()
        frame = stream.next(now, 2.0)
        assert now < frame.monotonic_ns <= stream.now_ns() + 1_000_000


def test_a_source_that_is_not_open_says_so():
    source = open_source(CameraSettings(driver="fictional"))
    with pytest.raises(CameraError, match="not open"):
        source.read(1.0)


def test_time_starts_where_it_is_told():
    assert frames((Nobody(1.0),), 1, start_ns=7_000_000_000)[0].monotonic_ns == 7_066_666_667


def test_the_settings_can_make_one_person_stay_as_long_as_an_enrolment_takes():
    from edge.camera import open_stream
    from edge.fictional.figure import PEOPLE
    from edge.settings.model import CameraSettings

    with open_stream(CameraSettings(driver="fictional", pace="fast", fps=1, person="chen")) as stream:
        frames = [stream.next(stream.now_ns(), 5.0) for _ in range(90)]
    assert {frame.meta["people"] for frame in frames[1:]} == {("chen",)}
    for name in PEOPLE:
        CameraSettings(person=name)
    assert one_who_stays("ada")[0].seconds > 3600


def test_a_camera_that_is_open_has_drawn_who_will_come():
    """Drawn in the middle of a claim, on a busy machine the first person was longer than a camera may be silent."""
    source = FictionalSource((OnePerson("ada", 1.0), OnePerson("goran", 1.0)))
    source.open()
    before = load_figure.cache_info().misses
    for _ in range(20):
        assert source.read(1.0).meta["people"]
    assert load_figure.cache_info().misses == before
