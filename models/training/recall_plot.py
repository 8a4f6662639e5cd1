"""The detector's figures as one picture of six panels, one message each.

draw(found, "detector 2e3b98bf3509", Path("detector-recall.png"))
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from models.training import recall
from models.training.recall import Tally
from models.training.recall_report import Found, sums

#: Readable by people who do not tell red from green (Okabe and Ito 2008); grey is the detector that looks once.
TWO, HARD, ONE, BAR = "#0072B2", "#D55E00", "#8A8A8A", "#009E73"


def draw(found: Found, title: str, target: Path) -> None:
    """Six panels, one message each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 8.4), dpi=110, layout="constrained")
    grid = figure.subplots(2, 3)
    figure.suptitle(f"What the {title} finds in frames of 640x480   (bars and bands: 95 %, Wilson)", fontsize=13)
    for axis, panel in zip(grid.flat, (_size, _error, _empty, _yaw, _roll, _light), strict=True):
        panel(axis, found)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.set_axisbelow(True)
    figure.savefig(target, format="png", metadata={"Software": None})


def _recall(axis: Any, x: Sequence[float], tallies: Sequence[Tally], look: str, colour: str, name: str) -> None:
    """A line with Wilson bars; the detector that looked once is dashed."""
    rows = [tally.row()[look] for tally in tallies]
    middle = [100 * row["recall"] for row in rows]
    down = [100 * (row["recall"] - row["low"]) for row in rows]
    up = [100 * (row["high"] - row["recall"]) for row in rows]
    style = {"fmt": "s--", "lw": 1.1, "ms": 3.5} if look == "one" else {"fmt": "o-", "lw": 1.8, "ms": 4.5}
    axis.errorbar(x, middle, yerr=[down, up], color=colour, capsize=2.5, elinewidth=1, label=name, **style)


