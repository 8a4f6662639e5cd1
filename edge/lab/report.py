"""The files of a measurement: one self-contained page, JSON for machines, CSV for spreadsheets.

    report = Report(head, models)          # plain JSON values
    write(report, results, material, out)  # report.html, report.json, operating_points.csv, groups.csv, det.csv,
                                           # pictures.csv

`report.html` needs no network and no other file. Nothing written holds an embedding.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import InputError
from edge.lab import plots
from edge.lab.figures import det
from edge.lab.measuring import Material, Result
from edge.lab.sheet import thumbnail
from edge.lab.summarise import DISCARDED

SCHEMA = "edge/lab/v1"
#: The rate that the page shows plots and groups at, when it was measured.
SHOWN = 1e-3


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one measurement; ``models`` are dicts of `edge.lab.summarise.judge`, the yardstick first."""

    head: dict[str, Any]
    models: list[dict[str, Any]] = field(repr=False)
    files: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The content of ``report.json``."""
        return {"schema": SCHEMA, **self.head, "models": self.models, "files": list(self.files), "error": None}


def write(report: Report, results: Sequence[Result], material: Material, out: Path) -> None:
    """Write every file of the report.

    Raises:
        InputError: the folder cannot be written, or the `lab` extra is not installed.
    """
    texts = {
        "report.html": page(report, results, material),
        "report.json": json.dumps(report.as_json(), indent=1) + "\n",
        "operating_points.csv": _csv(_point_rows(report)),
        "groups.csv": _csv(_group_rows(report)),
        "det.csv": _csv(_det_rows(results)),
        "pictures.csv": _csv(_picture_rows(results, material)),
    }
    for name, text in texts.items():
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(
                f"cannot be written: {error.strerror}", where=str(out / name), remedy="choose another --out"
            ) from None


FILES = ("report.html", "report.json", "operating_points.csv", "groups.csv", "det.csv", "pictures.csv")


def page(report: Report, results: Sequence[Result], material: Material) -> str:
    """``report.html``.

    Raises:
        InputError: the `lab` extra is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise InputError(
            "jinja2 is not installed", where="report", remedy="run `pip install 'edge-verifier[lab]'`"
        ) from None
    # picture names and group labels are other people's text: everything is escaped
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"percent": percent, "rate": rate}
    return environment.get_template("report.html.j2").render(
        head=report.head,
        models=report.models,
        scores=[plots.scores(result, _shown_thresholds(model)) for result, model in _both(results, report)],
        det=plots.trade_off(results),
        discard=_discard_plots(report),
        discarded=DISCARDED,
        shown=SHOWN,
        partitions=_group_plots(report, material),
        sheets=[_sheet(model, result, material) for result, model in _both(results, report)],
    )


def percent(value: float | None, digits: int = 2) -> str:
    """``0.98412`` -> ``98.41 %``; None -> ``too few``."""
    return "too few" if value is None else f"{100 * value:.{digits}f} %"


def rate(value: float | None) -> str:
    """``0.000213`` -> ``2.1e-04``; None -> ``too few``."""
    if value is None:
        return "too few"
    return f"{value:.1e}" if value else "0"


def _both(results: Sequence[Result], report: Report) -> Iterable[tuple[Result, dict[str, Any]]]:
    return zip(results, report.models, strict=True)


def _shown_thresholds(model: dict[str, Any]) -> list[tuple[str, float]]:
    wanted = ("FMR 1e-03", "FMR 1e-04")
    return [
        (f"measured {row['name']}", row["threshold"])
        for row in model["operating_points"]
        if row["name"] in wanted and row["threshold"] is not None
    ]


