"""A fictional person as something that can stand in a room: a cut-out head with depth, on a drawn body.

    figure = load_figure("ada", 0)          # some 150 ms, then kept: the last two, about 4 MB each
    figure.head, figure.body                # premultiplied BGRA pictures, half and quarter sizes included

The portraits are averages of several photographs: the face is sharp, hair and background are ghosts, or were painted
over. So the face is cut out along its mesh, and what lies around it is drawn: hair behind it that the portrait fades
into, ears, neck, shoulders, clothes down to the shoes, in colours of the person's own. None of it matters to a
verifier, all of it to a detector, which should meet a head on shoulders and not an oval sticker.

Lengths below are in the portrait's pixels unless they are said to be in face heights (hairline to chin).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from edge import _resources
from edge.errors import InputError
from edge.fictional.mesh import Relief
from edge.pictures import read_image
from edge.types import F32, U8

PEOPLE = ("ada", "bela", "chen", "dara", "emil", "fara", "goran", "hana", "isak", "jaya", "kenji", "lena")

# Hair: colour (BGR) and how far it falls below the eyes, in face heights; below 0.3 the ears show.
_HAIR: dict[str, tuple[tuple[int, int, int], float]] = {
    "ada": ((38, 30, 52), 0.95),
    "bela": ((28, 26, 30), 0.10),
    "chen": ((24, 22, 28), 0.62),
    "dara": ((18, 20, 30), 0.80),
    "emil": ((40, 50, 62), 0.08),
    "fara": ((38, 56, 76), 0.70),
    "goran": ((18, 20, 26), 0.05),
    "hana": ((58, 56, 60), 0.40),
    "isak": ((20, 22, 28), 0.10),
    "jaya": ((20, 20, 28), 0.92),
    "kenji": ((26, 24, 28), 0.10),
    "lena": ((84, 88, 94), 0.12),
}
_CLOTHES = ((96, 62, 44), (58, 58, 64), (60, 84, 58), (52, 46, 92), (122, 112, 104), (70, 92, 128))
_TROUSERS = ((46, 40, 36), (62, 52, 44), (40, 44, 52))

#: Figures in memory.
KEPT = 2
BODY_SCALE = 0.5  # pixels of the body's picture to one of the portrait's
BODY_LEFT, BODY_TOP, _BODY_WIDTH, _BODY_HEIGHT = -180.0, 190.0, 744, 1330


@dataclass(frozen=True, slots=True)
class Figure:
    """One person, ready to be placed.

    Attributes:
        name: who.
        portrait: BGR uint8 (384, 384, 3), as it comes.
        head: premultiplied BGRA uint8 pictures, each half the size of the one before; the first is (384, 384, 4).
        body: the same for the body; its pixel (0, 0) is the portrait's point (BODY_LEFT, BODY_TOP), at BODY_SCALE.
        relief: the head's depth.
        centre: x, y of the face's middle in the portrait; height: of the face, hairline to chin, pixels.
    """

    name: str
    portrait: U8
    head: tuple[U8, ...]
    body: tuple[U8, ...]
    relief: Relief
    centre: tuple[float, float]
    height: float


@lru_cache(maxsize=KEPT)
def load_figure(name: str, variant: int = 0) -> Figure:
    """Cut a person out and draw the rest.

    Args:
        name: one of `PEOPLE`.
        variant: 0, 1 or 2. The mesh is variant 0's; the others share its landmarks to within a pixel or two.

    Raises:
        InputError: there is no fictional person of that name.
    """
    if name not in PEOPLE or variant not in (0, 1, 2):
        people = ", ".join(PEOPLE)
        raise InputError(f"there is no fictional person {name}-{variant}", where="script", remedy=f"one of {people}")
    portrait = read_image(_resources.path("people", f"{name}-{variant}.jpg"))
    with np.load(_resources.path("people", "mesh.npz")) as meshes:
        mesh = meshes[name].astype(np.float32)
    relief = Relief(mesh, (portrait.shape[0], portrait.shape[1]))
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    top, bottom = float(mesh[:, 1].min()), float(mesh[:, 1].max())
    skin = _skin(portrait, mesh)
    head = _draw_head(portrait, mesh, relief.hull, name, skin, rng)
    body = _draw_body(mesh, skin, name, rng)
    centre = (float(mesh[:, 0].mean()), (top + bottom) / 2)
    return Figure(name, portrait, _halves(head, 3), _halves(body, 3), relief, centre, bottom - top)


def _skin(portrait: U8, mesh: F32) -> F32:
    """The colour between cheek and nose, float32 (3,) BGR: landmarks 50 and 280 are the cheekbones."""
    patches = [portrait[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6] for x, y in mesh[[50, 280], :2]]
    colours = np.concatenate([patch.reshape(-1, 3) for patch in patches])
    return np.asarray(np.median(colours, axis=0), np.float32)


def _draw_head(portrait: U8, mesh: F32, hull: F32, name: str, skin: F32, rng: np.random.Generator) -> U8:
    """Hair, ears, then the face, as premultiplied BGRA."""
    shape = (portrait.shape[0], portrait.shape[1])
    colour, fall = _HAIR[name]
    layer = np.zeros((*shape, 4), np.float32)
    hair = _hair_mask(shape, mesh, fall, rng)
    _over(layer, _hair_picture(shape, colour, rng), hair)
    if fall < 0.3:
        for x, lean in ((mesh[:, 0].min() - 3, -1), (mesh[:, 0].max() + 3, 1)):
            ear = _ellipse(shape, (float(x), float(mesh[234, 1] + 6)), (10, 25), 6.0 * lean)
            _over(layer, np.broadcast_to(skin * 0.78, (*shape, 3)), ear)
    outside = _outside(shape, hull)
    painted = _painted(portrait)
    sharper = portrait.astype(np.float32) * 1.5 - cv2.GaussianBlur(portrait, (0, 0), 1.6).astype(np.float32) * 0.5
    face = np.clip(sharper, 0, 255)
    if painted:
        face = _without_halo(face, skin, outside)
    face *= (1 - 0.22 * np.clip((outside + 14) / 16, 0, 1))[..., None]  # skin that turns away from the light
    _over(layer, face, _face_mask(mesh, outside, hair, rng, painted=painted))
    return np.clip(layer, 0, 255).astype(np.uint8)


def _painted(portrait: U8) -> bool:
    """Is the portrait's background one flat colour (six of the people), or a blend of photographs?"""
    return float(portrait[:30].std(axis=(0, 1)).max()) < 4


