"""What a training run of the embedder says of itself: JSON lines, one a validation, and the curves drawn from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def note(folder: Path, row: dict[str, float]) -> None:
    """Append to the log and redraw the curves."""
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    print("  held out: " + "  ".join(f"{k} {v:.4f}" for k, v in row.items() if k.startswith("held")), flush=True)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    draw(folder / "curves.png", rows)


def draw(path: Path, rows: list[dict[str, float]]) -> None:
    """Curves: losses, cosine to the teacher and similarity error on held-out crops, TAR between two views."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = {
        "losses": ["total", "angle", "map0", "map1", "map2"],
        "cosine to the teacher, held out": ["held_clean", "held_view", "held_crowned"],
        "error of similarities, held out": ["held_pairs"],
        "TAR between two views, held out, %": ["held_tar3", "held_tar4"],
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(20, 4.5))
    for axis, (title, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            axis.plot([row["seen"] for row in rows], [row.get(name, np.nan) for row in rows], ".-", label=name)
        axis.set_title(title)
        axis.set_xlabel("inputs seen")
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
