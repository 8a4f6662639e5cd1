"""The embedder, from nothing to int8.

    python -m models.training.detector prepare     # decode the data, once; shared with the detector
    python -m models.training.embedder train       # resumes from .train/embedder/last.pt; curves.png beside it
    python -m models.training.embedder export --weights .train/embedder/last.pt --reason "..."

`train` runs unchanged on CPU and CUDA; stop it with Ctrl-C whenever you like. `export` takes sex and origin out of the
averaged weights (`embedder_blind`), keeps them in half precision (`models/training/embedder.pt`), calibrates the int8
ranges on training crops and writes the model with its card. To retrain on your own pictures, put aligned crops in the
place of `../shared/data/train` (its README says how they are aligned and named) and run all three.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.training import card
from models.training.paths import DATA, FLOAT, MODELS, NEXT, WORK
from models.training.words import EMBEDDER, SETS

#: A run that begins with learnt weights: rates begin at a share of the peak and fall in a straight line, pictures have
#: their final size, and the disturbances, which taught it robustness before, leave most views alone.
AGAIN: dict[str, Any] = {
    "settle": 0,
    "fall": 1.0,
    "sizes": ((0, 112),),
    "mild": (0.6, 0.6),
}


def base_card(macs: int, parameters: int, seen: int, sets: list[str]) -> dict[str, Any]:
    """What only people know about the embedder; its words stand in `models.training.words`.

    Args:
        macs: of one input. parameters: of the network. seen: inputs. sets: what they were made of (`source_of`).
    """
    from models.training.embedder_net import SIZE, TEMPLATE

    return {
        "name": "embedder",
        "kind": "embedder",
        "file": "embedder.tflite",
        "macs": macs,
        "parameters": parameters,
        "input": {"channels": "RGB", "mean": 128.0, "std": 128.0},
        "arithmetic": 2,
        "align": {
            "size": [SIZE, SIZE],
            "channels": "RGB",
            "template": [[round(float(x), 4), round(float(y), 4)] for x, y in TEMPLATE],
        },
        **EMBEDDER,
        "data": [SETS[name] for name in sets],
        "training": f"models.training.embedder: online distillation, {seen:,} inputs: crops and composites of two, "
        "tight ones often in another's hair, half of them warped, some in other light; of each, and of its mirror "
        "image, several views, moved, many of them turned by the face's mesh, with another mien or spectacles. The "
        "teacher's answers were blind to sex and origin, and the last layer is; whom the teacher prefers among 6,000 "
        "faces, the student learnt to prefer; pictures that may show one person ask for one answer. int8 by "
        "ai-edge-quantizer static_wi8_ai8 on 480 training crops, ranges are their extremes",
    }


def calibration_crops(count: int) -> list[np.ndarray]:
    """Training crops as a door's camera would give them, RGB uint8 (112, 112, 3), for the int8 ranges."""
    from models.training.embedder_inputs import Inputs
    from models.training.embedder_net import SIZE

    inputs = Inputs(WORK, 20)
    return [inputs.sample(SIZE)[1][0] for _ in range(count)]


def train(options: argparse.Namespace) -> None:
    """Train, or go on training."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenVINO's and torch's threads starve each other otherwise
    import torch

    from models.training.embedder_train import Plan, Run
    from models.training.impostors import list_all

    torch.set_num_threads(options.threads)
    plan = Plan(options.inputs, options.batch, workers=options.workers, device=options.device, views=options.views)
    if options.next:
        plan = replace(plan, start=NEXT, onward=True)
    elif options.start:
        slower = {"rate": options.share * plan.rate, "muon_rate": options.share * plan.muon_rate}
        plan = replace(plan, start=options.start, **slower, **AGAIN)
    list_all(DATA, WORK)
    Run(options.folder, DATA, WORK, plan, {}).go()


def validate(weights: Path, dims: list[int]) -> None:
    """Print the held-out figures of weights, with all of an embedding's numbers or only the first ones."""
    import torch

    from models.training.embedder_loss import Loss
    from models.training.embedder_net import SIZE, load
    from models.training.embedder_validate import Bench
    from models.training.teacher import OnlineTeacher

    torch.set_num_threads(1)
    saved = torch.load(weights, map_location="cpu", weights_only=True)
    basis = saved.get("loss", saved)["basis"]
    net, seen = load(weights)
    bench = Bench(WORK, OnlineTeacher(DATA, "cpu", 1), Loss(basis.numpy(), net.widths[1:]))
    for dim in dims:
        figures = bench.measure(net, SIZE, dim)
        print(f"{seen:,} inputs, {dim} numbers: " + "  ".join(f"{k} {v:.4f}" for k, v in figures.items()))


