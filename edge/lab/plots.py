"""Everything the lab draws: the report's plots as SVG text, a calibration's as PNG, faces for contact sheets.

    figure = trade_off(results)                # an `svg` element, or "" where there is nothing to show
    png = calibration(found)                   # bytes
    tile = thumbnail(pictures.load(7), box)    # BGR uint8 (112, 112, 3)

Matplotlib comes with the `lab` extra. Colours are the safe ones of Okabe and Ito (2008), and lines differ in style,
too, so that a plot can be read by people who do not tell red from green, and in print.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.lab.calibrate import Calibrated
from edge.lab.figures import density, det
from edge.lab.measuring import ModelResult
from edge.types import U8

F64 = NDArray[np.float64]
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^", "D")
_SMALL = {"frameon": False, "fontsize": 8}
#: Side of a face on a contact sheet, pixels: large enough to see a covered face, far too small to enrol.
SIDE = 112
_FRAME, _PAPER = (178, 114, 0), (255, 255, 255)


def scores(result: ModelResult, thresholds: Sequence[tuple[str, float]]) -> str:
    """Distribution of genuine and impostor scores, with thresholds as lines."""
    figure, axis = _axis(6.4, 3.4)
    for counts, name, colour in (
        (result.counts.impostor, "impostor pairs", COLOURS[1]),
        (result.counts.genuine, "genuine pairs", COLOURS[0]),
    ):
        middle, height = density(counts)
        axis.fill_between(middle, height, color=colour, alpha=0.25, linewidth=0)
        axis.plot(middle, height, color=colour, label=f"{name} ({int(counts.sum()):,})", linewidth=1.3)
    for k, (name, threshold) in enumerate(thresholds):
        axis.axvline(threshold, color="#444444", linewidth=0.8, linestyle=STYLES[(k + 1) % 4], label=name)
    axis.set(xlabel="comparison score (larger: more similar)", ylabel="density", xlim=(-1, 1))
    axis.set_ylim(bottom=0)
    axis.legend(**_SMALL)
    return _svg(figure)


def trade_off(results: Sequence[ModelResult]) -> str:
    """DET: FNMR against FMR, both axes logarithmic; "" when no threshold makes errors of both kinds."""
    curves: list[tuple[int, str, F64, F64]] = []
    for k, result in enumerate(results):
        x, y = det(result.counts.genuine, result.counts.impostor)
        keep = (x > 0) & (y > 0)
        if keep.any():
            curves.append((k, result.name, x[keep], y[keep]))
    if not curves:
        return ""
    figure, axis = _axis(6.4, 4.2)
    for k, name, x, y in curves:
        # a curve of one point is no line
        mark = MARKS[k % 4] if len(x) < 3 else ""
        axis.loglog(x, y, color=COLOURS[k % 7], linestyle=STYLES[k % 4], marker=mark, label=name)
    left = _decade(min(float(x.min()) for _, _, x, _ in curves))
    low = _decade(min(float(y.min()) for _, _, _, y in curves))
    axis.set(xlabel="false match rate", ylabel="false non-match rate", xlim=(left, 1), ylim=(low, 1))
    axis.grid(which="both", alpha=0.2)
    axis.legend(**_SMALL)
    return _svg(figure)


def by_limit(curves: dict[str, Any]) -> str:
    """Errors of each species and of people alive, by the passive network's limit."""
    figure, axis = _axis(6.4, 3.6)
    for k, (name, passed) in enumerate(curves["species"].items()):
        axis.plot(
            curves["limits"], passed["ever"], color=COLOURS[k % 7], linestyle=STYLES[k % 4], label=f"APCER {name}"
        )
    refused = [1 - share for share in curves["bona_fide"]["always"]]
    axis.plot(curves["limits"], refused, color="#000000", linewidth=2, label="BPCER")
    axis.axvline(curves["card"], color="#444444", linewidth=0.8, label="limit of the card")
    axis.set(xlabel="suspicion from which a session is held back", ylabel="share of people", ylim=(-0.02, 1.02))
    axis.legend(**_SMALL)
    return _svg(figure)


