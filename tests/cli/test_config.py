"""`edge config`: every mistake on a line of its own, one JSON object when asked, exit code 0 or 3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "good.yaml"
    file.write_text("camera:\n  fps: 10\n")
    return str(file)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.yaml"
    file.write_text("camera:\n  fps: 200\n  widht: 3\n")
    return str(file)


def test_check_tells_that_a_file_is_valid(good: str, capsys: pytest.CaptureFixture[str]):
    assert main(["config", "check", good]) == 0
    assert capsys.readouterr().out == f"{good}: valid\n"


def test_check_tells_every_mistake_on_a_line_of_its_own(bad: str, capsys: pytest.CaptureFixture[str]):
    assert main(["config", "check", bad]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == f"{bad}:2:8: camera.fps: 200 is too large, allowed: a number from 1 to 60"
    assert lines[1].startswith(f"{bad}:3:3: camera.widht: unknown key, did you mean width?")
    assert len(lines) == 2


@pytest.mark.parametrize("name", ["good", "bad"])
@pytest.mark.parametrize("verb", ["check", "show"])
def test_json_is_exactly_one_object_either_way(
    verb: str, name: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
):
    code = main(["config", verb, request.getfixturevalue(name), "--json"])
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert err == ""
    assert answer["schema"] == f"edge/config-{verb}/v1"
    assert answer["valid"] == (name == "good")
    assert (answer["error"] is None) == (name == "good")
    assert code == (0 if name == "good" else 3)
    if name == "bad":
        assert [problem["line"] for problem in answer["problems"]] == [2, 3]


def test_show_prints_every_value_with_where_it_comes_from(good: str, capsys: pytest.CaptureFixture[str]):
    assert main(["config", "show", good]) == 0
    rows = [line.rsplit(None, 2) for line in capsys.readouterr().out.splitlines()]
    assert ["camera.fps", "10.0", f"{good}:2"] in rows
    assert ["door.pin", "17", "default"] in rows


def test_show_of_a_wrong_file_tells_the_mistakes(bad: str, capsys: pytest.CaptureFixture[str]):
    assert main(["config", "show", bad]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_schema_prints_the_committed_schema(capsys: pytest.CaptureFixture[str]):
    assert main(["config", "schema"]) == 0
    committed = Path(__file__).resolve().parents[2] / "config" / "device.schema.json"
    assert capsys.readouterr().out == committed.read_text()


@pytest.mark.parametrize("name", [".", "missing.yaml"])
def test_what_cannot_be_read_is_one_line_and_exit_code_3(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["config", "check", str(tmp_path / name)]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
