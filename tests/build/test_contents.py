"""Which files a build holds: an allow-list, in which every file of the source tree has been decided about."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.build.contents import ROWS, contents, profiles_of
from edge.profile import of

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIME = ("build/backend.py", "build/hook.py", "build/plan.py")
ABSENT_FROM_A_DEVICE = ("cli/compare.py", "cli/_pictures.py", "cli/lab", "lab/", *BUILD_TIME)
ABSENT_FROM_A_LAB = ("camera/", "vault/", "door/", "session/", "journal/", "keys/", "claim/", "state/", "service/")


def tracked() -> list[str]:
    """Files below ``edge/`` that git knows; skips where there is no git."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs the git checkout to know which files belong to the project")
    answer = subprocess.run(["git", "-C", str(ROOT), "ls-files", "edge"], capture_output=True, text=True, check=True)
    return [name.removeprefix("edge/") for name in answer.stdout.splitlines()]


def test_every_file_of_the_package_has_been_decided_about():
    undecided = [name for name in tracked() if profiles_of(name) is None]
    assert not undecided, "add these to a row of edge/build/contents.py"


@pytest.mark.parametrize("start", ABSENT_FROM_A_DEVICE)
def test_a_device_holds_no_way_from_a_picture_to_a_score(tree: Path, start: str):
    (tree / "edge" / "lab").mkdir(exist_ok=True)
    (tree / "edge" / "lab" / "__init__.py").write_text('"""Lab."""\n')
    (tree / "edge" / "cli" / "compare.py").touch()
    (tree / "edge" / "cli" / "_pictures.py").touch()
    found = contents(tree, "device", of("device"))
    assert not found.findings
    assert not [name for name in found.files if name.startswith(f"edge/{start}")]


@pytest.mark.parametrize("start", ABSENT_FROM_A_LAB)
def test_a_lab_holds_neither_camera_nor_vault_nor_door(tree: Path, start: str):
    (tree / "edge" / "lab").mkdir(exist_ok=True)
    (tree / "edge" / "lab" / "__init__.py").write_text('"""Lab."""\n')
    found = contents(tree, "lab", of("lab"))
    assert not found.findings
    assert "edge/lab/__init__.py" in found.files
    assert "edge/face/__init__.py" in found.files
    assert not [name for name in found.files if name.startswith(f"edge/{start}")]


def test_a_profile_whose_room_is_missing_is_a_finding(tree: Path):
    shutil.rmtree(tree / "edge" / "lab", ignore_errors=True)
    (finding,) = contents(tree, "lab", of("lab")).findings
    assert "needs the room edge/lab" in str(finding)


def test_a_room_nobody_decided_about_is_a_finding(tree: Path):
    (tree / "edge" / "gallery").mkdir()
    (tree / "edge" / "gallery" / "search.py").write_text("")
    (finding,) = contents(tree, "device", of("device")).findings
    assert str(finding).startswith("edge/gallery/search.py: contents: this file is in no row")


@pytest.mark.parametrize("asked", [True, False])
def test_a_page_is_in_a_wheel_only_where_it_was_asked_for(tree: Path, asked: bool):
    found = contents(tree, "device", of("device") | {"local_page": asked})
    assert not found.findings
    assert any(name.startswith("edge/kiosk/") for name in found.files) == asked


def test_data_is_models_cards_and_settings_and_nothing_that_lies_beside_them(tree: Path):
    found = {name for name in contents(tree, "device", of("device")).files if name.startswith("edge/_data/")}
    assert {"edge/_data/models/embedder.tflite", "edge/_data/models/embedder.card.yaml"} <= found
    assert {"edge/_data/config/device.yaml", "edge/_data/config/device.schema.json"} <= found
    assert "edge/_data/config/examples/pi-door.yaml" in found
    assert not [name for name in found if "training" in name]


def test_no_row_is_dead_or_hidden_by_an_earlier_one():
    patterns = [pattern for pattern, _ in ROWS]
    assert len(patterns) == len(set(patterns))
    for pattern, profiles in ROWS:
        if "*" not in pattern:
            assert profiles_of(pattern) == profiles
