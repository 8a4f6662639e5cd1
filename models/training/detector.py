"""The face detector, from nothing to int8.

    python -m models.training.detector prepare     # decode and label the data: about 4 minutes, 2.3 GB in .train/data
    python -m models.training.detector train       # resumes from .train/detector/last.pt; curves in .train/detector
    python -m models.training.detector measure     # one pass of the shipped net on held-out scenes, by score threshold
    python -m models.training.detector recall      # the whole detector, both looks: detector.json and a picture
    python -m models.training.detector export      # int8 .tflite + card from the averaged weights; about a minute

`train` runs unchanged on CPU and CUDA. Stop it with Ctrl-C whenever you like; it continues from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training import card
from models.training.paths import CHECKOUT, DATA, MODELS, WORK
from models.training.words import DETECTOR

U8 = NDArray[np.uint8]
#: The first look is generous, the second strict: `edge.face.second_pass`.
SCORE_THRESHOLD, CONFIRM, NMS_IOU = 0.3, 0.9, 0.4


def base_card(macs: int, parameters: int, seen: int) -> dict[str, Any]:
    """What only people know about the detector; its words stand in `models.training.words`."""
    from models.training.detector_net import STRIDES

    return {
        "name": "detector",
        "kind": "detector",
        "file": "detector.tflite",
        "macs": macs,
        "parameters": parameters,
        "input": {"channels": "BGR", "mean": 128.0, "std": 128.0},
        "arithmetic": 2,
        "decode": {
            "strides": list(STRIDES),
            "score_threshold": SCORE_THRESHOLD,
            "nms_iou": NMS_IOU,
            "confirm": CONFIRM,
        },
        **DETECTOR,
        "training": f"{seen:,} composed scenes, models/training/detector.py; int8 by ai-edge-quantizer static_wi8_ai8",
    }


def calibration_scenes(count: int) -> list[U8]:
    """Composed training scenes with their light, for the int8 ranges."""
    from models.training.compose import HEIGHT, WIDTH, Composer
    from models.training.photometric import Photometric

    composer, light = Composer(WORK / "data", "train", 31), Photometric(HEIGHT, WIDTH, 32)
    return [light(composer.scene()[0]) for _ in range(count)]


def export(checkpoint: Path, count: int, reason: str) -> None:
    """Averaged weights -> int8, with the maps' ranges narrowed to what faces need."""
    import torch

    from models.training import convert
    from models.training import detector_net as nets

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = nets.Detector()
    net.load_state_dict(state["average"])
    net.eval()
    macs, parameters = nets.count(net)
    scenes = calibration_scenes(count)
    limits = face_ranges(net, scenes)

    def adjust(ranges: convert.Ranges, outputs: list[str], shapes: dict[str, tuple[int, ...]]) -> None:
        for name in outputs:
            low, high = limits[shapes[name]]
            ranges[name] = {
                "min": np.full_like(ranges[name]["min"], low),
                "max": np.full_like(ranges[name]["max"], high),
            }

    convert.to_int8(net, scenes, MODELS / "detector.tflite", nets.HEIGHT, nets.WIDTH, len(nets.OUTPUTS), True, adjust)
    old = card.read("detector")
    kept = {key: old[key] for key in ("sha256", "golden", "accuracy") if key in old}
    print(card.refresh(base_card(macs, parameters, state["seen"]) | kept, reason))


def face_ranges(net: Any, scenes: list[U8]) -> dict[tuple[int, ...], tuple[float, float]]:
    """Range of each output map over cells that see a face, with a little room.

    Elsewhere boxes and landmarks are arbitrary, and their outliers would cost the int8 maps their resolution. Logits
    below the threshold by 6 all mean the same.

    Returns:
        {(1, h, w, channels): (lowest, highest)}
    """
    import torch

    from models.training.detector_net import OUTPUTS

    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in OUTPUTS}
    shapes = {}
    with torch.no_grad():
        for start in range(0, len(scenes), 64):
            x = (torch.from_numpy(np.stack(scenes[start : start + 64])).permute(0, 3, 1, 2).float() - 128) / 128
            maps = dict(zip(OUTPUTS, (o.permute(0, 2, 3, 1).numpy() for o in net(x)), strict=True))
            for name, values in maps.items():
                shapes[name] = (1, *values.shape[1:])
                sees = maps[f"score_{name.split('_')[1]}"][..., 0] > -1.0
                found[name].append(values[sees])
    out = {}
    for name, parts in found.items():
        values = np.concatenate(parts)
        low, high = float(values.min()), float(values.max())
        if name.startswith("score"):
            low, high = -6.0, high
        room = 0.02 * (high - low)
        out[shapes[name]] = (low - room, high + room)
    return out


