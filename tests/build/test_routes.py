"""Every way to this product, by the real tools: the same refusals, the same bytes, the same answers about itself.

checkout -> wheel, checkout -> sdist -> wheel, `pip install -e`, and each of them installed into a virtual environment.
The quick ones of these ways run in test_build_hook.py and tests/service/test_signed_build.py on every change.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from edge.build.attest import sign_wheel
from edge.trust.envelopes import Signer
from tests.build.conftest import copy_tree
from tests.build.test_build_hook import change, commit

pytestmark = pytest.mark.slow
ANNA = Signer.generate("anna")
DATE = {"SOURCE_DATE_EPOCH": "1790000000"}


def run(*command: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, env={**os.environ, **environ}, check=False)


def pip(*arguments: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd, **environ)


def pypa_build(tree: Path, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "build", "--no-isolation", *arguments, cwd=tree, **environ)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clean git checkout of this source tree."""
    tree = copy_tree(tmp_path / "checkout")
    commit(tree, 1_700_000_000)
    return tree


class Venv:
    """A virtual environment that sees this one's dependencies, but not its `edge`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.python, self.edge = folder, folder / "bin" / "python", folder / "bin" / "edge"
        done = run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        assert done.returncode == 0, done.stderr
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.site = site

    def install(self, *what: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        options = ("-q", "--no-deps", "--no-build-isolation", "--no-index")
        return pip("--python", self.python, "install", *options, *what, cwd=cwd)

    def say(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return run(self.edge, *arguments, cwd=self.folder)


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_both_routes_and_both_tools_give_the_same_bytes(checkout: Path, tmp_path: Path):
    assert pypa_build(checkout, "-o", tmp_path / "a", **DATE).returncode == 0  # sdist, and the wheel from it
    assert pypa_build(checkout, "--wheel", "-o", tmp_path / "b", **DATE).returncode == 0
    wheel = ("wheel", "-q", "--no-deps", "--no-build-isolation", "-w")
    assert pip(*wheel, tmp_path / "c", ".", cwd=checkout, **DATE).returncode == 0
    assert pip(*wheel, tmp_path / "d", only(tmp_path / "a", "*.tar.gz"), cwd=tmp_path, **DATE).returncode == 0
    wheels = [only(tmp_path / name, "*.whl") for name in "abcd"]
    assert {path.name for path in wheels} == {"edge_verifier-0.1.0+device-py3-none-any.whl"}
    assert len({path.read_bytes() for path in wheels}) == 1


def test_two_sdists_of_the_same_commit_are_the_same_bytes(checkout: Path, tmp_path: Path):
    for name in "ab":
        assert pypa_build(checkout, "--sdist", "-o", tmp_path / name, **DATE).returncode == 0
    first, second = (only(tmp_path / name, "*.tar.gz").read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize("name", ["one_to_many_search", "attribute_inference"])
def test_what_no_code_can_enable_is_refused_on_every_route(checkout: Path, tmp_path: Path, name: str):
    change(checkout, f"{name}: false", f"{name}: true")
    venv = Venv(tmp_path / "venv")
    assert pypa_build(checkout, "--sdist", "-o", tmp_path / "sdist").returncode == 0, "an sdist is source"
    sdist = only(tmp_path / "sdist", "*.tar.gz")
    for done in (
        pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path / "dist", ".", cwd=checkout),
        pypa_build(checkout, "-o", tmp_path / "dist"),
        venv.install("-e", checkout, cwd=tmp_path),
        venv.install(checkout, cwd=tmp_path),
        venv.install(sdist, cwd=tmp_path),
    ):
        assert done.returncode != 0
        assert f"capability/{name}: true is refused in every profile: no code exists to enable it" in (
            done.stdout + done.stderr
        )
    assert not list(tmp_path.glob("dist/*.whl"))
    assert not venv.edge.exists()


def test_an_editable_install_is_development_and_never_signed(checkout: Path, tmp_path: Path):
    venv = Venv(tmp_path / "venv")
    assert venv.install("-e", checkout, cwd=tmp_path).returncode == 0
    assert venv.say("--version").stdout == "edge 0.1.0+development, a development install, drives the log door only\n"
    assert list(venv.site.glob("edge_verifier-0.1.0+development.dist-info"))
    done = venv.say("build", "verify", "installed", "--trust", tmp_path)
    assert (done.returncode, "a development install, which is never signed" in done.stderr) == (1, True)


@pytest.mark.parametrize("route", ["wheel", "sdist"])
def test_a_build_in_an_environment_says_what_it_is(checkout: Path, tmp_path: Path, route: str):
    assert pypa_build(checkout, "-o", tmp_path / "dist").returncode == 0
    venv = Venv(tmp_path / "venv")
    assert venv.install(only(tmp_path / "dist", "*.whl" if route == "wheel" else "*.gz"), cwd=tmp_path).returncode == 0
    assert venv.say("--version").stdout == "edge 0.1.0+device, a device build, unsigned: drives the log door only\n"
    page = " ".join(venv.say("build", "show", "--trust", tmp_path).stdout.split())
    assert "No trusted signature covers it: it is not signed." in page
    assert "without changes" in page
    assert venv.say("compare", "a.jpg", "b.jpg").returncode == 3


def test_a_signed_wheel_in_an_environment_holds_until_a_file_is_touched(checkout: Path, tmp_path: Path):
    assert pypa_build(checkout, "--wheel", "-o", tmp_path / "dist").returncode == 0
    wheel = sign_wheel(only(tmp_path / "dist", "*.whl"), ANNA)
    trust = tmp_path / "trust" / "builders"
    trust.mkdir(parents=True)
    (trust / "anna.pem").write_bytes(ANNA.public.pem())
    venv = Venv(tmp_path / "venv")
    assert venv.install(wheel, cwd=tmp_path).returncode == 0
    verify = ("build", "verify", "installed", "--trust", trust.parent)
    assert venv.say(*verify).returncode == 0
    (venv.site / "edge" / "search.py").write_text("")
    done = venv.say(*verify)
    assert (done.returncode, "edge/search.py was added after it was signed" in done.stderr) == (1, True)
