"""`edge journal`: 0 when the chain holds, 4 when it does not."""

from __future__ import annotations

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