def measure_shipped(thresholds: tuple[float, ...]) -> None:
    """Print recall, landmark error and false alarms of one pass of the shipped net, by threshold.

    Scenes at the net's own size, as `train` validates on: comparable with its curves. What a device finds with its
    second look is measured by `recall`.
    """
    from edge.face.card import load_card
    from edge.face.runner import Runner
    from models.training.validate import cases, measure

    shipped, truth = load_card("detector"), cases(WORK / "data", each=100)
    runner, maps = Runner(shipped, 1), []
    for case in truth:
        raw = runner.run(case.image)
        specs = shipped.outputs
        maps.append({o.name: o.scale * (raw[o.name][0].astype(np.float32) - o.zero_point) for o in specs})
    for threshold in thresholds:
        figures = measure(maps, truth, threshold)
        print(f"threshold {threshold}: " + "  ".join(f"{name} {value:.2f}" for name, value in figures.items()))


def measure_whole(out: Path | None, each: int, seed: int, redraw: bool) -> None:
    """Recall and false alarms of the detector as a device runs it; into the repository, or into one folder."""
    from models.training import recall, recall_plot, recall_report

    target = (out or CHECKOUT / "tests" / "benchmarks" / "results") / "detector.json"
    picture = (out or MODELS) / "detector-recall.png"
    if not redraw:
        command = f"python -m models.training.detector recall --each {each} --seed {seed}"
        recall_report.write(recall.measure(WORK / "data", each, seed), target, command=command, seed=seed)
    recall_plot.draw(json.loads(target.read_text(encoding="utf-8")), picture)
    print(target, picture, sep="\n")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.detector",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("prepare", help="decode and label the data once")
    sub.add_argument("--data", type=Path, default=DATA, help="folder with train/, scenes/, teachers/")
    sub.add_argument("--processes", type=int, default=2)
    sub = commands.add_parser("train", help="train, or go on training")
    sub.add_argument("--images", type=int, default=450_000, help="length of the schedule in scenes (default 450000)")
    sub.add_argument("--batch", type=int, default=64)
    sub.add_argument("--rate", type=float, default=3e-3, help="peak learning rate (default 3e-3)")
    sub.add_argument("--workers", type=int, default=2, help="processes that compose scenes (default 2)")
    sub.add_argument("--threads", type=int, default=2, help="torch threads on a CPU (default 2)")
    sub.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
    sub.add_argument(
        "--every", type=float, default=240, help="seconds between validations and checkpoints (default 240)"
    )
    sub = commands.add_parser(
        "measure",
        help="one pass of the shipped net on scenes of training's kind, by score threshold",
        description="One pass of the shipped int8 net, without the second look, on held-out scenes at the net's own "
        "size: comparable with the curves of train. For what a device finds, see recall.",
    )
    sub.add_argument("--thresholds", type=float, nargs="+", default=[0.4, 0.5, 0.6, 0.65, 0.7, 0.75])
    sub = commands.add_parser(
        "recall",
        help="the whole shipped detector, both looks, on 640x480 frames: detector.json and detector-recall.png",
        description="Recall and landmark error by size, yaw, roll, luminance, covers, cuts and with a second person, "
        "and false alarms, of the detector as a device runs it, and beside it of the same net looking once. Takes "
        "about six minutes of one core.",
    )
    sub.add_argument("--out", type=Path, help="folder for both files (default: tests/benchmarks/results and models)")
    sub.add_argument("--each", type=int, default=150, help="frames of each row (default 150)")
    sub.add_argument("--seed", type=int, default=1, help="of places, light and noise (default 1)")
    sub.add_argument("--redraw", action="store_true", help="measure nothing, draw the JSON that is there")
    sub = commands.add_parser("export", help="averaged weights -> int8 .tflite and card")
    sub.add_argument("--checkpoint", type=Path, default=WORK / "detector" / "last.pt")
    sub.add_argument("--scenes", type=int, default=400, help="scenes for the int8 ranges (default 400)")
    sub.add_argument("--reason", default="", help="why the golden digest changes")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # else several thread pools slow each other down threefold
    if options.command == "prepare":
        from models.training.data import prepare
        from models.training.meshes import list_meshes

        prepare(options.data, WORK / "data", options.processes)
        list_meshes(options.data, WORK)
    elif options.command == "train":
        import torch

        from models.training.detector_train import train

        torch.set_num_threads(options.threads)
        device = options.device if options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        train(WORK, options.images, options.batch, options.rate, options.workers, device, options.every)
    elif options.command == "measure":
        measure_shipped(tuple(options.thresholds))
    elif options.command == "recall":
        measure_whole(options.out, options.each, options.seed, options.redraw)
    else:
        export(options.checkpoint, options.scenes, options.reason)


if __name__ == "__main__":
    main()
