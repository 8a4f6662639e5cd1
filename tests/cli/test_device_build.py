"""A device build, made for real and run from its wheel: it decides, and has no way from a picture to a score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, make_desk
from tests.installed import camera_settings, edge, edge_before_ada


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Desk:
    made = make_desk(tmp_path_factory.mktemp("desk"))
    made.config.write_text(camera_settings(made.config.read_text()))
    return made


def test_it_says_that_it_is_a_device_build(office: Path, desk: Desk):
    done = edge_before_ada(office, "selftest", "--config", str(desk.config), "--json")
    checks = {c["name"]: c["what"] for c in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert checks["build"].startswith("device")
    assert "log door only" in checks["build"]


def test_compare_is_not_there_and_says_why(office: Path, desk: Desk):
    done = edge(office, "compare", desk.person("ada"), desk.person("ada", 1))
    assert done.returncode == 3
    assert "without a signed claim" in done.stderr
    assert not (office / "edge" / "cli" / "compare.py").exists()
    assert not (office / "edge" / "cli" / "_pictures.py").exists()


def test_verify_takes_no_picture_and_gives_no_score(office: Path, desk: Desk):
    card = desk.folder / "ada.token"
    enrol = ("enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent))
    assert edge(office, *enrol, "--image", desk.person("ada"), "--card", str(card)).returncode == 3
    done = edge_before_ada(office, *enrol, "--card", str(card))
    assert done.returncode == 0, done.stderr
    verify = ("verify", "--config", str(desk.config), "--token", str(card), "--json")
    refused = edge(office, *verify, "--image", desk.person("ada"))
    assert refused.returncode == 3
    assert "never a picture file" in json.loads(refused.stdout)["error"]["what"]
    done = edge_before_ada(office, *verify)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["outcome"]) == (0, "accept")
    assert not {"score", "threshold"} & set(answer)


def test_the_demo_runs_from_the_wheel_alone(office: Path):
    done = edge(office, "demo", "--fast", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"]