def _at_shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the rate that the page shows, else of the smallest that was measured."""
    if not rows:
        return []
    rates = sorted({row["target_fmr"] for row in rows})
    chosen = next((value for value in rates if value >= SHOWN * 0.99), rates[-1])
    return [row for row in rows if row["target_fmr"] == chosen]


def _discard_plots(report: Report) -> dict[str, Any] | None:
    curves = [
        (f"{model['name']}: {curve['quality']}", curve)
        for model in report.models
        for curve in _at_shown(model["error_versus_discard"])
    ]
    if not curves:
        return None
    table = [{"name": name, "fnmr": [curve["fnmr"][share] for share in DISCARDED]} for name, curve in curves]
    return {"plot": plots.discards(curves), "rows": table, "target": curves[0][1]["target_fmr"]}


def _group_plots(report: Report, material: Material) -> list[dict[str, Any]]:
    """For every partition: tables of all contenders at the shown rate, and bars."""
    found = []
    names = [model["name"] for model in report.models]
    for part in material.partitions:
        tables = [[t for t in _at_shown(model["groups"]) if t["partition"] == part.name] for model in report.models]
        if not all(tables):
            continue
        bars = {}
        for kind, title in (("fmr", "FMR"), ("fnmr", "FNMR")):
            values = [[table[0]["rows"][g][kind] for table in tables] for g in range(len(part.labels))]
            rows = [{"group": label, "values": v} for label, v in zip(part.labels, values, strict=True) if any(v)]
            if rows:
                target = tables[0][0]["target_fmr"]
                axis = f"{title} at each model's threshold for FMR {target:.0e}"
                bars[kind] = plots.group_rates(rows, axis, names, kind == "fmr")
        found.append({"name": part.name, "names": names, "tables": [table[0] for table in tables], "bars": bars})
    return found


def _sheet(model: dict[str, Any], result: Result, material: Material) -> list[dict[str, Any]]:
    """Both kinds of worst pairs with their pictures."""
    place = {name: k for k, name in enumerate(material.pictures.names)}

    def tile(name: str) -> str:
        try:
            return thumbnail(material.pictures.load(place[name]), result.looks.boxes[place[name]].tolist())
        except InputError:
            return ""

    titles = {"genuine": "One person, lowest scores", "impostor": "Two people, highest scores"}
    return [
        {
            "title": titles[kind],
            "pairs": [{**pair, "tiles": [tile(pair["first"]), tile(pair["second"])]} for pair in pairs],
        }
        for kind, pairs in model["worst_pairs"].items()
    ]


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


_POINT = [
    "name",
    "target_fmr",
    "threshold",
    "false_matches",
    "fmr",
    "fmr_low",
    "fmr_high",
    "misses",
    "fnmr",
    "fnmr_low",
    "fnmr_high",
]


def _point_rows(report: Report) -> Iterable[Sequence[Any]]:
    yield ["model", *_POINT]
    for model in report.models:
        for row in model["operating_points"]:
            yield [model["name"], *(_plain(row.get(key)) for key in _POINT)]


_GROUP = [
    "group",
    "people",
    "impostor_pairs",
    "false_matches",
    "fmr",
    "people_with_genuine_pairs",
    "genuine_pairs",
    "misses",
    "fnmr",
]


def _group_rows(report: Report) -> Iterable[Sequence[Any]]:
    yield ["model", "partition", "target_fmr", "threshold", *_GROUP]
    for model in report.models:
        for table in model["groups"]:
            for row in table["rows"]:
                head = [model["name"], table["partition"], _plain(table["target_fmr"]), _plain(table["threshold"])]
                yield [*head, *("too few" if row[key] is None else _plain(row[key]) for key in _GROUP)]


def _det_rows(results: Sequence[Result]) -> Iterable[Sequence[Any]]:
    yield ["model", "fmr", "fnmr"]
    for result in results:
        for x, y in zip(*det(result.counts.genuine, result.counts.impostor), strict=True):
            yield [result.name, _plain(float(x)), _plain(float(y))]


def _picture_rows(results: Sequence[Result], material: Material) -> Iterable[Sequence[Any]]:
    """What happened to every picture: acquired or why not, where the face is."""
    yield ["model", "picture", "acquired", "reason", "x", "y", "width", "height", "quality"]
    for result in results:
        looks = result.looks
        for k, name in enumerate(material.pictures.names):
            box = ["" if np.isnan(v) else f"{v:.1f}" for v in looks.boxes[k]]
            quality = "" if np.isnan(looks.quality[k]) else f"{looks.quality[k]:.4f}"
            yield [result.name, name, int(looks.acquired[k]), looks.reasons[k], *box, quality]


def _plain(value: Any) -> Any:
    """Numbers with six digits, nothing for None."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
