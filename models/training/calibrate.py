"""From a false match rate to a score threshold, for the shipped int8 embedder; written into its card.

    python -m models.training.calibrate

On the held-out pictures only (`split`): everyone's template (the mean of three looks with a detector's landmark error)
meets everyone else's probe (one look, with a camera's light, blur and noise on top), within All-Age-Faces and within
FairFace; then `edge.lab.calibrate`, as any integrator would use it: the harder set decides. Pairs of pictures that the
teacher, blind to sex and origin, takes for one person are left out, listed and drawn in .train/same-person-*.{csv,png},
and the rates with them stand beside the rates without: All-Age-Faces from its score 0.60 on, FairFace, where nobody is
named, from the score that one impostor comparison in 100,000 reaches, and the pairs of ``alike.csv``. Reported beside
it, in the same run: FMR within the 14 groups of origin and sex, for the embedder and for the teacher on the very same
looks, each at its own threshold for 1e-3; and how well a linear rule tells sex and origin from the templates of either
(`blind.readable`).
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.face.card import Card, load_card
from edge.lab.calibrate import Calibrated, CalibrationPlan, calibrate
from edge.lab.pairing import Trials
from models.training import card, impostors
from models.training.blind import ORIGINS, curved, groups_of, readable
from models.training.crops import source_of
from models.training.looks import HeldOut, Vectors, embed, open_held_out, ours_of, teacher_of
from models.training.paths import DATA, WORK
from models.training.progress import Progress

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
#: People that a group needs: 150 make 22,000 comparisons, 22 of them above the threshold for 1e-3. The smallest of the
#: 14 groups has 182 held-out pictures.
FEWEST = 150
#: FairFace pairs above the teacher's score for this rate may be one person.
ALIKE = 1e-5
NOTES = (
    "templates are the mean of three looks with the detector's landmark error, probes have another light, blur and "
    "noise as well"
)
CAVEAT = (
    "crops with simulated looks, no camera; All-Age-Faces is mostly East Asian with one picture a person, FairFace "
    "names nobody and holds people twice; pairs the teacher takes for one person are left out, with_left_out keeps "
    "them, and a few true look-alikes may be among them; no bound covers other cameras or other people than these, "
    "children least"
)
TOLD = (
    "balanced accuracy of a rule learnt from half of the held-out templates and judged on the others; 0.5 is guessing"
)


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of held-out pictures taken for one person, by source: int64 (n, 2) rows of the held-out crops."""

    pairs: dict[str, I64]
    scores: dict[str, float]


def find_alike(held: HeldOut) -> Alike:
    """Ask the teacher; list and draw what it says."""
    from models.training.crops import open_crops

    every, aaf = impostors.answers(DATA, WORK), open_crops(WORK).of("aaf")
    known, _ = impostors.same_person(every, aaf, impostors.SAME_PERSON)
    limits = {"aaf": impostors.SAME_PERSON, "ff": impostors.teacher_score(every, aaf, known, ALIKE)}
    told, found = impostors.listed(held.names, WORK / "data" / "alike.csv"), {}
    for source, limit in limits.items():
        pairs, scores = impostors.alike(every[held.index], held.of(source), limit, told)
        impostors.write(pairs, scores, held.names, WORK / f"same-person-{source}.csv")
        impostors.draw(pairs, scores, held.pixels, WORK / f"same-person-{source}.png")
        found[source] = pairs
    return Alike(found, limits)


def trials(vectors: Vectors, held: HeldOut, source: str, alike: Alike) -> Trials:
    """One source's templates and probes; a person a picture."""
    rows = held.of(source)
    place = np.full(len(held.names), -1)
    place[rows] = np.arange(len(rows))
    pairs = place[alike.pairs[source]]
    names = tuple(held.names[i] for i in rows)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    people = np.arange(len(rows), dtype=np.int64)
    return Trials(vectors.templates[rows], vectors.probes[rows], people, people, names, names, both)


def measure(vectors: Vectors, held: HeldOut, alike: Alike, plan: CalibrationPlan) -> Calibrated:
    """Calibrate one model on the held-out looks."""
    sets = {source: trials(vectors, held, source, alike) for source in ("aaf", "ff")}
    bars: dict[str, Progress] = {}

    def tell(what: str, done: int, total: int) -> None:
        bar = bars.setdefault(f"{what} {total}", Progress(total, what))
        bar.add(done - bar.done)

    return calibrate(sets, plan, labels={"ff": tuple(groups_of(list(sets["ff"].template_names)))}, tell=tell)


