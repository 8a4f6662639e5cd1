"""Every import points up the list of `edge/LAYERS.txt`: a room imports what its line names, and what those name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDGE = ROOT / "edge"


def rooms() -> dict[str, str]:
    """Room -> the text in its parentheses, in the order of the list."""
    found: dict[str, str] = {}
    for line in (EDGE / "LAYERS.txt").read_text().splitlines():
        match = re.match(r"^  (\w+)(?:/|\.py)\s+.*\(([^()]*)\)\s*$", line)
        if match:
            found[match.group(1)] = match.group(2)
    return found


def allowed() -> dict[str, set[str]]:
    """Room -> the rooms it may import, transitively."""
    direct: dict[str, set[str]] = {}
    order = list(rooms())
    for room, text in rooms().items():
        if "all but" in text:
            named = set(order) - set(re.findall(r"\w+", text.split("all but")[1]))
        elif "all above but" in text:
            named = set(order[: order.index(room)]) - set(re.findall(r"\w+", text.split("but")[1]))
        elif text.startswith("all"):
            named = set(order)
        else:
            named = {word for word in re.findall(r"\w+", text) if word in order}
        direct[room] = named - {room} | {"errors", "_resources", "_version"}
    closed: dict[str, set[str]] = {}
    for room in order:
        seen: set[str] = set()
        todo = list(direct[room])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += direct.get(name, set())
        closed[room] = seen
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


def test_the_list_is_the_design_s():
    names = list(rooms())
    assert names[:4] == ["errors", "types", "_resources", "settings"]
    assert names[-2:] == ["cli", "__init__"] or names[-1] == "cli"
    assert len(names) >= 19


def test_the_copy_is_the_design_s_own_list(shared: Path):
    design = (shared / "design.md").read_text(encoding="utf-8")
    assert (EDGE / "LAYERS.txt").read_text(encoding="utf-8").strip() in design


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(EDGE)))
def test_a_file_imports_only_rooms_that_its_line_names(path: Path):
    room = room_of(path)
    if room in ("__init__", "__main__", "_version"):
        return
    assert room in rooms(), f"{path.name}: no room of this name in the design"
    bad = imports(path) - allowed()[room] - {room}
    assert not bad, f"{path.relative_to(ROOT)} imports {sorted(bad)}, its line allows {sorted(allowed()[room])}"


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
