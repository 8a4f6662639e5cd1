"""What a command answers: one line for a person, or exactly one JSON object for a machine.

    {"schema": "edge/decision/v1", "outcome": ..., "reason": ..., "target_fmr": ..., "frames_looked_at": ...,
     "looks": ..., "advice": [...], "timings_ms": {...}, "error": null}

`score` and `threshold` are present in development and lab builds only: `edge.session` does not hand them out elsewhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.errors import EdgeError
    from edge.types import Decision

SCHEMA = "edge/decision/v1"
EXIT = {"accept": 0, "reject": 1, "no_decision": 2}

#: What a person is told. The kiosk has its own texts; these are for a terminal.
REASONS = {
    "matching": "the face matches the card",
    "not_matching": "the face does not match the card",
    "token_invalid": "this is not a card of this site",
    "token_expired": "the card has expired",
    "token_not_yet_valid": "the card is not valid yet",
    "token_revoked": "the card was revoked",
    "token_unknown": "this device holds no template for the card",
    "wrong_door": "the card does not open this door at this hour",
    "clock_unconfirmed": "the clock of this device is not confirmed",
    "locked_out": "too many rejects in a row; wait, or ask an operator",
    "door_paused": "this door is paused because too many different cards failed; wait, or take the other way in",
    "model_mismatch": "the card was made with another model; enrol again",
    "no_face": "nobody was seen",
    "several_faces": "more than one person was seen",
    "quality": "the face could not be seen well enough",
    "source_fault": "the camera does not deliver usable pictures",
    "interrupted": "stopped",
    "error": "the command could not be carried out",
}

#: What a person can do.
ADVICE = {
    "step_closer": "step closer",
    "step_back": "step back a little",
    "look_here": "look straight at the camera",
    "more_light": "more light on the face",
    "less_light": "less light on the face",
    "hold_still": "hold still",
    "uncover_face": "uncover the face",
    "centre_face": "move to the centre",
    "one_person": "one person at a time",
    "nobody_seen": "step in front of the camera",
}


def sentence(decision: Decision) -> str:
    """``ACCEPT: the face matches the card`` and, without a decision, what to do."""
    text = f"{decision.outcome.value.upper().replace('_', ' ')}: {REASONS[decision.reason.value]}"
    if decision.advice:
        text += " (" + ", ".join(ADVICE[item.value] for item in decision.advice) + ")"
    return text


def as_json(decision: Decision) -> dict[str, Any]:
    """The answer's JSON object."""
    answer: dict[str, Any] = {
        "schema": SCHEMA,
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "target_fmr": decision.target_fmr,
        "frames_looked_at": decision.frames_looked_at,
        "looks": decision.looks,
        "advice": [item.value for item in decision.advice],
        "timings_ms": dict(decision.timings_ms),
        "error": None,
    }
    if decision.score is not None:
        answer["score"] = round(decision.score, 4)
    if decision.threshold is not None:
        answer["threshold"] = round(decision.threshold, 4)
    return answer


def error_json(error: EdgeError) -> dict[str, Any]:
    """The same object when there is no decision because something is wrong."""
    from edge.errors import ClaimError

    return {
        "schema": SCHEMA,
        "outcome": "reject" if isinstance(error, ClaimError) else "no_decision",
        "reason": error.reason if isinstance(error, ClaimError) else "error",
        "target_fmr": None,
        "frames_looked_at": 0,
        "looks": 0,
        "advice": [],
        "timings_ms": {},
        "error": error.as_json(),
    }


def give(decision: Decision, json_wanted: bool) -> int:
    """Print the answer.

    Returns:
        The exit code.
    """
    click.echo(json.dumps(as_json(decision)) if json_wanted else sentence(decision))
    return EXIT[decision.outcome.value]
