"""The passive net: trained from random weights beside its teachers, measured on held-out looks, turned into int8.

    python -m models.training.pad make --frames 3700                       # what it learns from
    python -m models.training.pad train --looks 260000                     # resumes from .train/pad/last.pt
    python -m models.training.pad measure                                  # held-out looks, by species, group, source
    python -m models.training.pad export --reason "first weights"          # models/passive.tflite and its card

One network with two ways to doubt. One is the teacher's, learnt stage by stage on pictures of every kind (`pad_net`):
all that real prints and displays have taught it. The other is its own, from what simulated attacks have in common and
people alive have not. A look is as suspicious as both together say.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.pad_data import LIVE, load, make_all, sheet
from models.training.paths import MODELS, WORK

FOLDER = WORK / "pad"
#: A look is doubted from where it is as likely an attack as life, on the teacher's scale: a doubt costs the person a
#: challenge, and a miss costs the door. Simulated people alive cannot set it, since the teacher doubts 41 % of them.
DOUBT = 0.5
#: Share of simulated looks at people alive that the net's own logit may doubt.
OWN = 0.02
#: Looks at people alive of one group or source from which its share is told.
_FEWEST = 15


def suspicions(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of all classes but the first, which is live, in the softmax; (N, classes) -> (N,), 0..1."""
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(1 - e[:, 0] / e.sum(1))


def figures(
    suspicion: NDArray[np.float64], data: dict[str, NDArray[Any]], bpcer: float = 0.05, limit: float | None = None
) -> dict[str, Any]:
    """APCER by species at a pooled BPCER, or at a limit; BPCER by group (of 15 looks or more) and source there."""
    alive = data["label"] == LIVE
    threshold = float(np.quantile(suspicion[alive], 1 - bpcer)) if limit is None else limit
    apcer = {
        s: float((suspicion[data["species"] == s] <= threshold).mean()) for s in sorted(set(data["species"][~alive]))
    }
    by: dict[str, dict[str, float]] = {}
    for key in ("group", "source"):
        names = [n for n in sorted(set(data[key][alive])) if (alive & (data[key] == n)).sum() >= _FEWEST]
        by[key] = {n: float((suspicion[alive & (data[key] == n)] > threshold).mean()) for n in names}
    told = {str(key): value for key, value in apcer.items()}
    return {"threshold": threshold, "apcer": told, "bpcer": by, "pooled": float((suspicion[alive] > threshold).mean())}


def odds(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of attack over life, (N, classes) -> (N,); the first class is live."""
    top = logits[:, 1:].max(1)
    return np.asarray(top + np.log(np.exp(logits[:, 1:] - top[:, None]).sum(1)) - logits[:, 0])


def on_scale(mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float]:
    """(a, b), so that a * mine + b are nearest to the teacher's odds: a student's answers lie nearer to the middle."""
    slope, offset = np.polyfit(odds(mine), odds(theirs), 1)
    return float(slope), float(offset)


def shift(logits: NDArray[np.float64], data: dict[str, NDArray[Any]]) -> float:
    """What to add to the own logit, so that `OWN` of the held-out looks at people alive are doubted by it alone."""
    own = (logits[:, 3] - logits[:, 0])[data["label"] == LIVE]
    return float(np.log(DOUBT / (1 - DOUBT)) - np.quantile(own, 1 - OWN))


def whole(suspicion: NDArray[np.float64], data: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The card's limits.

    A session is doubted from `DOUBT` on, and rejected from a suspicion that no held-out look at people alive reaches;
    there the mean of several judgements must stand.
    """
    alive = suspicion[data["label"] == LIVE]
    return {"doubt": DOUBT, "attack": round(min(1.01, float(alive.max()) + 0.005), 3)}


def measure(path: Path | None) -> None:
    """The shipped int8 model on held-out looks, at its card's limit and at 5 % of the people alive."""
    from edge.face import load_card
    from edge.face.passive import Passive as Shipped
    from tests.benchmarks import report

    shipped, held = Shipped(load_card("passive")), load(WORK / "pad-held-out")
    values = np.array([shipped.judged(picture) for picture in held["pictures"]])
    at = {"card": shipped.limits.doubt, "BPCER 5 %": None}
    found = {name: figures(values, held, limit=limit) for name, limit in at.items()}
    print(json.dumps(found, indent=2))
    if path is not None:
        report.write(
            path,
            schema="edge/benchmark-pad-simulated/v1",
            command="python -m models.training.pad measure --json tests/benchmarks/results/pad_simulated.json",
            models={"passive": shipped.card.sha256},
            figures={"bpcer": found["card"]["pooled"], "worst_apcer": max(found["card"]["apcer"].values())},
            looks=len(values),
            **{key: found["card"][key] for key in ("threshold", "apcer", "bpcer")},
            at_bpcer_5=found["BPCER 5 %"],
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training.pad", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("train", help="from random weights, or on from .train/pad/last.pt")
    sub.add_argument("--looks", type=int, default=260_000)
    sub.add_argument("--minutes", type=float, default=1e9)
    sub.add_argument("--on", action="store_true", help="begin with the shipped weights, where there is no last.pt")
    sub.add_argument("--rate", type=float, default=2e-3, help="of the steps, at its highest")
    sub = commands.add_parser("make", help="draw what it learns from, and what is held out")
    sub.add_argument("--frames", type=int, default=3700, help="for training, twelve pictures each")
    sub.add_argument("--held-out", type=int, default=600, help="of people, backgrounds and figures never trained on")
    sub = commands.add_parser("measure", help="the shipped model on held-out looks")
    sub.add_argument("--json", type=Path, help="write the figures")
    commands.add_parser("sheet", help="models/attack-species.jpg, of people who do not exist")
    sub = commands.add_parser("export", help="int8 and its card")
    sub.add_argument("--reason", default="", help="why the golden digest changes")
    options = parser.parse_args(arguments)
    if options.command == "train":
        from models.training.pad_train import train

        train(options.looks, options.minutes, options.on, options.rate)
    elif options.command == "make":
        make_all(options.frames, options.held_out)
    elif options.command == "export":
        from models.training.pad_train import export

        export(FOLDER / "last.pt", options.reason)
    elif options.command == "sheet":
        sheet(MODELS / "attack-species.jpg")
    else:
        measure(options.json)


if __name__ == "__main__":
    main()