def _outside(shape: tuple[int, int], hull: F32) -> F32:
    """Distance from the mesh's hull in pixels, negative inside."""
    filled = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(filled, np.round(hull).astype(np.int32), 1)
    apart = cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5) - cv2.distanceTransform(filled, cv2.DIST_L2, 5)
    return np.asarray(apart, np.float32)


def _without_halo(face: F32, skin: F32, outside: F32) -> F32:
    """Painted portraits end in a halo of an odd colour: near the edge brightness stays, the colour is the skin's."""
    tone = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY) / float(skin @ np.array([0.114, 0.587, 0.299], np.float32))
    near = np.clip((outside + 34) / 22, 0, 1)[..., None]
    return np.clip(face * (1 - near) + skin * tone[..., None] * near, 0, 255)


def _face_mask(mesh: F32, outside: F32, hair: F32, rng: np.random.Generator, *, painted: bool) -> F32:
    """0..1: the mesh's hull, grown over forehead and temples where the portrait shows real hair; a frayed hairline."""
    chin, brow = float(mesh[:, 1].max()), float(mesh[:, 1].min()) + 0.35 * float(np.ptp(mesh[:, 1]))
    rows = np.arange(outside.shape[0], dtype=np.float32)[:, None]
    up, top = np.clip((chin - rows) / (chin - brow), 0, 1) ** 1.5, np.clip((brow - rows) / 60, 0, 1)
    grow = 2.0 + (-2.0 if painted else 13.0) * up + (0.0 if painted else 22.0) * top
    feather = 5.0 + (9.0 if painted else 16.0) * np.maximum(up * 0.5, top)
    strands = cv2.GaussianBlur(rng.standard_normal(outside.shape).astype(np.float32), (0, 0), sigmaX=1.6, sigmaY=14)
    frayed = outside + strands / strands.std() * (4.5 if painted else 9.0) * top
    ramp = np.clip((grow - frayed) / feather + 0.5, 0, 1)
    smooth = ramp * ramp * (3 - 2 * ramp)
    within = np.minimum(smooth, np.maximum(hair, outside < 3)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(within, (0, 0), 1.2), np.float32)


