"""The passive net: trained from random weights beside its teachers, measured on held-out looks, turned into int8.

    python -m models.training.pad make --blocks 40                          # what it learns from
    python -m models.training.pad train --looks 300000                     # resumes from .train/pad/last.pt
    python -m models.training.pad measure                                  # held-out looks, by species, group, source
    python -m models.training.pad export --reason "first weights"          # models/passive.tflite and its card

The loss has four parts. Hard classes, since what a look is, is known. The teachers' features and answers, whatever
they think: all that real prints and displays have taught them. And what they know must be kept: where they are right,
the student's own live score is held to theirs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.detector_net import Bottleneck, ConvNorm
from models.training.detector_train import Average, make_optimiser, schedule
from models.training.pad_data import HEIGHT, LIVE, VIEWS, WIDTH, load, make_all, sheet
from models.training.paths import MODELS, WORK

BATCH, RATE = 64, 1.5e-3
FOLDER = WORK / "pad"
#: Looks at people alive of one group or source from which its share is told.
_FEWEST = 15
#: Weights of the loss: teachers' features, teachers' live score where they are right.
_FEATURES, _KEPT = 1.0, 0.5


class Passive(nn.Module):
    """(N, 3, 80, 192), (pixel - 128) / 128 -> logits (N, 3): live, print, display. ReLU6 only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(3, 16, 3, 2),
            ConvNorm(16, 24, 3, 2),
            Bottleneck(24, 40, 2, 3),
            *[Bottleneck(40, 40, 1, 3) for _ in range(2)],
            Bottleneck(40, 80, 2, 3),
            *[Bottleneck(80, 80, 1, 3) for _ in range(3)],
            ConvNorm(80, 192, 1),
        )
        # where in the picture something was seen matters: each cell has its own weight, as in the teachers
        self.places = nn.Sequential(nn.Conv2d(192, 192, (5, 12), groups=192, bias=False), nn.BatchNorm2d(192))
        self.features = nn.Conv2d(192, 128, 1)
        self.classes = nn.Conv2d(128, 3, 1)

    def seen(self, x: Tensor) -> Tensor:
        """Features (N, 128, 1, 1)."""
        return F.relu6(self.features(self.places(self.body(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.seen(x)).flatten(1)


class Student(nn.Module):
    """The net and, for training, how its features tell the teachers' features and answers."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.telling, self.answering = Passive(), nn.Linear(128, 256), nn.Linear(128, 6)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.net.seen(x)
        flat = seen.flatten(1)
        return self.net.classes(seen).flatten(1), self.telling(flat), self.answering(flat).view(-1, 2, 3)


def loss(student: tuple[Tensor, Tensor, Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parts and total. ``features`` (N, 256) have unit variance; ``teacher`` (N, 2, 3) are softmaxes."""
    logits, told, answers = (part.float() for part in student)
    label, teacher = batch["label"], batch["teacher"]
    live = teacher[:, :, 1].mean(1)
    alive = F.log_softmax(logits, -1)[:, LIVE]
    other = torch.log1p(-alive.exp().clamp(max=1 - 1e-6))
    kept = -(live * alive + (1 - live) * other) * ((live > 0.5) == (label == LIVE))
    parts = {
        "classes": F.cross_entropy(logits, label, label_smoothing=0.03),
        "features": F.smooth_l1_loss(told, batch["features"]),
        "answers": -(teacher * F.log_softmax(answers, -1)).sum(-1).mean(),
        "kept": kept.mean(),
    }
    total = parts["classes"] + _FEATURES * parts["features"] + parts["answers"] + _KEPT * parts["kept"]
    return parts | {"total": total}


def varied(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """uint8 (N, H, W, 3) -> (N, 3, H, W) as the net takes them: mirrored, another light and colour, noise, one view."""
    split = VIEWS.split
    x = pictures.permute(0, 3, 1, 2).float()
    n = len(x)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng)

    mirror = drawn(n) < 0.5
    x[mirror] = torch.cat([x[mirror][..., :split].flip(-1), x[mirror][..., split:].flip(-1)], -1)
    gain = torch.exp((drawn(n, 3, 1, 1) - 0.5) * 0.15 + (drawn(n, 1, 1, 1) - 0.5) * 0.4)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * (0.85 + 0.3 * drawn(n, 1, 1, 1)) + mean) * gain
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (0.5 + 0.7 * drawn(n, 1, 1, 1))
    x = x + torch.randn(x.shape, generator=rng) * (drawn(n, 1, 1, 1) ** 2 * 4)
    lost = drawn(n)
    x[lost < 0.03, :, :, :split] = 128
    x[lost > 0.97, :, :, split:] = 128
    return ((x.clamp(0, 255) - 128) / 128).contiguous(memory_format=torch.channels_last)


def train(looks: int, minutes: float) -> None:
    """Until so many looks were seen or so many minutes went by; blocks that come later are taken in as they come."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    student = Student().to(memory_format=torch.channels_last)
    average, optimiser = Average(student), make_optimiser(student, RATE)
    seen = _resume(student, average, optimiser)
    rng, started = torch.Generator().manual_seed(seen + 1), time.monotonic()
    while seen < looks and time.monotonic() - started < 60 * minutes:
        data = _tensors(load(WORK / "pad-train"))
        order, sums, steps = torch.randperm(len(data["label"]), generator=rng), dict[str, float](), 0
        student.train()
        for first in range(0, len(order) - BATCH + 1, BATCH):
            part = order[first : first + BATCH]
            for group in optimiser.param_groups:
                group["lr"] = schedule(seen, looks, RATE, BATCH)
            x = varied(data["pictures"][part], rng)
            with torch.autocast("cpu", torch.bfloat16):
                answers = student(x)
            parts = loss(answers, {name: values[part] for name, values in data.items() if name != "pictures"})
            optimiser.zero_grad(set_to_none=True)
            parts["total"].backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 5.0)
            optimiser.step()
            average.update(student)
            seen, steps = seen + BATCH, steps + 1
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value.item()
            if seen >= looks or time.monotonic() - started > 60 * minutes:
                break
        _save(student, average, optimiser, seen)
        row = {"seen": seen, "of": len(order)} | {name: round(value / steps, 4) for name, value in sums.items()}
        row |= brief(average.net.net)
        print(f"{time.monotonic() - started:.0f} s", json.dumps(row), flush=True)
        with (FOLDER / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")


def _tensors(data: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    features = data["features"].reshape(len(data["label"]), 256).astype(np.float32)
    features = (features - features.mean(0)) / (features.std(0) + 1e-3)
    return {
        "pictures": torch.from_numpy(data["pictures"]),
        "label": torch.from_numpy(data["label"].astype(np.int64)),
        "features": torch.from_numpy(features),
        "teacher": F.softmax(torch.from_numpy(data["logits"].astype(np.float32)), -1),
    }


def _resume(student: Student, average: Average, optimiser: torch.optim.Optimizer) -> int:
    path = FOLDER / "last.pt"
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    student.load_state_dict(state["student"])
    average.net.load_state_dict(state["average"])
    average.steps = state["steps"]
    optimiser.load_state_dict(state["optimiser"])
    return int(state["seen"])


def _save(student: Student, average: Average, optimiser: torch.optim.Optimizer, seen: int) -> None:
    state = {"student": student.state_dict(), "average": average.net.state_dict(), "steps": average.steps}
    torch.save(state | {"optimiser": optimiser.state_dict(), "seen": seen}, FOLDER / "last.tmp")
    (FOLDER / "last.tmp").replace(FOLDER / "last.pt")


@torch.inference_mode()
def suspicions(net: nn.Module, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """1 - live of uint8 (N, H, W, 3), float64 (N,)."""
    net.eval()
    found = []
    for first in range(0, len(pictures), 128):
        x = (torch.from_numpy(pictures[first : first + 128]).permute(0, 3, 1, 2).float() - 128) / 128
        found.append(1 - F.softmax(net(x.contiguous(memory_format=torch.channels_last)), -1)[:, LIVE].double().numpy())
    return np.concatenate(found)


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


def brief(net: nn.Module) -> dict[str, float]:
    """The worst species and group of held-out looks, for the log."""
    if not (WORK / "pad-held-out" / "000.npz").exists():
        return {}
    held = load(WORK / "pad-held-out", 1)
    found = figures(suspicions(net, held["pictures"]), held)
    mean = float(np.mean(list(found["apcer"].values())))
    worst = max(found["apcer"].values()), max(found["bpcer"]["group"].values())
    return {"apcer": round(mean, 3), "worst species": round(worst[0], 3), "worst group": round(worst[1], 3)}


def whole(suspicion: NDArray[np.float64], data: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The card's limits, out of held-out looks alone, and what they are worth there.

    A session is doubted from the suspicion that 5 % of the looks of people alive reach, and rejected from one that none
    of them reaches; there the mean of several judgements must stand.
    """
    alive = suspicion[data["label"] == LIVE]
    return {
        "doubt": round(float(np.quantile(alive, 0.95)), 3),
        "attack": round(min(1.01, float(alive.max()) + 0.005), 3),
    }


def export(checkpoint: Path, reason: str) -> None:
    """Averaged weights -> int8, and the card with limits of held-out looks."""
    from models.training import card, convert
    from models.training.words import PASSIVE

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    student = Student()
    student.load_state_dict(state["average"])
    net = student.net.eval()
    looks = load(WORK / "pad-train")["pictures"]
    chosen = np.random.default_rng(1).choice(len(looks), 400, replace=False)
    convert.to_int8(net, list(looks[chosen]), MODELS / "passive.tflite", HEIGHT, WIDTH)
    held = load(WORK / "pad-held-out")
    limits = whole(suspicions(net, held["pictures"]), held)
    old = card.read("passive")
    kept = {key: old[key] for key in ("sha256", "golden", "accuracy") if key in old}
    base = {
        "name": "passive",
        "kind": "passive",
        "file": "passive.tflite",
        "macs": count(net),
        "parameters": sum(p.numel() for p in net.parameters()),
        "input": {"channels": "BGR", "mean": 128.0, "std": 128.0},
        "passive": {"views": VIEWS.model_dump(mode="json"), **limits, "judgements": 2},
        **PASSIVE,
        "training": f"{state['seen']:,} looks at {len(looks):,} composed ones, models/training/pad.py; int8 by "
        "ai-edge-quantizer static_wi8_ai8",
    }
    print(card.refresh(base | kept, reason))


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


def count(net: nn.Module) -> int:
    """Multiply-accumulates of one look."""
    total = 0

    def hook(module: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 3, HEIGHT, WIDTH))
    for handle in handles:
        handle.remove()
    return total


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training.pad", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("train", help="from random weights, or on from .train/pad/last.pt")
    sub.add_argument("--looks", type=int, default=300_000)
    sub.add_argument("--minutes", type=float, default=1e9)
    sub = commands.add_parser("make", help="draw what it learns from, and what is held out")
    sub.add_argument("--blocks", type=int, default=40, help="for training, of 500 looks")
    sub.add_argument("--held-out", type=int, default=2, help="of people, backgrounds and figures never trained on")
    sub = commands.add_parser("measure", help="the shipped model on held-out looks")
    sub.add_argument("--json", type=Path, help="write the figures")
    commands.add_parser("sheet", help="models/attack-species.jpg, of people who do not exist")
    sub = commands.add_parser("export", help="int8 and its card")
    sub.add_argument("--reason", default="", help="why the golden digest changes")
    options = parser.parse_args(arguments)
    if options.command == "train":
        train(options.looks, options.minutes)
    elif options.command == "make":
        make_all(options.blocks, options.held_out)
    elif options.command == "export":
        export(FOLDER / "last.pt", options.reason)
    elif options.command == "sheet":
        sheet(MODELS / "attack-species.jpg")
    else:
        measure(options.json)


if __name__ == "__main__":
    main()