def told_by(templates: F32, names: list[str], seed: int) -> dict[str, float]:
    """Balanced accuracy with which a rule tells sex, and the origin that is told best, from templates."""
    groups = np.array(groups_of(names), dtype=object)
    known, ff = groups != "", np.array([source_of(name) == "ff" for name in names])
    women = np.array([str(group).endswith("women") for group in groups])
    found = {}
    for rule, rows in (("linear", templates), ("curved", curved(templates, seed))):
        found[f"{rule} sex"] = readable(rows[known], women[known], seed)
        told = [
            readable(rows[ff], np.array([str(group).rsplit(" ", 1)[0] == origin for group in groups[ff]]), seed)
            for origin in ORIGINS
        ]
        found[f"{rule} origin"] = max(told)
    return {name: round(value, 3) for name, value in found.items()}


def show(ours: Calibrated, teacher: Calibrated) -> None:
    """Both models' groups side by side, and the table."""
    for row in ours.thresholds:
        print("  ".join(f"{key} {value:.3g}" for key, value in row.items()))
    print(f"{'FMR within group at the threshold for 1e-3':44s} {'embedder':>10s} {'with alike':>10s} {'teacher':>10s}")
    for mine, its in zip(ours.groups, teacher.groups, strict=True):
        cells = [mine["fmr"], mine.get("with_left_out", ""), its["fmr"]]
        print(f"{mine['name']:36s} {mine['people']:7d} " + " ".join(f"{cell!s:>10s}" for cell in cells))
    for name, found in (("embedder", ours), ("teacher", teacher)):
        worst = {key: value for key, value in found.worst_group.items() if key != "thresholds"}
        print(f"{name}: {worst}")


def section(ours: Calibrated, teacher: Calibrated, alike: Alike, model: Card, command: str) -> dict[str, Any]:
    """The card's calibration, as far as thresholds and groups go. model: that was measured."""
    made = ours.section(
        sha256=model.sha256,
        arithmetic=model.arithmetic,
        date=card.today(),
        command=command,
        sets={
            "aaf": "All-Age-Faces crops, held out, one picture a person",
            "ff": "FairFace crops of adults, held out, nobody named",
        },
        notes=NOTES,
    )
    made["caveat"] = CAVEAT
    made["left_out_from"] = {f"teacher_score_{source}": round(value, 3) for source, value in alike.scores.items()}
    worst = {key: value for key, value in teacher.worst_group.items() if key != "thresholds"}
    made["teacher"] = {"what": "face-reidentification-retail-0095 on the same looks", "worst_group": worst}
    return made


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=400, help="bootstrap rounds (default 400)")
    parser.add_argument("--seed", type=int, default=1, help="of looks and bootstrap (default 1)")
    parser.add_argument("--model", default="embedder", help="name or path of the card (default the shipped one)")
    parser.add_argument("--dry-run", action="store_true", help="print the table, leave the card alone")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    held, net = open_held_out(), ours_of(options.model)
    plan = CalibrationPlan(options.rounds, options.seed, fewest=FEWEST)
    alike = find_alike(held)
    print({source: len(pairs) for source, pairs in alike.pairs.items()}, "pairs left out, from", alike.scores)
    mine, its = embed(held, net, plan.seed), embed(held, teacher_of(DATA), plan.seed)
    ours, teacher = measure(mine, held, alike, plan), measure(its, held, alike, plan)
    show(ours, teacher)
    rules = {name: told_by(found.templates, held.names, plan.seed) for name, found in (("own", mine), ("teacher", its))}
    print("sex and origin told from templates, balanced accuracy (0.5 is guessing):", rules)
    command = f"python -m models.training.calibrate --rounds {plan.rounds} --seed {plan.seed}"
    made = section(ours, teacher, alike, load_card(options.model), command)
    made["told_from_templates"] = {"what": TOLD, **rules["own"], "teacher": rules["teacher"]}
    (WORK / "calibration.json").write_text(json.dumps(made, indent=1))
    draw(ours)
    if not options.dry_run:
        from edge.lab.calibrate import write_calibration

        print(write_calibration(card.path_of(options.model), made))


def draw(found: Calibrated) -> None:
    """The curve and the chosen thresholds, into .train/calibration.png."""
    from edge.lab.plots import calibration

    (WORK / "calibration.png").write_bytes(calibration(found))


if __name__ == "__main__":
    main()
