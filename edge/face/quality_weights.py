"""Weights of `edge.face.quality_score`; written by `python -m models.training.quality fit`, not by hand."""

import numpy as np

from edge.types import F32

MADE_FOR = ""
USUAL_LIMIT = 0.0

FIRST: F32 = np.zeros((14, 1), np.float32)
FIRST_BIAS: F32 = np.zeros(1, np.float32)
LAST: F32 = np.zeros(1, np.float32)
LAST_BIAS = 0.0
