"""Sex and origin taken out of a trained network's last layer, so that neither int8 nor a device has more to do.

    net = blinded(net, Inputs(work, seed=21))

Workflow: the means of groups (`models.training.blind`) are measured on training crops; tight ones are looked at as they
are and in another's hair (`embedder_faces`), and what each of these two kinds of picture shares is taken out with them,
since a door sees neither. The projection goes into the last layer's weights (`embedder_net.turned`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

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
    vectors: list[torch.Tensor] = []
    crops = chosen(inputs, most)
    if not crops:
        print("no crop's name says its group (data README): nothing is taken out")
        return net
    total = sum(1 + (index in inputs.tight) for index, _ in crops)
    seen = track(looks(inputs, crops), total, "crops seen")
    for part in iter(lambda: list(islice(seen, _BATCH)), []):
        groups += [group for group, _, _ in part]
        kinds += [kind for _, kind, _ in part]
        vectors.append(embed(net, torch.from_numpy(np.stack([picture for *_, picture in part]))))
    rows = torch.cat(vectors).numpy()
    return turned(net, torch.from_numpy(blinding(np.concatenate([rows, rows]), groups + kinds)))


def looks(inputs: Inputs, crops: list[tuple[int, str]]) -> Iterator[tuple[str, str, U8]]:
    """(group, kind, RGB uint8 (112, 112, 3)) of `chosen` crops; the kind of a whole head is ""."""
    for index, group in crops:
        tight = index in inputs.tight
        plain = inputs.canvas(index, False)[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE]
        yield group, "as it is" if tight else "", resized(plain, SIZE)
        if tight:
            yield group, "in another's hair", resized(crowned_like(inputs, index), SIZE)


def chosen(inputs: Inputs, most: int) -> list[tuple[int, str]]:
    """(index, group) of crops whose group is known, at random, at most so many of a group."""
    seen, found = Counter[str](), []
    for index in np.random.default_rng(_SEED).permutation(inputs.indices).tolist():
        group = groups_of([inputs.crops.names[index]])[0]
        seen[group] += 1
        if group and seen[group] <= most:
            found.append((index, group))
    return found
