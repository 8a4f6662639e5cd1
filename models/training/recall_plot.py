"""The detector's figures as one picture of nine panels, one message each, made of the JSON alone.

draw(json.loads(Path("detector.json").read_text()), Path("detector-recall.png"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from models.training import recall

Row = Mapping[str, Any]
#: Readable by people who do not tell red from green (Okabe and Ito 2008); grey is the detector that looks once.
TWO, HARD, ONE, BAR = "#0072B2", "#D55E00", "#8A8A8A", "#009E73"
NAMES = {"two": "two looks", "one": "one look"}


def draw(result: Mapping[str, Any], target: Path) -> None:
    """Draw a result of `recall_report` as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 12.8), dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    grid = figure.subplots(3, 3)
    name = result["models"]["detector"][:12]
    figure.suptitle(f"What the detector {name} finds in frames of 640x480 (bars: 95 % intervals, Wilson)", fontsize=13)
    panels = (_size, _error, _empty, _yaw, _roll, _light, _covered, _cut, _second)
    for axis, panel in zip(grid.flat, panels, strict=True):
        panel(axis, result)
        axis.title.set_fontsize(11.5)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.set_axisbelow(True)
    figure.savefig(target, format="png", metadata={"Software": None})


def _rows(result: Mapping[str, Any], group: str) -> list[Row]:
    return list(result["groups"][group].values())


def _percent(row: Row, key: str = "recall", digits: int = 0) -> str:
    """What two looks find; never rounded up to all."""
    share = 100 * row["two"][key]
    return f"{share:.{max(digits, 1 if 99.5 <= share < 100 else 0)}f} %"


def _recall(axis: Any, x: Sequence[float], rows: Sequence[Row], look: str, colour: str, name: str) -> None:
    """A line with Wilson bars; the detector that looks once is dashed."""
    parts = [row[look] for row in rows]
    middle = [100 * part["recall"] for part in parts]
    down = [100 * (part["recall"] - part["low"]) for part in parts]
    up = [100 * (part["high"] - part["recall"]) for part in parts]
    style = {"fmt": "s--", "lw": 1.1, "ms": 3.5} if look == "one" else {"fmt": "o-", "lw": 1.8, "ms": 4.5}
    axis.errorbar(x, middle, yerr=[down, up], color=colour, capsize=2.5, elinewidth=1, label=name, **style)


def _finish(axis: Any, title: str, xlabel: str, lowest: float, legend: float = 0.3) -> None:
    axis.set(title=title, xlabel=xlabel, ylabel="faces found, %", ylim=(lowest, 101.5))
    axis.set_yticks(range(int(lowest), 101, 10 if lowest < 60 else 5))
    axis.legend(frameon=False, fontsize=9.5, loc="center", bbox_to_anchor=(0.58, legend))


def _height_axis(axis: Any, high: float) -> list[float]:
    """The axis of face heights, and where the bins' middles lie."""
    axis.set_xscale("log")
    axis.set_xticks([6, 8.33, 12, 20, 30, 45, 65, 95], ["6", "8.3", "12", "20", "30", "45", "65", "95"])
    axis.minorticks_off()
    axis.set_xlim(6, 98)
    axis.set_xlabel("face height, % of the frame's height")
    for at, text in ((100 * 40 / 480, " 40 px"), (20.0, " verified from here")):
        axis.axvline(at, color=BAR, lw=1.2, ls=":")
        axis.text(at, high, text, color=BAR, fontsize=9, transform=axis.get_xaxis_transform(), va="center")
    return [100 * (low * top) ** 0.5 for low, top in pairwise(recall.SIZES)]


