"""The detector's recipe: cells, losses, and a network that the int8 delegate can run. Needs torch (extra `train`)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")

from models.training.detector_loss import assign, cells, giou_loss, loss  # noqa: E402
from models.training.detector_net import HEIGHT, OUTPUTS, STRIDES, WIDTH, Detector, count  # noqa: E402


def one_face(size: float) -> torch.Tensor:
    faces = torch.zeros(1, 5, 14)
    faces[0, 0] = torch.tensor([96.0, 72.0, size, size, *[96.0, 72.0] * 5])
    return faces


def perfect(faces: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The maps of a network that is always right."""
    maps: list[torch.Tensor] = []
    for stride in STRIDES:
        positive, _, _, target = assign(faces, stride)
        at = cells(stride, faces.device)
        maps.append(torch.where(positive, 12.0, -12.0)[:, None])
        box = torch.cat([(target[..., :2] - at) / stride, (target[..., 2:4] / stride).clamp_min(0.05).log()], -1)
        marks = (target[..., 4:] - at.repeat(1, 1, 5)) / stride
        maps += [box.permute(0, 3, 1, 2), marks.permute(0, 3, 1, 2)]
    return tuple(maps)


def test_the_network_uses_nothing_but_what_runs_whole_in_int8():
    allowed = {"Conv2d", "BatchNorm2d", "ReLU6"}
    leaves = {type(m).__name__ for m in Detector().modules() if not list(m.children())}
    assert leaves <= allowed


def test_the_network_stays_within_its_budget():
    macs, parameters = count(Detector())
    assert macs <= 60e6
    assert parameters <= 250_000


def test_maps_have_the_shapes_of_their_strides():
    with torch.no_grad():
        maps = dict(zip(OUTPUTS, Detector().eval()(torch.zeros(1, 3, HEIGHT, WIDTH)), strict=True))
    assert {name: tuple(m.shape) for name, m in maps.items()} == {
        f"{kind}_{s}": (1, n, HEIGHT // s, WIDTH // s)
        for s in STRIDES
        for kind, n in (("score", 1), ("box", 4), ("landmarks", 10))
    }


@pytest.mark.parametrize(("size", "small", "large"), [(12.0, True, False), (34.0, True, True), (120.0, False, True)])
def test_a_face_belongs_to_the_stride_of_its_size(size, small, large):
    positive = [bool(assign(one_face(size), stride)[0].any()) for stride in STRIDES]
    assert positive == [small, large]


def test_a_network_that_is_right_has_next_to_no_loss():
    faces = one_face(34.0)
    assert float(loss(perfect(faces), faces)["landmarks"]) < 1e-3
    assert float(loss(perfect(faces), faces)["box"]) < 1e-3
    assert float(loss(perfect(faces), faces)["score"]) < 1e-3


def test_a_picture_without_a_face_teaches_the_score_only():
    maps = perfect(torch.zeros(1, 5, 14))
    parts = loss(maps, torch.zeros(1, 5, 14))
    assert float(parts["box"]) == float(parts["landmarks"]) == 0.0
    assert torch.isfinite(parts["total"])


def test_boxes_apart_lose_more_the_farther_they_are():
    box = torch.tensor([10.0, 10, 4, 4])
    near, far = giou_loss(box, torch.tensor([16.0, 10, 4, 4])), giou_loss(box, torch.tensor([60.0, 10, 4, 4]))
    assert 1 < float(near) < float(far) <= 2
