"""The embedder's training loop: inputs and a teacher in, checkpoints, a log, curves out; CPU or CUDA, resumable."""

from __future__ import annotations

import copy
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset

from models.training import muon
from models.training.embedder_inputs import Inputs
from models.training.embedder_log import note
from models.training.embedder_loss import LATE_MAPS, MAPS, Loss, both_ways, shrunk
from models.training.embedder_net import Embedder
from models.training.embedder_start import kin, projection, sets_of, take_over
from models.training.embedder_validate import Bench
from models.training.teacher import OnlineTeacher

F32 = NDArray[np.float32]
#: Faces that the teacher answers at a time, and answered views that wait: a face's views meet different company.
FACES, WAITING = 64, 6144
#: The moving average forgets over so many inputs, or over this share of all that were seen, whichever is more.
FORGET, RECENT = 64_000, 0.1
#: (up to so many inputs, side of the student's picture): small while little is known, then as it will be used. One core
#: gives 140, 80 and 35 inputs a second at these sizes (NOTES.md, "One thread for one core").
SIZES = ((2_500_000, 64), (3_500_000, 88), (0, 112))


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Args:
        inputs: to be seen in all.
        batch: inputs a step.
        rate: peak learning rate of AdamW.
        muon_rate: Muon's; 0 leaves everything to AdamW.
        settle: rates are those of the peak over ``(1 + seen / settle) ** 0.5``, so that a run may end at any time and
            go on at any later one; 0 leaves them level.
        fall: share of the run in which the rates fall to 0.
        workers: composing processes.
        device: ``cpu`` or ``cuda``.
        save_s: seconds between checkpoints. every_s: between validations, which take most of a minute.
        views: looks that the student takes at one answer of the teacher, at different times.
        sizes: see `SIZES`.
        mild: share of hardly disturbed views at the beginning and at the end.
        start: a checkpoint whose weights the run begins with; None begins with nothing.
        onward: the run of ``start`` goes on, as far as weights remember it: its inputs count, maps are compared still.
    """

    inputs: int
    batch: int = 64
    rate: float = 4e-3
    muon_rate: float = 0.03
    settle: float = 60_000
    fall: float = 0.1
    workers: int = 1
    device: str = "cpu"
    save_s: float = 240.0
    every_s: float = 3600.0
    views: int = 4
    sizes: tuple[tuple[float, int], ...] = SIZES
    mild: tuple[float, float] = (0.0, 0.0)
    start: Path | None = None
    onward: bool = False

    def mildness(self, seen: int) -> float:
        """Share of hardly disturbed views after so many inputs: a straight line."""
        return float(np.interp(seen, (0, self.inputs), self.mild))

    def size(self, seen: int) -> int:
        """Side of the student's picture after so many inputs."""
        return next((side for until, side in self.sizes if seen < until), self.sizes[-1][1])

    def pace(self, seen: int, steps: int) -> float:
        """Share of the peak rate: linear warm-up over 100 steps, then ever lower, at the end in a straight line to 0.

        A run can be made longer afterwards: resume from ``level.pt``, from before that end, with more inputs.
        """
        warm = min(1.0, (steps + 1) / 100)
        settled = (1 + seen / self.settle) ** -0.5 if self.settle else 1.0
        return warm * settled * min(1.0, max(0.0, (self.inputs - seen) / (self.inputs * self.fall)))


