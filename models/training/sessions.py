"""What a whole session is worth: one threshold for each of its looks, so that nothing of a target is wasted.

    python -m models.training.sessions                 # .train/sessions.json and a table
    python -m models.training.sessions --crops 1500    # a quicker look
    python -m models.training.sessions --write         # besides, the card's curves of sessions, over all the people

A session is one person before one template, looked at up to K times: accepted at the first look that passes, else
rejected. Looks of one session resemble each other, so dividing the target by K wastes most of it. Here sessions
themselves are impostor trials (everybody's template, everybody else's K looks in one light with fresh noise, blur and
landmark error), within All-Age-Faces and within FairFace, held out; pairs that may show one person do not count.

What look k is judged by is its statistic: the best score so far, or the score of the mean of the probes so far. It must
reach ``last + ease * (K - k) / (K - 1)``: early looks are asked for more, since they are not the last. So a session is
one number, the largest of (statistic - what is asked beyond ``last``), whose false match rate gets an upper bound over
people as in `calibrate`; ``last`` is the lowest value whose bound meets the target in both sets. Which statistic and
which ease is chosen on half of the people, by the FNMR of sessions before a template of *another photograph* of the
person (`impostors.SURE`), and everything is told of the other half, beside the rule of before. The card gets the curves
of the best score, with nothing chosen, over everybody: its rule needs no memory of earlier probes in a device.
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

from edge.face import load_card
from edge.lab.calibrate import write_calibration
from edge.lab.intervals import Interval, fmr_upper, share_interval
from edge.lab.pairing import Scored, Tail, Trials
from models.training import card
from models.training.calibrate import Alike, find_alike
from models.training.impostors import SURE
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
#: What the card lists: looks of a session, and the rates asked for.
CARD_LOOKS, CARD_TARGETS = (3, 5), (1e-2, 3.333e-3, 1e-3, 3.333e-4, 1e-4, 3.333e-5)
#: How much more the first look is asked for than the last.
EASES = (0.0, 0.03, 0.06, 0.1)
#: Of a session's noise, grey levels; what differs between two of its looks beside blur and landmarks.
_NOISE = 5.0
#: Sessions below it are not listed: no target asks for so little.
FLOOR = 0.15
#: A bound is told where so many sessions lie above the threshold; thresholds are told apart in thousandths.
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


#: The best score so far is there at the last look, too: asking early looks for more changes no session of that rule.
RULES = (Rule("best", 0.0), *(Rule("mean", ease) for ease in EASES))


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
    trials = Trials(templates, looks[:, 0], people, people)
    return Tail(trials, np.zeros(0, np.int64), Scored(*ends, score), floor, int(apart.sum()))


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

    def at(self, threshold: float) -> tuple[float, float]:
        """Measured FMR at a threshold, and its upper bound."""
        place = max(0, int(np.searchsorted(self.grid, threshold + 1e-9, side="right")) - 1)
        return float(self.measured[place]), float(self.upper[place])


def curve_of(tail: Tail, rounds: int, seed: int) -> Curve:
    """The bound over people of every threshold above the list's floor."""
    grid = np.arange(math.ceil(tail.floor / _STEP), round(1 / _STEP)) * _STEP
    return Curve(grid, *fmr_upper(tail, grid, rounds, seed), tail.total)


def hardest(curves: dict[str, Curve], target: float) -> float:
    """The threshold that meets a target in every set; nan where one does not carry it."""
    return float(np.max([curve.meets(target) for curve in curves.values()]))


