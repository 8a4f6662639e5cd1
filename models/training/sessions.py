"""What a whole session is worth: one threshold for each of its looks, so that nothing of a target is wasted.

    python -m models.training.sessions                 # .train/sessions.json and a table
    python -m models.training.sessions --people 1500   # a quicker look

A session is one person before one template, looked at up to K times: accepted at the first look that passes, else
rejected. Looks of one session resemble each other, so dividing the target by K wastes most of it. Here sessions
themselves are impostor trials (everybody's template, everybody else's K looks in one light with fresh noise, blur and
landmark error), within All-Age-Faces and within FairFace, held out; pairs that may show one person do not count.

What look k is judged by is its statistic: the best score so far, or the score of the mean of the probes so far. It must
reach ``last + ease * (K - k) / (K - 1)``: early looks are asked for more, since they are not the last. So a session is
one number, the largest of (statistic - what is asked beyond ``last``), whose false match rate gets an upper bound over
people as in `calibrate`; ``last`` is the lowest value whose bound meets the target in both sets. Which statistic and
which ease is chosen on half of the people, by the FNMR of sessions before a template of *another photograph* of the
person (`split`'s pairs), and everything is told of the other half.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.lab.bounds import ratio_bounds, upper_bounds
from edge.lab.calibrate_tail import Tail
from models.training.calibrate import Alike, find_alike
from models.training.embedder_start import SURE
from models.training.looks import LANDMARK_SIGMA, TEMPLATE_VIEWS, HeldOut, Net, open_held_out, ours_of
from models.training.paths import WORK
from models.training.photometric import Photometric
from models.training.progress import track
from models.training.split import people_of, read_pairs

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
LOOKS = (1, 3, 5)
TARGETS = (1e-2, 1e-3, 1e-4)
#: How much more the first look is asked for than the last.
EASES = (0.0, 0.03, 0.06, 0.1)
#: Of a session's noise, grey levels; what differs between two of its looks beside blur and landmarks.
_NOISE = 5.0
#: Sessions whose bound is told need so many above the threshold; thresholds are told apart in thousandths.
_FEWEST, _STEP = 10, 1e-3


@dataclass(frozen=True, slots=True)
class Seen:
    """Unit float32: templates (n, D) of every held-out crop, and looks (n, K, D) of a session before each."""

    templates: F32
    looks: F32


@dataclass(frozen=True, slots=True)
class Rule:
    """How a session of several looks is judged.

    Attributes:
        name: ``best`` or ``mean``. ease: how much more the first look is asked for than the last.
    """

    name: str
    ease: float

    def statistics(self, templates: F32, looks: F32) -> F32:
        """What each look of each session is judged by: (n templates, m sessions, K)."""
        if self.name == "mean":
            looks = looks.cumsum(1)
            looks = looks / np.linalg.norm(looks, axis=-1, keepdims=True)
        scores = np.stack([templates @ looks[:, k].T for k in range(looks.shape[1])], -1)
        return np.maximum.accumulate(scores, -1) if self.name == "best" else scores

    def asked(self, count: int) -> F32:
        """How much more each look is asked for than the last, (count,)."""
        return np.asarray(self.ease * np.linspace(1, 0, count) if count > 1 else [0.0], np.float32)

    def sessions(self, templates: F32, looks: F32) -> F32:
        """One number for each session: whoever asks the last look for less accepts it. (n, m)."""
        return np.asarray((self.statistics(templates, looks) - self.asked(looks.shape[1])).max(-1), np.float32)


RULES = tuple(Rule(name, ease) for name in ("best", "mean") for ease in EASES)


def session_of(picture: U8, points: F32, count: int, random: np.random.Generator, light: Callable[[U8], U8]) -> list:
    """Looks of one session, (picture, landmarks as a detector errs): one light, then noise, blur and error of each."""
    lit, eyes, found = light(picture), float(np.linalg.norm(points[1] - points[0])), []
    for _ in range(count):
        seen = cv2.GaussianBlur(lit, (0, 0), float(random.uniform(0.4, 1.0))) if random.random() < 0.5 else lit
        noisy = seen + random.normal(0, _NOISE, seen.shape)
        moved = points + random.normal(0, LANDMARK_SIGMA * eyes, points.shape)
        found.append((np.clip(noisy, 0, 255).astype(np.uint8), moved.astype(np.float32)))
    return found


def see(held: HeldOut, net: Net, seed: int, count: int, work: Path = WORK) -> Seen:
    """Templates and sessions of every held-out crop, kept in ``work`` by model and seed."""
    cache = work / f"sessions-{net.digest[:12]}-{seed}-{len(held.names)}-{count}.npz"
    if not cache.exists():
        cv2.setNumThreads(1)
        random, light = np.random.default_rng(seed), Photometric(128, 128, seed + 1)
        templates, looks = [], []
        for picture, points in track(zip(held.pixels, held.landmarks, strict=True), len(held.names), "sessions seen"):
            calm = session_of(picture, points, TEMPLATE_VIEWS, random, lambda one: one)
            templates.append(net.mean([net.vector(*look) for look in calm]))
            looks.append([net.vector(*look) for look in session_of(picture, points, count, random, light)])
        np.savez(cache, templates=np.array(templates, np.float32), looks=np.array(looks, np.float32))
    with np.load(cache) as stored:
        return Seen(stored["templates"], stored["looks"])


def impostors(seen: Seen, rule: Rule, count: int, rows: I64, alike: I64, floor: float) -> Tail:
    """Sessions of ``count`` looks between two people of one set, those that reach ``floor`` listed.

    Args:
        rows: of the set. alike: pairs of rows that may be one person, (k, 2).
    """
    templates, looks = seen.templates[rows], seen.looks[rows, :count]
    place = np.full(len(seen.templates), -1)
    place[rows] = np.arange(len(rows))
    pairs = place[alike]
    pairs = pairs[(pairs >= 0).all(1)]
    apart = np.ones((len(rows), len(rows)), bool)
    apart[pairs[:, 0], pairs[:, 1]] = apart[pairs[:, 1], pairs[:, 0]] = False
    np.fill_diagonal(apart, False)
    found = []
    for start in range(0, len(rows), 256):
        scores = rule.sessions(templates[start : start + 256], looks)
        i, j = np.nonzero((scores >= floor) & apart[start : start + 256])
        found.append((i + start, j, scores[i, j]))
    template, probe, score = (np.concatenate(column) for column in zip(*found, strict=True))
    people = np.arange(len(rows), dtype=np.int64)
    ends = (template.astype(np.int32), probe.astype(np.int32))
    return Tail(np.zeros(0, np.int64), *ends, score, floor, people, people, len(rows), int(apart.sum()))


@dataclass(frozen=True, slots=True)
class Curve:
    """FMR of sessions by what is asked of the last look: ascending grid, measured, upper bound; sessions in all."""

    grid: NDArray[np.float64]
    measured: NDArray[np.float64]
    upper: NDArray[np.float64]
    total: int

    def meets(self, target: float) -> float:
        """The lowest threshold of the last look whose bound meets the target; nan where the set does not carry it."""
        fine = (self.upper <= target) & (self.measured * self.total >= _FEWEST)
        return float(self.grid[np.flatnonzero(fine)[0]]) if fine.any() else math.nan

    def at(self, threshold: float) -> float:
        """Measured FMR at a threshold."""
        return float(self.measured[max(0, int(np.searchsorted(self.grid, threshold + 1e-9, side="right")) - 1)])


def curve_of(tail: Tail, rounds: int, seed: int) -> Curve:
    """The bound over people of every threshold above the list's floor."""
    grid = np.arange(math.ceil(tail.floor / _STEP), round(1 / _STEP)) * _STEP
    return Curve(grid, *upper_bounds(tail, grid, rounds, seed), tail.total)


