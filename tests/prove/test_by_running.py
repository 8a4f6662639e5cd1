"""What leaves a running device: everything that it writes, sends, logs, prints and raises, searched for its canaries.

The device runs in a process of its own (`tests.prove.canary`). Nothing must be found; and when one leak of a kind is
planted, the same search must find it, or it shows nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.prove.captured import needles, search
from tests.prove.leaks import KINDS

ROOT = Path(__file__).resolve().parents[2]

#: What the search must say of each planted leak.
SEEN_AS = {
    "pixels on disk": "pixels",
    "pixels as RGB": "pixels",
    "a JPEG": "picture",
    "a PNG in base64": "picture",
    "an int8 embedding": "embedding int8",
    "a float32 embedding": "embedding float",
    "an embedding in base64": "embedding text",
    "an embedding in hex": "embedding text",
    "an embedding as numbers": "embedding text",
    "a file that was deleted": "embedding int8",
    "a socket": "embedding int8",
    "a card's secret": "secret",
    "a card's text": "secret",
    "the device's key": "secret",
    "an exception": "embedding text",
}


@dataclass(frozen=True)
class Run:
    """One run of the device, and what was found in what left it."""

    folder: Path
    facts: dict[str, Any]
    found: set[str]


def run(folder: Path, leak: str = "") -> Run:
    command = [sys.executable, "-m", "tests.prove.canary", str(folder), "--leak", leak]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    facts = json.loads((folder / "facts.json").read_text())
    return Run(folder, facts, search(folder, (done.stdout, done.stderr)))


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Run:
    return run(tmp_path_factory.mktemp("canary") / "out")


def test_the_claims_were_really_answered_and_the_watch_really_watched(clean: Run):
    assert clean.facts["outcomes"] == [
        ["accept", "matching"],
        ["reject", "not_matching"],
        ["reject", "token_invalid"],
        ["reject", "token_invalid"],
        ["accept", "matching"],
    ]
    assert clean.facts["exceptions"] > 0, "no exception was seen, though two claims were refused by one"
    written = {path.name.split("-", 2)[-1] for path in (clean.folder / "captured").iterdir()}
    assert {"journal.jsonl", "vault.sqlite3", "vault.sqlite3-wal", "state.sqlite3"} <= written


def test_there_were_canaries_of_every_kind_to_search_for(clean: Run):
    with np.load(clean.folder / "canaries.npz") as data:
        kinds = {kind for kind, _ in needles({name: data[name] for name in data.files})}
    assert kinds == {"pixels", "embedding int8", "embedding float", "embedding text", "secret"}


def test_no_pixel_no_embedding_and_no_secret_leaves_the_device(clean: Run):
    assert clean.found == set()


def test_no_socket_leads_anywhere_and_no_program_is_started_but_where_sessions_compare(clean: Run):
    ours = ["a pair of this machine's own", "the process that sessions are forked from"]
    assert sorted(set(clean.facts["sockets"])) == ours, "sessions' processes, which are closed (tests/session)"
    assert clean.facts["sockets"].count(ours[1]) == 1


def test_one_claim_is_compared_at_most_k_times_counted_from_outside(clean: Run):
    counts = clean.facts["comparisons"]
    assert sorted(counts.values()) == sorted(looks for looks in clean.facts["looks"] if looks)
    assert max(counts.values()) <= clean.facts["allowed"]


def test_a_session_that_compares_more_often_than_it_says_is_noticed(tmp_path: Path):
    facts = run(tmp_path / "out", "one comparison too many").facts
    assert max(facts["comparisons"].values()) > facts["allowed"]


def test_every_kind_of_leak_has_a_test():
    assert set(SEEN_AS) == set(KINDS)


#: Further disguises of what is tried anyway.
SLOW = {"pixels as RGB", "a PNG in base64", "an embedding in hex", "an embedding as numbers", "the device's key"}


@pytest.mark.parametrize("leak", [pytest.param(k, marks=[pytest.mark.slow] * (k in SLOW)) for k in sorted(SEEN_AS)])
def test_a_planted_leak_is_found(tmp_path: Path, leak: str):
    assert SEEN_AS[leak] in run(tmp_path / "out", leak).found