def genuine(seen: Seen, rule: Rule, count: int, pairs: I64) -> F32:
    """Sessions of people before the template of another photograph of theirs, (k,); a pair a row, both ways."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    one, other = seen.templates[both[:, 0]], seen.looks[both[:, 1], :count]
    # a session a template: the diagonal of what `sessions` compares, without the rest
    rows = [rule.sessions(one[k : k + 1], other[k : k + 1])[0, 0] for k in range(len(both))]
    return np.array(rows, np.float32)


@dataclass(frozen=True, slots=True)
class Side:
    """Half of the people.

    Attributes:
        sets: rows of each set. alike: `Alike.pairs`.
        pairs: rows of two photographs of one person, (k, 2); person: whose, (k,).
    """

    sets: dict[str, I64]
    alike: dict[str, I64]
    pairs: I64
    person: I64

    def curves(self, seen: Seen, rule: Rule, count: int, rounds: int, seed: int) -> dict[str, Curve]:
        """A curve for each set."""
        return {
            name: curve_of(impostors(seen, rule, count, rows, self.alike[name], FLOOR), rounds, seed)
            for name, rows in self.sets.items()
        }

    def missed(self, seen: Seen, rule: Rule, count: int, thresholds: list[float]) -> list[Interval]:
        """FNMR of sessions before another photograph's template at thresholds of the last look, by people."""
        own, person = genuine(seen, rule, count, self.pairs), np.tile(self.person, 2)
        each = np.bincount(person)
        every = (each > 0).astype(np.float64)
        shares = [np.bincount(person, own < last) / np.maximum(each, 1) for last in thresholds]
        nothing = np.zeros_like(every)  # no threshold, no rate
        trials = [nothing if math.isnan(last) else every for last in thresholds]
        return [share_interval(share, who, 200) for share, who in zip(shares, trials, strict=True)]


def judge(seen: Seen, side: Side, rules: tuple[Rule, ...], rounds: int, seed: int) -> list[dict[str, Any]]:
    """A row for each rule, number of looks and target: thresholds, FMR by set, FNMR of real pairs with its interval.

    The first rule stands besides as ``divided``: each look at one look's threshold for the target over their number.
    """
    found, single = [], side.curves(seen, rules[0], 1, rounds, seed)
    for count in LOOKS:
        for rule in rules if count > 1 else rules[:1]:
            curves = side.curves(seen, rule, count, rounds, seed)
            lasts = {rule.name: [hardest(curves, target) for target in TARGETS]}
            if rule is rules[0]:
                lasts["divided"] = [hardest(single, target / count) for target in TARGETS]
            for name, thresholds in lasts.items():
                told = side.missed(seen, rule, count, thresholds)
                for target, last, fnmr in zip(TARGETS, thresholds, told, strict=True):
                    rates = {f"fmr {part}": curve.at(last)[0] for part, curve in curves.items()}
                    row: dict[str, Any] = {"rule": name, "ease": rule.ease, "looks": count, "target_fmr": target}
                    row["thresholds"] = [round(last + float(more), 3) for more in rule.asked(count)]
                    row |= rates | {"used": max(rates.values()) / target, "fnmr": fnmr.rate}
                    found.append(row | {"fnmr_interval": [fnmr.low, fnmr.high]})
    return found


def listed(seen: Seen, side: Side, rounds: int, seed: int) -> list[dict[str, Any]]:
    """The card's ``sessions``: for each number of looks, the threshold for each rate that the people carry.

    A row's ``measured`` and ``upper`` are rates of the set that decides; ``fnmr`` that of sessions before another
    photograph of the person.
    """
    found = []
    for count in CARD_LOOKS:
        curves, rows = side.curves(seen, RULES[0], count, rounds, seed), []
        lasts = [hardest(curves, target) for target in CARD_TARGETS]
        missed = side.missed(seen, RULES[0], count, lasts)
        for target, last, fnmr in zip(CARD_TARGETS, lasts, missed, strict=True):
            if math.isnan(last):
                continue
            row: dict[str, Any] = {"fmr": target, "threshold": round(last, 3)}
            rates = zip(*(curve.at(last) for curve in curves.values()), strict=True)
            row |= {name: float(f"{max(each):.3g}") for name, each in zip(("measured", "upper"), rates, strict=True)}
            rows.append(row | {"fnmr": round(fnmr.rate, 4), "fnmr_interval": [round(fnmr.low, 4), round(fnmr.high, 4)]})
        found.append({"looks": count, "sessions": sum(curve.total for curve in curves.values()), "thresholds": rows})
    return found


