"""The benchmarks' own parts; their arithmetic is the lab's (tests/lab)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.lfw import overlap

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("box", "share"), [((0, 0, 10, 10), 1.0), ((5, 0, 10, 10), 1 / 3), ((20, 0, 5, 5), 0.0), ((2, 2, 5, 5), 0.25)]
)
def test_overlap(box: tuple[float, ...], share: float):
    assert overlap(np.array(box), np.array([0, 0, 10, 10])) == pytest.approx(share)


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
