"""How a benchmark says what it measured: a table for people, JSON for cards and for the next run.

The JSON has ``command``, ``date``, ``machine``, ``models`` ({name: sha256}) and ``figures`` (flat: name -> number);
``models/training/card.py accuracy`` copies the figures into a card whose digest is the same.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path
from typing import Any

from edge.lab.run import machine


def commit() -> str:
    """The commit measured, with ``+`` when the checkout differs from it."""
    try:
        run = ["git", "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write(
    path: Path, *, schema: str, command: str, models: dict[str, str], figures: dict[str, Any], **more: Any
) -> None:
    """Write one result."""
    result = {
        "schema": schema,
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "models": models,
        "figures": figures,
        **more,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