def sides_of(held: HeldOut, alike: Alike, seed: int, share: float = 0.5) -> tuple[Side, Side]:
    """A share of the people and the others; a person's pictures stay together."""
    place = {name: n for n, name in enumerate(held.names)}
    sure = [(a, b) for a, b in read_pairs(WORK / "same-person.csv", SURE) if a in place and b in place]
    people = people_of(held.names, read_pairs(WORK / "same-person.csv"))
    _, person = np.unique([people[name] for name in held.names], return_inverse=True)
    first = (np.random.default_rng(seed).random(person.max() + 1) < share)[person]
    pairs = np.array([(place[a], place[b]) for a, b in sure], np.int64).reshape(-1, 2)

    def side(rows: I64) -> Side:
        own = pairs[np.isin(pairs, rows).all(1)]
        sets = {name: np.intersect1d(held.of(name), rows) for name in ("aaf", "ff")}
        return Side(sets, alike.pairs, own, np.unique(person[own[:, 0]], return_inverse=True)[1])

    return side(np.flatnonzero(first)), side(np.flatnonzero(~first))


def some(held: HeldOut, most: int) -> HeldOut:
    """The first so many crops of each set."""
    rows = np.sort(np.concatenate([held.of(name)[:most] for name in ("aaf", "ff")]))
    return HeldOut(held.pixels[rows], held.landmarks[rows], [held.names[i] for i in rows], held.index[rows])


def show(rows: list[dict[str, Any]]) -> None:
    """A line a row."""
    for row in rows:
        asked = " ".join(f"{one:.3f}" for one in row["thresholds"])
        rule = f"{row['target_fmr']:g}  {row['looks']} looks  {row['rule']:8s} {row['ease']:.2f}  {asked:30s}"
        print(f"{rule}  used {row['used']:.2f}  FNMR {100 * row['fnmr']:.2f} %", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.sessions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default="embedder", help="name or path of the card (default the shipped one)")
    parser.add_argument("--crops", type=int, default=10_000, help="held-out crops of each set, at most (default all)")
    parser.add_argument("--rounds", type=int, default=200, help="bootstrap rounds (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of sessions, halves and bootstrap (default 1)")
    parser.add_argument("--write", action="store_true", help="only the card's curves, written into its calibration")
    options = parser.parse_args(arguments)
    held = some(open_held_out(), options.crops)
    net, alike = ours_of(options.model), find_alike(held)
    seen = see(held, net, options.seed, max(LOOKS))
    if options.write:
        everybody, _ = sides_of(held, alike, options.seed, share=1.0)
        path = card.path_of(options.model)
        calibration = load_card(path).raw["calibration"]
        made = listed(seen, everybody, options.rounds, options.seed)
        print(json.dumps(made, indent=1))
        print(write_calibration(path, calibration | {"sessions": made}))
        return
    first, second = sides_of(held, alike, options.seed)
    tried = judge(seen, first, RULES, options.rounds, options.seed)
    show(tried)
    rule = choice(tried)
    print(f"chosen on one half of the people: {rule}; the other half:")
    told = judge(seen, second, (RULES[0], rule), options.rounds, options.seed)
    show(told)
    (WORK / "sessions.json").write_text(json.dumps({"model": options.model, "tried": tried, "told": told}, indent=1))


def choice(rows: list[dict[str, Any]]) -> Rule:
    """The rule with the lowest FNMR of three looks at the smallest target that its rows carry."""
    known = [row for row in rows if row["looks"] == 3 and row["rule"] != "divided" and not math.isnan(row["fnmr"])]
    smallest = min(row["target_fmr"] for row in known)
    best = min((row for row in known if row["target_fmr"] == smallest), key=lambda row: row["fnmr"])
    return Rule(best["rule"], best["ease"])


if __name__ == "__main__":
    main()
