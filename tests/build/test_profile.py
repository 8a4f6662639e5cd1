"""What a running product says it is: the statement counts, and whatever is in doubt is the strictest."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.profile import STATEMENT_SCHEMA, current, of
from edge.types import Profile

ROOT = Path(__file__).resolve().parents[2]


def package(root: Path, statement: object = None) -> Path:
    """An installed package with a statement (an object as JSON, a str as it is, None for none)."""
    folder = root / "edge"
    (folder / "_build").mkdir(parents=True, exist_ok=True)
    if statement is not None:
        text = statement if isinstance(statement, str) else json.dumps(statement)
        (folder / "_build" / "statement.json").write_text(text)
    return folder


def valid(profile: str = "lab") -> dict[str, object]:
    return {"schema": STATEMENT_SCHEMA, "profile": profile, "version": "0.1.0", "capabilities": of(profile)}


def test_a_checkout_is_development_and_says_so():
    build = current()
    assert build.profile == "development" == Profile.DEVELOPMENT
    assert not build.is_device
    assert build.can("file_comparison")
    assert not build.can("one_to_many_search")
    assert not build.signed


@pytest.mark.parametrize("profile", ["device", "lab"])
def test_a_wheel_is_what_its_statement_says(tmp_path: Path, profile: str):
    build = current(package(tmp_path, valid(profile) | {"commit": "c0ffee", "dirty": False, "built": "2026-11-22"}))
    assert build.profile == profile
    assert build.capabilities == of(profile)
    assert (build.commit, build.dirty, build.built, build.fault) == ("c0ffee", False, "2026-11-22", "")
    assert build.is_device == (profile == "device")


def test_the_day_of_the_build_is_a_time_that_no_clock_can_be_before(tmp_path: Path):
    build = current(package(tmp_path, valid("device") | {"built": "2026-11-22"}))
    assert build.built_s == 1_795_305_600
    assert current().built_s == 0


@pytest.mark.parametrize("built", ["", "soon", "2026-13-01", "2026-11-22T05:00", 7])
def test_a_day_that_is_none_counts_as_none(tmp_path: Path, built: object):
    assert current(package(tmp_path, valid("device") | {"built": built})).built_s == 0


def test_an_installation_without_a_statement_is_a_device_without_any_capability(tmp_path: Path):
    build = current(package(tmp_path))
    assert build.is_device
    assert not any(build.capabilities.values())
    assert build.fault == "this installation has no build statement"


@pytest.mark.parametrize("missing", ["pyproject.toml", "models", "config", "edge/build/hook.py"])
def test_a_folder_put_beside_the_package_does_not_make_it_development(tmp_path: Path, missing: str):
    folder = package(tmp_path)
    for name in {"pyproject.toml", "models", "config", "edge/build/hook.py"} - {missing}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert current(folder).is_device


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "development"},
        {"profile": "anything"},
        {"profile": "device"},  # with the capabilities of a lab
        {"schema": "edge/build-statement/v9"},
        {"capabilities": of("lab") | {"one_to_many_search": True}},
        {"capabilities": {}},
        {"capabilities": None},
        {"profile": []},
    ],
)
def test_a_statement_that_contradicts_itself_does_not_count(tmp_path: Path, change: dict[str, object]):
    build = current(package(tmp_path, valid("lab") | change))
    assert build.is_device
    assert build.fault
    assert not any(build.capabilities.values())


@given(
    st.text()
    | st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_a_damaged_statement_is_a_device(tmp_path_factory: pytest.TempPathFactory, statement: object):
    try:
        folder = package(tmp_path_factory.getbasetemp() / "damaged", statement if statement is not None else "")
    except UnicodeEncodeError:
        return
    assert current(folder).is_device


def test_no_environment_variable_changes_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = package(tmp_path, valid("device"))
    other = tmp_path / "other.yaml"
    other.write_text("profile: lab\n")
    for name in ("EDGE_BUILD_CONFIG", "EDGE_PROFILE", "EDGE_BUILD", "EDGE_DEVELOPMENT", "PYTHONPATH"):
        monkeypatch.setenv(name, str(other))
    assert current(folder).profile == "device"


def test_the_code_that_answers_has_no_way_to_the_environment():
    tree = ast.parse((ROOT / "edge" / "profile.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "json" in imported
    assert not imported & {"os", "sys", "subprocess", "edge.settings", "importlib"}


def test_profiles_are_compared_by_value():
    # `current().profile is Profile.DEVICE` would always be false: a device would take itself for something looser.
    wrong = []
    for file in (ROOT / "edge").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
                text = ast.unparse(node)
                if ".profile is" in text or "is Profile." in text or "is not Profile." in text:
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}: {text}")
    assert not wrong, "write == instead of is"
