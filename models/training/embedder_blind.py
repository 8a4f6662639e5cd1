"""Sex and origin taken out of a trained network's last layer, so that neither int8 nor a device has more to do.

    net = blinded(net, Inputs(work, seed=21))

Workflow: the means of groups (`models.training.blind`) are measured on training crops; tight ones are looked at as they
are and in another's hair (`embedder_faces`), and what each of these two kinds of picture shares is taken out with them,
since a door sees neither. The projection goes into the last layer's weights (`embedder_net.turned`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.blind import blinding, groups_of
from models.training.embedder_inputs import MARGIN, MIDDLE, Inputs
from models.training.embedder_net import SIZE, Embedder, turned
from models.training.embedder_validate import crowned_like, embed, resized
from models.training.progress import track

U8 = NDArray[np.uint8]
#: Training crops of a group that its mean is taken over, at most: means known to 0.03 of a vector's length.
MOST = 1500
_SEED = 21
_BATCH = 500


def blinded(net: Embedder, inputs: Inputs, most: int = MOST) -> Embedder:
    """Blind a network; changed in place, and given back.

    Args:
        net: in eval mode. inputs: whose crops are looked at. most: crops a group.
    """
    groups: list[str] = []
    kinds: list[str] = []
    waiting: list[U8] = []
    vectors: list[torch.Tensor] = []
    for group, kind, picture in track(looks(inputs, most), _count(inputs, most), "crops seen"):
        groups.append(group)
        kinds.append(kind)
        waiting.append(picture)
        if len(waiting) == _BATCH:
            vectors.append(embed(net, torch.from_numpy(np.stack(waiting))))
            waiting.clear()
    if waiting:
        vectors.append(embed(net, torch.from_numpy(np.stack(waiting))))
    if not vectors:
        print("no crop's name says its group (data README): nothing is taken out")
        return net
    rows = torch.cat(vectors).numpy()
    return turned(net, torch.from_numpy(blinding(np.concatenate([rows, rows]), groups + kinds)))


def looks(inputs: Inputs, most: int) -> Iterator[tuple[str, str, U8]]:
    """(group, kind, RGB uint8 (112, 112, 3)) of training crops; the kind of a whole head is ""."""
    for index, group in _chosen(inputs, most):
        tight = index in inputs.tight
        plain = inputs.canvas(index, False)[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE]
        yield group, "as it is" if tight else "", resized(plain, SIZE)
        if tight:
            yield group, "in another's hair", resized(crowned_like(inputs, index), SIZE)


def _chosen(inputs: Inputs, most: int) -> list[tuple[int, str]]:
    seen, found = Counter[str](), []
    for index in np.random.default_rng(_SEED).permutation(inputs.indices).tolist():
        group = groups_of([inputs.crops.names[index]])[0]
        seen[group] += 1
        if group and seen[group] <= most:
            found.append((index, group))
    return found


def _count(inputs: Inputs, most: int) -> int:
    return sum(1 + (index in inputs.tight) for index, _ in _chosen(inputs, most))
