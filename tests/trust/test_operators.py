"""Tokens of operators: told once, kept as a hash, nobody's when a digit is wrong."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from edge.errors import KeyringError
from edge.trust import operators
from edge.trust.locked import Cost

CHEAP = Cost(1, 1, 64)


def token(folder: Path, name: str = "kim") -> str:
    return operators.add(folder, name, random_bytes=os.urandom, cost=CHEAP)


def test_a_token_names_its_operator_however_it_is_typed(tmp_path: Path):
    told = token(tmp_path)
    assert [len(part) for part in told.split()] == [4, 4, 4, 4]
    eastern = told.translate({ord(str(digit)): chr(0x0660 + digit) for digit in range(10)})
    for typed in (told, told.replace(" ", ""), told.replace(" ", "-"), eastern):
        assert operators.named(tmp_path, typed) == "kim"


@pytest.mark.parametrize("place", range(16))
def test_a_wrong_digit_is_nobody_s(tmp_path: Path, place: int):
    told = token(tmp_path).replace(" ", "")
    wrong = told[:place] + str((int(told[place]) + 1) % 10) + told[place + 1 :]
    assert operators.named(tmp_path, wrong) is None
    assert operators.named(tmp_path, told[:-1]) is None
    assert operators.named(tmp_path, "") is None


def test_the_file_is_private_and_holds_no_token(tmp_path: Path):
    told = token(tmp_path).replace(" ", "")
    path = tmp_path / operators.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert told[4:] not in path.read_text()
    assert json.loads(path.read_text())["operators"][0]["kdf"] == "argon2id"
    path.chmod(0o644)
    with pytest.raises(KeyringError, match="others may access"):
        operators.named(tmp_path, told)


@pytest.mark.usefixtures("full_cost")
def test_the_default_cost_is_that_of_a_key_file(tmp_path: Path):
    operators.add(tmp_path, "kim", random_bytes=os.urandom)
    entry = json.loads((tmp_path / operators.FILE).read_text())["operators"][0]
    assert Cost(entry["iterations"], entry["lanes"], entry["memory_kib"]) == Cost()


def test_a_new_token_replaces_the_old_one_and_nobody_else_s(tmp_path: Path):
    first, other = token(tmp_path), token(tmp_path, "sam")
    second = token(tmp_path)
    assert operators.named(tmp_path, first) is None
    assert (operators.named(tmp_path, second), operators.named(tmp_path, other)) == ("kim", "sam")
    operators.remove(tmp_path, "sam")
    assert operators.names(tmp_path) == ["kim"]
    assert operators.named(tmp_path, other) is None
    with pytest.raises(KeyringError, match="no operator of this name"):
        operators.remove(tmp_path, "sam")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kind": "edge-operators-v1", "operators": [{}]}', '{"kind": []}']
)
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: str):
    path = tmp_path / operators.FILE
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyringError, match="not a file of the kind"):
        operators.named(tmp_path, "0" * 16)


@pytest.mark.parametrize("name", ["", "x" * 33, "two\nlines", " kim"])
def test_a_name_is_one_that_the_journal_takes(tmp_path: Path, name: str):
    with pytest.raises(KeyringError, match="1 to 32 characters"):
        token(tmp_path, name)
