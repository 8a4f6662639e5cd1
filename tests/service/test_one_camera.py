"""The whole product on a Pi's camera that takes 0.7 s to close: every command opens it once, and the door decides."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from edge.camera import pi
from edge.cli import main
from edge.fictional import FictionalSource, OnePerson
from tests.camera.picamera2_stand_in import Habits, stand_in


def seen(name: str, count: int = 24) -> list:
    """Pictures of somebody who stands there."""
    source = FictionalSource((OnePerson(name, 600.0, walk_up=False, yaw=8.0, side_light=0.2, defocus=0.0),))
    source.open()
    return [source.read(1.0).image for _ in range(count)]


@pytest.fixture
def habits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Habits:
    habits = Habits(close_s=0.7, startup=2, period_s=1 / 15, view=seen("ada"))
    monkeypatch.setitem(sys.modules, "picamera2", stand_in(habits))
    monkeypatch.setattr(pi, "_MODES", {})
    monkeypatch.chdir(tmp_path)
    Path("device.yaml").write_text(
        "device: {name: vm, state_dir: state, trust_dir: trust}\ncamera: {driver: picamera2, fps: 15, timeout_s: 1}\n"
        "alternative: Ring the bell.\n"
    )
    Path("consent.yaml").write_text(
        "subject: Ada\ntext_version: tour\nlanguage: en\ngiven: 2026-11-01\nwithdrawal: delete it\n"
    )
    assert edge("keys", "init", "--development") == 0
    return habits


def edge(*words: str) -> int:
    return main([*words, "--config", "device.yaml"])


def opened(habits: Habits) -> int:
    """How often since the last question."""
    count = habits.calls.count("open 0")
    habits.calls.clear()
    return count


def enrol(habits: Habits, *words: str) -> None:
    assert edge("enrol", "--operator", "kim", "--consent", "consent.yaml", *words) == 0
    assert opened(habits) == 1


def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], token: str) -> tuple[int, list[dict]]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{token}\n".encode())))
    code = edge("run", "--json")
    return code, [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]


def test_every_command_opens_it_once_and_enrols_renews_accepts_and_rejects(habits, monkeypatch, capfd):
    assert edge("selftest") == 0
    assert opened(habits) == 1
    enrol(habits, "--card", "ada.token")
    enrol(habits, "--renew", "ada.token", "--card", "new.token")
    capfd.readouterr()
    token = Path("new.token").read_text().strip()

    code, told = run(monkeypatch, capfd, token)
    assert code == 0
    assert opened(habits) == 1, "self-test and loop share one stream"
    assert "accept" in [line["decision"]["outcome"] for line in told if "decision" in line]

    habits.view[:] = seen("chen")
    code, told = run(monkeypatch, capfd, token)
    assert code == 0
    assert [line["decision"]["outcome"] for line in told if "decision" in line] == ["reject"]
    assert (opened(habits), habits.held, habits.open) == (1, 0, False)


TROUBLES = [
    ({"fails": "Device or resource busy"}, "another program uses the camera"),
    ({"size": (800, 480)}, "800 x 480"),
    ({"format": "MJPEG"}, "MJPEG"),
    ({"stall": True}, "silent"),
]


def test_a_camera_in_trouble_makes_the_device_unfit_and_says_what_helps(habits, capfd):
    for trouble, told in TROUBLES:
        before = {name: getattr(habits, name) for name in trouble}
        vars(habits).update(trouble)
        for command in ("run", "selftest"):
            assert edge(command, "--json") == 4
            printed = capfd.readouterr()
            assert told in printed.out + printed.err
            assert command != "run" or '"event": "device.unfit"' in printed.out, "whoever observes sees it, too"
            assert opened(habits) == 1, "the first check says why; the others do not knock again"
        vars(habits).update(before)
