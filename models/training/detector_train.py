"""The detector's training loop: composed scenes in, checkpoints, a log and curves out; CPU or CUDA, resumable."""

from __future__ import annotations

import copy
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from models.training.compose import HEIGHT, WIDTH, Composer
from models.training.detector_loss import loss
from models.training.detector_net import Detector, count
from models.training.photometric import Photometric
from models.training.validate import cases, maps_of, measure


class Scenes(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless batches (images uint8 (N, H, W, 3), faces (N, F, 14)); each worker has its own seed."""

    def __init__(self, work: Path, batch: int, seed: int) -> None:
        self.work, self.batch, self.seed = work, batch, seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        seed = self.seed * 1000 + (worker.id if worker else 0)
        composer, light = Composer(self.work, "train", seed), Photometric(HEIGHT, WIDTH, seed + 500)
        while True:
            scenes = [composer.scene() for _ in range(self.batch)]
            images = np.stack([light(image) for image, _ in scenes])
            yield torch.from_numpy(images), torch.from_numpy(np.stack([faces for _, faces in scenes]))


def _polite(_: int) -> None:
    os.nice(2)
    torch.set_num_threads(1)


class Average:
    """Exponential moving average of weights and batch-norm statistics; young averages forget faster."""

    def __init__(self, net: Detector, decay: float = 0.9985) -> None:
        self.net, self.decay, self.steps = copy.deepcopy(net).eval(), decay, 0

    def update(self, net: Detector) -> None:
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
                mine.lerp_(theirs, 1 - keep) if mine.is_floating_point() else mine.copy_(theirs)


def train(work: Path, images: int, batch: int, rate: float, workers: int, device_name: str, every_s: float) -> None:
    """Train until `images` scenes were seen; start from ``work/detector/last.pt`` when it is there.

    Args:
        work: the ``.train`` folder with the cache under ``data``.
        images: length of the cosine schedule in scenes.
        batch: scenes a step.
        rate: peak learning rate (AdamW).
        workers: composing processes.
        device_name: ``cpu`` or ``cuda``.
        every_s: seconds between validations (and checkpoints).
    """
    import cv2

    cv2.setNumThreads(1)
    folder, device = work / "detector", torch.device(device_name)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    net = Detector().to(device, memory_format=torch.channels_last)
    macs, size = count(copy.deepcopy(net).cpu())
    print(f"detector: {macs / 1e6:.1f} M MACs, {size / 1e3:.0f} k parameters", flush=True)
    average, optimiser = Average(net), make_optimiser(net, rate)
    seen = resume(folder, net, average, optimiser, device)
    truth = cases(work / "data")
    started, seen_at_start, checked, steps = time.monotonic(), seen, time.monotonic(), 0
    sums: dict[str, torch.Tensor] = {}
    last: dict[str, float] = {}
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: asked_to_stop.append(number))
    for pictures, faces in batches(work, batch, seen, workers, device):
        for group in optimiser.param_groups:
            group["lr"] = schedule(seen, images, rate, batch)
        parts = step(net, optimiser, pictures.to(device, non_blocking=True), faces.to(device, non_blocking=True))
        average.update(net)
        seen, steps = seen + batch, steps + 1
        for name, value in parts.items():
            sums[name] = sums.get(name, torch.zeros((), device=device)) + value.detach()
        if steps % 50 == 0:
            last, sums = {k: float(v) / 50 for k, v in sums.items()}, {}
            report(seen, images, seen - seen_at_start, time.monotonic() - started, last)
        if asked_to_stop:
            save(folder, net, average, optimiser, seen)
            print(f"stopped after {seen} scenes; the same command goes on from here", flush=True)
            return
        if time.monotonic() - checked > every_s or seen >= images:
            save(folder, net, average, optimiser, seen)
            figures = measure(maps_of(average.net, truth, device), truth)
            note(folder, {"seen": seen, **last, **figures})
            checked = time.monotonic()
        if seen >= images:
            return


def batches(work: Path, batch: int, seen: int, workers: int, device: torch.device) -> DataLoader[Any]:
    """Composed scenes without end; a resumed run sees others than the first."""
    return DataLoader(
        Scenes(work / "data", batch, seed=1 + seen),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_polite,
        pin_memory=device.type == "cuda",
        multiprocessing_context="spawn" if workers else None,  # a forked OpenCV thread pool deadlocks
    )


def make_optimiser(net: Detector, rate: float) -> torch.optim.Optimizer:
    """AdamW; biases and norms are not decayed."""
    decay = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, rate)


def step(
    net: Detector, optimiser: torch.optim.Optimizer, pictures: torch.Tensor, faces: torch.Tensor
) -> dict[str, torch.Tensor]:
    """One step on uint8 BGR (N, H, W, 3) and their faces; gives the parts of the loss."""
    x = (pictures.permute(0, 3, 1, 2).float() - 128) / 128
    with torch.autocast(pictures.device.type, torch.bfloat16):
        outputs = net(x.contiguous(memory_format=torch.channels_last))
    parts = loss(outputs, faces)
    optimiser.zero_grad(set_to_none=True)
    parts["total"].backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return parts


def schedule(seen: int, images: int, rate: float, batch: int) -> float:
    """Linear warm-up over 300 steps, then a cosine to 1 % of the peak."""
    warm = min(1.0, (seen / batch + 1) / 300)
    return rate * warm * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, seen / images)))))


def resume(
    folder: Path, net: Detector, average: Average, optimiser: torch.optim.Optimizer, device: torch.device
) -> int:
    """Load the last checkpoint, if any; returns how many scenes it had seen."""
    if not (folder / "last.pt").exists():
        return 0
    state = torch.load(folder / "last.pt", map_location=device, weights_only=True)
    net.load_state_dict(state["net"])
    average.net.load_state_dict(state["average"])
    average.steps = state["steps"]
    optimiser.load_state_dict(state["optimiser"])
    print(f"resumed after {state['seen']} scenes", flush=True)
    return int(state["seen"])


def save(folder: Path, net: Detector, average: Average, optimiser: torch.optim.Optimizer, seen: int) -> None:
    """Write the checkpoint whole or not at all."""
    state = {"net": net.state_dict(), "average": average.net.state_dict(), "steps": average.steps}
    torch.save(state | {"optimiser": optimiser.state_dict(), "seen": seen}, folder / "last.tmp")
    (folder / "last.tmp").replace(folder / "last.pt")


def report(seen: int, images: int, since: int, seconds: float, parts: dict[str, float]) -> None:
    speed = since / max(seconds, 1e-9)
    left = int((images - seen) / max(speed, 1e-9))
    text = "  ".join(f"{name} {value:.4f}" for name, value in parts.items())
    print(
        f"{100 * seen / images:5.1f} %  {seen}/{images}  {speed:.0f}/s  "
        f"ETA {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}  {text}",
        flush=True,
    )


def note(folder: Path, row: dict[str, float]) -> None:
    """Append to the log and redraw the curves."""
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(
        "  validation: " + "  ".join(f"{k} {v:.2f}" for k, v in row.items() if " " in k or k.startswith("alarm")),
        flush=True,
    )
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    draw(folder / "curves.png", rows)


def draw(path: Path, rows: list[dict[str, float]]) -> None:
    """Curves: losses, recall by size, landmark error by size, false alarms."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(20, 4.5))
    panels = [
        ("losses", ("total", "score", "box", "landmarks")),
        ("recall", None),
        ("error", None),
        ("alarms", ("alarmed",)),
    ]
    for axis, (title, names) in zip(axes, panels, strict=True):
        for name in names or [key for key in rows[-1] if key.startswith(title)]:
            axis.plot([row["seen"] for row in rows], [row.get(name, np.nan) for row in rows], label=name)
        axis.set_title(
            title + {"recall": " %", "error": ", % of eye distance", "alarms": ", % of empty pictures"}.get(title, "")
        )
        axis.set_yscale("log" if title in ("losses", "error") else "linear")
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
