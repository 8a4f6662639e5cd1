"""Which files a build holds: an allow-list, in which every file of the source tree has been decided about."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.build.contents import ROWS, contents, profiles_of
from edge.profile import of
from edge.prove.source import Module
from edge.prove.statements import listeners

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


@pytest.mark.parametrize("asked", [True, False])
def test_the_operators_pages_and_their_process_are_in_a_wheel_only_where_they_were_asked_for(tree: Path, asked: bool):
    found = contents(tree, "device", of("device") | {"local_page": True, "operator_page": asked})
    assert not found.findings
    theirs = {name for name in found.files if name.startswith(("edge/kiosk/desk/", "edge/service/staff"))}
    wanted = {"edge/service/staff.py", "edge/service/staff_process.py", "edge/kiosk/desk/page/index.html"}
    assert wanted <= theirs if asked else not theirs
    assert "edge/kiosk/page/index.html" in found.files


@pytest.mark.parametrize(
    ("capabilities", "listening"),
    [
        ((), set()),
        (("local_page",), {"kiosk/kiosk.py", "kiosk/server.py"}),
        (
            ("local_page", "operator_page"),
            {
                *("kiosk/kiosk.py", "kiosk/server.py", "kiosk/desk/pages.py"),
                "service/staff.py",
                "service/staff_process.py",
            },
        ),
    ],
)
def test_what_could_wait_for_others_in_a_wheel_is_what_its_capabilities_name(capabilities, listening: set[str]):
    """The files that `edge prove` shows in its check `listeners`: those of every device, and those asked for."""
    every = {f"service/{name}.py" for name in ("operator_socket", "remote", "systemd", "wire")}
    every |= {"session/cell_process.py", "session/cells.py"}  # a pair between the door and its sessions' processes
    files = contents(ROOT, "device", of("device") | dict.fromkeys(capabilities, True)).files
    sources = [Module.parse(name, path.read_text()) for name, path in files.items() if name.endswith(".py")]
    found = {module.file for module in sources if list(listeners(module))}
    assert found == {f"edge/{name}" for name in every | listening}


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
