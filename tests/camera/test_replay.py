"""Replay: a video or a folder, in order, at its pace, in the configured size, upright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.camera import Capture, Pulled, open_stream
from edge.camera.replay import ReplaySource, letterbox
from edge.errors import CameraError, SourceEnded, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from tests.camera.pictures import encoded, noise_picture, with_exif


class Time:
    """A clock that only a sleep moves."""

    def __init__(self) -> None:
        self.now = 5_000_000_000

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


def replay(path, **keys) -> CameraSettings:
    return CameraSettings(driver="replay", path=path, **{"pace": "fast", "width": 320, "height": 240, **keys})


def level(frame) -> int:
    """The grey level that the test pictures are numbered by."""
    return round(float(frame.image[100:140, 140:180].mean()))


@pytest.fixture
def folder(tmp_path):
    for number in range(5):
        picture = np.full((240, 320, 3), 40 * number + 20, np.uint8)
        (tmp_path / f"frame-{number}.png").write_bytes(encoded(picture, ".png"))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "visit.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 240))
    for number in range(6):
        writer.write(np.full((240, 320, 3), 40 * number + 20, np.uint8))
    writer.release()
    return path


def everything(settings: CameraSettings, most: int = 50) -> list:
    frames = []
    with Pulled(ReplaySource(settings)) as stream:
        try:
            while len(frames) < most:
                frames.append(stream.next(stream.now_ns(), 5.0))
        except SourceEnded:
            pass
    return frames


def test_a_folder_is_shown_in_the_order_of_its_names_and_ends(folder):
    frames = everything(replay(folder, fps=10))
    assert [level(frame) for frame in frames] == [20, 60, 100, 140, 180]
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4, 5]
    assert [frame.monotonic_ns for frame in frames] == [100_000_000 * number for number in range(1, 6)]
    assert frames[2].meta["file"] == "frame-2.png"


def test_frames_are_counted_as_people_count_and_what_is_no_picture_is_passed_over(tmp_path):
    for number in range(1, 13):
        picture = np.full((240, 320, 3), 20 * number, np.uint8)
        (tmp_path / f"{number}.jfif").write_bytes(encoded(picture))
    (tmp_path / "._1.jfif").write_bytes(b"Mac OS X")
    (tmp_path / "3a.jpg").touch()
    frames = everything(replay(tmp_path))
    assert [frame.meta["file"] for frame in frames] == [f"{number}.jfif" for number in range(1, 13)]
    for path in tmp_path.glob("*.jfif"):
        path.unlink()
    with pytest.raises(SourceUnavailable, match="no picture"):
        ReplaySource(replay(tmp_path)).open()


def test_a_video_is_shown_at_its_own_rate(video):
    frames = everything(replay(video, fps=30))
    assert [abs(level(frame) - expected) <= 3 for frame, expected in zip(frames, range(20, 260, 40), strict=True)]
    assert np.diff([frame.monotonic_ns for frame in frames]).tolist() == [100_000_000] * 5


def test_a_loop_begins_again_and_time_goes_on(folder, video):
    for path, count in ((folder, 5), (video, 6)):
        frames = everything(replay(path, loop=True), most=2 * count + 1)
        assert level(frames[0]) == level(frames[count]) == level(frames[2 * count])
        assert all(step > 0 for step in np.diff([frame.monotonic_ns for frame in frames]))


def test_at_real_pace_each_frame_comes_when_it_is_due(folder):
    time = Time()
    source = ReplaySource(replay(folder, pace="real", fps=10), clock=time, sleep=time.sleep)
    source.open()
    frames = [source.read(1.0) for _ in range(3)]
    assert [frame.monotonic_ns - 5_000_000_000 for frame in frames] == [100_000_000, 200_000_000, 300_000_000]
    assert time.now == frames[-1].monotonic_ns


def test_at_real_pace_who_is_late_gets_the_frame_of_now(folder):
    time = Time()
    source = ReplaySource(replay(folder, pace="real", fps=10), clock=time, sleep=time.sleep)
    source.open()
    source.read(1.0)
    time.sleep(0.25)
    frame = source.read(1.0)
    assert frame.sequence == 3
    assert level(frame) == 100


def test_a_frame_that_is_not_due_in_time_is_a_timeout_and_not_lost(folder):
    time = Time()
    source = ReplaySource(replay(folder, pace="real", fps=1), clock=time, sleep=time.sleep)
    source.open()
    for _ in range(3):
        with pytest.raises(SourceTimeout):
            source.read(0.3)
    assert source.read(0.3).sequence == 1


def test_phone_pictures_are_upright(tmp_path):
    upright = noise_picture(240, 320)
    stored = np.ascontiguousarray(np.rot90(upright))  # orientation 6: turn clockwise to see it
    (tmp_path / "a.jpg").write_bytes(with_exif(encoded(stored, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98), 6))
    assert cv2.absdiff(everything(replay(tmp_path))[0].image, upright).mean() < 4


def test_another_size_is_letterboxed(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(np.full((100, 100, 3), 200, np.uint8), ".png"))
    image = everything(replay(tmp_path))[0].image
    assert image.shape == (240, 320, 3)
    assert (image[:, 45:275] == 200).all()
    assert not image[:, :39].any()
    assert not image[:, 281:].any()


def test_letterboxing_leaves_the_right_size_alone_and_never_distorts():
    image = noise_picture(240, 320)
    assert letterbox(image, 320, 240) is image
    assert letterbox(image, 640, 480).shape == (480, 640, 3)
    tall = letterbox(np.full((400, 1, 3), 9, np.uint8), 320, 240)
    assert tall.shape == (240, 320, 3)
    assert tall.any()


def test_a_missing_path_an_empty_folder_and_a_file_that_is_no_video_are_refused(tmp_path):
    text = tmp_path / "notes.avi"
    text.write_text("not a video")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, word in ((tmp_path / "no", "no such"), (empty, "no picture"), (text, "not a video"), (None, "no path")):
        with pytest.raises(SourceUnavailable, match=word) as caught:
            ReplaySource(replay(path)).open()
        assert caught.value.remedy


def test_a_broken_picture_in_the_folder_is_an_error_that_names_it(folder):
    (folder / "frame-1.png").write_bytes(b"broken")
    with Pulled(ReplaySource(replay(folder))) as stream:
        stream.next(0, 1.0)
        with pytest.raises(CameraError, match=r"frame-1\.png"):
            stream.next(stream.now_ns(), 1.0)


def test_a_replay_that_is_not_open_says_so(folder):
    with pytest.raises(CameraError, match="not open"):
        ReplaySource(replay(folder)).read(1.0)


def test_fast_is_pulled_and_real_gets_a_thread(folder):
    assert isinstance(open_stream(replay(folder)), Pulled)
    with open_stream(replay(folder, pace="real", fps=50, loop=True)) as stream:
        assert isinstance(stream, Capture)
        now = stream.now_ns()
        assert stream.next(now, 2.0).monotonic_ns > now


def test_every_frame_is_turned_as_the_settings_say(folder):
    picture = noise_picture(240, 320)
    for path in folder.glob("*.png"):
        path.write_bytes(encoded(picture, ".png"))
    for degrees, turns in ((90, -1), (180, 2), (270, 1)):
        with open_stream(replay(folder, rotate=degrees)) as stream:
            image = stream.next(0, 1.0).image
        assert np.array_equal(image, np.rot90(picture, turns))
        assert image.flags.c_contiguous
