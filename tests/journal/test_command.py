"""`edge journal`: 0 when the chain holds, 4 when it does not."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from edge.cli import main
from edge.journal import KEY_LABEL, Journal
from edge.state import Counters, state_database
from edge.trust import Keyring
from edge.trust.ring import init


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A device with keys and three entries."""
    state = tmp_path / "state"
    init(state, recovery=None, site=None, random_bytes=os.urandom)
    key = Keyring.load(state, tmp_path / "trust").derive(KEY_LABEL)
    with Journal(state, key, now=lambda: 1_790_000_000) as journal:
        for name in ("olga", "emil", "zoë"):
            journal.write("reset", serial="0" * 32, operator=name)
    path = tmp_path / "device.yaml"
    path.write_text(f"version: edge/settings/v1\ndevice:\n  state_dir: {state}\n  trust_dir: {tmp_path / 'trust'}\n")
    return path


def test_a_chain_that_holds_is_exit_code_0(config, capsys):
    assert main(["journal", "verify", "--config", str(config)]) == 0
    assert "3 entries" in capsys.readouterr().out
    assert main(["journal", "verify", "--config", str(config), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["entries"]) == (True, 3)


def test_a_chain_that_does_not_hold_is_exit_code_4(config, capsys):
    path = config.parent / "state" / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"emil", b"anna"))
    assert main(["journal", "verify", "--config", str(config)]) == 4
    assert "line 2" in capsys.readouterr().err
    assert main(["journal", "verify", "--config", str(config), "--json"]) == 4
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["line"]) == (False, 2)
    assert main(["journal", "show", "--config", str(config)]) == 4


def test_the_counter_in_the_state_shows_a_journal_that_was_put_back(config, capsys):
    with state_database(config.parent / "state") as database:
        Counters(database).raise_to("journal", 4)
    assert main(["journal", "verify", "--config", str(config)]) == 4
    assert "older journal" in capsys.readouterr().err


def test_show_prints_the_newest_entries(config, capsys):
    assert main(["journal", "show", "--last", "2", "--config", str(config), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [entry["fields"]["operator"] for entry in entries] == ["emil", "zoë"]
    assert main(["journal", "show", "--config", str(config)]) == 0
    assert "zoë" in capsys.readouterr().out


def test_begin_sets_a_broken_journal_aside_and_only_a_broken_one(config, capsys):
    state = config.parent / "state"
    assert main(["journal", "begin", "--operator", "olga", "--config", str(config)]) == 3
    (state / "journal.jsonl").write_bytes(b"")
    assert main(["journal", "begin", "--operator", "olga", "--config", str(config)]) == 0
    assert main(["journal", "verify", "--config", str(config)]) == 0
    assert list(state.glob("journal.jsonl.broken-*"))


def test_a_device_without_keys_is_a_typed_error(tmp_path, capsys):
    path = tmp_path / "device.yaml"
    path.write_text(f"version: edge/settings/v1\ndevice:\n  state_dir: {tmp_path / 'none'}\n")
    assert main(["journal", "verify", "--config", str(path)]) == 3
    assert not (tmp_path / "none").exists()


def exported(config: Path, capsys, *more: str) -> str:
    assert main(["journal", "export", "--config", str(config), *more]) == 0
    return capsys.readouterr().out


def test_export_gives_the_lines_as_they_stand_in_the_journal(config, capsys):
    assert exported(config, capsys) == (config.parent / "state" / "journal.jsonl").read_text()


def test_csv_has_a_column_a_field_and_no_formulas(config, capsys):
    key = Keyring.load(config.parent / "state", config.parent / "trust").derive(KEY_LABEL)
    with Journal(config.parent / "state", key, now=lambda: 1_790_086_400) as journal:
        journal.write("keys", key="issuer", operator="=HYPERLINK(1)")
        journal.write("clock", confirmed=True, to=7)
    rows = list(csv.DictReader(exported(config, capsys, "--format", "csv").splitlines()))
    assert [row["operator"] for row in rows] == ["olga", "emil", "zoë", "'=HYPERLINK(1)", ""]
    assert rows[4]["confirmed"] == "true"
    assert rows[0]["time_utc"] == "2026-09-21 14:13:20"


def test_entries_are_picked_by_time_kind_and_card(config, capsys):
    key = Keyring.load(config.parent / "state", config.parent / "trust").derive(KEY_LABEL)
    with Journal(config.parent / "state", key, now=lambda: 1_790_086_400) as journal:
        journal.write("revoked", serial="ab" * 16, operator="olga")
        journal.write("renewed", serial="cd" * 16, replaces="ab" * 16, operator="olga")

    def picked(*options: str) -> list[int]:
        return [json.loads(line)["seq"] for line in exported(config, capsys, *options).splitlines()]

    assert picked("--since", "2026-09-22") == [4, 5]
    assert picked("--before", "2026-09-22T14:13:20") == [1, 2, 3]
    assert picked("--kind", "revoked", "--kind", "renewed") == [4, 5]
    assert picked("--serial", "abab-" * 7 + "abab") == [4, 5]
    assert picked("--serial", "cd" * 16, "--kind", "revoked") == []
    assert main(["journal", "show", "--kind", "decided", "--config", str(config)]) == 3
    assert "decision" in capsys.readouterr().err


def test_export_writes_a_new_file_and_never_over_another(config, capsys, tmp_path):
    out = tmp_path / "november.jsonl"
    exported(config, capsys, "--out", str(out))
    assert len(out.read_text().splitlines()) == 3
    assert out.stat().st_mode & 0o777 == 0o600
    for path in (out, tmp_path / "none" / "x"):
        assert main(["journal", "export", "--config", str(config), "--out", str(path)]) == 3
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_journal_that_does_not_hold_is_not_exported(config, capsys):
    path = config.parent / "state" / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"emil", b"anna"))
    assert main(["journal", "export", "--config", str(config)]) == 4
    assert capsys.readouterr().out == ""


def test_an_entry_is_one_line_where_there_is_no_terminal(config, capsys):
    assert main(["journal", "show", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[3].endswith(f"serial={'0' * 32}")
