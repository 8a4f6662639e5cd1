"""The most important figures of a measurement, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from edge.lab.report import Report, percent


def summary(report: Report) -> Iterator[str]:
    """A table with one row a model."""
    points = [(1, "FNMR@1e-3"), (2, "@1e-4"), (3, "@1e-5")]
    width = max(len("model"), *(len(model["name"]) for model in report.models))
    yield f"{'model':<{width}}  {'pairs':>9}" + "".join(f"  {title:>9}" for _, title in points) + "        EER  no face"
    for model in report.models:
        accuracy = percent(model["pairs_accuracy"]) if "pairs_accuracy" in model else "-"
        cells = "".join(f"  {percent(model['operating_points'][k].get('fnmr')):>9}" for k, _ in points)
        rest = f"  {percent(model['equal_error_rate']):>9}  {percent(model['acquisition']['rate']):>7}"
        yield f"{model['name']:<{width}}  {accuracy:>9}{cells}{rest}"
    yield "Larger scores mean more similar; intervals, groups and plots: " + report.head["out"] + "/report.html"
