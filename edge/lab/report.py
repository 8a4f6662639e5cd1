"""The files of a measurement: one self-contained page, JSON for machines, CSV for spreadsheets.

    check_out(plan.out, FILES, overwrite=False)      # before the work: may the folder be written, are the extras there
    report = EvaluationReport(head, models)          # plain JSON values
    write(report, results, material, out)            # see `FILES`

`report.html` needs no network and no other file. Nothing written holds an embedding.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import InputError
from edge.lab.figures import det
from edge.lab.measuring import Material, ModelResult
from edge.lab.plots import data_uri, discards, group_rates, scores, thumbnail, trade_off
from edge.lab.summarise import DISCARDED

SCHEMA = "edge/lab/v1"
#: The rate that the page shows plots and groups at, when it was measured.
SHOWN = 1e-3
FILES = ("report.html", "report.json", "operating_points.csv", "groups.csv", "det.csv", "pictures.csv")


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Figures of one measurement; ``models`` are dicts of `edge.lab.summarise.summarise`, the yardstick first."""

    head: dict[str, Any]
    models: list[dict[str, Any]] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The content of ``report.json``."""
        return {"schema": SCHEMA, **self.head, "models": self.models, "files": list(FILES), "error": None}


def check_out(out: Path, files: Sequence[str], *, overwrite: bool) -> None:
    """Find out before hours of work what would stop the report at their end.

    Raises:
        InputError: an earlier report lies there, the folder cannot be made or written, or the `lab` extra is missing.
    """
    for name in ("matplotlib", "jinja2"):
        if find_spec(name) is None:
            remedy = "run `pip install 'edge-verifier[lab]'`"
            raise InputError(f"{name} is not installed, and the report needs it", where="report", remedy=remedy)
    earlier = next((name for name in files if (out / name).exists()), None)
    if earlier and not overwrite:
        remedy = "choose another --out, or replace it with --overwrite"
        raise InputError("an earlier report lies here", where=str(out / earlier), remedy=remedy)
    probe = out / ".writable"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _unwritable(out, error) from None


def write_files(out: Path, contents: Iterable[tuple[str, str | bytes]]) -> None:
    """Write text and bytes by name.

    Raises:
        InputError: the folder cannot be written.
    """
    for name, content in contents:
        try:
            data = content.encode("utf-8", "replace") if isinstance(content, str) else content
            (out / name).write_bytes(data)
        except OSError as error:
            raise _unwritable(out / name, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot be written: {error.strerror}", where=str(path), remedy="choose another --out")


def write(report: EvaluationReport, results: Sequence[ModelResult], material: Material, out: Path) -> None:
    """Write every file of the report.

    Raises:
        InputError: the folder cannot be written.
    """
    tables = (_point_rows(report), _group_rows(report), _det_rows(results), _picture_rows(results, material))
    contents = (page(report, results, material), json.dumps(report.as_json(), indent=1) + "\n", *map(csv_of, tables))
    write_files(out, zip(FILES, contents, strict=True))


def page(report: EvaluationReport, results: Sequence[ModelResult], material: Material) -> str:
    """``report.html``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # picture names and group labels are other people's text: everything is escaped
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"percent": percent, "rate": rate}
    both = list(zip(results, report.models, strict=True))
    return environment.get_template("report.html.j2").render(
        head=report.head,
        models=report.models,
        scores=[scores(result, _shown_thresholds(model)) for result, model in both],
        det=trade_off(results),
        discard=_discard_plots(report),
        discarded=DISCARDED,
        partitions=_group_plots(report, material),
        sheets=[_sheet(model, result, material) for result, model in both],
    )


def percent(value: float | None, digits: int = 2) -> str:
    """``0.98412`` -> ``98.41 %``; None -> ``too few``."""
    return "too few" if value is None else f"{100 * value:.{digits}f} %"


def rate(value: float | None) -> str:
    """``0.000213`` -> ``2.1e-04``; None -> ``too few``."""
    if value is None:
        return "too few"
    return f"{value:.1e}" if value else "0"


def summary(report: EvaluationReport) -> Iterator[str]:
    """The most important figures as lines for a terminal, one a model."""
    points = [
        (1, "fnmr", "FNMR@1e-3"),
        (2, "fnmr", "@1e-4"),
        (1, "fnmr_by_people", "by people"),
        (2, "fnmr_by_people", "@1e-4"),
    ]
    width = max(len("model"), *(len(model["name"]) for model in report.models))
    yield (
        f"{'model':<{width}}  {'pairs':>9}" + "".join(f"  {title:>9}" for *_, title in points) + "        EER  no face"
    )
    for model in report.models:
        accuracy = percent(model["pairs_accuracy"]) if "pairs_accuracy" in model else "-"
        cells = "".join(f"  {percent(model['operating_points'][k].get(key)):>9}" for k, key, _ in points)
        rest = f"  {percent(model['equal_error_rate']):>9}  {percent(model['acquisition']['rate']):>7}"
        yield f"{model['name']:<{width}}  {accuracy:>9}{cells}{rest}"
    if "fnmr" not in report.models[0]["operating_points"][1]:
        yield f"Too few: {report.head['set']['impostor']:,} impostor pairs; a rate of 1e-3 takes 1,000 of them."
    yield "By people: every person weighs the same. Larger scores mean more similar."
    yield f"Intervals, groups and plots: {report.head['out']}/report.html"


