"""Weights of `edge.face.quality_score`; written by `python -m models.training.quality fit`, not by hand."""

import numpy as np

FIRST = np.zeros((61, 1), np.float32)
FIRST_BIAS = np.zeros(1, np.float32)
LAST = np.zeros(1, np.float32)
LAST_BIAS = 0.0
