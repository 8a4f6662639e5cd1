"""The embedder: bootstrap weights to int8.

    python -m models.training.embedder export

Converts the weights that were made for this project (`../shared/bootstrap`, its README has the recipe), calibrates the
int8 ranges on training crops, writes `models/embedder.tflite` and its card. About one minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from models.training import card
from models.training.paths import BOOTSTRAP, MODELS, WORK

UTK = {"name": "UTKFace (aligned crops)", "terms": "non-commercial research only, as its source states"}
AAF = {"name": "All-Age-Faces (aligned crops)", "terms": "asks for citation, as its source states"}
TEACHER = {"name": "Open Model Zoo face-reidentification-retail-0095", "licence": "Apache-2.0"}


def base_card(macs: int, parameters: int) -> dict[str, Any]:
    """What only people know about the embedder."""
    from models.training.embedder_net import SIZE, TEMPLATE

    return {
        "name": "embedder",
        "kind": "embedder",
        "file": "embedder.tflite",
        "macs": macs,
        "parameters": parameters,
        "input": {"channels": "RGB", "mean": 128.0, "std": 128.0},
        "align": {
            "size": [SIZE, SIZE],
            "channels": "RGB",
            "template": [[round(float(x), 4), round(float(y), 4)] for x, y in TEMPLATE],
        },
        "intended_use": "One-to-one verification of a consenting, co-operating adult at a door: the comparison of one "
        "probe with the one template that a signed claim opens. A proof of the recipe, to be replaced.",
        "not_for": [
            "searching for a person among many (identification)",
            "children; the training crops leave out ages under 8",
            "any inference of age, sex, origin, emotion or health",
            "decisions without an alternative that is not biometric",
        ],
        "limits": [
            "weaker than the public models it is measured against: see accuracy",
            "heavy occlusion (masks, large sunglasses), profile views and very dark pictures raise the non-match rate",
            "it says nothing about presentation attacks: a photograph of the person matches the person",
            "false match rates differ between groups of people: see calibration.groups",
            "two of its inputs, UTKFace and the teacher's own training data, may not be cleared for commercial use; "
            "retrain on own pictures with models/training before selling it",
        ],
        "data": [UTK, AAF],
        "teachers": [TEACHER],
        "training": "online distillation, 66 minutes on two CPU cores, 550,000 inputs (33,041 crops and morphs of "
        "two); int8 by ai-edge-quantizer static_wi8_ai8 on 480 training crops",
        "licence": "Apache-2.0 for the weights as far as this project can grant it; the data's terms are above",
    }


def calibration_crops(count: int) -> list[np.ndarray]:
    """Aligned training crops, every second one with another camera's light, for the int8 ranges."""
    from models.training.crops import aligned, open_crops
    from models.training.embedder_net import SIZE, TEMPLATE
    from models.training.photometric import Photometric

    crops, light = open_crops(WORK), Photometric(SIZE, SIZE, 21)
    chosen = np.random.default_rng(20).choice(len(crops.pixels), count, replace=False)
    pictures = [aligned(crops.pixels[i], crops.landmarks[i], TEMPLATE) for i in chosen]
    return [light(p) if n % 2 else p for n, p in enumerate(pictures)]


def export(weights: Path, count: int, reason: str) -> None:
    """Convert, quantise, write the card."""
    from models.training import convert
    from models.training import embedder_net as nets

    net = nets.shift_input(nets.load(weights))
    macs, parameters = nets.count(net, nets.SIZE, nets.SIZE)
    convert.to_int8(net, calibration_crops(count), MODELS / "embedder.tflite", nets.SIZE, nets.SIZE)
    old = card.read("embedder")
    base = base_card(macs, parameters) | {
        key: old[key] for key in ("sha256", "golden", "accuracy", "calibration") if key in old
    }
    print(card.refresh(base, reason))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.embedder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub = parser.add_subparsers(dest="command", required=True).add_parser(
        "export", help="weights -> int8 .tflite and card"
    )
    sub.add_argument("--weights", type=Path, default=BOOTSTRAP / "weights.pt")
    sub.add_argument("--crops", type=int, default=480, help="training crops for the int8 ranges (default 480)")
    sub.add_argument("--reason", default="", help="why the golden digest changes")
    options = parser.parse_args(arguments)
    export(options.weights, options.crops, options.reason)


if __name__ == "__main__":
    main()