def keep(weights: Path, path: Path = FLOAT) -> None:
    """Put the averaged weights, blinded, beside the recipe, in half precision, with the projection that they learnt.

    Float figures and further training start from there.
    """
    import torch

    from models.training.embedder_blind import blinded
    from models.training.embedder_inputs import Inputs
    from models.training.embedder_net import load
    from models.training.embedder_start import sets_in

    saved, net = torch.load(weights, map_location="cpu", weights_only=True), blinded(load(weights)[0], Inputs(WORK, 21))
    half = {name: w.half() if w.is_floating_point() else w for name, w in net.state_dict().items()}
    basis = saved["loss"]["basis"]
    seen = saved["seen"] + saved.get("before", 0)
    torch.save({"shape": saved["shape"], "weights": half, "basis": basis, "seen": seen, "sets": sets_in(saved)}, path)


def keep_next(weights: Path) -> None:
    """Put the weights of a run that later sessions go on with beside the recipe, as they are, in half precision."""
    import torch

    from models.training.embedder_start import to_go_on

    to_go_on(torch.load(weights, map_location="cpu", weights_only=True), NEXT)
    print(NEXT)


def export(weights: Path, count: int, reason: str) -> None:
    """Convert, quantise, write the card."""
    import torch

    from models.training import convert
    from models.training import embedder_net as nets
    from models.training.embedder_start import sets_in

    if weights != FLOAT:
        keep(weights)
    net, seen = nets.load(FLOAT)
    macs, parameters = nets.count(net, nets.SIZE, nets.SIZE)
    convert.to_int8(net, calibration_crops(count), MODELS / "embedder.tflite", nets.SIZE, nets.SIZE, extremes=True)
    old = card.read("embedder")
    sets = sets_in(torch.load(FLOAT, map_location="cpu", weights_only=True))
    base = base_card(macs, parameters, seen, sets) | {
        key: old[key] for key in ("sha256", "golden", "accuracy", "calibration") if key in old
    }
    print(card.refresh(base, reason))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.embedder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("train", help="distil the teacher; resumes; CPU or CUDA")
    sub.add_argument("--inputs", type=int, default=450_000, help="inputs to be seen in all (default 450,000)")
    sub.add_argument("--batch", type=int, default=64, help="inputs a step (default 64)")
    sub.add_argument("--views", type=int, default=4, help="views of each face that the teacher answered (default 4)")
    sub.add_argument("--workers", type=int, default=1, help="composing processes (default 1)")
    sub.add_argument("--threads", type=int, default=2, help="threads of torch (default 2)")
    sub.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    sub.add_argument("--folder", type=Path, default=WORK / "embedder", help="checkpoints, log, curves")
    sub.add_argument("--start", type=Path, help="weights to begin with: lower rates, full size, milder views")
    sub.add_argument("--next", action="store_true", help=f"go on with the run whose weights {NEXT.name} keeps")
    sub.add_argument(
        "--share",
        type=float,
        default=0.25,
        help="with --start: rates at the beginning, as a share of a fresh run's (default 0.25); high ones forget more",
    )
    sub = commands.add_parser(
        "validate", help="figures on held-out crops: cosine to the teacher, TAR between two views"
    )
    sub.add_argument("--weights", type=Path, default=FLOAT, help="a checkpoint, such as .train/embedder/last.pt")
    sub.add_argument(
        "--dims", type=int, nargs="+", default=[128], help="numbers of an embedding to compare, from the first"
    )
    sub = commands.add_parser("apart", help="FNMR at small FMRs among thousands of held-out crops, disturbed")
    sub.add_argument("--weights", type=Path, nargs="+", default=[FLOAT], help="one checkpoint or several")
    sub.add_argument("--crops", type=int, default=4000, help="held-out crops (default 4000, a minute each way)")
    sub.add_argument("--side", type=int, default=112, help="of the pictures: 64 for weights that know no larger ones")
    sub = commands.add_parser("next", help="keep the weights of a run that later sessions go on with")
    sub.add_argument("--weights", type=Path, required=True, help="a checkpoint, such as .train/open/last.pt")
    sub = commands.add_parser("export", help="weights -> int8 .tflite and card")
    sub.add_argument("--weights", type=Path, default=FLOAT, help="a checkpoint, such as .train/embedder/last.pt")
    sub.add_argument("--crops", type=int, default=480, help="training crops for the int8 ranges (default 480)")
    sub.add_argument("--reason", default="", help="why the golden digest changes")
    commands.add_parser("curves", help="every run's log in one picture, models/embedder-curves.png")
    options = parser.parse_args(arguments)
    if options.command == "train":
        train(options)
    elif options.command == "curves":
        from models.training.embedder_curves import draw, read

        draw(read(WORK), MODELS / "embedder-curves.png")
    elif options.command == "apart":
        from models.training.embedder_many import apart

        apart(WORK, options.weights, options.crops, options.side)
    elif options.command == "next":
        keep_next(options.weights)
    elif options.command == "validate":
        validate(options.weights, options.dims)
    else:
        export(options.weights, options.crops, options.reason)


if __name__ == "__main__":
    main()
