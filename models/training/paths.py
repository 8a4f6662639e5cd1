"""Where the recipes read and write: one place, all of it relative to the checkout."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MODELS = CHECKOUT / "models"
#: Data and teachers; an input, never committed (its README names the terms).
DATA = CHECKOUT.parent / "shared" / "data"
#: The shipped embedder before quantisation, in half precision.
FLOAT = MODELS / "training" / "embedder.pt"
#: The weights of the run that is to replace it, replaced by each session that trains.
NEXT = MODELS / "training" / "embedder-next.pt"
#: Caches, checkpoints, logs, curves; git-ignored.
WORK = CHECKOUT / ".train"
