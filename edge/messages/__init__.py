"""What people in front of a device are told.

REASONS["matching"]       # "the face matches the card"
waiting(45)               # "wait 45 s"
"""

from __future__ import annotations

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


def waiting(seconds: int) -> str:
    """A wait with its length: ``wait 45 s``, ``wait 12 min``; empty for none."""
    if seconds <= 0:
        return ""
    return f"wait {seconds} s" if seconds < 120 else f"wait {-(-seconds // 60)} min"