def _hair_mask(shape: tuple[int, int], mesh: F32, fall: float, rng: np.random.Generator) -> F32:
    """0..1: a cap around the skull and, when long, locks beside the neck; its edge is frayed."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    height, width = float(np.ptp(mesh[:, 1])), float(np.ptp(mesh[:, 0]))
    middle, eyes = float(mesh[:, 0].mean()), float(mesh[33, 1])
    long = fall >= 0.3
    wide, high = width * (0.61 if long else 0.55), height * (0.72 if long else 0.66)
    across = np.abs(columns - middle) / wide
    above = np.maximum(eyes - rows, 0) / high
    below = np.maximum(rows - eyes, 0) / (height * max(fall, 0.02))
    field = 1 - across**2.1 - above**2.1 - (below**5 if long else below**2)
    fray = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=2.0, sigmaY=5.0)
    field += 0.035 * fray / fray.std()
    # Long hair falls behind the neck, so none of it is seen between the jaws.
    jaw = np.clip((rows - float(mesh[:, 1].max()) + 0.30 * height) / (0.1 * height), 0, 1)
    beside = np.clip((np.abs(columns - middle) / width - 0.33) / 0.07, 0, 1)
    return np.asarray(np.clip(field * 7 + 0.5, 0, 1) * (1 - jaw * (1 - beside)), np.float32)


def _hair_picture(shape: tuple[int, int], colour: tuple[int, int, int], rng: np.random.Generator) -> F32:
    """Strands: noise drawn out along the hair, with a soft gleam across the crown."""
    noise = rng.standard_normal(shape).astype(np.float32)
    strands = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.0, sigmaY=14.0)
    locks = cv2.GaussianBlur(noise, (0, 0), sigmaX=7.0, sigmaY=40.0)
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    gleam = np.exp(-np.square((rows - 62) / 26)) * 0.35
    light = 1.0 + 0.15 * strands / strands.std() + 0.12 * locks / locks.std() + gleam
    return np.asarray(np.clip(np.array(colour, np.float32) * light[..., None], 0, 255), np.float32)


def _draw_body(mesh: F32, skin: F32, name: str, rng: np.random.Generator) -> U8:
    """Neck, shoulders, arms, trousers and shoes, as premultiplied BGRA."""
    shape = (round(_BODY_HEIGHT * BODY_SCALE), round(_BODY_WIDTH * BODY_SCALE))
    layer = np.zeros((*shape, 4), np.float32)
    key = zlib.crc32(name.encode())
    clothes = np.array(_CLOTHES[PEOPLE.index(name) % len(_CLOTHES)], np.float32)
    trousers = np.array(_TROUSERS[key // 7 % len(_TROUSERS)], np.float32)
    width, chin, middle = float(np.ptp(mesh[:, 0])), float(mesh[:, 1].max()), float(mesh[:, 0].mean())
    draw = _Pen(shape, middle, chin, width)
    coarse = rng.standard_normal((shape[0] // 4, shape[1] // 4)).astype(np.float32)
    folds = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), sigmaX=2.2, sigmaY=6.5), (shape[1], shape[0]))
    cloth = 1 + 0.07 * folds / folds.std()
    _over(
        layer,
        trousers * cloth[..., None],
        draw.shape(((0.62, 2.3), (0.60, 3.6), (0.50, 5.5), (0.08, 5.5), (0.02, 3.1))),
    )
    _over(
        layer, np.full((*shape, 3), 26, np.float32), draw.shape(((0.62, 5.45), (0.66, 5.7), (0.06, 5.7), (0.08, 5.45)))
    )
    arm = draw.shape(((0.95, 0.62), (1.30, 0.9), (1.22, 2.2), (1.12, 3.15), (0.90, 3.15), (0.86, 2.0)))
    _over(layer, clothes * (0.86 * cloth)[..., None], arm)
    _over(
        layer,
        np.broadcast_to(skin * 0.8, (*shape, 3)),
        draw.shape(((1.12, 3.1), (1.10, 3.5), (0.94, 3.5), (0.90, 3.1))),
    )
    neck = draw.shape(((0.0, -0.6), (0.33, -0.6), (0.31, 0.02), (0.34, 0.25), (0.60, 0.52), (0.0, 0.85)))
    _over(layer, (skin * draw.neck_light()[..., None]), neck)
    torso = (
        (0.14, 0.66), (0.24, 0.48), (0.34, 0.23), (0.50, 0.31), (0.86, 0.44), (1.10, 0.58), (1.22, 0.9),
        (1.00, 1.5), (0.82, 2.2), (0.80, 3.0),
    )  # fmt: skip
    _over(layer, clothes * (cloth * draw.round_light())[..., None], draw.shape((*torso, (0.0, 3.0), (0.0, 0.74))))
    collar = draw.shape(
        ((0.15, 0.66), (0.25, 0.48), (0.335, 0.21), (0.40, 0.25), (0.31, 0.54), (0.17, 0.78), (0, 0.86), (0, 0.76))
    )
    _over(layer, clothes * (0.72 * cloth)[..., None], collar * 0.8)
    return np.clip(layer, 0, 255).astype(np.uint8)


class _Pen:
    """Draws shapes that are the same left and right of the body's axis; in face widths, y from the chin down."""

    def __init__(self, shape: tuple[int, int], middle: float, chin: float, width: float) -> None:
        self._shape = shape
        self._middle, self._chin = (middle - BODY_LEFT) * BODY_SCALE, (chin - BODY_TOP) * BODY_SCALE
        self._width = width * BODY_SCALE
        rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        self._across = (columns - self._middle) / self._width
        self._down = (rows - self._chin) / self._width

    def shape(self, outline: tuple[tuple[float, float], ...]) -> F32:
        """0..1: the right half's outline and its mirror image, with soft edges."""
        mask = np.zeros(self._shape, np.uint8)
        for side in (1, -1):
            points = np.array(
                [(self._middle + side * self._width * x, self._chin + self._width * y) for x, y in outline]
            )
            cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        softened = cv2.GaussianBlur(mask, (0, 0), 4.0).astype(np.float32) * np.float32(1 / 255)
        # Rounds corners, and keeps the edge about three pixels wide.
        return np.asarray(np.clip((softened - 0.5) * 3.2 + 0.5, 0, 1), np.float32)

    def neck_light(self) -> F32:
        """A cylinder lit from the front, in the shadow of the chin."""
        cylinder = np.sqrt(np.clip(1 - np.square(self._across / 0.42), 0.1, 1))
        shadow = 0.38 * np.clip(1 - (self._down - 0.02) / 0.22, 0, 1) ** 1.5
        return np.asarray(np.clip(0.36 + 0.56 * cylinder - shadow, 0.2, 1), np.float32)

    def round_light(self) -> F32:
        """A chest lit from above and in front."""
        chest = np.sqrt(np.clip(1 - np.square(self._across / 1.7), 0.1, 1))
        return np.asarray(0.45 + 0.62 * chest - 0.10 * np.clip(self._down - 0.8, 0, 1), np.float32)


def _ellipse(shape: tuple[int, int], centre: tuple[float, float], axes: tuple[float, float], angle: float) -> F32:
    mask = np.zeros(shape, np.uint8)
    box = (centre, (2 * axes[0], 2 * axes[1]), angle)
    cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32) / np.float32(255)


def _over(layer: F32, colour: F32, mask: F32) -> None:
    """Paint a colour through a mask onto a premultiplied layer (Porter and Duff's *over*), in place."""
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    where = np.s_[top : top + height, left : left + width]
    part, through = layer[where], mask[where]
    part *= (1 - through)[..., None]
    part[..., :3] += colour[where] * through[..., None]
    part[..., 3] += 255 * through


def _halves(picture: U8, count: int) -> tuple[U8, ...]:
    """The picture, its half, its quarter, ...: what is drawn small must be averaged, or it sparkles."""
    sizes = [picture]
    for _ in range(count - 1):
        half = cv2.resize(sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        sizes.append(np.asarray(half, np.uint8))
    return tuple(sizes)
