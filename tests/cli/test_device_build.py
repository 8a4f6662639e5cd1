"""A device build, made for real and run from its wheel: it decides, and has no way from a picture to a score."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Desk, make_desk


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The unpacked wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "site")
    return out / "site"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Desk:
    return make_desk(tmp_path_factory.mktemp("desk"))


def edge(installed: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", "-c", "from edge.cli import run; run()", *arguments]
    # the working directory is not the checkout, whose `edge` would come first
    return subprocess.run(
        command, cwd=installed, env=environment, input=stdin, capture_output=True, text=True, timeout=100, check=False
    )


def test_it_says_that_it_is_a_device_build(installed, desk):
    done = edge(installed, "selftest", "--config", str(desk.config), "--json")
    checks = {c["name"]: c["what"] for c in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert checks["build"].startswith("device")
    assert "log door only" in checks["build"]


def test_compare_is_not_there_and_says_why(installed, desk):
    done = edge(installed, "compare", desk.person("ada"), desk.person("ada", 1))
    assert done.returncode == 3
    assert "without a signed claim" in done.stderr
    assert not (installed / "edge" / "cli" / "compare.py").exists()
    assert not (installed / "edge" / "cli" / "_pictures.py").exists()


def test_verify_takes_no_picture_and_gives_no_score(installed, desk):
    card = desk.folder / "ada.token"
    enrol = ("enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent))
    assert edge(installed, *enrol, "--image", desk.person("ada"), "--card", str(card)).returncode == 3
    assert edge(installed, *enrol, "--card", str(card)).returncode == 0
    verify = ("verify", "--config", str(desk.config), "--token", str(card), "--json")
    refused = edge(installed, *verify, "--image", desk.person("ada"))
    assert refused.returncode == 3
    assert "never a picture file" in json.loads(refused.stdout)["error"]["what"]
    done = edge(installed, *verify)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["outcome"]) == (0, "accept")
    assert not {"score", "threshold"} & set(answer)


def test_the_demo_runs_from_the_wheel_alone(installed):
    done = edge(installed, "demo", "--fast", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"]
