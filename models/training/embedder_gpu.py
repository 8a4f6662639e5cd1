"""The embedder's training in the ten minutes that a GPU is lent for, without a network.

    python -m models.training.embedder_gpu pack --start .train/open/last.pt     # here: .train/gpu/part-0, part-1, ...
    python -m models.training.embedder_gpu train --parts DIR --out OUT          # there; OUT/last.pt comes back

Workflow: `pack` puts the tars as they are, the labels that were made of them (landmarks, meshes, pairs of one person,
the teacher's answers), the teacher and the weights to go on from into one tar and cuts it into parts small enough to be
sent one at a time. `train` joins them, decodes the pictures on all cores, and trains with the losses, the optimisers
and the validation of `embedder_train`; pictures are changed on the device (`gpu_faces`). Its rates fall to 0 when its
minutes are over. Checkpoints are weights without the optimisers' moments (4 MB), which a warm-up brings back: `--start`
of `embedder train`, and of `pack`, takes them.
"""

from __future__ import annotations

import argparse
import shutil
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from models.training.data import read_tar
from models.training.embedder import AGAIN
from models.training.embedder_loss import both_ways
from models.training.embedder_start import to_go_on
from models.training.embedder_train import Plan, Run
from models.training.gpu_faces import Faces
from models.training.paths import DATA, WORK
from models.training.teacher import FILE

#: Bytes of a part: with the working tree beside it less than the 64 MiB that may be sent at once.
PART = 48 << 20
#: Components that a mesh is packed as: they leave less than a tenth of a pixel.
COMPONENTS = 60
#: Faces a step, each with its mirror image, and the student's views of either.
FACES, VIEWS = 512, 2


def pack(start: Path, out: Path, data: Path = DATA, work: Path = WORK, part: int = PART) -> list[Path]:
    """Write all that `train` needs, in parts.

    Args:
        start: weights to go on from. out: folder of the parts; emptied. data: folder with ``train/`` and ``teachers/``.
        work: the caches that were made of it. part: bytes of one.

    Returns:
        the parts, in their order.
    """
    shutil.rmtree(out, ignore_errors=True)
    inner = out / "inner"
    inner.mkdir(parents=True)
    for file in [*(data / "train").glob("*.tar"), *(data / "train").glob("*.csv")]:
        shutil.copyfile(file, inner / file.name)
    for file in ("data/crops.npz", "data/crops.labels.npy", "same-person.csv"):
        shutil.copyfile(work / file, inner / Path(file).name)
    for suffix in (".xml", ".bin"):
        shutil.copyfile((data / FILE).with_suffix(suffix), inner / Path(FILE).with_suffix(suffix).name)
    answers = np.load(work / "teacher-0095.npy")
    meshes = np.load(work / "data" / "crops.mesh.npy", mmap_mode="r")
    np.savez_compressed(inner / "made.npz", answers=answers.astype(np.float16), **components(meshes))
    to_go_on(torch.load(start, map_location="cpu", weights_only=True), inner / "start.pt")
    whole = out / "whole.tar"
    with tarfile.open(whole, "w") as tar:
        for file in sorted(inner.iterdir()):
            tar.add(file, file.name)
    parts = []
    with whole.open("rb") as source:
        for number, chunk in enumerate(iter(lambda: source.read(part), b"")):
            parts.append(out / f"part-{number}")
            parts[-1].write_bytes(chunk)
    whole.unlink()
    shutil.rmtree(inner)
    return parts


def components(meshes: np.ndarray) -> dict[str, np.ndarray]:
    """Meshes (n, 468, 3) as principal components: ``basis``, ``middle`` and ``places``, NaN where there is no mesh."""
    flat = meshes.reshape(len(meshes), -1).astype(np.float32)
    there = np.isfinite(flat).all(1)
    middle = flat[there].mean(0)
    apart = flat[there] - middle
    _, basis = np.linalg.eigh(apart.T @ apart)
    basis = np.ascontiguousarray(basis[:, ::-1][:, :COMPONENTS])
    places = np.full((len(flat), basis.shape[1]), np.nan, np.float16)
    places[there] = apart @ basis
    return {"basis": basis, "middle": middle, "places": places}


def unpack(parts: Path, work: Path, processes: int) -> Path:
    """Join the parts and make the caches that a run reads.

    Returns:
        the folder that stands in for the data folder; ``start.pt`` lies in ``work``.
    """
    shutil.rmtree(work, ignore_errors=True)
    data = work / "unpacked"
    (work / "data").mkdir(parents=True)
    (data / "teachers").mkdir(parents=True)
    whole = work / "whole.tar"
    with whole.open("wb") as joined:
        for part in sorted(parts.glob("part-*"), key=lambda path: int(path.name.split("-")[1])):
            joined.write(part.read_bytes())
    with tarfile.open(whole) as tar:
        tar.extractall(data, filter="data")
    for file in ("crops.npz", "crops.labels.npy", *(path.name for path in data.glob("*.csv"))):
        (data / file).replace(work / ("" if file == "same-person.csv" else "data") / file)
    (data / "start.pt").replace(work / "start.pt")
    for suffix in (".xml", ".bin"):
        (data / Path(FILE).with_suffix(suffix).name).replace((data / FILE).with_suffix(suffix))
    with np.load(data / "made.npz") as made:
        np.save(work / "teacher-0095.npy", made["answers"].astype(np.float32))
        flat = made["places"].astype(np.float32) @ made["basis"].T + made["middle"]
        np.save(work / "data" / "crops.mesh.npy", flat.reshape(len(flat), -1, 3).astype(np.float16))
    names = [str(name) for name in np.load(work / "data" / "crops.npz")["names"]]
    tars = sorted(data.glob("*.tar"))
    with ProcessPoolExecutor(processes) as pool:
        decoded = [one for part in pool.map(decode, tars) for one in part]
    assert [name for name, _ in decoded] == names, "the tars are not those that the labels were made of"
    with (work / "data" / "crops.u8").open("wb") as file:
        file.writelines(pixels for _, pixels in decoded)
    return data


