"""What is generated from the model is current, and says enough."""

from __future__ import annotations

import json
from pathlib import Path

from edge.settings.describe import (
    BEGIN,
    DIALECT,
    END,
    json_schema,
    json_schema_text,
    leaves,
    settings_reference,
    with_reference,
    write,
)
from edge.settings.kinds import Section
from edge.settings.model import Settings

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "run: python -m edge.settings.describe --write"


def test_the_committed_schema_is_current():
    assert (ROOT / "config" / "device.schema.json").read_text(encoding="utf-8") == json_schema_text(), REMEDY


def test_the_reference_is_current():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert BEGIN in text
    assert with_reference(text) == text, REMEDY


def test_the_schema_names_its_dialect_and_refuses_unknown_keys():
    schema = json_schema()
    assert schema["$schema"] == DIALECT
    assert schema["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())


def test_every_key_has_a_description_an_editor_can_show():
    missing = [path for path, leaf in leaves() if not leaf.get("description")]
    assert not missing


def test_the_defaults_would_pass_the_checks_that_are_not_made_of_them():
    defaults = Settings()
    for name, _ in defaults:
        section = getattr(defaults, name)
        if isinstance(section, Section):
            assert type(section)() == section == type(section).model_validate(section.model_dump())
    assert Settings.model_validate(defaults.model_dump()) == defaults


def test_every_setting_stands_in_the_reference_once():
    reference = settings_reference()
    assert all(reference.count(f"| `{path[-1]}` |") >= 1 for path, _ in leaves())
    assert reference.count("\n| `") == len(leaves())


def test_only_the_part_between_the_markers_is_rewritten():
    text = with_reference(f"before\n{BEGIN}\nstale line\n{END}\nafter\n")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "stale line" not in text
    assert with_reference(text) == text
    assert with_reference("no markers") == "no markers"


def test_write_brings_a_checkout_up_to_date(tmp_path: Path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "README.md").write_text(f"{BEGIN}\n{END}\n")
    write(tmp_path)
    assert json.loads((tmp_path / "config" / "device.schema.json").read_text()) == json_schema()
    assert "target_fmr" in (tmp_path / "config" / "README.md").read_text()
