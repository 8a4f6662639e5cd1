"""From impostor scores to the thresholds of a model's card, with a bound that people who appear twice do not fool.

    sets = {"staff": trials}                          # templates and probes: edge.lab.calibrate_run
    found = calibrate(sets, CalibrationPlan(rounds=400), labels={"staff": labels})
    write_calibration(card_path, found.section(...))

Workflow: within every set everybody's template meets everybody else's probe -> FMR by threshold with its upper bound
(bootstrap over people) -> for each target rate the lowest threshold whose bound meets it in every set by itself -> the
same within each group of people -> what a card may claim: the smallest rate that every set carries. `decide_by` says
whose thresholds the door gets: everybody's, or those that hold in the worst group as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face.card import load_card, parse_card
from edge.face.write import card_text
from edge.files import refusal, write_atomic
from edge.lab.calibrate_table import (
    FEWEST_PEOPLE,
    TARGETS,
    FmrCurve,
    GroupCurve,
    curve_of,
    group_rows,
    overall,
    shortened,
    spread,
)
from edge.lab.pairing import Trials
from edge.types import F32

#: A label for every person's number; "" where nothing is known.
Labels = tuple[str, ...]
F64 = NDArray[np.float64]
METHOD = (
    "lowest threshold at which the one-sided 95 % upper bound of the FMR meets the target in every set by itself; "
    "int8 vectors, cosine"
)
BOUND = "Poisson bootstrap over people; the exact Poisson bound over pairs of people where it is larger"
#: Groups are compared at the threshold of this rate.
GROUPS_AT = 1e-3
#: Fewer people with several pictures say nothing about FNMR: without an error the bound would be 30 % or more.
_FEWEST_GENUINE = 10


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """How to calibrate.

    Attributes:
        rounds: of the bootstrap over people. seed: of all that is drawn.
        fewest: a group of fewer people is "too few". decide_by: whose thresholds the card gets.
        targets: false match rates of the table, falling.
    """

    rounds: int = 400
    seed: int = 1
    fewest: int = FEWEST_PEOPLE
    decide_by: Literal["overall", "worst-group"] = "overall"
    targets: tuple[float, ...] = TARGETS


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a calibration found; aggregates only.

    Attributes:
        thresholds: rows {fmr, threshold, measured, upper, ...}, as far down as the sets carry.
        curves: by set. groups: at the threshold for `GROUPS_AT`. worst_group: its name, FMR, spread and thresholds.
        left_out: comparisons that did not count, by set.
    """

    plan: CalibrationPlan
    thresholds: list[dict[str, float]]
    curves: Mapping[str, FmrCurve] = field(repr=False)
    groups: list[dict[str, Any]]
    worst_group: dict[str, Any]
    left_out: Mapping[str, int]

    def section(
        self, *, sha256: str, date: str, command: str, sets: Mapping[str, str], notes: str = "", arithmetic: int = 1
    ) -> dict[str, Any]:
        """The card's ``calibration``.

        Args:
            sha256: of the model's file. date: of the measurement, ISO. command: that repeats it.
            sets: what each set is, in words. notes: how templates and probes were made. arithmetic: of the card.
        """
        rows = self.worst_group["thresholds"] if self.plan.decide_by == "worst-group" else self.thresholds
        described = [
            f"{text}: {self.curves[name].people} people, {self.curves[name].total} comparisons"
            for name, text in sets.items()
        ]
        return {
            "method": METHOD + (f"; {notes}" if notes else ""),
            "set": "; ".join(described),
            "people": sum(curve.people for curve in self.curves.values()),
            "pairs": sum(curve.total for curve in self.curves.values()),
            "left_out": sum(self.left_out.values()),
            "bound": {"method": BOUND, "confidence": 0.95, "rounds": self.plan.rounds, "seed": self.plan.seed},
            "sha256": sha256,
            **({"arithmetic": arithmetic} if arithmetic != 1 else {}),
            "date": date,
            "command": command,
            "decided_by": self.plan.decide_by,
            "thresholds": rows,
            "smallest_fmr": rows[-1]["fmr"],
            "groups": self.groups,
            "worst_group": self.worst_group,
        }


def calibrate(
    sets: Mapping[str, Trials],
    plan: CalibrationPlan,
    *,
    labels: Mapping[str, Labels] | None = None,
    tell: Any = None,
) -> Calibrated:
    """Calibrate.

    Args:
        sets: by name; people of different sets are not compared, since it is not known whether they are the same.
        plan: how.
        labels: by set, a group for every person's number.
        tell: called as ``tell(what, done, total)``.

    Raises:
        InputError: the sets carry fewer than two rates, or no group is large enough to decide by.
    """
    curves = {name: curve_of(trials, plan.rounds, plan.seed, _step(tell, name)) for name, trials in sets.items()}
    rows = overall(curves, plan.targets)
    if len(rows) < 2:
        people = sum(curve.people for curve in curves.values())
        raise InputError(
            f"{people} people carry no false match rate below {plan.targets[0]:g}",
            where="calibration",
            remedy="hand in pictures of more people; 1,000 carry about 1e-4, 3,000 about 1e-5",
        )
    labels = labels or {}
    groups = [
        group
        for name, given in labels.items()
        for group in _groups(f"{name}: " if len(labels) > 1 else "", sets[name], given, plan, tell)
    ]
    for name, trials in sets.items():
        _annotate(rows, curves[name], trials, f" {name}" if len(curves) > 1 else "")
    judged = {group.name: group.curve for group in groups if group.curve is not None}
    if total := sum(curve.total for curve in judged.values()):
        for row in rows:  # what an impostor who looks like the holder meets
            errors = sum(curve.errors(row["threshold"]) for curve in judged.values())
            row["measured_within_groups"] = shortened(errors / total)
    middle = min(rows, key=lambda row: abs(np.log(row["fmr"] / GROUPS_AT)))
    listed = group_rows(groups, middle["threshold"])
    worst = spread(listed)
    if judged:
        worst = {**worst, "at": middle["fmr"], "thresholds": _at_least(rows, overall(judged, plan.targets))}
    if plan.decide_by == "worst-group" and len(worst.get("thresholds", ())) < 2:
        raise InputError(
            f"no group of {plan.fewest} people or more carries two rates",
            where="groups",
            remedy="hand in more people a group, or calibrate by everybody (--decide-by overall)",
        )
    left = {name: 0 if trials.left_out is None else len(trials.left_out) for name, trials in sets.items()}
    return Calibrated(plan, rows, curves, listed, worst, left)


