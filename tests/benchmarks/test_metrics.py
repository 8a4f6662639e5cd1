"""The benchmarks' own arithmetic, against counting by hand."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks import metrics
from tests.benchmarks.dataset import Lfw

ROOT = Path(__file__).resolve().parents[2]
scores = st.lists(st.integers(-50, 50).map(lambda n: n / 50), min_size=1, max_size=60)


@settings(max_examples=80, deadline=None)
@given(scores, scores, st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_the_accept_rate_s_threshold_is_the_lowest_that_keeps_the_rate(genuine, impostor, fmr):
    g, i = np.array(genuine, np.float32), np.array(impostor, np.float32)
    rate, threshold = metrics.accept_rate(g, i, fmr)
    assert np.mean(i >= threshold) <= fmr
    assert rate == np.mean(g >= threshold)
    lower = [value for value in i if value < threshold]
    if lower:
        assert np.mean(i >= max(lower)) > fmr


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=2, max_size=40))
def test_no_threshold_makes_fewer_errors_than_the_best_one(pairs):
    values, same = np.array([score / 20 for score, _ in pairs]), np.array([answer for _, answer in pairs])

    def errors(threshold: float) -> int:
        return int(np.sum((values >= threshold) != same))

    candidates = np.concatenate([values, values + 1e-9, [-2.0]])
    best = metrics.best_threshold(values, same)
    if len(set(values)) == len(values):
        assert errors(best) == min(errors(t) for t in candidates)
    assert np.isfinite(best)


def test_five_folds_are_each_judged_by_the_others():
    """A fold whose scores are all shifted is judged at the others' threshold, and fails there."""
    same = np.tile([True, False], 50)
    fold = np.repeat(np.arange(5), 20)
    values = np.where(same, 0.8, 0.2) + np.where(fold == 4, -0.5, 0.0)
    accuracy, error = metrics.fold_accuracy(values, same, fold)
    assert accuracy == pytest.approx((4 * 1.0 + 0.5) / 5)
    assert error == pytest.approx(np.std([1, 1, 1, 1, 0.5]) / np.sqrt(5))


def test_a_picture_without_a_face_scores_minus_one_in_all_its_pairs():
    vectors = np.array([[1, 0], [2, 0], [0, 3], [0, 0]], float)
    rows, columns = np.triu_indices(4, 1)
    found = metrics.score_pairs(vectors, np.array([True, True, True, False]), rows, columns)
    np.testing.assert_allclose(found, [1, 0, -1, 0, -1, -1], atol=1e-6)


@pytest.mark.parametrize(
    ("box", "share"), [((0, 0, 10, 10), 1.0), ((5, 0, 10, 10), 1 / 3), ((20, 0, 5, 5), 0.0), ((2, 2, 5, 5), 0.25)]
)
def test_overlap(box: tuple[float, ...], share: float):
    assert metrics.overlap(np.array(box), np.array([0, 0, 10, 10])) == pytest.approx(share)


def test_lfw_s_format_is_read(tmp_path: Path):
    with tarfile.open(tmp_path / "images.tar", "w") as tar:
        for name, count in (("Ann_A", 2), ("Bob_B", 1), ("Cid_C", 2)):
            for number in range(1, count + 1):
                data = cv2.imencode(".jpg", np.full((250, 250, 3), 40 * number, np.uint8))[1].tobytes()
                member = tarfile.TarInfo(f"{name}/{name}_{number:04d}.jpg")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    lines = ["2\t1", "Ann_A\t1\t2", "Ann_A\t1\tBob_B\t1", "Cid_C\t1\t2", "Bob_B\t1\tCid_C\t2"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    lfw = Lfw(tmp_path)
    assert len(lfw) == 5
    assert lfw.people.tolist() == [0, 0, 1, 2, 2]
    assert lfw.pairs.tolist() == [[0, 1, 1, 0], [0, 2, 0, 0], [3, 4, 1, 1], [2, 4, 0, 1]]
    assert lfw.all_pairs()[2].sum() == 2
    assert abs(int(lfw.picture(1).mean()) - 80) < 3


@pytest.mark.parametrize("name", ["lfw", "speed"])
def test_help_is_there_without_the_data(name: str):
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "Bars:" in done.stdout
    assert "--json" in done.stdout


def test_the_speed_benchmark_s_frame_is_one_that_a_device_would_accept():
    from edge.face import Chain
    from edge.settings.model import FaceSettings
    from edge.types import Frame
    from tests.benchmarks.speed import fictional_frame

    look = Chain.load(FaceSettings(threads=1)).look(Frame(fictional_frame(), 0, 0, "test"))
    assert look.reason is None
    assert look.face is not None
    assert 0.4 < look.face.height / 480 < 0.6
