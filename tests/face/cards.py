"""A card for tests that need no model."""

from __future__ import annotations

from typing import Any


def plain_card(**changes: Any) -> dict[str, Any]:
    """A small, complete embedder's card, as YAML would give it."""
    card: dict[str, Any] = {
        "schema": "edge/card/v1",
        "name": "small",
        "kind": "embedder",
        "file": "small.tflite",
        "sha256": "0" * 64,
        "size_bytes": 100,
        "input": {
            "shape": [1, 112, 112, 3],
            "dtype": "int8",
            "scale": 1 / 128,
            "zero_point": 0,
            "channels": "RGB",
            "mean": 128,
            "std": 128,
        },
        "outputs": [{"name": "embedding", "index": 0, "shape": [1, 8], "dtype": "int8", "scale": 0.1, "zero_point": 3}],
        "align": {
            "size": [112, 112],
            "channels": "RGB",
            "template": [[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]],
        },
        "calibration": {
            "thresholds": [
                {"fmr": 1e-2, "threshold": 0.3},
                {"fmr": 1e-3, "threshold": 0.4},
                {"fmr": 1e-5, "threshold": 0.7},
            ],
            "smallest_fmr": 1e-5,
        },
    }
    return card | changes
