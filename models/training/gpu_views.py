"""A face as a door's camera gives it, for a whole batch in torch: what `embedder_inputs.Inputs.view` draws one by one.

    depth, pose = reliefs(meshes, matrices, device)      # once: how deep each crop's canvas is
    seen, theta = Views(random, device)(source, depth, pose, size, mild)

Moved, turned with another mien, with spectacles, partly covered, blurred, in other light, with noise; the same shares
and spreads as there, but without JPEG, in whose place more pictures are small and enlarged.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.training import embedder_inputs as cpu
from models.training import heads, spectacles

#: Places of one canvas's depth, a side; pixels between two of them.
GRID, STEP = 20, cpu.CANVAS / 20
#: As `edge`'s mesh has them, for a head of `heads._HEIGHT` pixels: width of the spreading Gaussian, depth gained a
#: pixel beyond the face, the deepest, and the neck's axis.
_SPREAD, _SKULL, _DEEPEST, _NECK = 9.0, 0.55, 95.0, 70.0


def reliefs(meshes: NDArray[np.float16], matrices: NDArray[np.float64], device: torch.device) -> tuple[Tensor, Tensor]:
    """How deep canvases are, and about what their heads turn.

    Args:
        meshes: (n, 468, 3), pixels of the crops. matrices: (n, 2, 3) from the crops to the canvases.

    Returns:
        depth on a grid (n, GRID, GRID), the canvas's pixels, NaN where unknown; and pivot x, y, z and yaw in degrees,
        (n, 4).
    """
    depth, pose = [], []
    at = grid_of(GRID, device)[..., :2].flatten(0, 1) * STEP + STEP / 2 - 0.5
    for start in range(0, len(meshes), 500):
        mesh = torch.from_numpy(meshes[start : start + 500].astype(np.float32)).to(device)
        matrix = torch.from_numpy(matrices[start : start + 500].astype(np.float32)).to(device)
        flat = mesh[..., :2] @ matrix[:, :, :2].mT + matrix[:, None, :, 2]
        deep = mesh[..., 2] * torch.linalg.det(matrix[:, :, :2]).sqrt()[:, None]
        height = flat[..., 1].amax(1) - flat[..., 1].amin(1)
        unit = (height / heads._HEIGHT)[:, None, None]
        away = torch.cdist(at.expand(len(flat), -1, -1), flat[:, :: heads._EVERY])
        near = away.amin(2, keepdim=True)
        weights = (-(away.square() - near.square()) / (2 * (_SPREAD * unit).square())).exp()
        spread = (weights * deep[:, None, :: heads._EVERY]).sum(2) / weights.sum(2)
        outside = (near[..., 0] - 6 * unit[..., 0]).clamp(min=0)  # a point inside has one of the mesh's that near
        depth.append(torch.minimum(spread + _SKULL * outside, _DEEPEST * unit[..., 0]).unflatten(1, (GRID, GRID)))
        x, z = flat[..., 0] - flat[..., 0].mean(1, keepdim=True), deep - deep.mean(1, keepdim=True)
        yaw = torch.rad2deg(torch.atan2(2 * (x * z).mean(1), x.square().mean(1) - z.square().mean(1)) / 2)
        low = flat[..., 1].amax(1) - 0.25 * height
        pose.append(torch.stack([flat[..., 0].mean(1), low, _NECK * unit[:, 0, 0], yaw], 1))
    return torch.cat(depth), torch.cat(pose)


class Views:
    """See the module.

    Args:
        random: of the device. device: where everything happens.
    """

    def __init__(self, random: torch.Generator, device: torch.device) -> None:
        self.random, self.device = random, device
        self.template = torch.from_numpy(cpu.TEMPLATE).to(device)

    def rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device)

    def randn(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * self.rand(*shape)

    def __call__(self, source: Tensor, depth: Tensor, pose: Tensor, size: int, mild: Tensor) -> tuple[Tensor, Tensor]:
        """Views (n, 3, size, size), BGR 0-255, and theta (n, 2, 3).

        Args:
            source: canvases (n, 3, 160, 160). depth, pose: of `reliefs`. size: of a view.
            mild: (n,), whether it is hardly disturbed.
        """
        n, matrix = len(source), self.jitter(len(source), size)
        turned = depth.isfinite().flatten(1).all(1) & (self.rand(n) < cpu.TURNED)
        moves = torch.where(turned[:, None, None, None], self.moves(depth.nan_to_num(), pose), 0.0)
        carried = self.template + at_places(moves, self.template.expand(n, 5, 2))
        again = chained(matrix, aligned(carried, self.template))
        back = torch.linalg.inv(squared(again))[:, None, :2]
        targets = grid_of(size // 2, self.device).clone()
        targets[..., :2] = 2 * targets[..., :2] + 0.5  # the field is smooth: a quarter of its points say it all
        targets = targets @ back.mT
        found = targets
        for _ in range(4):
            found = targets - at_places(moves, found.flatten(1, 2)).view_as(found)
        fine = F.interpolate(found.permute(0, 3, 1, 2), size=(size, size), mode="bilinear").permute(0, 2, 3, 1)
        view = looked(source, fine, "border")
        lit = view * self.between(0.85, 1.15, n, 1, 1, 1) + self.between(-12, 12, n, 1, 1, 1)
        eyes = self.template[:2] @ matrix[:, :, :2].mT + matrix[:, None, :, 2]
        hard = either(self.rand(n) < cpu.SPECTACLES, self.spectacles(view, eyes), view)
        hard = self.worn(either(self.rand(n) < 0.15, self.covered(hard), hard), size)
        hard = either(self.rand(n) < 0.85, self.photographed(hard), hard)
        return either(mild, lit, hard).clamp(0, 255).round(), theta_of(matrix, size)

    def jitter(self, n: int, size: int) -> Tensor:
        """As `Inputs.jitter`, (n, 2, 3)."""
        wide = torch.where(self.rand(n) < 0.2, 3.0, 1.5)
        angle, scale = torch.deg2rad(2 * self.randn(n) * wide), size / cpu.MIDDLE * (0.03 * self.randn(n) * wide).exp()
        cos, sin = scale * angle.cos(), scale * angle.sin()
        turn = torch.stack([cos, -sin, sin, cos], 1).view(n, 2, 2)
        shift = 0.012 * self.randn(n, 2) * wide[:, None] * size + size / 2 - 0.5
        return torch.cat([turn, (shift - (cpu.CANVAS / 2 - 0.5) * turn.sum(2))[..., None]], 2)

    def moves(self, depth: Tensor, pose: Tensor) -> Tensor:
        """How far the grid's points move under a turn and a mien drawn as `heads.drawn` does, (n, 2, GRID, GRID)."""
        n, spread, limits = len(depth), heads._SPREAD, heads._LIMITS
        yaw, pitch = (s * self.randn(n).clamp(-b / s, b / s) for s, b in zip(spread, limits, strict=True))
        room = heads._FARTHEST
        yaw = torch.minimum(torch.maximum(yaw, (-room - pose[:, 3]).clamp(max=0)), (room - pose[:, 3]).clamp(min=0))
        a, b = torch.deg2rad(-yaw), torch.deg2rad(pitch)
        points = grid_of(GRID, self.device)[..., :2] * STEP + STEP / 2 - 0.5
        x, y = (points[..., k] - pose[:, k, None, None] for k in (0, 1))
        z = depth - pose[:, 2, None, None]
        ca, sa, cb, sb = (f(t)[:, None, None] for t in (a, b) for f in (torch.cos, torch.sin))
        turned_x, deep = ca * x + sa * z, ca * z - sa * x
        turned = torch.stack([turned_x - x, cb * y - sb * deep - y], 1)
        places, widths = (torch.from_numpy(part).to(self.device) for part in (heads._PLACES, heads._WIDTHS))
        eyes = self.template[:2]
        apart = (eyes[1] - eyes[0]).norm()
        away = (points[:, :, None] - (eyes.mean(0) + apart * places)).square().sum(-1)
        near = (-away / (2 * (apart * widths).square())).exp()
        pairs = self.randn(n, 5, 2) * torch.from_numpy(heads._MOVES).to(self.device)
        both = torch.stack([pairs[:, :3], pairs[:, :3] * pairs.new_tensor([-1, 1])], 2).flatten(1, 2)
        mien = apart * torch.cat([both, pairs[:, 3:]], 1)
        return turned + torch.einsum("uvk,nkc->ncuv", near, mien)

    def spectacles(self, view: Tensor, eyes: Tensor) -> Tensor:
        """`spectacles.put_on`; rims by the distance from a superellipse."""
        n, across = len(view), eyes[:, 1] - eyes[:, 0]
        apart = across.norm(dim=1)[:, None, None]
        basis = torch.linalg.inv(torch.stack([across, torch.stack([-across[:, 1], across[:, 0]], 1)], 2))
        at = grid_of(view.shape[-1], self.device)[None, ..., :2] - eyes[:, 0, None, None]
        u, v = (at @ basis[:, None].mT).unbind(-1)  # in eye distances from the left eye
        wide, high, drop = (self.between(*r, n, 1, 1) for r in (spectacles._WIDE, spectacles._HIGH, spectacles._DROP))
        power, v = self.between(2, 5, n, 1, 1), v - drop
        radius = torch.stack([((u - k).abs() / wide) ** power + (v.abs() / high) ** power for k in (0, 1)]).amin(0)
        radius = radius ** (1 / power)
        thick = apart * self.between(0.015, 0.07, n, 1, 1)
        rim = (thick / 2 + 0.5 - (radius - 1).abs() * (wide + high) / 2 * apart).clamp(0, 1)
        aside = (u - 0.5).abs() - 0.5  # outwards from the nearer eye
        there = (aside.abs() > wide) & (aside < wide + 0.35)
        bar = (thick / 2 + 0.5 - (v + 0.3 * high).abs() * apart).clamp(0, 1) * there
        colour = torch.where(self.rand(n, 1) < 0.6, self.between(0, 70, n, 3), self.between(0, 255, n, 3))
        dark = self.rand(n) < spectacles._DARK
        tint = torch.where(dark[:, None], self.between(0, 50, n, 3), self.between(0, 255, n, 3))
        strong = torch.where(dark, self.between(0.6, 0.97, n), self.between(0.1, 0.4, n))
        strong = torch.where(self.rand(n) < spectacles._TINTED, strong, 0.0)
        glass = (radius < 1)[:, None] * strong[:, None, None, None]
        view = view * (1 - glass) + tint[..., None, None] * glass
        frame = torch.maximum(rim, bar)[:, None]
        return view * (1 - frame) + colour[..., None, None] * frame

    def covered(self, view: Tensor) -> Tensor:
        """`Inputs.cover`."""
        n, size = len(view), view.shape[-1]
        at = grid_of(size, self.device)[None, ..., :2] - size * self.rand(n, 1, 1, 2)
        angle = math.pi * self.rand(n)
        turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], 1).view(n, 1, 2, 2)
        inside = ((at @ turn.mT) / self.between(0.05 * size, 0.25 * size, n, 1, 1, 2)).square().sum(-1) < 1
        return torch.where(inside[:, None], self.between(10, 230, n, 3, 1, 1), view)

    def worn(self, view: Tensor, size: int) -> Tensor:
        """`Inputs.wear`: blurred, moved while exposed, small and enlarged (more of these, for there is no JPEG)."""
        n, kind = len(view), self.rand(len(view))
        soft = blurred(view, self.between(0.4, 1.6, n) * size / 112)
        length, angle = self.between(1, size / 32, n), math.pi * self.rand(n)
        step = torch.stack([angle.cos(), angle.sin()], 1) * length[:, None] / 2
        at = grid_of(size, self.device)[..., :2]
        moved = sum(looked(view, at + t * step[:, None, None], "border") for t in (-1.0, -0.5, 0.0, 0.5, 1.0)) / 5
        sides = [int(size * part) for part in (0.35, 0.5, 0.7)]
        small = torch.stack([enlarged(view, side) for side in sides])
        which = torch.randint(3, (n,), generator=self.random, device=self.device)
        small = small[which, torch.arange(n, device=self.device)]
        view = either(kind < 0.15, soft, either(kind < 0.22, moved, either(kind < 0.43, small, view)))
        return view

    def photographed(self, view: Tensor) -> Tensor:
        """`photometric.Photometric`."""
        n = len(view)
        column = (n, 1, 1, 1)
        view = either(self.rand(n) < 0.12, grey(view), view)
        mean = view.mean((1, 2, 3), keepdim=True) / 255
        tone = (view / 255) ** self.between(-0.55, 0.55, *column).exp()
        centre = mean ** self.between(-0.2, 0.2, *column).exp()
        tone = (tone - centre) * self.between(0.6, 1.35, *column) + centre
        exposure = self.between(-0.5, 0.5, *column).exp()
        dark = torch.minimum(exposure, self.between(0.04, 0.25, *column) / mean.clamp(min=0.02))
        exposure = torch.where(self.rand(*column) < 0.17, dark, exposure)
        light = tone * exposure * self.between(-0.18, 0.18, n, 3, 1, 1).exp() * 255
        at, slope = torch.linspace(-1, 1, view.shape[-1], device=self.device), self.between(-0.45, 0.45, n, 2)
        ramp = 1 + slope[:, 0, None, None, None] * at + slope[:, 1, None, None, None] * at[:, None]
        light = either(self.rand(n) < 0.4, light * ramp, light)
        return light + self.rand(*column) ** 3 * 18 * self.randn(*view.shape)


