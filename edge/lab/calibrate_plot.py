"""A calibration as a picture: FMR by threshold, its bound, the thresholds chosen, the groups; PNG bytes.

path.write_bytes(plot(found))
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from edge.lab.calibrate import Found

#: Readable by people who do not tell red from green (Okabe and Ito 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def plot(found: Found) -> bytes:
    """Draw it.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    groups = [row for row in found.groups if isinstance(row["fmr"], float)]
    figure = Figure(figsize=(7 if not groups else 12, 5), dpi=110, layout="constrained")
    _curves(figure.add_subplot(1, 2 if groups else 1, 1), found)
    if groups:
        _groups(figure.add_subplot(1, 2, 2), groups, found)
    target = io.BytesIO()
    figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def _curves(axis: Any, found: Found) -> None:
    for colour, (name, curve) in zip(COLOURS * 9, found.curves.items(), strict=False):
        seen = curve.measured > 0
        axis.semilogy(curve.grid[seen], curve.measured[seen], color=colour, label=f"{name}, measured")
        axis.semilogy(curve.grid, curve.upper, "--", color=colour, label=f"{name}, upper bound 95 %")
    rows = found.thresholds
    axis.plot([r["threshold"] for r in rows], [r["fmr"] for r in rows], "ko", ms=4, label="thresholds of the card")
    worst = found.worst_group.get("thresholds", [])
    if worst:
        axis.plot([r["threshold"] for r in worst], [r["fmr"] for r in worst], "k^", ms=4, label="worst group's")
    lowest = min(float(curve.upper.min()) for curve in found.curves.values())
    axis.set(xlabel="threshold (cosine)", ylabel="false match rate", ylim=(lowest / 3, 0.03))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)


def _groups(axis: Any, rows: list[dict[str, Any]], found: Found) -> None:
    rows = sorted(rows, key=lambda row: row["fmr"])
    names = [f"{row['name']} ({row['people']})" for row in rows]
    values = np.array([row["fmr"] for row in rows])
    axis.barh(names, values, color=COLOURS[0])
    for place, row in enumerate(rows):
        if "upper" in row:
            axis.plot([row["fmr"], row["upper"]], [place, place], color="black", lw=1.5)
    at = found.worst_group.get("at", 1e-3)
    axis.axvline(at, color=COLOURS[1], ls="--", label=f"target {at:g}")
    axis.set(xscale="log", xlabel="FMR within the group at everybody's threshold\n(line: to the 95 % upper bound)")
    axis.grid(alpha=0.3, axis="x")
    axis.legend(fontsize=8)
