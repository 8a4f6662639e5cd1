"""What a command answers: one line for a person, or exactly one JSON object for a machine.

    {"schema": "edge/decision/v1", "outcome": ..., "reason": ..., "target_fmr": ..., "serial": ..., "credential": ...,
     "session": ..., "frames_looked_at": ..., "looks": ..., "advice": [...], "wait_s": ..., "timings_ms": {...},
     "alternative": ..., "time": ..., "error": null}

Every other command answers an object of its own schema with `error` null, or `edge/error/v1` when it failed; `edge
schema` prints them all. `score` and `threshold` are present in development and lab builds only: `edge.session` does not
hand them out elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.errors import EdgeError
    from edge.types import Decision

SCHEMA = "edge/decision/v1"
#: Commands that answer a decision.
DECIDE = ("verify", "compare")
EXIT = {"accept": 0, "reject": 1, "no_decision": 2}


def as_json(decision: Decision, alternative: str = "") -> dict[str, Any]:
    """The answer's JSON object. ``alternative``: the way in without one's face; left empty on an accept."""
    from edge.types import Outcome
    from edge.types.events import decision_json

    other = "" if decision.outcome is Outcome.ACCEPT else alternative
    return {"schema": SCHEMA, **decision_json(decision), "alternative": other, "time": _now(), "error": None}


def answered(name: str, content: Mapping[str, Any]) -> None:
    """Print a command's one JSON object. ``name``: of its schema, such as ``keys`` for ``edge/keys/v1``."""
    click.echo(json.dumps({"schema": f"edge/{name}/v1", "error": None, **content}))


def error_json(error: EdgeError, command: str) -> dict[str, Any]:
    """The object of a command that failed: a decision where one was asked for: its readers look at the outcome."""
    if command not in DECIDE:
        return {"schema": "edge/error/v1", "error": error.as_json()}
    return _undecided(error)


def _undecided(error: EdgeError) -> dict[str, Any]:
    from edge.errors import ClaimError

    refused = isinstance(error, ClaimError)
    return {
        "schema": SCHEMA,
        "outcome": "reject" if refused else "no_decision",
        "reason": error.reason if isinstance(error, ClaimError) else "error",
        "target_fmr": None,
        "serial": "",
        "credential": None,
        "session": "",
        "frames_looked_at": 0,
        "looks": 0,
        "advice": [],
        "wait_s": 0,
        "timings_ms": {},
        "alternative": "",
        "time": _now(),
        "error": error.as_json(),
    }


def give(decision: Decision, json_wanted: bool, alternative: str = "", language: str = "en") -> int:
    """Print the answer.

    Returns:
        The exit code.
    """
    from edge.notify.lines import sentence

    click.echo(json.dumps(as_json(decision, alternative)) if json_wanted else sentence(decision, alternative, language))
    return EXIT[decision.outcome.value]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
