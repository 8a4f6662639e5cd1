"""The report's plots, as SVG text that stands in the page: score distributions, DET, error versus discard, groups.

Matplotlib comes with the `lab` extra. Colours are the safe ones of Okabe and Ito (2008), and lines differ in style,
too, so that a plot can be read by everybody and in print.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.lab.figures import det
from edge.lab.measuring import Result
from edge.lab.summarise import curve_of

F64 = NDArray[np.float64]
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^", "D")


def scores(result: Result, thresholds: Sequence[tuple[str, float]]) -> str:
    """Distribution of genuine and impostor scores, with thresholds as lines."""
    figure, axis = _axis(6.4, 3.4)
    for counts, name, colour in (
        (result.counts.impostor, "impostor pairs", COLOURS[1]),
        (result.counts.genuine, "genuine pairs", COLOURS[0]),
    ):
        middle, density = curve_of(counts)
        axis.fill_between(middle, density, color=colour, alpha=0.25, linewidth=0)
        axis.plot(middle, density, color=colour, label=f"{name} ({int(counts.sum()):,})", linewidth=1.3)
    for k, (name, threshold) in enumerate(thresholds):
        axis.axvline(threshold, color="#444444", linewidth=0.8, linestyle=STYLES[(k + 1) % 4], label=name)
    axis.set(xlabel="comparison score (larger: more similar)", ylabel="density", xlim=(-1, 1))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=8)
    return _svg(figure)


def trade_off(results: Sequence[Result]) -> str:
    """DET: FNMR against FMR, both axes logarithmic."""
    figure, axis = _axis(6.4, 4.2)
    lowest = 1.0
    for k, result in enumerate(results):
        x, y = det(result.counts.genuine, result.counts.impostor)
        keep = (x > 0) & (y > 0)
        if keep.any():
            lowest = min(lowest, float(y[keep].min()))
            axis.loglog(x[keep], y[keep], color=COLOURS[k % 7], linestyle=STYLES[k % 4], label=result.name)
    axis.set(xlabel="false match rate", ylabel="false non-match rate", ylim=(max(1e-6, lowest / 2), 1))
    axis.invert_xaxis()
    axis.grid(which="both", alpha=0.2)
    if axis.lines:
        axis.legend(frameon=False, fontsize=8)
    else:
        axis.text(0.5, 0.5, "no errors to show", transform=axis.transAxes, ha="center", color="#777777")
    return _svg(figure)


def discards(curves: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Error versus discard: (name, curve of `judge.discard`)."""
    figure, axis = _axis(6.4, 3.4)
    for k, (name, curve) in enumerate(curves):
        x = 100 * np.array(curve["discarded"])
        y = np.array([np.nan if value is None else value for value in curve["fnmr"]], float)
        shown = x <= 50
        axis.plot(x[shown], 100 * y[shown], color=COLOURS[k % 7], linestyle=STYLES[k % 4], label=name)
    axis.set(xlabel="pictures rejected for their quality, %", ylabel="FNMR, %", xlim=(0, 50))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=8)
    return _svg(figure)


def group_rates(rows: Sequence[dict[str, Any]], kind: str, names: Sequence[str], logarithmic: bool) -> str:
    """One error rate by group, one mark a contender: rows of {group, values}, None where too few."""
    figure, axis = _axis(6.4, 0.9 + 0.32 * len(rows))
    for k, name in enumerate(names):
        x = [np.nan if row["values"][k] is None else row["values"][k] for row in rows]
        y = [place + 0.24 * (k - (len(names) - 1) / 2) / max(1, len(names) - 1) for place in range(len(rows))]
        axis.plot(x, y, MARKS[k % 4], color=COLOURS[k % 7], label=name, markersize=6)
    axis.set_yticks(range(len(rows)), [row["group"] for row in rows])
    values = [value for row in rows for value in row["values"] if value is not None]
    if logarithmic:
        # whole decades, so that every axis can be read alike
        axis.set_xscale("log")
        axis.set_xlim(10 ** np.floor(np.log10(min(values)) - 0.05), 10 ** np.ceil(np.log10(max(values)) + 0.05))
    else:
        axis.set_xlim(0, 1.08 * max(values))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set(xlabel=kind)
    axis.grid(alpha=0.25)
    if len(names) > 1:
        axis.legend(frameon=False, fontsize=8, bbox_to_anchor=(0, 1), loc="lower left", ncols=4)
    return _svg(figure)


def _axis(width: float, height: float) -> tuple[Any, Any]:
    """A figure without a display; no global state of matplotlib is touched."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "matplotlib is not installed", where="report", remedy="run `pip install 'edge-verifier[lab]'`"
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _svg(figure: Any) -> str:
    """The figure as an `svg` element: text stays text, no date, no metadata, the same bytes every time."""
    from matplotlib import rc_context

    data = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "edge", "font.size": 9, "font.family": "sans-serif"}):
        figure.savefig(data, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = data.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text[text.index("<svg") :]