def _finish(axis: Any, found: Sequence[Tally], title: str, xlabel: str) -> None:
    lowest = min(100 * tally.row()[look]["low"] for tally in found for look in ("two", "one"))
    axis.set(title=title, xlabel=xlabel, ylabel="faces found, %", ylim=(min(80.0, 10 * (lowest // 10)), 101))
    axis.legend(frameon=False, fontsize=9, loc="center", bbox_to_anchor=(0.55, 0.38))


def _sizes(found: Found) -> tuple[list[float], list[Tally], list[Tally]]:
    edges = [100 * edge for edge in recall.SIZES]
    x = [(low * high) ** 0.5 for low, high in pairwise(edges)]
    return x, list(found["size"].values()), list(found["size_disturbed"].values())


def _height_axis(axis: Any) -> None:
    from matplotlib.ticker import NullFormatter

    axis.set_xscale("log")
    axis.set_xticks([6, 8.33, 12, 20, 30, 45, 65, 95], ["6", "8.3", "12", "20", "30", "45", "65", "95"])
    axis.xaxis.set_minor_formatter(NullFormatter())
    for at, text in ((100 * 40 / 480, " 40 px"), (20.0, " verified\n from here")):
        axis.axvline(at, color=BAR, lw=1.2, ls=":")
        axis.text(at, 0.03, text, color=BAR, fontsize=9, transform=axis.get_xaxis_transform(), va="bottom")


def _percent(tally: Tally, digits: int = 0) -> str:
    """Share found by two looks; never rounded up to all."""
    share = 100 * tally.found["two"] / max(1, tally.cases)
    return f"{share:.1f} %" if digits or 99.5 <= share < 100 else f"{share:.0f} %"


def _size(axis: Any, found: Found) -> None:
    x, plain, hard = _sizes(found)
    _recall(axis, x, plain, "two", TWO, "two looks")
    _recall(axis, x, hard, "two", HARD, "two looks, hard light and noise")
    _recall(axis, [1.02 * value for value in x], hard, "one", ONE, "one look, hard light and noise")
    _height_axis(axis)
    _finish(
        axis,
        plain + hard,
        f"Size: {_percent(plain[1])} of faces of 40-48 px",
        "face height, % of the frame's height",
    )


def _error(axis: Any, found: Found) -> None:
    x, plain, _ = _sizes(found)
    for look, colour, name in (("one", ONE, "one look"), ("two", TWO, "two looks")):
        rows = [tally.row()[look] for tally in plain]
        known = [(at, row) for at, row in zip(x, rows, strict=True) if "landmark_error" in row]
        quartiles = [
            [100 * row[f"landmark_error{part}"] for _, row in known] for part in ("_1st_quartile", "", "_3rd_quartile")
        ]
        at = [place for place, _ in known]
        axis.fill_between(at, quartiles[0], quartiles[2], color=colour, alpha=0.2, lw=0)
        axis.plot(at, quartiles[1], "s--" if look == "one" else "o-", color=colour, ms=4, label=name)
    _height_axis(axis)
    axis.set(title="The second look mends the landmarks of small faces", ylabel="landmark error, % of eye distance")
    axis.set_xlabel("face height, % of the frame's height   (band: quartiles)")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=9, loc="upper right")


def _empty(axis: Any, found: Found) -> None:
    """Horizontal bars: share of photographs without a face in which one is found."""
    rows = []
    for group, name in (("empty_pictures", "as they are"), ("empty_frames", "as frames")):
        tallies = found[group]
        every = sum(tallies.values(), Tally())
        for tally, kind in ((every, "all"), (tallies["held out"], "held out")):
            rows.append((f"{kind}, {name}\n({tally.cases})", tally))
    for place, (_, tally) in enumerate(rows):
        for shift, look, colour in ((-0.19, "two", TWO), (0.19, "one", ONE)):
            part = tally.row("share")[look]
            share, low, high = (100 * part[key] for key in ("share", "low", "high"))
            axis.barh(place + shift, share, 0.36, color=colour, label={"two": "two looks", "one": "one look"}[look])
            axis.plot([low, high], [place + shift] * 2, color="black", lw=1)
            axis.text(high + 0.5, place + shift, f"{share:.1f} %", va="center", fontsize=9)
    axis.axvline(1, color=BAR, lw=1.2, ls=":")
    axis.text(1.2, -0.62, "asked for: below 1 %", color=BAR, fontsize=9, va="center")
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    axis.set(ylim=(len(rows) - 0.5, -0.8), xlabel="photographs without a face in which one is found, %")
    axis.set_title(f"False alarms: in {_percent(rows[0][1], 1)} of photographs")
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[:2], labels[:2], frameon=False, fontsize=9, loc="lower right")


def _angles(axis: Any, limit: float) -> None:
    axis.axvspan(-limit, limit, color=BAR, alpha=0.07, lw=0)
    for at in (-limit, limit):
        axis.axvline(at, color=BAR, lw=1.2, ls=":")


def _yaw(axis: Any, found: Found) -> None:
    plain, cluttered = (list(found[group].values()) for group in ("yaw_plain", "yaw_cluttered"))
    _recall(axis, recall.YAWS, plain, "two", TWO, "two looks, plain wall")
    _recall(axis, [yaw + 0.8 for yaw in recall.YAWS], cluttered, "two", HARD, "two looks, cluttered")
    _recall(axis, [yaw - 0.8 for yaw in recall.YAWS], cluttered, "one", ONE, "one look, cluttered")
    _angles(axis, 45)
    axis.set_xticks(recall.YAWS)
    ends = sums(found)["yaw 45"]
    _finish(axis, plain + cluttered, f"Turned: {_percent(ends)} at 45 degrees", "yaw, degrees (fictional heads)")


def _roll(axis: Any, found: Found) -> None:
    tallies = list(found["roll"].values())
    _recall(axis, recall.ROLLS, tallies, "two", TWO, "two looks")
    _recall(axis, [roll + 0.6 for roll in recall.ROLLS], tallies, "one", ONE, "one look")
    _angles(axis, 30)
    axis.set_xticks(recall.ROLLS)
    ends = sums(found)["roll 30"]
    _finish(axis, tallies, f"Tilted: {_percent(ends)} at 30 degrees", "roll, degrees")


def _light(axis: Any, found: Found) -> None:
    tallies, x = list(found["luminance"].values()), range(len(recall.LUMINANCES))
    _recall(axis, x, tallies, "two", TWO, "two looks")
    _recall(axis, [at + 0.06 for at in x], tallies, "one", ONE, "one look")
    axis.set_xticks(x, [str(value) for value in recall.LUMINANCES])
    axis.axvline(recall.LUMINANCES.index(25), color=BAR, lw=1.2, ls=":")
    dark = found["luminance"]["25"]
    _finish(axis, tallies, f"Dark and bright: {_percent(dark)} at 25 of 255", "mean luminance of the face, 0-255")