def _step(tell: Any, what: str) -> Any:
    return (lambda done, total: None) if tell is None else (lambda done, total: tell(what, done, total))


def _groups(prefix: str, trials: Trials, given: Labels, plan: CalibrationPlan, tell: Any) -> list[GroupCurve]:
    """Every group of a set, with a curve where there are enough people."""
    found, marks, present = [], np.array(given, dtype=object), trials.present()
    for label in sorted({str(mark) for mark in marks[present]} - {""}):
        people: NDArray[np.int64] = present[marks[present] == label]
        title = prefix + label
        if len(people) < plan.fewest:
            found.append(GroupCurve(title, len(people)))
            continue
        within = trials.of(people)
        curve = curve_of(within, plan.rounds, plan.seed, _step(tell, title))
        found.append(GroupCurve(title, len(people), curve, _left_out(within)))
    return found


def _left_out(trials: Trials) -> F64:
    """Scores of the comparisons that do not count."""
    if trials.left_out is None:
        return np.zeros(0)
    rows, columns = trials.left_out.T
    return np.asarray((trials.templates[rows] * trials.probes[columns]).sum(1), np.float64)


def _annotate(rows: list[dict[str, float]], curve: FmrCurve, trials: Trials, suffix: str) -> None:
    """Add to every row what one set says at that threshold: its FMR, the FMR with the pairs left out, its FNMR."""
    genuine, left = _genuine(trials), _left_out(trials)
    for row in rows:
        errors = curve.errors(row["threshold"])
        if suffix:
            row[f"measured{suffix}"] = shortened(errors / curve.total)
        if len(left):
            both = errors + int((left >= row["threshold"]).sum())
            row[f"with_left_out{suffix}"] = shortened(both / (curve.total + len(left)))
        if len(genuine):
            row[f"fnmr{suffix}"] = shortened(float((genuine < row["threshold"]).mean()))


def _genuine(trials: Trials) -> F32:
    """Scores of probes with their own person's template, both from different pictures; nothing for few people."""
    row_of = np.full(trials.people, -1)
    row_of[trials.template_person] = np.arange(len(trials.templates))
    names = (trials.template_names, trials.probe_names)
    rows = row_of[trials.probe_person]
    columns = np.array([r >= 0 and names[0][r] != names[1][c] for c, r in enumerate(rows if all(names) else ())], bool)
    columns = np.flatnonzero(columns)
    if len(np.unique(trials.probe_person[columns])) < _FEWEST_GENUINE:
        return np.zeros(0, np.float32)
    scores: F32 = (trials.templates[rows[columns]] * trials.probes[columns]).sum(1)
    return scores


def _at_least(everybody: list[dict[str, float]], worst: list[dict[str, float]]) -> list[dict[str, float]]:
    """The worst group's rows, none below everybody's threshold: a small group may seem easier than it is."""
    floor = {row["fmr"]: row["threshold"] for row in everybody}
    return [row | {"threshold": max(row["threshold"], floor[row["fmr"]])} for row in worst if row["fmr"] in floor]


def write_calibration(source: Path, section: dict[str, Any], to: Path | None = None) -> Path:
    """Put a calibration into a card, whole or not at all.

    The words of the card stay as they are; comments are lost, as YAML is written anew. The result is read back as a
    device would read it before it replaces the old file. A signature beside the card is no longer valid; the caller
    says so.

    Args:
        source: the card, of an embedder.
        section: as `Calibrated.section` gives it.
        to: another file for the result; it stands in the model's folder, since a card names its model's file.

    Returns:
        The file that was written.

    Raises:
        ModelError: the card is none, or the result would not be one.
        InputError: the calibration is of another file, or the card cannot be written.
    """
    card, target = load_card(source), to or source
    if card.sha256 != section["sha256"]:
        raise InputError("this calibration was made with another model", where=str(source), remedy="calibrate again")
    try:
        text = card_text({**card.raw, "calibration": section})
    except ValueError as error:
        raise InputError(str(error), where=str(source), remedy="take out what no card has") from None
    parse_card(text.encode(), folder=source.parent, where=target.name)
    try:
        write_atomic(target, text.encode("utf-8"))
    except OSError as error:
        raise refusal(InputError, error, target, "the card cannot be written") from None
    return target