def _size(axis: Any, result: Mapping[str, Any]) -> None:
    plain, hard = _rows(result, "size"), _rows(result, "size_disturbed")
    x = _height_axis(axis, 0.03)
    _recall(axis, x, plain, "two", TWO, "two looks")
    _recall(axis, x, hard, "two", HARD, "two looks, hard light and noise")
    _recall(axis, [1.02 * value for value in x], hard, "one", ONE, "one look, hard light and noise")
    lowest = min(100 * row["one"]["low"] for row in hard)
    title = f"Small: {_percent(plain[1])} of faces of 40-48 px, {_percent(hard[1])} in hard light"
    _finish(axis, title, "face height, % of the frame's height", min(80.0, 10 * (lowest // 10)), 0.4)


def _error(axis: Any, result: Mapping[str, Any]) -> None:
    x = _height_axis(axis, 0.97)
    for look, colour in (("one", ONE), ("two", TWO)):
        known = [(at, row[look]) for at, row in zip(x, _rows(result, "size"), strict=True)]
        known = [(at, part) for at, part in known if "landmark_error" in part]
        at = [place for place, _ in known]
        low, middle, high = (
            [100 * part[f"landmark_error{which}"] for _, part in known]
            for which in ("_1st_quartile", "", "_3rd_quartile")
        )
        axis.fill_between(at, low, high, color=colour, alpha=0.2, lw=0)
        axis.plot(at, middle, "s--" if look == "one" else "o-", color=colour, ms=4, label=f"{NAMES[look]}, median")
    axis.set(title="Landmarks: as good on small faces, looking twice", ylabel="landmark error, % of eye distance")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=9.5, loc="center right", title="bands: quartiles", title_fontsize=9)


def _bars(axis: Any, rows: Mapping[str, Row], key: str) -> None:
    """Two horizontal bars a row, with Wilson's interval and the counts.

    Args:
        rows: name -> row. key: the share's, ``recall`` or ``share``.
    """
    for place, row in enumerate(rows.values()):
        for shift, look, colour in ((-0.19, "two", TWO), (0.19, "one", ONE)):
            part = row[look]
            share, low, high = (100 * part[value] for value in (key, "low", "high"))
            axis.barh(place + shift, share, 0.36, color=colour, label=NAMES[look] if not place else None)
            axis.plot([low, high], [place + shift] * 2, color="black", lw=1)
            text = f"{part['found']} of {row['cases']}: {share:.1f} %"
            axis.annotate(text, (high, place + shift), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) + 0.6, -0.9)
    axis.legend(frameon=False, fontsize=9.5, loc="lower right", ncols=2)


def _empty(axis: Any, result: Mapping[str, Any]) -> None:
    """Share of photographs without a face in which one is found."""
    quoted = result["quoted"]
    names = {
        "empty pictures": "photographs\nas they are",
        "empty pictures, held out": "held out,\nas they are",
        "empty frames": "as frames\n640x480",
        "empty frames, held out": "held out,\nas frames",
    }
    _bars(axis, {name: quoted[key] for key, name in names.items()}, "share")
    axis.axvline(1, color=BAR, lw=1.2, ls=":")
    axis.text(1.4, -0.66, "asked for: 1 % at most", color=BAR, fontsize=9, va="center")
    widest = max(100 * quoted[key]["one"]["high"] for key in names)
    axis.set(xlim=(0, 1.5 * widest), xlabel="photographs without a face in which one is found, %")
    shares = [_percent(quoted[key], "share", 1) for key in ("empty pictures", "empty frames")]
    axis.set_title(f"False alarms: {shares[0]}, as frames {shares[1]}")


def _found(axis: Any, rows: Mapping[str, Row], title: str, whole: Row, xlabel: str) -> None:
    """Bars of recall; the title says what all rows together give, and which row gives least."""
    _bars(axis, rows, "recall")
    axis.set(xlim=(0, 150), xticks=range(0, 101, 20), xlabel=xlabel)  # room for the counts
    least = min(rows, key=lambda name: rows[name]["two"]["recall"])
    title = f"{title}: {_percent(whole)}"
    if rows[least]["two"]["recall"] < whole["two"]["recall"]:
        title += f", {' '.join(least.split())} only {_percent(rows[least])}"
    axis.set_title(title)


def _covered(axis: Any, result: Mapping[str, Any]) -> None:
    names = {"glasses": "dark\nglasses", "mask": "mask", "hat": "hat", "hand": "hand"}
    rows = {names[key]: row for key, row in result["groups"]["covered"].items()}
    _found(axis, rows, "Covered", result["quoted"]["covered"], "faces found behind what is drawn before them, %")


def _cut(axis: Any, result: Mapping[str, Any]) -> None:
    out = "-".join(f"{100 * share:g}" for share in recall.CUT)
    xlabel = f"faces found with {out} % of them outside the frame, %"
    _found(axis, result["groups"]["cut"], "Cut by the frame", result["quoted"]["cut"], xlabel)


def _second(axis: Any, result: Mapping[str, Any]) -> None:
    names = {f"{low:g}": f"{low:g}-{high:g}\nas high" for low, high in pairwise(recall.RATIOS)}
    rows = {names[key]: row for key, row in result["groups"]["second"].items()}
    _found(axis, rows, "Two people", result["quoted"]["second person"], "frames in which both are found, %")


def _asked(axis: Any, limit: float) -> None:
    axis.axvspan(-limit, limit, color=BAR, alpha=0.07, lw=0)
    for at in (-limit, limit):
        axis.axvline(at, color=BAR, lw=1.2, ls=":")
    axis.text(0, 0.04, "asked for", color=BAR, fontsize=9, ha="center", transform=axis.get_xaxis_transform())


def _lowest(*groups: Sequence[Row]) -> float:
    low = min(100 * row[look]["low"] for rows in groups for row in rows for look in NAMES)
    return min(80.0, 10 * (low // 10))


def _yaw(axis: Any, result: Mapping[str, Any]) -> None:
    plain, cluttered = _rows(result, "yaw_plain"), _rows(result, "yaw_cluttered")
    _recall(axis, recall.YAWS, plain, "two", TWO, "two looks, plain wall")
    _recall(axis, [yaw + 0.9 for yaw in recall.YAWS], cluttered, "two", HARD, "two looks, cluttered")
    _recall(axis, [yaw - 0.9 for yaw in recall.YAWS], cluttered, "one", ONE, "one look, cluttered")
    _asked(axis, 45)
    axis.set_xticks(recall.YAWS)
    title = f"Turned: {_percent(result['quoted']['yaw 45'])} at 45 degrees"
    _finish(axis, title, "yaw, degrees (fictional heads)", _lowest(plain, cluttered))


def _roll(axis: Any, result: Mapping[str, Any]) -> None:
    rows = _rows(result, "roll")
    _recall(axis, recall.ROLLS, rows, "two", TWO, NAMES["two"])
    _recall(axis, [roll + 0.7 for roll in recall.ROLLS], rows, "one", ONE, NAMES["one"])
    _asked(axis, 30)
    axis.set_xticks(recall.ROLLS)
    _finish(axis, f"Tilted: {_percent(result['quoted']['roll 30'])} at 30 degrees", "roll, degrees", _lowest(rows))


def _light(axis: Any, result: Mapping[str, Any]) -> None:
    rows, x = _rows(result, "luminance"), range(len(recall.LUMINANCES))
    _recall(axis, x, rows, "two", TWO, NAMES["two"])
    _recall(axis, [at + 0.07 for at in x], rows, "one", ONE, NAMES["one"])
    axis.set_xticks(x, [str(value) for value in recall.LUMINANCES])
    dark = recall.LUMINANCES.index(25)
    axis.axvline(dark, color=BAR, lw=1.2, ls=":")
    axis.text(dark, 0.04, " asked for: 25", color=BAR, fontsize=9, transform=axis.get_xaxis_transform())
    title = f"Dark and bright: {_percent(result['groups']['luminance']['25'])} at 25 of 255"
    _finish(axis, title, "mean luminance of the face, 0-255", _lowest(rows))
