"""Specs and files as an integrator would bring them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from edge.face import load_card

SHIPPED_TEMPLATE = [list(point) for point in load_card("embedder").align.template]  # type: ignore[union-attr]


def spec_of(**changes: Any) -> dict[str, Any]:
    """A complete spec of an embedder that takes pixels as ours does; ``changes`` replace top-level keys."""
    fed = load_card("embedder").input
    spec: dict[str, Any] = {
        "schema": "edge/model-spec/v1",
        "name": "mine",
        "kind": "embedder",
        "input": {"size": [112, 112], "channels": "RGB", "mean": fed.mean, "std": fed.std},
        "template": SHIPPED_TEMPLATE,
        "licence": "bought, invoice 12",
        "intended_use": "our own doors",
        "not_for": ["searching for people"],
        "known_failures": ["profiles"],
        "data": [{"name": "somebody's crops", "terms": "theirs"}],
    }
    return {key: value for key, value in (spec | changes).items() if value is not None}


def detector_spec(**changes: Any) -> dict[str, Any]:
    """The same for a detector in the encoding of ours."""
    card = load_card("detector")
    size = [card.input.shape[2], card.input.shape[1]]
    fed = {"size": size, "channels": card.input.channels, "mean": card.input.mean, "std": card.input.std}
    parts = {"kind": "detector", "input": fed, "template": None, "decode": dict(card.raw["decode"])}
    return spec_of(**parts | changes)


def write_spec(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(spec_of(**changes), sort_keys=False), encoding="utf-8")
    return path
