"""What programs read: every answer and event has a published schema and golden examples, and keeps its form."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge.cli import main
from tests.conformance import events
from tests.conformance.walk import GOLDEN, ROOT, Answer, answers, place

pytestmark = pytest.mark.timeout(1800)  # one walk through everything, with a wheel built on the way
RENEW = "run: python -m tests.conformance.events"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "config" / "schemas").glob("*.json")}
#: Formats of files that people or builds write, and what stands inside of other answers.
OTHER = {"build-v1", "build-statement-v1", "card-v1", "erasure-v1", "model-spec-v1", "peer-v1", "policy-pack-v1"} | {
    "review-v1"
}
#: Names of constants that hold one.
NAMED = ("SCHEMA", "VERSION", "DECISION")
each_schema = pytest.mark.parametrize("name", sorted(SCHEMAS))


@pytest.fixture(scope="module")
def today(tmp_path_factory) -> list[Answer]:
    return answers(tmp_path_factory.mktemp("walk"))


def test_every_place_that_writes_a_schema_s_name_has_a_published_schema():
    found = {}
    for path in (ROOT / "edge").rglob("*.py"):
        for name in named(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(name, path.relative_to(ROOT))
    assert {name: str(path) for name, path in found.items() if name not in SCHEMAS and name not in OTHER} == {}
    assert set(SCHEMAS) | OTHER == set(found)  # and none speaks of what nobody writes


def full(name: str) -> str:
    """``decision-v1`` -> ``edge/decision/v1``."""
    return "edge/" + "/".join(name.rsplit("-", 1))


def named(tree: ast.AST) -> set[str]:
    """``name-vN`` of schemas: of constants called SCHEMA, of values of a key ``schema``, of calls of `answered`."""
    values: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = zip(node.keys, node.values, strict=True)
            values += [value for key, value in keys if isinstance(key, ast.Constant) and key.value == "schema"]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").endswith(
            ("SCHEMA", "VERSION", "DECISION")
        ):
            values.append(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "answered":
            values += [
                ast.Constant(f"edge/{name.value}/v1") for name in node.args[:1] if isinstance(name, ast.Constant)
            ]
    texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return {"-".join(text.split("/")[1:]) for text in texts if re.fullmatch(r"edge/[a-z-]+/v\d+", text)}


@each_schema
def test_a_schema_is_one_and_explains_every_key(name):
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert schema["properties"]["schema"] == {"const": full(name)}
    for key, value in schema["properties"].items():
        assert key in ("schema", "event") or value.get("description"), key


@each_schema
def test_the_golden_answers_fit_the_schema(name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    assert golden
    for answer in golden:
        Draft202012Validator(SCHEMAS[name]).validate(answer)


def test_today_s_answers_fit_their_schemas(today):
    for answer in today:
        Draft202012Validator(SCHEMAS[place(answer)]).validate(answer)
    assert {place(answer) for answer in today} == set(SCHEMAS)


@each_schema
def test_what_was_in_an_answer_once_is_still_in_it(name, today):
    told = [answer for answer in today if place(answer) == name]
    if name == "event-v1":
        told = [event.as_json() for event in events.examples()]
    there = {path for answer in told for path in paths(answer, SCHEMAS[name])}
    before = {
        path for answer in json.loads((GOLDEN / f"{name}.json").read_text()) for path in paths(answer, SCHEMAS[name])
    }
    assert before - there == set()


def paths(answer: Any, schema: dict[str, Any]) -> set[str]:
    """The keys of an answer and of the objects in it; what is a table from names to values has no form of its own."""
    found = set()
    for key, value in answer.items():
        found.add(key)
        if "additionalProperties" in schema.get("properties", {}).get(key, {}):
            continue
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and key not in ("settings", "limits", "fields", "calibration"):
                found |= {f"{key}.{name}" for name in inner}
    return found


def test_the_schema_of_events_is_that_of_the_events():
    assert json.dumps(SCHEMAS["event-v1"], indent=1) + "\n" == events.schema_text(), RENEW


def test_an_event_of_another_form_does_not_fit():
    golden = json.loads((GOLDEN / "event-v1.json").read_text())
    valid = Draft202012Validator(SCHEMAS["event-v1"])
    for event in golden:
        assert valid.is_valid(event)
        for key in set(event) - {"session"}:
            assert not valid.is_valid({name: value for name, value in event.items() if name != key}), (event, key)


def test_edge_schema_lists_and_prints_them(capsys):
    assert main(["schema"]) == 0
    listed = capsys.readouterr().out
    for name in (*SCHEMAS, "settings-v1"):
        assert f"{full(name)} " in listed
    for words in ("decision", "decision/v1", "edge/decision/v1"):
        assert main(["schema", words]) == 0
        assert json.loads(capsys.readouterr().out) == SCHEMAS["decision-v1"]
    assert main(["schema", "settings"]) == 0
    assert capsys.readouterr().out == (ROOT / "config" / "device.schema.json").read_text()
    assert main(["schema", "opinion"]) == 3
    assert "`edge schema` lists them" in capsys.readouterr().err


def test_no_golden_answer_names_a_place_of_the_machine_that_made_it():
    for path in GOLDEN.glob("*.json"):
        assert not re.search(r"/(tmp|work|root|var/folders)/", path.read_text()), path.name
