"""Every import points up the list of `edge/LAYERS.txt`: a room imports what its line names, and what those name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDGE = ROOT / "edge"


#: Rooms that are still on the move, and what each imports beyond its line until it has arrived. The table only shrinks:
#: a room or an import that is no longer needed here fails a test of its own.
MOVING: dict[str, set[str]] = {}
#: In reach of every room: they import nothing, or nothing but errors.
_EVERYWHERE = {"errors", "_resources", "_version", "_isolated"}


def rooms() -> dict[str, str]:
    """Room -> the text in its last parentheses, in the order of the list."""
    lines = (EDGE / "LAYERS.txt").read_text(encoding="utf-8").splitlines()
    matches = (re.match(r"^  (\w+)(?:/|\.py)\s+.*\(([^()]*)\)\s*$", line) for line in lines)
    return {match.group(1): match.group(2) for match in matches if match}


def allowed() -> dict[str, set[str]]:
    """Room -> the rooms it may import: those its line names, and what those name in turn.

    ``all above`` names every room above the line, ``all`` every room; other words name none.
    """
    order = list(rooms())
    closed: dict[str, set[str]] = {}
    for index, (room, text) in enumerate(rooms().items()):
        above = set(order[:index])
        if text == "all":
            direct = set(order) - {room}
        elif text == "all above":
            direct = above
        else:
            direct = {word for word in re.findall(r"\w+", text) if word in order}
            assert direct <= above, f"{room} names {sorted(direct - above)}, which stand below it"
        closed[room] = set(direct) | _EVERYWHERE
        for named in direct & above:
            closed[room] |= closed[named]
    return closed


def imports(path: Path) -> set[str]:
    """The rooms that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module and node.module.split(".")[0] == "edge":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("edge.")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
    return found


def room_of(path: Path) -> str:
    relative = path.relative_to(EDGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


FILES = sorted(path for path in EDGE.rglob("*.py") if "_build" not in path.parts)


def test_the_list_names_every_room_once_and_the_public_api_last():
    names = list(rooms())
    assert names[0] == "errors"
    assert names[-2:] == ["cli", "__init__"]
    assert len(names) == len(set(names)) > 20


def test_the_copy_is_the_design_s_own_list(shared: Path):
    design = (shared / "design.md").read_text(encoding="utf-8")
    assert (EDGE / "LAYERS.txt").read_text(encoding="utf-8").strip() in design


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(EDGE)))
def test_a_file_imports_only_rooms_that_its_line_names(path: Path):
    room = room_of(path)
    if room in ("__init__", "__main__", "_version", "_isolated"):
        return
    assert room in rooms() or room in MOVING, f"{path.name}: no room of this name in the design"
    may = allowed().get(room, set()) | MOVING.get(room, set())
    bad = imports(path) - may - {room}
    assert not bad, f"{path.relative_to(ROOT)} imports {sorted(bad)}, its line allows {sorted(may)}"


def test_the_table_of_moving_rooms_only_shrinks():
    for room, extra in MOVING.items():
        files = [path for path in FILES if room_of(path) == room]
        assert files, f"{room} has gone, its row in MOVING has not"
        used = set().union(*(imports(path) for path in files)) - allowed().get(room, set())
        assert extra <= used, f"{room} no longer imports {sorted(extra - used)}: take it out of MOVING"


def test_every_room_of_the_list_that_exists_has_tests():
    for path in EDGE.iterdir():
        if path.is_dir() and (path / "__init__.py").is_file():
            assert list((ROOT / "tests" / path.name).glob("test_*.py")), f"tests/{path.name} is empty"


def test_no_file_has_outgrown_its_idea():
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text().splitlines())) > 350}
    assert not long, f"split these: {long}"


def test_the_check_itself_catches_a_wrong_import(tmp_path: Path):
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    from edge.session import Verifier\n")
    assert imports(bad) - allowed()["face"] == {"session"}
