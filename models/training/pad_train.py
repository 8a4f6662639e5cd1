"""The passive net's training, and its way to int8; `pad` has the commands."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.detector_train import Average, make_optimiser, schedule
from models.training.pad import FOLDER, figures, on_scale, shift, suspicions, whole
from models.training.pad_data import SCALE, SIDE, load
from models.training.pad_net import Copying, Passive, Teacher, count, varied
from models.training.pad_start import of_shipped
from models.training.paths import DATA, MODELS, WORK

BATCH, RATE = 64, 2e-3
#: Of the inputs: so many first, each stage by itself, since a stage learns little from features that are wrong.
ALONE = 0.12
#: What a stage's features weigh in a training that goes on: the way there is learnt, what counts is where it leads.
ON_STAGE = 0.03
#: Weights of the loss: a stage's features, the last features, logits, classes.
WEIGHTS = {"stage": 0.5, "features": 1.0, "logits": 1.0, "classes": 1.0, "own": 0.5}


def total(parts: dict[str, Tensor], *, on: bool = False) -> Tensor:
    """The loss of its parts. ``on``: of a training that goes on."""
    weights = WEIGHTS | ({"stage": ON_STAGE} if on else {})
    return torch.stack([weights[name.rstrip("012345")] * value for name, value in parts.items()]).sum()


def train(looks: int, minutes: float, on: bool = False, rate: float = RATE) -> None:
    """Until so many looks were seen or so many minutes went by; blocks that come later are taken in as they come.

    Args:
        looks: at which the rate has come to 0. on: begin with the shipped weights, unless there is a checkpoint; its
            stages know each other, so none is trained by itself. rate: of the steps, at its highest.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    first = load(WORK / "pad-train", 4)["pictures"]
    some = varied(torch.from_numpy(first[:: len(first) // 512]), torch.Generator().manual_seed(0))[0]
    net = of_shipped(MODELS / "passive.tflite", (some - 128) / 128) if on else Passive()
    net = net.to(memory_format=torch.channels_last)
    average, optimiser = Average(net), make_optimiser(net, rate)
    seen = _resume(net, average, optimiser)
    rng, started = torch.Generator().manual_seed(seen + 1), time.monotonic()
    teacher = Teacher(DATA / "teachers")
    copying = Copying(*teacher(some))
    while seen < looks and time.monotonic() - started < 60 * minutes:
        data = load(WORK / "pad-train")
        pictures, labels = torch.from_numpy(data["pictures"]), torch.from_numpy(data["label"])
        order, sums, steps = torch.randperm(len(pictures), generator=rng)[:8192], dict[str, float](), 0
        net.train()
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            for group in optimiser.param_groups:
                group["lr"] = schedule(seen, looks, rate, BATCH)
            part = order[begin : begin + BATCH]
            (x, joined), label = varied(pictures[part], rng), labels[part]
            label[joined] = -1
            parts = copying(net, (x - 128) / 128, label, *teacher(x), not on and seen < ALONE * looks)
            optimiser.zero_grad(set_to_none=True)
            total(parts, on=on).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            average.update(net)
            seen, steps = seen + BATCH, steps + 1
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value.item()
            if seen >= looks or time.monotonic() - started > 60 * minutes:
                break
        _save(net, average, optimiser, seen)
        row: dict[str, Any] = {"seen": seen, "of": len(pictures)}
        row |= {name: round(value / steps, 4) for name, value in sums.items()} | brief(average.net, teacher)
        print(f"{time.monotonic() - started:.0f} s", json.dumps(row), flush=True)
        with (FOLDER / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")


def _resume(net: Passive, average: Average, optimiser: torch.optim.Optimizer) -> int:
    path = FOLDER / "last.pt"
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(state["net"], strict=False)
    average.net.load_state_dict(state["average"], strict=False)
    average.steps = state["steps"]
    try:
        optimiser.load_state_dict(state["optimiser"])
    except ValueError:
        print("another network's optimiser; begun anew")
    return int(state["seen"])


def _save(net: Passive, average: Average, optimiser: torch.optim.Optimizer, seen: int) -> None:
    state = {"net": net.state_dict(), "average": average.net.state_dict(), "steps": average.steps}
    torch.save(state | {"optimiser": optimiser.state_dict(), "seen": seen}, FOLDER / "last.tmp")
    (FOLDER / "last.tmp").replace(FOLDER / "last.pt")


@torch.inference_mode()
def answers(net: nn.Module, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logits (N, 4) of uint8 (N, H, W, 3)."""
    net.eval()
    found = []
    for first in range(0, len(pictures), 128):
        x = (torch.from_numpy(pictures[first : first + 128]).permute(0, 3, 1, 2).float() - 128) / 128
        found.append(net(x.contiguous(memory_format=torch.channels_last)).double().numpy())
    return np.concatenate(found)


@torch.inference_mode()
def teachers(teacher: Teacher, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The teacher's logits (N, 3) of the same."""
    found = []
    for first in range(0, len(pictures), 128):
        found.append(teacher(torch.from_numpy(pictures[first : first + 128]).permute(0, 3, 1, 2).float())[2].double())
    return np.concatenate(found)


def brief(net: nn.Module, teacher: Teacher) -> dict[str, float]:
    """On held-out looks: how alike student and teacher are, and the mean APCER of the species, at a BPCER of 5 %."""
    if not (WORK / "pad-held-out" / "000.npz").exists():
        return {}
    held = load(WORK / "pad-held-out")
    logits = answers(net, held["pictures"])
    mine, theirs = suspicions(logits[:, :3]), suspicions(teachers(teacher, held["pictures"]))

    def apcer(values: NDArray[np.float64]) -> float:
        return round(float(np.mean(list(figures(values, held)["apcer"].values()))), 3)

    return {
        "correlation": round(float(np.corrcoef(mine, theirs)[0, 1]), 3),
        "agreement": round(float(((mine > 0.5) == (theirs > 0.5)).mean()), 3),
        "apcer": apcer(suspicions(logits)),
        "by its own": apcer(suspicions(logits[:, [0, 3]])),
    }


def export(checkpoint: Path, reason: str) -> None:
    """Averaged weights -> int8, and the card with limits of held-out looks."""
    from models.training import card, convert
    from models.training.words import PASSIVE

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = Passive().eval()
    net.load_state_dict(state["average"])
    looks = load(WORK / "pad-train")["pictures"]
    chosen = np.random.default_rng(1).choice(len(looks), 600, replace=False)
    held = load(WORK / "pad-held-out")
    logits = answers(net, held["pictures"])
    slope, offset = on_scale(logits[:, :3], teachers(Teacher(DATA / "teachers"), held["pictures"]))
    own = net.own[-1]
    assert isinstance(own, nn.Conv2d)
    assert own.bias is not None
    assert net.classes.bias is not None
    net.classes.weight.data *= slope
    net.classes.bias.data = net.classes.bias.data * slope + torch.tensor([0.0, offset, offset])
    own.bias.data += (moved := shift(logits, held))
    convert.to_int8(net, list(looks[chosen]), MODELS / "passive.tflite", SIDE, SIDE, extremes=True)
    limits = whole(suspicions(answers(net, held["pictures"])), held)
    old = card.read("passive")
    kept = {key: old[key] for key in ("sha256", "golden", "accuracy") if key in old}
    base = {
        "name": "passive",
        "kind": "passive",
        "file": "passive.tflite",
        "macs": count(net),
        "parameters": sum(p.numel() for p in net.parameters()),
        "input": {"channels": "BGR", "mean": 128.0, "std": 128.0},
        "passive": {"scale": SCALE, **limits, "judgements": 2},
        **PASSIVE,
        "training": f"{state['seen']:,} looks at {len(looks):,} pictures of composed frames, models/training/pad.py; "
        "int8 by ai-edge-quantizer static_wi8_ai8",
    }
    print(
        f"the teacher's scale: {slope:.2f} * odds {offset:+.2f}; own logit moved by {moved:+.2f};",
        card.refresh(base | kept, reason),
    )