def decode(tar: Path) -> list[tuple[str, bytes]]:
    """(name, BGR pixels) of a tar's pictures."""
    return [(name, np.ascontiguousarray(picture).tobytes()) for name, picture in read_tar(tar)]


class Lent(Run):
    """A run whose end is a time, and whose pictures are made where it trains.

    Args:
        out: where checkpoints, log and curves go. data, work: of `unpack`. plan: see `Plan`.
        until: `time.monotonic` at its end. faces: of a step. shape: keyword arguments of `Embedder`.
    """

    def __init__(self, out: Path, data: Path, work: Path, plan: Plan, until: float, faces: int, shape: dict) -> None:
        super().__init__(out, data, work, plan, shape)
        self.began, self.until, self.count = time.monotonic(), until, faces
        self.faces = Faces(work, self.device, 1 + self.before)
        self.kin = self.kin.to(self.device)
        threading.Thread(target=lambda: self.bench, daemon=True).start()  # half a minute of a CPU core

    def pace(self) -> float:
        left = (self.until - time.monotonic()) / (self.until - self.began)
        return min(1.0, (self.steps + 1) / 100) * max(0.0, left)

    def done(self) -> bool:
        return time.monotonic() >= self.until

    def resume(self) -> None:
        """Nothing: a machine that is lent begins with what was sent to it."""

    def save(self) -> None:
        state = {"shape": self.net.shape, "weights": self.average.state_dict(), "loss": self.loss.state_dict()}
        to_go_on(state | {"seen": self.seen, "before": self.before, "sets": self.sets}, self.folder / "last.pt")

    def batches(self) -> Iterator[tuple[torch.Tensor, ...]]:
        while True:
            with torch.no_grad():
                size = self.plan.size(self.seen)
                clean, view, theta, who = self.faces.batch(self.count, size, VIEWS, self.plan.mildness(self.seen))
                answers, maps = self.answers(clean)
                target = F.normalize(self.loss.targets(both_ways(answers)) + self.kin[who])
                maps = [m.repeat_interleave(VIEWS, 0) if w else m for m, w in zip(maps, self.loss.weights, strict=True)]
            yield view.permute(0, 2, 3, 1), theta, target.repeat_interleave(VIEWS, 0), *maps

    def answers(self, clean: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The teacher's embeddings and maps of BGR pictures (n, 3, 128, 128)."""
        if self.device.type == "cuda":
            return self.teacher.on_device(clean)
        z, maps = self.teacher(clean.permute(0, 2, 3, 1).numpy())
        return torch.from_numpy(z.copy()), [torch.from_numpy(m.copy()) for m in maps]


def train(options: argparse.Namespace) -> None:
    """Unpack, train until the minutes are over, leave the last checkpoint in ``options.out``."""
    until = time.monotonic() + 60 * options.minutes
    data = unpack(options.parts, options.work, options.processes)
    print(f"unpacked, {until - time.monotonic():.0f} s left", flush=True)
    start = options.work / "start.pt"
    plan = Plan(1 << 40, 2 * options.faces * VIEWS, device=options.device, save_s=30, every_s=60, start=start)
    plan = replace(plan, rate=options.share * plan.rate, muon_rate=options.share * plan.muon_rate, **AGAIN)
    shape = torch.load(start, map_location="cpu", weights_only=True)["shape"]
    Lent(options.out, data, options.work, plan, until, options.faces, shape).go()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.embedder_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("pack", help="here: all that is sent, in parts")
    sub.add_argument("--start", type=Path, required=True, help="weights to go on from")
    sub.add_argument("--out", type=Path, default=WORK / "gpu", help="folder of the parts; emptied")
    sub = commands.add_parser("train", help="there: join, decode, train")
    sub.add_argument("--parts", type=Path, required=True, help="folder of the parts")
    sub.add_argument("--out", type=Path, required=True, help="folder that comes back: last.pt, log, curves")
    sub.add_argument("--work", type=Path, default=Path("/tmp/embedder"), help="caches (3 GB)")
    sub.add_argument("--minutes", type=float, default=8.0, help="from now to the last checkpoint (default 8)")
    sub.add_argument("--share", type=float, default=0.5, help="rates at the beginning, of a fresh run's (default 0.5)")
    sub.add_argument("--faces", type=int, default=FACES, help=f"faces of a step (default {FACES})")
    sub.add_argument("--device", default="cuda")
    sub.add_argument("--processes", type=int, default=16, help="decoding processes (default 16)")
    options = parser.parse_args(arguments)
    if options.command == "pack":
        print(*pack(options.start, options.out), sep="\n")
    else:
        train(options)


if __name__ == "__main__":
    main()