def discards(curves: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Error versus discard: (name, curve of `summarise.discard`); "" when no genuine pair is missed."""
    if not any(value for _, curve in curves for value in curve["fnmr"]):
        return ""
    figure, axis = _axis(6.4, 3.4)
    for k, (name, curve) in enumerate(curves):
        x = 100 * np.array(curve["discarded"])
        y = 100 * np.array([np.nan if value is None else value for value in curve["fnmr"]], float)
        shown = x <= 50
        axis.plot(x[shown], y[shown], color=COLOURS[k % 7], linestyle=STYLES[k % 4], label=name)
    axis.set(xlabel="pictures rejected for their quality, %", ylabel="FNMR, %", xlim=(0, 50))
    axis.set_ylim(bottom=0)
    axis.legend(**_SMALL)
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
        _decades(axis, values)
    else:
        axis.set_xlim(0, 1.08 * max(values))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set(xlabel=kind)
    axis.grid(alpha=0.25)
    if len(names) > 1:
        axis.legend(bbox_to_anchor=(0, 1), loc="lower left", ncols=4, **_SMALL)
    return _svg(figure)


def calibration(found: Calibrated) -> bytes:
    """A calibration as PNG: FMR by threshold, its bound, the thresholds chosen, the groups."""
    groups = sorted((row for row in found.groups if isinstance(row["fmr"], float)), key=lambda row: row["fmr"])
    figure, axis = _axis(12 if groups else 7, 5, 2 if groups else 1)
    for colour, (name, curve) in zip(COLOURS * 9, found.curves.items(), strict=False):
        seen = curve.measured > 0
        axis.semilogy(curve.grid[seen], curve.measured[seen], color=colour, label=f"{name}, measured")
        axis.semilogy(curve.grid, curve.upper, "--", color=colour, label=f"{name}, upper bound 95 %")
    for rows, mark, name in (
        (found.thresholds, "ko", "thresholds of the card"),
        (found.worst_group.get("thresholds", []), "k^", "worst group's"),
    ):
        if rows:
            axis.plot([row["threshold"] for row in rows], [row["fmr"] for row in rows], mark, ms=4, label=name)
    lowest = min(float(curve.upper.min()) for curve in found.curves.values())
    axis.set(xlabel="threshold (cosine)", ylabel="false match rate", ylim=(lowest / 3, 0.03))
    axis.grid(alpha=0.3)
    axis.legend(**_SMALL)
    if groups:
        _calibrated_groups(figure.axes[1], groups, found.worst_group.get("at", 1e-3))
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    return target.getvalue()


def _calibrated_groups(axis: Any, rows: list[dict[str, Any]], at: float) -> None:
    axis.barh([f"{row['name']} ({row['people']})" for row in rows], [row["fmr"] for row in rows], color=COLOURS[0])
    for place, row in enumerate(rows):
        if "upper" in row:
            axis.plot([row["fmr"], row["upper"]], [place, place], color="black", lw=1.5)
    axis.axvline(at, color=COLOURS[1], ls="--", label=f"target {at:g}")
    _decades(axis, [at, *(value for row in rows for value in (row["fmr"], row.get("upper", row["fmr"])))])
    axis.set(xlabel="FMR within the group at the threshold for all\n(line: to the 95 % upper bound)")
    axis.grid(alpha=0.3, axis="x")
    axis.legend(**_SMALL)


def _decade(value: float) -> float:
    """The power of ten below a rate."""
    return float(10 ** np.floor(np.log10(value) - 0.05))


def _decades(axis: Any, values: Sequence[float]) -> None:
    """A logarithmic axis of whole decades, so that all can be read alike."""
    axis.set_xscale("log")
    axis.set_xlim(_decade(min(values)), 10 ** np.ceil(np.log10(max(values)) + 0.05))


def _axis(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    """A figure without a display and its first axis; no global state of matplotlib is touched."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    for axis in np.ravel(figure.subplots(1, columns)):
        axis.spines[["top", "right"]].set_visible(False)
    return figure, figure.axes[0]


def _svg(figure: Any) -> str:
    """The figure as an `svg` element: text stays text, no date, no metadata, the same bytes every time."""
    from matplotlib import rc_context

    data = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "edge", "font.size": 9, "font.family": "sans-serif"}):
        figure.savefig(data, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", data.getvalue(), flags=re.DOTALL)
    return text[text.index("<svg") :]


def thumbnail(image: U8, box: Sequence[float] | None = None) -> U8:
    """A square part of a picture, BGR uint8 (112, 112, 3), with the face that was taken framed.

    Args:
        image: BGR uint8 (H, W, 3).
        box: x, y, width, height of the face; None or nan: the picture's middle.
    """
    high, wide = image.shape[:2]
    centre, half = (wide / 2, high / 2), min(high, wide) / 2
    framed = box is not None and bool(np.isfinite(box).all())
    if framed and box is not None:
        centre = (box[0] + box[2] / 2, box[1] + box[3] / 2)
        half = min(max(high, wide) / 2, 0.9 * max(box[2], box[3]))
    scale = SIDE / max(2 * half, 1.0)
    matrix = np.array([[scale, 0, SIDE / 2 - scale * centre[0]], [0, scale, SIDE / 2 - scale * centre[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    tile = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderValue=(235, 235, 235))
    if framed and box is not None:
        x, y = (round(scale * (box[k] - centre[k]) + SIDE / 2) for k in (0, 1))
        cv2.rectangle(tile, (x, y), (x + round(scale * box[2]), y + round(scale * box[3])), _FRAME, 1, cv2.LINE_AA)
    return np.asarray(tile, np.uint8)


def data_uri(tile: U8) -> str:
    """A tile as JPEG inside a page."""
    data = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def contact_sheet(pairs: Sequence[tuple[U8, U8]], columns: int = 5) -> bytes:
    """Pairs of tiles side by side, each with its number (the row of a list beside the sheet), as PNG."""
    tiles = []
    for number, pair in enumerate(pairs, 1):
        tile = cv2.copyMakeBorder(np.hstack(pair), 16, 2, 4, 4, cv2.BORDER_CONSTANT, value=_PAPER)
        tiles.append(cv2.putText(tile, str(number), (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
    return cv2.imencode(".png", sheet)[1].tobytes()
