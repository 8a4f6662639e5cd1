"""On a device, root alone decides whom it trusts, and its own user alone what it remembers; never through a link."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import make_desk
from tests.installed import camera_settings, edge, python

SOMEBODY = 12_345

OPEN = """
import json, sys
from pathlib import Path
from edge import Device, errors, load_settings
told = {}
for folder in sys.argv[1:]:
    name = Path(folder).parent.name
    try:
        with Device.open(load_settings(Path(folder) / "device.yaml"), hold="test"):
            told[name] = "opened"
    except errors.EdgeError as error:
        told[name] = f"{error.what} | {error.remedy}"
print(json.dumps(told))
"""


def moved(folder: Path, name: str) -> None:
    """A folder in another place, and a link to it under its name."""
    (folder / name).rename(folder / f"real-{name}")
    (folder / name).symlink_to(folder / f"real-{name}")


def key_of(folder: Path) -> Path:
    (key,) = (folder / "trust" / "issuers").glob("*.pub")
    return key


#: What is done to a device's folder, and what is said then.
HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda folder: None, "opened"),
    "trust of another user": (lambda folder: os.chown(folder / "trust", SOMEBODY, -1), "belongs to another user"),
    "issuers of another user": (lambda f: os.chown(f / "trust" / "issuers", SOMEBODY, -1), "belongs to another user"),
    "a key of another user": (lambda folder: os.chown(key_of(folder), SOMEBODY, -1), "belongs to another user"),
    "trust below another's folder": (lambda folder: os.chown(folder, SOMEBODY, -1), "belongs to another user"),
    "trust open to a group": (lambda folder: (folder / "trust").chmod(0o775), "others may write it"),
    "trust by a link": (lambda folder: moved(folder, "trust"), "it is a link"),
    "state by a link": (lambda folder: moved(folder, "state"), "it is a link"),
    "state of another user": (lambda folder: os.chown(folder / "state", SOMEBODY, -1), "belongs to another user"),
    "state that others may read": (lambda folder: (folder / "state").chmod(0o755), "others may read it"),
    "a way that others may change": (lambda folder: folder.chmod(0o777), "others may write it"),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_a_device_whose_folders_others_could_change_does_not_open(office: Path, tmp_path: Path):
    desk = make_desk(tmp_path)
    desk.config.write_text(camera_settings(desk.config.read_text()))
    folders = []
    for name, (harm, _) in HARMS.items():
        folder = tmp_path / "cases" / name / "device"
        folder.mkdir(parents=True)
        for part in ("state", "trust"):
            shutil.copytree(tmp_path / part, folder / part)
        shutil.copy(desk.config, folder)
        harm(folder)
        folders.append(str(folder))
    done = python(office, OPEN, *folders)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {name: said in told[name] for name, (_, said) in HARMS.items()} == dict.fromkeys(HARMS, True), told


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_the_command_says_what_to_do(office: Path, tmp_path: Path):
    desk = make_desk(tmp_path)
    desk.config.write_text(camera_settings(desk.config.read_text()))
    moved(tmp_path, "state")
    token = tmp_path / "x.token"
    token.write_text("EV1:X")
    done = edge(office, "verify", "--token", str(token), "--config", str(desk.config))
    assert (done.returncode, "name the folder that the link leads to" in done.stderr) == (3, True), done.stderr
