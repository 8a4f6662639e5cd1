"""Code in the current folder, or named by the environment, does not become a part of a device, nor of its children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge._isolated import environment
from edge.errors import ModelError
from edge.models import sandbox
from tests.installed import pip

#: Modules of the standard library and of other packages that a device or a child of it imports.
NAMES = ("argparse", "click", "json", "resource", "hashlib", "logging", "numpy", "yaml", "typing", "__future__")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder with a module of each name, which says in a file that it ran."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in (*NAMES, "sitecustomize"):
        springs = f"open({str(folder / 'sprung')!r}, 'a').write('{name} ')\nraise SystemExit\n"
        (folder / f"{name}.py").write_text(springs)
    return folder


def sprung(trap: Path) -> str:
    file = trap / "sprung"
    return file.read_text() if file.exists() else ""


def test_the_command_of_a_device_runs_nothing_of_the_folder_it_is_started_in(office: Path, trap: Path):
    environ = {**os.environ, "PYTHONPATH": str(office)}
    done = subprocess.run(
        [sys.executable, "-m", "edge", "--version"], cwd=trap, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("edge 0.1.0+device"), done.stderr
    assert sprung(trap) == ""


def test_the_installed_command_runs_nothing_that_the_environment_names(office_wheel: Path, tmp_path: Path, trap: Path):
    """As pip installs it: the script of the wheel itself, which starts anew before it imports anything."""
    site = tmp_path / "site"
    pip("install", "--no-index", "--target", str(site), str(office_wheel))
    (trap / "sitecustomize.py").unlink()  # runs in the first Python whatever that does; it is the caller's own
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(trap), str(site))), "EDGE_LOG": "info"}
    done = subprocess.run(
        [sys.executable, str(site / "bin" / "edge"), "--version"],
        cwd=trap,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("edge 0.1.0+device"), done.stderr
    assert sprung(trap) == ""


def test_the_command_called_from_a_python_of_one_s_own_runs_nothing_of_its_path(
    office: Path, tmp_path: Path, trap: Path
):
    """What that Python has imported before is its own; the command and all that it imports is not."""
    (trap / "sitecustomize.py").unlink()
    (tmp_path / "bare.yaml").write_text("alternative: Reception\n")
    code = f"from edge.cli import run; import sys; sys.path.insert(0, {str(trap)!r}); run()"
    command = [sys.executable, "-P", "-c", code, "config", "check", str(tmp_path / "bare.yaml")]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(office)}, capture_output=True, text=True, check=False
    )
    assert "no camera is named, and a device has no default" in done.stdout + done.stderr
    assert (done.returncode, sprung(trap)) == (3, "")


def test_the_process_that_examines_a_model_runs_nothing_of_the_folder_or_the_environment(
    trap: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(trap)
    monkeypatch.setenv("PYTHONPATH", str(trap))
    with pytest.raises(ModelError, match="the card is not valid"):
        sandbox.run("verify", b"\x1c\0\0\0TFL3" + bytes(64), "name: x\n", where="mine.tflite")
    assert sprung(trap) == ""


def test_a_child_is_told_of_known_names_only(monkeypatch: pytest.MonkeyPatch):
    for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "GCONV_PATH", "EDGE_TRUST_DIR"):
        monkeypatch.setenv(name, "/tmp/evil")
    assert "/tmp/evil" not in environment().values()
    assert "PATH" in environment()
