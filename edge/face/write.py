"""Cards as text: one order of keys, short lists on one line, no aliases (which cards refuse).

path.write_text(card_text(mapping))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

#: The order of a card's keys: what it is, how it is used, what it may be used for, what it is worth.
ORDER = (
    *(
        "schema",
        "name",
        "kind",
        "file",
        "sha256",
        "size_bytes",
        "macs",
        "parameters",
        "input",
        "outputs",
        "arithmetic",
        "align",
    ),
    *(
        "decode",
        "passive",
        "outside_delegate",
        "quality",
        "golden",
        "intended_use",
        "not_for",
        "known_failures",
        "limits",
        "data",
        "teachers",
    ),
    *("training", "retrain", "licence", "source", "accuracy", "calibration", "imported"),
)


class _Plain(yaml.SafeDumper):
    """No aliases, short number lists on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _sequence(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    flat = all(isinstance(item, int | float) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Plain.add_representer(list, _sequence)
_Plain.add_representer(tuple, lambda dumper, data: _sequence(dumper, list(data)))


def card_text(card: Mapping[str, Any]) -> str:
    """A card as YAML, its keys in their order; empty ones are left out.

    Raises:
        ValueError: a key that no card has.
    """
    unknown = sorted(set(card) - set(ORDER))
    if unknown:
        raise ValueError(f"unknown keys in the card: {', '.join(unknown)}")
    ordered = {key: card[key] for key in ORDER if card.get(key) not in (None, [], ())}
    return yaml.dump(ordered, Dumper=_Plain, sort_keys=False, width=118, allow_unicode=True)