def _shown_thresholds(model: dict[str, Any]) -> list[tuple[str, float]]:
    wanted = ("FMR 1e-03", "FMR 1e-04")
    rows = [row for row in model["operating_points"] if row["name"] in wanted and row["threshold"] is not None]
    return [(f"measured {row['name']}", row["threshold"]) for row in rows]


def _at_shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the rate that the page shows, else of the smallest that was measured."""
    rates = sorted({row["target_fmr"] for row in rows})
    chosen = next((value for value in rates if value >= SHOWN * 0.99), None)
    return [row for row in rows if row["target_fmr"] == chosen]


def _discard_plots(report: EvaluationReport) -> dict[str, Any] | None:
    curves = [
        (f"{model['name']}: {curve['quality']}", curve)
        for model in report.models
        for curve in _at_shown(model["error_versus_discard"])
    ]
    if not curves:
        return None
    table = [{"name": name, "fnmr": [curve["fnmr"][share] for share in DISCARDED]} for name, curve in curves]
    return {"plot": discards(curves), "rows": table, "target": curves[0][1]["target_fmr"]}


def _group_plots(report: EvaluationReport, material: Material) -> list[dict[str, Any]]:
    """For every partition: tables of all contenders at the shown rate, and bars."""
    found = []
    names = [model["name"] for model in report.models]
    for part in material.partitions:
        listed = [[t for t in _at_shown(model["groups"]) if t["partition"] == part.name] for model in report.models]
        if not all(listed):
            continue
        tables, bars = [table[0] for table in listed], {}
        for kind, title in (("fmr", "FMR"), ("fnmr", "FNMR")):
            rows = [
                {"group": cell, "values": [table["rows"][g][kind] for table in tables]}
                for g, cell in enumerate(part.cells)
            ]
            rows = [row for row in rows if any(row["values"])]
            if rows:
                axis = f"{title} at each model's threshold for FMR {tables[0]['target_fmr']:.0e}"
                bars[kind] = group_rates(rows, axis, names, kind == "fmr")
        found.append({"name": part.name, "names": names, "tables": tables, "bars": bars, "crossed": part.crossed})
    return found


def _sheet(model: dict[str, Any], result: ModelResult, material: Material) -> list[dict[str, Any]]:
    """Both kinds of worst pairs with their pictures."""
    place = {name: k for k, name in enumerate(material.pictures.names)}

    def tile(name: str) -> str:
        try:
            image = material.pictures.load(place[name])
        except InputError:
            return ""
        return data_uri(thumbnail(image, result.looks.boxes[place[name]].tolist()))

    titles = {"genuine": "One person, lowest scores", "impostor": "Two people, highest scores"}
    return [
        {
            "title": titles[kind],
            "pairs": [{**pair, "tiles": [tile(pair["first"]), tile(pair["second"])]} for pair in pairs],
        }
        for kind, pairs in model["worst_pairs"].items()
    ]


def csv_of(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV: numbers with six digits, nothing for None."""
    text = io.StringIO()
    plain = ([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    csv.writer(text, lineterminator="\n").writerows(plain)
    return text.getvalue()


# fmt: off
_POINT = [
    "name", "target_fmr", "threshold", "false_matches", "fmr", "fmr_low", "fmr_high", "fmr_by_people",
    "misses", "fnmr", "fnmr_low", "fnmr_high", "fnmr_by_people", "fnmr_by_people_low", "fnmr_by_people_high",
]
_GROUP = [
    "group", "people", "impostor_pairs", "false_matches", "fmr",
    "people_with_genuine_pairs", "genuine_pairs", "misses", "fnmr",
]
# fmt: on


def _point_rows(report: EvaluationReport) -> Iterable[Sequence[Any]]:
    yield ["model", *_POINT]
    for model in report.models:
        for row in model["operating_points"]:
            yield [model["name"], *(row.get(key) for key in _POINT)]


def _group_rows(report: EvaluationReport) -> Iterable[Sequence[Any]]:
    yield ["model", "partition", "target_fmr", "threshold", *_GROUP]
    for model in report.models:
        for table in model["groups"]:
            head = [model["name"], table["partition"], table["target_fmr"], table["threshold"]]
            for row in table["rows"]:
                yield [*head, *("too few" if row[key] is None else row[key] for key in _GROUP)]


def _det_rows(results: Sequence[ModelResult]) -> Iterable[Sequence[Any]]:
    yield ["model", "fmr", "fnmr"]
    for result in results:
        for x, y in zip(*det(result.counts.genuine, result.counts.impostor), strict=True):
            yield [result.name, float(x), float(y)]


def _picture_rows(results: Sequence[ModelResult], material: Material) -> Iterable[Sequence[Any]]:
    """What happened to every picture: acquired or why not, where the face is."""
    yield ["model", "picture", "acquired", "reason", "x", "y", "width", "height", "quality"]
    for result in results:
        looks = result.looks
        for k, name in enumerate(material.pictures.names):
            box = ["" if np.isnan(v) else f"{v:.1f}" for v in looks.boxes[k]]
            quality = "" if np.isnan(looks.quality[k]) else f"{looks.quality[k]:.4f}"
            yield [result.name, name, int(looks.acquired[k]), looks.reasons[k], *box, quality]