def grid_of(side: int, device: torch.device) -> Tensor:
    """x, y and 1 of a picture's pixels, (side, side, 3)."""
    y, x = torch.meshgrid(*[torch.arange(side, device=device).float()] * 2, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], -1)


def looked(pictures: Tensor, places: Tensor, padding: str = "zeros") -> Tensor:
    """Pictures (n, C, h, w) at places (n, u, v, 2), pixels x and y."""
    sides = places.new_tensor([pictures.shape[-1], pictures.shape[-2]])
    return F.grid_sample(pictures, (2 * places + 1) / sides - 1, padding_mode=padding, align_corners=False)


def at_places(moves: Tensor, points: Tensor) -> Tensor:
    """A displacement of the canvas's grid (n, 2, GRID, GRID) at points (n, m, 2), pixels of the canvas."""
    unit = (2 * points + 1) / cpu.CANVAS - 1
    return F.grid_sample(moves, unit[:, :, None], padding_mode="border", align_corners=False)[..., 0].mT


def squared(matrices: Tensor) -> Tensor:
    """(n, 3, 3) of affines (n, 2, 3)."""
    return torch.cat([matrices, matrices.new_tensor([[[0.0, 0, 1]]]).expand(len(matrices), 1, 3)], 1)


def chained(outer: Tensor, inner: Tensor) -> Tensor:
    """outer after inner, both (n, 2, 3)."""
    return (squared(outer) @ squared(inner))[:, :2]


