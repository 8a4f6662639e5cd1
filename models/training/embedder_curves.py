"""The curve of what helped: every run of the shipped embedder's history in one picture.

    python -m models.training.embedder curves        # .train/*/log.jsonl -> models/embedder-curves.png

TAR between two disturbed views of held-out crops does not ask what the teacher says, so it goes on from run to run. The
cosine to the teacher does: what was asked for changed with the third and the fifth run, and its curve begins anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Folders in the order in which the weights came about, and what was new.
RUNS = (
    ("embedder", "from nothing, 64 to 112 pixels"),
    ("second", "on at 112 pixels"),
    ("third", "two more blocks; the mean over mirror images"),
    ("fourth", "tight crops in another's hair, other light"),
    ("fifth", "blind to sex and origin"),
    ("sixth", "heads turned by their mesh, other miens, spectacles"),
    ("ninth", "chosen among many faces as the teacher chooses"),
)
#: Key, colour, words; per cent.
TARS = (("held_tar3", "tab:blue", "TAR at FMR 1e-3"), ("held_tar4", "tab:orange", "TAR at FMR 1e-4"))
#: Key, style, words.
COSINES = (
    ("held_clean", "-", "as they are"),
    ("held_crowned", "--", "in another's hair"),
    ("held_turned", ":", "turned, with another mien; the target is the straight crop's"),
)


def read(work: Path) -> list[tuple[str, list[dict[str, float]]]]:
    """(what was new, rows) of every run that there is; ``seen`` counts from the first run's beginning."""
    runs, before = [], 0.0
    for folder, title in RUNS:
        log = work / folder / "log.jsonl"
        if log.exists():
            rows: list[dict[str, float]] = [json.loads(line) for line in log.read_text().splitlines()]
            runs.append((title, [row | {"seen": row["seen"] + before} for row in rows]))
            before += rows[-1]["seen"]
    return runs


def draw(runs: list[tuple[str, list[dict[str, float]]]], path: Path) -> None:
    """TAR above, cosine below, over all inputs seen."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(10, 8.5), sharex=True)
    for number, (_, rows) in enumerate(runs):
        seen = [row["seen"] / 1e6 for row in rows]
        for key, colour, words in TARS:
            above.plot(
                seen, [row.get(key, float("nan")) for row in rows], ".-", color=colour, label=words * (not number)
            )
        for key, style, words in COSINES:
            values = [row.get(key, float("nan")) for row in rows]
            below.plot(seen, values, style, color="tab:green", label=words * (number == len(runs) - 1))
        for axis in (above, below):
            axis.axvline(seen[0], color="grey", linewidth=0.8)
        above.annotate(str(number + 1), (seen[0], 99.6), xytext=(3, -4), textcoords="offset points", weight="bold")
    _words(above, "between two disturbed views of a held-out crop", "%", (90, 100))
    _words(below, "cosine to what the teacher was asked for, held-out crops", "", (0.6, 0.92))
    told = "\n".join(f"{number + 1}  {title}" for number, (title, _) in enumerate(runs))
    below.set_xlabel("inputs seen, millions\n\n" + told, multialignment="left")
    figure.suptitle("What helped: the embedder from nothing to the shipped weights")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _words(axis: Any, title: str, unit: str, limits: tuple[float, float]) -> None:
    axis.set_title(title, fontsize=10)
    axis.set_ylabel(unit)
    axis.set_ylim(*limits)
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right", fontsize=8)
