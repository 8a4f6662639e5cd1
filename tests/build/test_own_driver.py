"""A camera driver of the builder's own: a device build has it as a file that its statement names, and says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from edge.build.attest import sign_wheel
from edge.build.buildfile import load_build
from edge.build.plan import plan
from edge.camera import open_source
from edge.errors import BuildRefused, SourceUnavailable
from edge.fictional import FictionalSource, one_who_stays
from edge.settings import check
from edge.settings.model import CameraSettings
from tests.cli.conftest import Desk, make_desk
from tests.installed import ANNA, OFFICE, ROOT, build, edge, pip

EXAMPLE = ROOT / "deploy" / "examples" / "own_driver.py"


def build_file(folder: Path, driver: object, text: str = "") -> Path:
    """A build file that names a driver, beside which the example lies."""
    folder.mkdir(exist_ok=True)
    shutil.copy(EXAMPLE, folder)
    file = folder / "build.yaml"
    file.write_text((text or (ROOT / OFFICE).read_text()) + f"camera_driver: {driver}\n")
    return file


def test_it_is_in_the_build_and_in_the_statement_that_is_signed(tmp_path: Path):
    file = build_file(tmp_path, "own_driver.py")
    planned = plan(ROOT, "0.1.0+device", {"EDGE_BUILD_CONFIG": str(file)})
    assert planned.files["edge/camera/own.py"].read_bytes() == EXAMPLE.read_bytes()
    assert planned.statement["camera_driver"]["name"] == "own_driver.py"
    assert len(planned.statement["camera_driver"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("nowhere.py", "nowhere.py cannot be read (No such file or directory)"),
        ("build.yaml", "is no Python file"),
        ("[own_driver.py]", "is no Python file"),
        ("empty.py", "empty.py defines no class Camera"),
        ("broken.py", "broken.py is not Python"),
    ],
)
def test_what_is_no_driver_is_refused_when_it_is_built(tmp_path: Path, driver: str, said: str):
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("class Camera(:\n")
    with pytest.raises(BuildRefused) as refused:
        plan(ROOT, "0.1.0+device", {"EDGE_BUILD_CONFIG": str(build_file(tmp_path, driver))})
    assert any(f"camera_driver: {said}" in one or said in one for one in refused.value.findings)


def test_a_lab_has_no_camera(tmp_path: Path):
    text = (ROOT / "config/examples/build-lab.yaml").read_text()
    _, findings = load_build(build_file(tmp_path, "own_driver.py", text))
    assert [finding.what for finding in findings] == ["camera_driver: only a device build has a camera"]


def test_where_there_is_none_settings_that_ask_for_it_are_wrong(tmp_path: Path):
    with pytest.raises(SourceUnavailable, match="no camera driver of its builder's own"):
        open_source(CameraSettings(driver="own"))
    settings = tmp_path / "device.yaml"
    settings.write_text("alternative: Reception\ncamera: {driver: own}\n")
    _, problems = check(settings)
    assert any("no camera driver of its builder's own" in str(problem) for problem in problems)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed device build with the example as its driver, installed."""
    folder = tmp_path_factory.mktemp("own")
    wheel = sign_wheel(build(folder / "wheel", str(build_file(folder, "own_driver.py"))), ANNA)
    pip("install", "--no-index", "--target", str(folder / "site"), str(wheel))
    return folder / "site"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = make_desk(tmp_path)
    capsys.readouterr()
    return made


def proved(wheel: Path) -> str:
    """What an auditor's own copy says of a wheel."""
    line = [sys.executable, "-m", "edge", "prove", "--wheel", str(wheel), "--json"]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_read_by_the_device_and_named_as_foreign(site: Path, desk: Desk, capsys: pytest.CaptureFixture[str]):
    token, pipe = desk.token("ada", capsys), desk.folder / "eye"
    text = desk.config.read_text()
    rest = text[text.index("alternative:") :]
    desk.config.write_text(text[: text.index("camera:")] + f"camera: {{driver: own, device: {pipe}}}\n" + rest)
    with desk.config.open("a") as file:
        file.write("liveness: {passive: off, active: off}\n")  # what is shown here is the way of the frames
    os.mkfifo(pipe)
    ended = threading.Event()

    def vendor() -> None:
        source, into = FictionalSource(one_who_stays("ada"), real=True), os.open(pipe, os.O_RDWR)
        source.open()
        while not ended.is_set():
            os.write(into, source.read(1.0).image.tobytes())
        os.close(into)

    program = threading.Thread(target=vendor, daemon=True)
    program.start()
    try:
        verified = edge(site, "verify", "--token", str(token), "--config", str(desk.config), "--json")
        tested = edge(site, "selftest", "--config", str(desk.config), "--json")
        shown = edge(site, "build", "show")
    finally:
        ended.set()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["outcome"] == "accept"
    checks = {check["id"]: check for check in json.loads(tested.stdout)["checks"]}
    assert "builder's own" in checks["own-driver"]["what"]
    assert "own_driver.py" in shown.stdout
    assert "no part of this product" in proved(next(site.parent.glob("wheel/*.whl")))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_driver_that_no_statement_names_is_a_finding(site: Path, tmp_path: Path):
    wheel = build(tmp_path / "wheel", OFFICE)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.write(EXAMPLE, "edge/camera/own.py")
    said = proved(wheel)
    assert "edge/camera/own.py" in said
    assert "does not belong in a device build" in said
