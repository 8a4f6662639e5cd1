"""The quality score: fitted on looks whose clean view is known, measured by error versus discard.

    python -m models.training.quality              # looks, fit, figures; writes edge/face/quality.json
    python -m models.training.quality --dry-run    # figures only
    python -m models.training.quality lfw          # scores of lfw-dev for `edge lab evaluate --quality`; a report only

Workflow: looks of every quality at the held-out crops (`quality_looks`) -> half of the people fit a net of 12 inputs
and `HIDDEN` units, the other half measure it: FNMR at the card's threshold for 1e-4 when the worst 5, 10, 20 % of the
probes are rejected, beside LightQNet on the very same looks. Again when the embedder changes: about five minutes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training import card as cards
from models.training.looks import open_held_out
from models.training.paths import CHECKOUT, DATA, WORK
from models.training.progress import track
from models.training.quality_looks import LightQNet, Looks, make

F32 = NDArray[np.float32]
HIDDEN = 48
#: Weight decay, and noise on the inputs in their deviations: the next embedder, the next camera. Weaker ones (0.1, 0.1)
#: fit as well and give a slightly noisy picture more than a clean one for one person in four (NOTES.md).
DECAY, BLUR = 0.25, 0.25
DISCARDED = (0.0, 0.05, 0.1, 0.2)
TARGET = 1e-4
#: A look is refused by its score alone where fewer than so many of its like, ``BAND`` below it, would match.
MATCHING, BAND = 0.5, 0.05
WEIGHTS = CHECKOUT / "edge" / "face" / "quality.json"


def looks_of(seed: int = 1, step: int = 1) -> Looks:
    """The looks of the shipped models, from .train/ when they were made before."""
    from edge.face import Chain, load_card
    from edge.settings.model import FaceSettings

    digests = "-".join(load_card(name).sha256[:8] for name in ("detector", "embedder"))
    cache = WORK / f"quality-all-{digests}-{seed}-{step}.npz"
    if not cache.exists():
        # without today's limit of the score, or each fit would be stricter than the one before: it was 0.53, then 0.73
        chain = Chain.load(FaceSettings(threads=1, min_quality=0.0))
        made = make(open_held_out(), chain, LightQNet(DATA), seed, step=step)
        np.savez(cache, **{field.name: getattr(made, field.name) for field in fields(made)})
    stored = np.load(cache)
    return Looks(**{field.name: stored[field.name] for field in fields(Looks)})


def fit(rows: F32, score: F32, seed: int = 1, epochs: int = 150) -> dict[str, Any]:
    """A net of one hidden layer, by fractional logistic regression on the comparison score clipped to 0..1.

    Args:
        rows: float32 (n, F), as `edge.face.quality_score.features`.
        score: float32 (n,), comparison scores with the clean template.

    Returns:
        first (F, HIDDEN), first_bias, last (HIDDEN,), last_bias, with the inputs' mean and deviation folded in.
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, deviation = rows.mean(0), rows.std(0) + 1e-3
    x = torch.from_numpy((rows - mean) / deviation)
    y = torch.from_numpy(np.clip(score, 0, 1))
    net = torch.nn.Sequential(torch.nn.Linear(rows.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.AdamW(net.parameters(), 5e-3, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, epochs * (1 + len(x) // 256))
    for _ in track(range(epochs), epochs, "rounds of the fit"):
        for part in torch.randperm(len(x)).split(256):
            seen = x[part] + BLUR * torch.randn(len(part), x.shape[1])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(seen)[:, 0], y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    first, last = net[0], net[2]
    weight = first.weight.detach().numpy().T / deviation[:, None]
    return {
        "first": weight,
        "first_bias": first.bias.detach().numpy() - mean @ weight,
        "last": last.weight.detach().numpy()[0],
        "last_bias": float(last.bias.item()),
    }


def predict(weights: dict[str, Any], rows: F32) -> F32:
    """What `edge.face.quality_score.predict` gives for each row."""
    hidden = np.maximum(rows @ weights["first"] + weights["first_bias"], 0)
    return 1 / (1 + np.exp(-(hidden @ weights["last"] + weights["last_bias"])))


def discard_curve(quality: F32, score: F32, threshold: float) -> list[float]:
    """FNMR when the looks of the lowest quality are rejected, at each share of `DISCARDED`."""
    order = np.argsort(quality, kind="stable")
    return [float(np.mean(score[order[int(share * len(order)) :]] < threshold)) for share in DISCARDED]


def report(looks: Looks, quality: F32, of: NDArray[np.bool_], threshold: float) -> dict[str, Any]:
    """Error versus discard of three scores on the people that were not fitted on, before and behind the other rules."""
    rows: dict[str, Any] = {}
    for title, chosen in (("all looks", of), ("looks that the other rules accept", of & looks.acceptable)):
        best = looks.score[chosen]
        scores = {
            "this score": quality[chosen],
            "LightQNet": looks.lightqnet[chosen],
            "perfect knowledge": best,
        }
        rows[title] = {"looks": int(chosen.sum())} | {
            name: [round(v, 5) for v in discard_curve(values, best, threshold)] for name, values in scores.items()
        }
        rows[title]["correlation"] = {
            name: round(float(np.corrcoef(np.argsort(np.argsort(values)), np.argsort(np.argsort(best)))[0, 1]), 3)
            for name, values in scores.items()
            if name != "perfect knowledge"
        }
    return rows


def write(weights: dict[str, Any], limit: float, made_for: str) -> None:
    """The file that a device reads: `edge.face.quality_score.Weights`, five digits a weight, a line a unit of input.

    The embedder's card names it by its SHA-256.
    """
    fit = {name: np.asarray(value, np.float64).round(5).tolist() for name, value in weights.items()}
    rows = ",\n  ".join(json.dumps(row) for row in fit.pop("first"))
    rest = [f'"{name}": {json.dumps(value)}' for name, value in {"usual_limit": limit, **fit}.items()]
    WEIGHTS.write_text(",\n ".join([f'{{\n "made_for": "{made_for}"', f'"first": [\n  {rows}\n ]', *rest]) + "\n}\n")
    cards.write(cards.read("embedder") | {"quality": hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()})


def ordinary(looks: Looks, quality: F32, threshold: float) -> dict[str, float]:
    """The shipped limit, and what it does to looks that all other rules accept.

    The highest limit, in hundredths, that refuses nothing but looks which fail more often than not. A share of ordinary
    looks, which it was before, says nothing about whether a look is worth comparing.
    """
    matches, quality = (looks.score >= threshold)[looks.acceptable], quality[looks.acceptable]
    limit = 0.0
    for hundredths in range(100):
        high = hundredths / 100
        like = matches[(quality >= high - BAND) & (quality < high)]
        if len(like) and like.mean() < MATCHING:
            limit = high
    return {
        "limit": limit,
        "matching looks refused": float(np.mean(quality[matches] < limit)),
        "not matching looks refused": float(np.mean(quality[~matches] < limit)),
    }


def lightqnet_on_lfw(out: Path) -> None:
    """LightQNet's score of every lfw-dev picture, aligned with our own detector's landmarks; for a report only."""
    from edge.face import Chain
    from edge.settings.model import FaceSettings
    from edge.types import Frame
    from models.training.data import read_tar

    chain, peer = Chain.load(FaceSettings(threads=1)), LightQNet(DATA)
    with out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "lightqnet"])
        for name, picture in track(read_tar(DATA / "lfw-dev" / "images.tar"), 5373, "lfw-dev"):
            look = chain.look(Frame(picture, 0, 0, "lfw"), pick="central", gate=False)
            if look.face is not None:
                table.writerow([name, f"{peer(picture, look.face.landmarks):.5f}"])
    print(out)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=["fit", "lfw"], default="fit")
    parser.add_argument("--seed", type=int, default=1, help="of looks and fit (default 1)")
    parser.add_argument("--step", type=int, default=1, help="look at every N-th crop only (default 1)")
    parser.add_argument("--dry-run", action="store_true", help="write no weights")
    options = parser.parse_args(arguments)
    if options.what == "lfw":
        lightqnet_on_lfw(WORK / "lfw-lightqnet.csv")
        return
    from edge.face import load_card, threshold

    looks, card = looks_of(options.seed, options.step), load_card("embedder")
    at = threshold(card, TARGET)
    half = looks.crop // options.step % 2 == 0
    weights = fit(looks.features[half], looks.score[half], options.seed)
    quality = predict(weights, looks.features)
    figures = report(looks, quality, ~half, at)
    figures["limit"] = ordinary(looks, quality, at)
    figures["without a face"] = int(looks.missed)
    print(json.dumps(figures, indent=1))
    (WORK / "quality.json").write_text(json.dumps(figures, indent=1))
    if not options.dry_run:
        write(weights, figures["limit"]["limit"], card.sha256)
        print(WEIGHTS)


if __name__ == "__main__":
    main()