def aligned(source: Tensor, target: Tensor) -> Tensor:
    """`affine.similarity` of points (n, m, 2) onto points (m, 2): (n, 2, 3)."""
    ma, mb = source.mean(1, keepdim=True), target.mean(0)
    a, b = source - ma, target - mb
    norm = a.square().sum((1, 2))
    re, im = (a * b).sum((1, 2)) / norm, (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / norm
    linear = torch.stack([re, -im, im, re], 1).view(-1, 2, 2)
    return torch.cat([linear, mb[:, None] - linear @ ma.mT], 2)


def theta_of(matrix: Tensor, size: int) -> Tensor:
    """`embedder_inputs.theta_of` of matrices (n, 2, 3)."""
    half, shift = cpu.MIDDLE / 2, cpu.MARGIN + cpu.MIDDLE / 2 - 0.5
    to_pixel = matrix.new_tensor([[size / 2, 0, size / 2 - 0.5], [0, size / 2, size / 2 - 0.5], [0, 0, 1]])
    to_unit = matrix.new_tensor([[1 / half, 0, -shift / half], [0, 1 / half, -shift / half], [0, 0, 1]])
    return (to_unit @ torch.linalg.inv(squared(matrix)) @ to_pixel)[:, :2]


def either(chosen: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """One's pictures where they are chosen (n,), else the other's."""
    return torch.where(chosen[:, None, None, None], one, other)


def grey(view: Tensor) -> Tensor:
    """BGR pictures without their colours."""
    weights = view.new_tensor([0.114, 0.587, 0.299])[:, None, None]
    return (view * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1)


def blurred(view: Tensor, sigma: Tensor, reach: int = 5) -> Tensor:
    """A Gaussian of a width of its own for each picture (n,), edges repeated."""
    at = torch.arange(-reach, reach + 1, device=view.device)
    kernel = (-(at**2) / (2 * sigma[:, None] ** 2)).exp()
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(view.shape[1], 0)
    n, channels = view.shape[:2]
    flat = F.pad(view, [reach] * 4, mode="replicate").flatten(0, 1)[None]
    flat = F.conv2d(
        F.conv2d(flat, kernel[:, None, None], groups=n * channels), kernel[:, None, :, None], groups=n * channels
    )
    return flat[0].unflatten(0, (n, channels))


def enlarged(view: Tensor, side: int) -> Tensor:
    """Shrunk to a side, and back."""
    small = F.interpolate(view, size=(side, side), mode="bilinear", antialias=True)
    return F.interpolate(small, size=view.shape[-2:], mode="bilinear")
