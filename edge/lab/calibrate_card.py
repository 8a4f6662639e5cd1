"""Write a calibration into a model's card, whole or not at all.

    write_calibration(Path("mine.card.yaml"), section)

The words of the card stay as they are and in their order; comments are lost, as YAML is written anew. The result is
read back as a device would read it before it replaces the old file. A signature beside the card no longer fits; the
caller says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from edge.errors import InputError
from edge.face.card import load_card, parse_card


class _Plain(yaml.SafeDumper):
    """No aliases, which cards refuse; short lists of numbers on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _sequence(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    flat = all(isinstance(item, int | float) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Plain.add_representer(list, _sequence)


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
    raw = {key: value for key, value in card.raw.items() if key != "calibration"} | {"calibration": section}
    text = yaml.dump(raw, Dumper=_Plain, sort_keys=False, width=118, allow_unicode=True)
    parse_card(text.encode(), folder=source.parent, where=target.name)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise InputError(
            f"the card cannot be written: {error.strerror}",
            where=str(target),
            remedy="write it elsewhere: --card-out FILE",
        ) from None
    return target
