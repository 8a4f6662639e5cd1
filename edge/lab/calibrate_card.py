"""Write a calibration into a model's card, whole or not at all.

    write_calibration(Path("mine.card.yaml"), section)

The words of the card stay as they are; comments are lost, as YAML is written anew. The result is
read back as a device would read it before it replaces the old file. A signature beside the card no longer fits; the
caller says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.face.card import load_card, parse_card
from edge.face.write import card_text
from edge.files import refusal, write_atomic


def write_calibration(source: Path, section: dict[str, Any], to: Path | None = None) -> Path:
    """Put a calibration into a card.

    Args:
        source: the card, of an embedder.
        section: as `Found.section` gives it.
        to: another file for the result; it stands in the model's folder, since a card names its model's file.

    Returns:
        The file that was written.

    Raises:
        ModelError: the card is none, or the result would not be one.
        InputError: the calibration is of another file, or the card cannot be written.
    """
    card, target = load_card(source), to or source
    if card.sha256 != section["sha256"]:
        raise InputError("this calibration was made with another model", where=str(source), remedy="calibrate again")
    try:
        text = card_text({**card.raw, "calibration": section})
    except ValueError as error:
        raise InputError(str(error), where=str(source), remedy="take out what no card has") from None
    parse_card(text.encode(), folder=source.parent, where=target.name)
    try:
        write_atomic(target, text.encode("utf-8"))
    except OSError as error:
        raise refusal(InputError, error, target, "the card cannot be written") from None
    return target
