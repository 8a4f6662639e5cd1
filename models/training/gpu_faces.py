"""What `embedder_inputs` and its kind do to a picture, done to a whole batch in torch: for a run on a GPU.

    faces = Faces(work, device)                          # every crop and its depth on the device, 2.6 GB
    clean, view, theta, who = faces.batch(512, views=2)  # faces, their mirror images, and the student's views of both

The same steps with the same shares and spreads; where a step is drawn differently the comment says so. Pictures are
float32 (N, C, H, W), 0-255, BGR; a fourth channel says where a picture is known, 255, and where it has ended, 0.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.training import embedder_inputs as cpu
from models.training.affine import similarity
from models.training.blind import groups_of
from models.training.crops import open_crops
from models.training.embedder_faces import _DISTANCE, _PITCH, _SHEAR, _STRETCH, _WAVES, _YAW, LIT, WARPED
from models.training.gpu_views import Views, blurred, either, grey, grid_of, looked, reliefs, squared
from models.training.meshes import open_meshes


class Faces:
    """Endless training inputs on a device.

    Args:
        work: folder of the crops' cache.
        device: where everything happens.
        seed: everything random follows from it.
        indices: crops to draw from; by default all that may be trained on.
    """

    def __init__(self, work: Path, device: torch.device, seed: int, indices: np.ndarray | None = None) -> None:
        crops, self.device = open_crops(work), device
        chosen = cpu.split_of(work)[0] if indices is None else indices
        self.random = torch.Generator(device).manual_seed(seed)
        self.indices = torch.from_numpy(chosen).to(device)
        self.pixels = torch.from_numpy(np.ascontiguousarray(crops.pixels[chosen].transpose(0, 3, 1, 2))).to(device)
        canvases = np.stack([similarity(points, cpu.TEMPLATE) for points in crops.landmarks[chosen]])
        # from the crop's pixels to the canvas's, and from the whole picture's to the crop's
        self.matrices = torch.from_numpy(canvases.astype(np.float32)).to(device)
        self.frames = torch.from_numpy(crops.frames[chosen]).to(device)
        groups = groups_of([crops.names[i] for i in chosen])
        self.chances = torch.from_numpy(cpu.weights_of(groups).astype(np.float32)).to(device)
        self.tight = torch.from_numpy(np.isin(chosen, crops.of("ff"))).to(device)
        self.whole = torch.nonzero(~self.tight)[:, 0]
        self.depth, self.pose = reliefs(open_meshes(work / "data")[chosen], canvases, device)
        self.views = Views(self.random, device)

    def rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device)

    def drawn(self, count: int) -> Tensor:
        return torch.multinomial(self.chances, count, True, generator=self.random)

    def canvas(self, rows: Tensor) -> Tensor:
        """BGR and what is known, (n, 4, 160, 160)."""
        side, at = cpu.MIDDLE, grid_of(cpu.CANVAS, self.device)
        back = torch.linalg.inv(squared(self.matrices[rows]))
        places = at @ back[:, None, :2].mT
        seen = looked(self.pixels[rows].float(), places)
        inside = ((places > -0.5) & (places < side - 0.5)).all(-1)
        frames, framed = self.frames[rows], self.frames[rows].isfinite().flatten(1).all(1)
        frames = torch.where(framed[:, None, None], frames, torch.eye(2, 3, device=self.device))
        whole = torch.linalg.inv(squared(frames))[:, None, :2]
        there = torch.cat([places, torch.ones_like(places[..., :1])], -1) @ whole.mT
        within = ((there > -0.5) & (there < cpu.FRAME - 0.5)).all(-1) | ~framed[:, None, None]
        return torch.cat([seen, 255.0 * (inside & within)[:, None]], 1)

    def people(self, rows: Tensor) -> Tensor:
        """`canvas`, many of the tight ones in the hair of another (`embedder_faces.crowned`)."""
        one = self.canvas(rows)
        if not len(self.whole):
            return one
        chosen = self.tight[rows] & (self.rand(len(rows)) < cpu.CROWNED)
        hair = torch.randint(len(self.whole), (len(rows),), generator=self.random, device=self.device)
        other = self.canvas(self.whole[hair])
        x, y, _ = grid_of(cpu.CANVAS, self.device).unbind(-1)
        across, down, soft = (self.views.between(*r, len(rows), 1, 1) for r in ((44, 56), (42, 48), (0.1, 0.3)))
        apart = (((x - 79.5) / across) ** 2 + ((y - 54 - down) / down) ** 2).sqrt()
        edge = F.avg_pool2d(-F.max_pool2d(-one[:, 3:], 7, 1, 3), 5, 1, 2) / 255
        inside = ((1 - apart) / soft + 0.5).clamp(0, 1)[:, None] * edge
        skin = [head[:, :3, 58:68, 55:105].mean((2, 3), keepdim=True) + 5 for head in (one, other)]
        head = (other[:, :3] * (skin[0] / skin[1]).clamp(0.4, 2.5)).clamp(0, 255)
        mixed = one[:, :3] * inside + head * (1 - inside)
        crowned = torch.cat([mixed, torch.full_like(one[:, 3:], 255)], 1)
        return torch.where(chosen[:, None, None, None], crowned, one)

    def blended(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """`people`, some of them blends of two; and who is one person."""
        one, kind = self.people(rows), self.rand(len(rows))
        two = self.people(self.drawn(len(rows)))
        even = (0.3 + 0.4 * self.rand(len(rows), 1, 1, 1)).expand(-1, 1, cpu.CANVAS, cpu.CANVAS)
        cells = 2.5 * torch.randn(len(rows), 1, 4, 4, generator=self.random, device=self.device)  # 2 to 4 cells there
        mask = torch.sigmoid(F.interpolate(cells, size=(cpu.CANVAS, cpu.CANVAS), mode="bicubic"))
        part = torch.where((kind < cpu.PLAIN + cpu.EVEN)[:, None, None, None], even, mask)
        plain = kind < cpu.PLAIN
        return torch.where(plain[:, None, None, None], one, one * part + two * (1 - part)), plain

    def warped(self, canvas: Tensor) -> Tensor:
        """`embedder_faces.warped`."""
        n, side = len(canvas), cpu.CANVAS
        spread = _WAVES * self.rand(n, 1, 1, 1) * torch.randn(n, 2, 5, 5, generator=self.random, device=self.device)
        bend = F.interpolate(spread, size=(side, side), mode="bilinear").permute(0, 2, 3, 1)
        most = (math.radians(_YAW), math.radians(_PITCH), _STRETCH, _SHEAR)
        yaw, pitch, stretch, shear = (bound * (2 * self.rand(n) - 1) for bound in most)
        about, middle = torch.zeros(n, 3, 3, device=self.device), side / 2 - 0.5
        about[:, 0, 0], about[:, 0, 1], about[:, 1, 1] = stretch.exp(), shear, (-stretch).exp()
        about[:, 2, 0], about[:, 2, 1], about[:, 2, 2] = yaw.tan() / _DISTANCE, pitch.tan() / _DISTANCE, 1
        from_middle = grid_of(side, self.device)[..., :2] + bend - middle
        points = torch.cat([from_middle, torch.ones_like(bend[..., :1])], -1) @ about[:, None].mT
        return looked(canvas, points[..., :2] / points[..., 2:] + middle, "border")

    def lit(self, canvas: Tensor) -> Tensor:
        """`embedder_faces.lit`, black outside the picture."""
        n, bgr = len(canvas), canvas[:, :3]
        bgr = either(self.rand(n) < 0.2, grey(bgr), bgr)
        bgr = either(self.rand(n) < 0.2, blurred(bgr, 0.5 + self.rand(n)), bgr)
        angle, strength = 2 * math.pi * self.rand(n, 1, 1, 1), 0.6 * self.rand(n, 1, 1, 1)
        at = torch.linspace(-1, 1, cpu.CANVAS, device=self.device)
        ramp = 1 + strength * (angle.cos() * at[None, None, None] + angle.sin() * at[None, None, :, None])
        bgr = either(self.rand(n) < 0.5, (bgr * ramp).clamp(0, 255), bgr)
        gamma, gain = (0.8 * self.rand(n, 1, 1, 1) - 0.4).exp(), 0.75 + 0.4 * self.rand(n, 1, 1, 1)
        colours, lift = 0.9 + 0.2 * self.rand(n, 3, 1, 1), 40 * self.rand(n, 1, 1, 1) - 15
        tone = ((bgr / 255) ** gamma * 255 * gain * colours + lift).clamp(0, 255)
        return torch.cat([tone * canvas[:, 3:] / 255, canvas[:, 3:]], 1)

    def filled(self, canvas: Tensor) -> Tensor:
        """`embedder_faces.filled`, of `cpu.FILLED` of the canvases; BGR."""
        n, side, bgr, known = len(canvas), cpu.CANVAS, canvas[:, :3], canvas[:, 3:] / 255
        small = F.interpolate(canvas, size=(10, 10), mode="area")
        soft = blurred(small, torch.full((n,), 1.5, device=self.device))
        smear = (soft[:, :3] * 255 / (soft[:, 3:] + 8)).clamp(0, 255)
        spread = 80 * self.rand(n, 1, 1, 1) * torch.randn(n, 3, 10, 10, generator=self.random, device=self.device)
        some = (255 * self.rand(n, 3, 1, 1) + spread).clamp(0, 255)  # of 2 to 6 cells a side there
        kind = self.rand(n)
        fill = F.interpolate(either(kind < 0.3, smear, some), size=(side, side), mode="bicubic").clamp(0, 255)
        if len(self.whole):
            hair = torch.randint(len(self.whole), (n,), generator=self.random, device=self.device)
            fill = either(kind >= 0.65, self.canvas(self.whole[hair])[:, :3], fill)
        return either(self.rand(n) < cpu.FILLED, (bgr + fill * (1 - known)).clamp(0, 255), bgr)

    def batch(self, count: int, size: int, views: int, mild: float = 0.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Faces and, in the second half, their mirror images.

        Returns:
            the teacher's BGR pictures (2 count, 3, 128, 128), 0-255; the student's RGB ones (2 count x views, 3, size,
            size), face by face; their theta (2 count x views, 2, 3); the crops' indices (2 count,), -1 for nobody's own
            face.
        """
        rows = self.drawn(count)
        canvas, own = self.blended(rows)
        bent = self.rand(count) < WARPED
        canvas = either(bent, self.warped(canvas), canvas)
        canvas = either(self.rand(count) < LIT, self.lit(canvas), canvas)
        middle = slice(cpu.MARGIN, cpu.MARGIN + cpu.MIDDLE)
        clean, source = canvas[:, :3, middle, middle], self.filled(canvas)
        if size / cpu.MIDDLE < 0.75:
            source = blurred(source, torch.full((count,), 0.35 * cpu.MIDDLE / size, device=self.device))
        depth = torch.where(bent[:, None, None], torch.nan, self.depth[rows])
        every = [part.repeat_interleave(2 * views, 0) for part in (source, depth, self.pose[rows])]
        seen, theta = self.views(*every, size, self.rand(2 * views * count) < mild)
        seen, theta = seen.unflatten(0, (count, 2, views)), theta.unflatten(0, (count, 2, views))
        flip = torch.tensor([[1.0, -1, -1], [-1, 1, 1]], device=self.device)
        seen = torch.cat([seen[:, 0].flatten(0, 1), seen[:, 1].flatten(0, 1).flip(-1)])
        theta = torch.cat([theta[:, 0].flatten(0, 1), theta[:, 1].flatten(0, 1) * flip])
        who = torch.where(own & ~bent, self.indices[rows], -1)
        return torch.cat([clean, clean.flip(-1)]), seen.flip(1), theta, who.repeat(2)
