"""A real device build for tests: one wheel of this checkout, signed by anna and installed by pip, once a session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.build.attest import sign_wheel
from edge.trust.envelopes import Signer

ROOT = Path(__file__).resolve().parent.parent
ANNA = Signer.generate("anna")
OFFICE = "config/examples/build-office.yaml"


def pip(*arguments: str, **environ: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "-q", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environ}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def build(out: Path, build_file: str) -> Path:
    """The wheel of this checkout under a build file."""
    pip("wheel", "--no-build-isolation", "-w", str(out), str(ROOT), EDGE_BUILD_CONFIG=build_file)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def office_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device's wheel for an office, signed by anna."""
    return sign_wheel(build(tmp_path_factory.mktemp("wheel"), OFFICE), ANNA)


@pytest.fixture(scope="session")
def office(office_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed it; tests that change something copy it."""
    site = tmp_path_factory.mktemp("genuine") / "site"
    pip("install", "--no-index", "--target", str(site), str(office_wheel))
    return site


def python(site: Path, code: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run code with an installation before everything else; the checkout is not on the path."""
    environ = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(
        command, cwd=site, env=environ, input=stdin, capture_output=True, text=True, timeout=100, check=False
    )


def edge(site: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command of an installation."""
    return python(site, "from edge.cli import run; run()", *arguments, stdin=stdin)


#: A device build has no driver but a camera's: here generated people are patched in, in the very process.
_GENERATED = """
from edge.fictional import FictionalSource, one_who_stays
from edge.service import parts
parts.open_source = lambda camera: FictionalSource(one_who_stays("ada"), real=True)
from edge.cli import run
run()
"""


def edge_before_ada(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command of an installation whose camera sees a fictional person; isolated already, so it goes on as it is."""
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{_GENERATED}", *arguments]
    return subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=100, check=False)


def camera_settings(text: str) -> str:
    """Settings of a desk for a device build: with a camera, which tests then put something before."""
    rest = text[text.index("alternative:") :]
    return text[: text.index("camera:")] + "camera: {driver: v4l2, device: /dev/v4l/by-id/none}\n" + rest
