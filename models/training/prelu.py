"""Makes tests/assets/prelu.tflite: a small int8 network with PReLU, which XNNPACK cannot run whole.

    python -m models.training.prelu

A test shows with it that "fully delegated" is a check that can fail. The network is untrained; nothing else uses it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from models.training.paths import CHECKOUT

TARGET = CHECKOUT / "tests" / "assets" / "prelu.tflite"
SIDE = 32


def make(path: Path) -> None:
    """Convert and quantise; about ten seconds."""
    import torch
    from torch import nn

    from models.training.convert import to_int8

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        nn.PReLU(8),
        nn.Conv2d(8, 16, 3, 2, 1),
        nn.PReLU(16),
        nn.Conv2d(16, 8, 8),
        nn.Flatten(),
    )
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(16)]
    path.parent.mkdir(parents=True, exist_ok=True)
    to_int8(net, pictures, path, SIDE, SIDE)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.prelu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=TARGET)
    make(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main()