class Batches(IterableDataset[tuple[torch.Tensor, ...]]):
    """Endless (clean uint8 BGR, views uint8 RGB, theta, who) of `FACES` faces; a seed for each worker and resumption.

    The second half are the mirror images of the first, in the same order.
    """

    def __init__(self, work: Path, plan: Plan, seen: int) -> None:
        self.work, self.plan, self.seen = work, plan, seen

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        import cv2

        cv2.setNumThreads(1)
        info = torch.utils.data.get_worker_info()
        number, workers = (info.id, info.num_workers) if info else (0, 1)
        inputs, seen = Inputs(self.work, (1 + self.seen) * 100 + number), self.seen + number * FACES * self.plan.views
        while True:
            size, mild = self.plan.size(seen), self.plan.mildness(seen)
            rows = [inputs.twins(size, self.plan.views, mild) for _ in range(FACES // 2)]
            both = [one for one, _ in rows] + [other for _, other in rows]
            yield tuple(torch.from_numpy(np.stack(column)) for column in zip(*both, strict=True))
            seen += FACES * self.plan.views * workers


def _polite(_: int) -> None:
    torch.set_num_threads(1)


class Run:
    """A training run with everything it has to remember.

    Args:
        folder: checkpoints, log and curves.
        data: teachers and pictures.
        work: the crops' cache.
        plan: see there.
        shape: keyword arguments of `Embedder`.
    """

    def __init__(self, folder: Path, data: Path, work: Path, plan: Plan, shape: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.plan, self.work = folder, plan, work
        torch.manual_seed(0)
        self.device = torch.device(plan.device)
        self.teacher = OnlineTeacher(data, plan.device, torch.get_num_threads())
        basis, bank = projection(data, work)
        self.net = Embedder(**shape).to(self.device, memory_format=torch.channels_last)
        late = plan.start and not plan.onward
        self.loss = Loss(basis, self.net.widths[1:], LATE_MAPS if late else MAPS, bank).to(self.device)
        self.kin, self.sets = kin(work, self.loss), sets_of(work)
        self.before = self.seen = 0
        if plan.start:
            known, sets = take_over(self.net, self.loss, plan.start, self.device)
            self.sets = sorted({*self.sets, *sets})
            self.before, self.seen = (0, known) if plan.onward else (known, 0)
        self.average, self.steps = copy.deepcopy(self.net).eval(), 0
        self.side, self.young = plan.size(self.seen), 0
        matrices, others = muon.split(self.net)
        if not plan.muon_rate:
            matrices, others = [], list(self.net.parameters())
        self.others = torch.optim.AdamW([*others, *self.loss.bridges.parameters()], plan.rate, weight_decay=0.01)
        self.matrices = muon.Muon(matrices, plan.muon_rate, decay=0.05) if matrices else None
        self.resume()

    @cached_property
    def bench(self) -> Bench:
        """The held-out crops; made when they are first asked for."""
        return Bench(self.work, self.teacher, self.loss)

    def resume(self) -> None:
        """Go on from ``last.pt`` when it is there."""
        if not (self.folder / "last.pt").exists():
            return
        state = torch.load(self.folder / "last.pt", map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["weights"])
        self.loss.load_state_dict(state["loss"])
        self.others.load_state_dict(state["others"])
        if self.matrices and state["matrices"]:
            self.matrices.load_state_dict(state["matrices"])
        self.steps, self.seen = state["steps"], state["seen"]
        self.side, self.young = self.plan.size(self.seen), state.get("young", 0)
        print(f"resumed after {self.seen} inputs", flush=True)

    def save(self) -> None:
        """Write the checkpoint whole or not at all; ``weights`` are the averaged ones, which get exported."""
        state = {
            "shape": self.net.shape,
            "weights": self.average.state_dict(),
            "net": self.net.state_dict(),
            "loss": self.loss.state_dict(),
            "others": self.others.state_dict(),
            "matrices": self.matrices.state_dict() if self.matrices else None,
            "steps": self.steps,
            "young": self.young,
            "seen": self.seen,
            "before": self.before,
            "sets": self.sets,
        }
        torch.save(state, self.folder / "last.tmp")
        (self.folder / "last.tmp").replace(self.folder / "last.pt")
        if self.seen <= self.plan.inputs * (1 - self.plan.fall):
            shutil.copyfile(self.folder / "last.pt", self.folder / "level.pt")

    def answered(self, loader: Any) -> Iterator[tuple[torch.Tensor, ...]]:
        """Batches (view, theta, target, early, middle, last) drawn at random from the views that wait."""
        rng, pool = np.random.default_rng(self.seen), []
        for clean, views, theta, who in loader:
            if pool and views.shape[2] != pool[0][0].shape[0]:
                pool.clear()  # the pictures have just grown
            embeddings, maps = self.teacher(clean.numpy())
            target = self.loss.targets(both_ways(torch.from_numpy(embeddings).to(self.device))).cpu()
            target = F.normalize(target + self.kin[who])
            side = views.shape[2]  # of a view; a stage halves it, the first two times
            kept = [shrunk(torch.from_numpy(m), -(-side // 2 ** (n + 2))).half() for n, m in enumerate(maps)]
            for n in range(len(clean)):
                face = (target[n], *(m[n].clone() for m in kept))
                pool += [(views[n, v], theta[n, v], *face) for v in range(views.shape[1])]
            while len(pool) >= WAITING:
                drawn = []
                for _ in range(self.plan.batch):
                    place = int(rng.integers(len(pool)))
                    pool[place], pool[-1] = pool[-1], pool[place]
                    drawn.append(pool.pop())
                yield tuple(torch.stack(column) for column in zip(*drawn, strict=True))

    def pace(self) -> float:
        """Share of the peak rates at the next step."""
        return self.plan.pace(self.seen, self.steps)

    def done(self) -> bool:
        """Whether the run has come to its end."""
        return self.seen >= self.plan.inputs

    def batches(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """What `step` takes, without end: views that worker processes compose, and the teacher's answers."""
        loader = DataLoader(
            Batches(self.work, self.plan, self.seen),
            batch_size=None,
            num_workers=self.plan.workers,
            prefetch_factor=3 if self.plan.workers else None,
            worker_init_fn=_polite,
            multiprocessing_context="spawn" if self.plan.workers else None,  # a forked OpenCV thread pool deadlocks
        )
        return self.answered(loader)

    def step(
        self, view: torch.Tensor, theta: torch.Tensor, target: torch.Tensor, *maps: torch.Tensor
    ) -> dict[str, Any]:
        """One step of both optimisers; gives the parts of the loss."""
        pace = self.pace()
        for optimiser, rate in ((self.others, self.plan.rate), (self.matrices, self.plan.muon_rate)):
            for group in optimiser.param_groups if optimiser else ():
                group["lr"] = rate * pace
        x = (view.to(self.device).permute(0, 3, 1, 2).float() - 128) / 128
        half = muon.quick(self.device)
        with torch.autocast(self.device.type, half, enabled=half != torch.float32):
            z, mine = self.net.with_maps(x.contiguous(memory_format=torch.channels_last))
        theirs = [m.to(self.device).float() if w else m for m, w in zip(maps, self.loss.weights, strict=True)]
        parts = self.loss(z, mine, target.to(self.device), theirs, theta.to(self.device))
        optimisers = [o for o in (self.others, self.matrices) if o]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        parts["total"].backward()
        for optimiser in optimisers:
            optimiser.step()
        self.steps, self.seen = self.steps + 1, self.seen + len(view)
        self.follow()
        return parts

    def follow(self) -> None:
        """The exponential moving average of weights and statistics; a young average forgets faster.

        It begins anew when the pictures grow: statistics of small pictures do not fit larger ones.
        """
        side = self.plan.size(self.seen)
        if side != self.side:
            self.side, self.young = side, self.steps
        age = self.steps - self.young
        keep = min(1 - self.plan.batch / max(FORGET, RECENT * self.seen), (1 + age) / (10 + age))
        with torch.no_grad():
            for mine, theirs in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                mine.lerp_(theirs, 1 - keep) if mine.is_floating_point() else mine.copy_(theirs)

    def go(self) -> None:
        """Train to the end of the plan, or until SIGTERM or SIGINT."""
        asked: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _: asked.append(got))
        started = saved = checked = time.monotonic()
        first, sums, last = self.seen, {}, {}
        for batch in self.batches():
            for name, value in self.step(*batch).items():
                sums[name] = sums.get(name, 0.0) + value.detach()
            if self.steps % 50 == 0:
                last, sums = {k: float(v) / 50 for k, v in sums.items()}, {}
                self.report((self.seen - first) / (time.monotonic() - started), last)
            done = self.done()
            if asked or done or time.monotonic() - saved > self.plan.save_s:
                self.save()
                saved = time.monotonic()
            if not asked and (done or time.monotonic() - checked > self.plan.every_s):
                held = self.bench.measure(self.average, self.plan.size(self.seen))
                note(self.folder, {"seen": self.seen, **last, **held})
                checked = time.monotonic()
            if asked:
                print(f"stopped after {self.seen} inputs; the same command goes on from here", flush=True)
            if asked or done:
                return

    def report(self, speed: float, parts: dict[str, float]) -> None:
        left = int((self.plan.inputs - self.seen) / max(speed, 1e-9))
        text = "  ".join(f"{name} {value:.4f}" for name, value in parts.items())
        print(
            f"{100 * self.seen / self.plan.inputs:5.1f} %  {self.seen}/{self.plan.inputs}  "
            f"{self.plan.size(self.seen)} px  "
            f"{speed:.0f}/s  ETA {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}  {text}",
            flush=True,
        )
