"""From pictures to templates and probes, by the chain of a door.

    people = gather([Path("staff"), Path("extra.tar")])      # who has which pictures
    trials, failed = trials_of(people, chain, seed=1)        # in memory only

Two ways of laying pictures out, also mixed: one folder a person (``staff/ada/1.jpg``), or one picture a person
(``staff/ada.jpg``); a .tar holds the same paths. Somebody with several pictures is enrolled with up to three of them,
but never all; the others are probes. Somebody with one picture is enrolled with three looks at it and probed with a
fourth: each look moves, turns and scales the picture a little, so that the detector errs anew, and the probe has a
door's light, noise and blur on top. A template is the mean of its looks, as an enrolment makes it. The most central
face counts; a picture in which none is found is tried once more with a border, as tight crops need it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face import Chain
from edge.lab.bounds import Tell, _quiet
from edge.lab.calibrate_tail import Trials, unit
from edge.lab.picture_files import Picture
from edge.types import F32, I8, U8, Frame

#: Looks of a template; an enrolment takes five of a person who moves, pictures allow fewer.
LOOKS = 3
_SESSION = "calibration"


def trials_of(people: dict[str, list[Picture]], chain: Chain, seed: int, tell: Tell = _quiet) -> tuple[Trials, int]:
    """Templates and probes of everybody, and how many pictures showed no face.

    Args:
        people: as `gather` gives them.
        chain: models and alignment; its gate is off, since portraits are not taken at a door.
        seed: of the looks at single pictures.
        tell: called after every person.

    Raises:
        InputError: fewer than two people with a face.
    """
    taker = _Taker(chain, np.random.default_rng(seed))
    templates: list[tuple[I8, int, str]] = []
    probes: list[tuple[I8, int, str]] = []
    for number, (_person_name, pictures) in enumerate(people.items()):
        enrolled, looks = taker.person(pictures)
        if enrolled:
            templates.append((_mean([vector for vector, _ in enrolled]), number, enrolled[0][1]))
        probes += [(vector, number, name) for vector, name in looks]
        tell(number + 1, len(people))
    if len({person for _, person, _ in templates}) < 2 or not probes:
        raise InputError("fewer than two people with a face", where="images", remedy="hand in pictures of more people")
    return _trials(templates, probes), taker.failed


def _trials(templates: list[tuple[I8, int, str]], probes: list[tuple[I8, int, str]]) -> Trials:
    rows, columns = list(zip(*templates, strict=True)), list(zip(*probes, strict=True))
    return Trials(
        unit(np.array(rows[0], np.int8)),
        unit(np.array(columns[0], np.int8)),
        np.array(rows[1], np.int64),
        np.array(columns[1], np.int64),
        tuple(rows[2]),
        tuple(columns[2]),
    )


def _mean(vectors: Sequence[I8]) -> I8:
    """The reference of several looks: the mean of unit vectors as int8, exactly as `edge.session` enrols (a test)."""
    units = [v.astype(np.float64) / max(1e-12, float(np.linalg.norm(v.astype(np.float64)))) for v in vectors]
    mean = np.sum(units, axis=0) / len(units)
    scaled: I8 = np.rint(mean * (127.0 / max(1e-12, float(np.abs(mean).max())))).astype(np.int8)
    return scaled


class _Taker:
    """Looks at one person after another."""

    def __init__(self, chain: Chain, random: np.random.Generator) -> None:
        self.chain, self.random, self.failed = chain, random, 0

    def person(self, pictures: Sequence[Picture]) -> tuple[list[tuple[I8, str]], list[tuple[I8, str]]]:
        """(looks of the template, probes), each with the picture's name."""
        if len(pictures) == 1:
            image, name = pictures[0].load(), pictures[0].name
            views = [nudged(image, self.random) for _ in range(LOOKS)]
            views.append(at_a_door(nudged(image, self.random), self.random))
            looks = [(vector, name) for vector in map(self.embed, views) if vector is not None]
            self.failed += len(looks) <= LOOKS
            return (looks[:-1], looks[-1:]) if len(looks) > LOOKS else ([], [])
        enrolled = min(LOOKS, len(pictures) - 1)
        taken = [(self.embed(picture.load()), picture.name) for picture in pictures]
        self.failed += sum(vector is None for vector, _ in taken)
        good = [[(v, name) for v, name in part if v is not None] for part in (taken[:enrolled], taken[enrolled:])]
        return good[0], good[1]

    def embed(self, image: U8) -> I8 | None:
        """int8 (D,) of the most central face, or None."""
        for border in (0, max(image.shape[:2]) * 3 // 8):
            if border:
                image = np.pad(image, ((border, border), (border, border), (0, 0)), "edge")
            look = self.chain.look(Frame(image, 0, 0, "picture"), pick="central", gate=False)
            if look.crop is not None:
                return self.chain.embed(look, _SESSION).consume(_SESSION)
        return None


def nudged(image: U8, random: np.random.Generator) -> U8:
    """The picture moved, turned and scaled a little, so that the detector's landmarks err anew."""
    height, width = image.shape[:2]
    centre = (width / 2, height / 2)
    turn: NDArray[np.float64] = np.array(
        cv2.getRotationMatrix2D(centre, float(random.normal(0, 4)), float(random.uniform(0.9, 1.08))), np.float64
    )
    turn[:, 2] += random.normal(0, 0.02, 2) * (width, height)
    moved = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def at_a_door(image: U8, random: np.random.Generator) -> U8:
    """The picture as a door's camera takes it: another exposure, gamma and tint, light from a side, blur, noise."""
    height, width = image.shape[:2]
    tone = np.linspace(0, 1, 256)[:, None] ** np.exp(random.uniform(-0.5, 0.5))
    table = 255 * tone * np.exp(random.uniform(-0.5, 0.4)) * np.exp(random.uniform(-0.1, 0.1, 3))
    light: F32 = np.asarray(cv2.LUT(image, table.astype(np.float32).reshape(1, 256, 3)), np.float32)
    slope = random.uniform(-0.4, 0.4, 2)
    light *= (1 + slope[0] * np.linspace(-1, 1, width)[None, :, None]).astype(np.float32)
    light *= (1 + slope[1] * np.linspace(-1, 1, height)[:, None, None]).astype(np.float32)
    if random.random() < 0.5:
        sigma = float(random.uniform(0.4, 1.0)) * max(height, width) / 128
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), sigma), np.float32)
    noisy: F32 = light + random.normal(0, random.uniform(0, 8), light.shape).astype(np.float32)
    clipped: U8 = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
    return clipped


def names_of(trials: Trials) -> Iterable[str]:
    """Every picture that was used, once."""
    return dict.fromkeys((*trials.template_names, *trials.probe_names))
