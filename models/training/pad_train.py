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
from torch.nn import functional as F

from models.training.detector_train import Average, make_optimiser, schedule
from models.training.pad import FOLDER, figures, whole
from models.training.pad_data import HEIGHT, LIVE, VIEWS, WIDTH, load
from models.training.pad_net import Student, count, loss, varied
from models.training.paths import MODELS, WORK

BATCH, RATE = 64, 1.5e-3


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


def brief(net: nn.Module) -> dict[str, float]:
    """The worst species and group of held-out looks, for the log."""
    if not (WORK / "pad-held-out" / "000.npz").exists():
        return {}
    held = load(WORK / "pad-held-out", 1)
    found = figures(suspicions(net, held["pictures"]), held)
    mean = float(np.mean(list(found["apcer"].values())))
    worst = max(found["apcer"].values()), max(found["bpcer"]["group"].values())
    return {"apcer": round(mean, 3), "worst species": round(worst[0], 3), "worst group": round(worst[1], 3)}


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