def genuine(seen: Seen, rule: Rule, count: int, pairs: I64) -> F32:
    """Sessions of people before the template of another photograph of theirs, (k,); a pair a row, both ways."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    one, other = seen.templates[both[:, 0]], seen.looks[both[:, 1], :count]
    # a session a template: the diagonal of what `sessions` compares, without the rest
    rows = [rule.sessions(one[k : k + 1], other[k : k + 1])[0, 0] for k in range(len(both))]
    return np.array(rows, np.float32)


def judge(seen: Seen, sets: dict[str, I64], alike: Alike, rules: tuple[Rule, ...], plan: argparse.Namespace) -> list:
    """A row for each rule, number of looks and target: thresholds, FMR by set, FNMR of real pairs with its interval."""
    found = []
    floor = 0.15
    rows_of_all = np.concatenate(list(sets.values()))
    known = np.isin(plan.pairs, rows_of_all).all(1)
    pairs, people = plan.pairs[known], plan.people_of_pairs[known]
    for count in LOOKS:
        for rule in rules if count > 1 else rules[:1]:
            curves = {
                name: curve_of(impostors(seen, rule, count, rows, alike.pairs[name], floor), plan.rounds, plan.seed)
                for name, rows in sets.items()
            }
            own = genuine(seen, rule, count, pairs)
            _, person = np.unique(np.concatenate([people, people]), return_inverse=True)
            each = np.bincount(person)
            for target in TARGETS:
                last = max(curve.meets(target) for curve in curves.values())
                missed = np.bincount(person, own < last) / each
                fnmr = ratio_bounds(missed, np.ones(len(each)), 200)
                found.append(
                    {
                        "rule": rule.name,
                        "ease": rule.ease,
                        "looks": count,
                        "target_fmr": target,
                        "thresholds": [round(last + float(more), 3) for more in rule.asked(count)],
                        **{f"fmr {name}": curve.at(last) for name, curve in curves.items()},
                        "used": max(curve.at(last) for curve in curves.values()) / target,
                        "fnmr": fnmr.rate,
                        "fnmr_interval": [fnmr.low, fnmr.high],
                        "sessions": sum(curve.total for curve in curves.values()),
                        "people": len(each),
                    }
                )
    return found


def divided(seen: Seen, sets: dict[str, I64], alike: Alike, plan: argparse.Namespace) -> list:
    """The rule of before, for comparison: every look at the threshold of one look for the target over their number."""
    rule, found = Rule("best", 0.0), []
    single = {
        n: curve_of(impostors(seen, rule, 1, r, alike.pairs[n], 0.15), plan.rounds, plan.seed) for n, r in sets.items()
    }
    known = np.isin(plan.pairs, np.concatenate(list(sets.values()))).all(1)
    _, person = np.unique(np.tile(plan.people_of_pairs[known], 2), return_inverse=True)
    for count in LOOKS:
        curves = {n: curve_of(impostors(seen, rule, count, r, alike.pairs[n], 0.15), 2, 0) for n, r in sets.items()}
        own = genuine(seen, rule, count, plan.pairs[known])
        for target in TARGETS:
            level = max(curve.meets(target / count) for curve in single.values())
            missed = np.bincount(person, own < level) / np.bincount(person)
            used = max(curve.at(level) for curve in curves.values()) / target
            found.append({"rule": "divided", "ease": 0.0, "looks": count, "target_fmr": target, "used": used})
            found[-1] |= {"thresholds": [round(level, 3)] * count, "fnmr": float(missed.mean())}
    return found


def halves(held: HeldOut, seed: int) -> tuple[I64, I64]:
    """Rows of half of the people and of the others; a person's pictures stay together."""
    people = people_of(held.names, read_pairs(WORK / "same-person.csv"))
    firsts = sorted(set(people.values()))
    chosen = set(np.random.default_rng(seed).permutation(firsts)[: len(firsts) // 2].tolist())
    side = np.array([people[name] in chosen for name in held.names])
    return np.flatnonzero(side), np.flatnonzero(~side)


def show(rows: list[dict[str, Any]]) -> None:
    """A line a row."""
    for row in rows:
        line = f"{row['target_fmr']:g}  {row['looks']} looks  {row['rule']:8s}{row['ease']:.2f}  {row['thresholds']}  "
        print(line + f"used {row['used']:.2f}  FNMR {100 * row['fnmr']:.2f} %")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.sessions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default="embedder", help="name or path of the card (default the shipped one)")
    parser.add_argument("--people", type=int, default=0, help="held-out crops, 0 for all (default)")
    parser.add_argument("--rounds", type=int, default=200, help="bootstrap rounds (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of sessions, halves and bootstrap (default 1)")
    plan = parser.parse_args(arguments)
    held = open_held_out()
    alike = find_alike(held)
    place = {name: n for n, name in enumerate(held.names)}
    sure = [(a, b) for a, b in read_pairs(WORK / "same-person.csv", SURE) if a in place and b in place]
    people = people_of(held.names, sure)
    plan.pairs = np.array([(place[a], place[b]) for a, b in sure])
    plan.people_of_pairs = np.array([people[a] for a, _ in sure])
    seen = see(held, ours_of(plan.model), plan.seed, max(LOOKS))
    first, second = halves(held, plan.seed)
    most = plan.people or len(held.names)
    sides = [{name: np.intersect1d(held.of(name), half)[:most] for name in ("aaf", "ff")} for half in (first, second)]
    tried = judge(seen, sides[0], alike, RULES, plan)
    show(tried)
    chosen = min(
        (row for row in tried if (row["looks"], row["target_fmr"]) == (3, 1e-4) and row["fnmr"] == row["fnmr"]),
        key=lambda row: row["fnmr"],
    )
    rule = Rule(chosen["rule"], chosen["ease"])
    print(f"chosen on one half: {rule}; the other half:")
    told = [*judge(seen, sides[1], alike, (rule,), plan), *divided(seen, sides[1], alike, plan)]
    show(told)
    (WORK / "sessions.json").write_text(json.dumps({"model": plan.model, "tried": tried, "told": told}, indent=1))


if __name__ == "__main__":
    main()
