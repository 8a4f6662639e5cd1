"""`deploy/requirements*.txt`: what a device installs is pinned by hash for every machine, and fits pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
#: Of every device, and of one with a screen besides.
FILES = ("requirements.txt", "requirements-kiosk.txt")
RENEW = "run: deploy/lock"
#: (names of wheels, requirement, hashes) a block.
BLOCKS = [
    (re.findall(r"^# (\S+\.whl)$", block, re.MULTILINE), block, re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
    for name in FILES
    for block in (ROOT / "deploy" / name).read_text(encoding="utf-8").split("\n\n")[1:]
]
PINNED = [(Requirement(re.search(r"^[^#].*?(?= \\$)", block, re.MULTILINE)[0]), names) for names, block, _ in BLOCKS]  # type: ignore[index]
EACH = [(python, machine) for python in ("3.11", "3.12", "3.13") for machine in ("x86_64", "aarch64")]


def chosen(python: str, machine: str) -> dict[str, str]:
    """Name -> version of what pip installs there."""
    here = {"python_version": python, "platform_machine": machine}
    found = {}
    for requirement, _ in PINNED:
        if requirement.marker is None or requirement.marker.evaluate(here):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} twice for {here}"
            found[name] = str(requirement.specifier).removeprefix("==")
    return found


def test_every_line_is_one_version_with_the_hash_of_each_wheel():
    assert len(PINNED) >= 20
    for names, block, hashes in BLOCKS:
        assert len(names) == len(set(hashes)) == len(hashes) > 0, block
    assert all(re.fullmatch(r"==[\w.]+", str(requirement.specifier)) for requirement, _ in PINNED)


@pytest.mark.parametrize(("python", "machine"), EACH)
def test_what_pyproject_asks_for_is_pinned_and_fits(python, machine):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["kiosk"]]
    there = chosen(python, machine)
    for requirement in map(Requirement, asked):
        if requirement.marker and not requirement.marker.evaluate(
            {"python_version": python, "platform_machine": machine}
        ):
            continue
        name = canonicalize_name(requirement.name)
        assert name in there, (name, RENEW)
        assert requirement.specifier.contains(there[name]), (name, there[name], RENEW)


@pytest.mark.parametrize(("python", "machine"), EACH)
def test_every_machine_has_a_wheel_of_everything(python, machine):
    for requirement, names in PINNED:
        if requirement.marker is not None and not requirement.marker.evaluate({"python_version": python}):
            continue
        assert any(fits(name, python, machine) for name in names), (requirement, python, machine, RENEW)


def fits(wheel: str, python: str, machine: str) -> bool:
    """Whether a wheel is for this Python and machine, by its name."""
    minor = int(python.split(".")[1])
    for tag in parse_wheel_filename(wheel)[3]:
        number = int(re.sub(r"\D", "", tag.interpreter)[1:] or 0)
        right = tag.interpreter in (f"cp3{minor}", "py3", "py2.py3") or (tag.abi == "abi3" and number <= minor)
        if right and (tag.platform == "any" or tag.platform.endswith(machine)):
            return True
    return False


def test_bookworm_keeps_the_numpy_that_apt_s_picamera2_was_built_for():
    for machine in ("x86_64", "aarch64"):
        assert chosen("3.11", machine)["numpy"].startswith("1.")
