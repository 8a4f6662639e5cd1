"""One calibration from files to files: what `edge lab calibrate` does.

    done = run(CalibrationJob(images=(Path("staff"),), out=Path("report"), ...), steps)

pictures -> templates and probes in memory -> `calibrate` -> OUT/calibration.json, .csv, .png -> the 50 most similar
pairs of different people as a contact sheet (who stands there under two names is found so) -> the model's card.

A person with several pictures is enrolled with up to three of them, but never all; the others are probes. One with
one picture is enrolled with three looks at it and probed with a fourth: each look moves, turns and scales the picture a
little, so that the detector errs anew, and the probe has a door's light, noise and blur on top. A template is the mean
of its looks, as an enrolment makes it. The most central face counts; a picture in which none is found is tried once
more with a border, as tight crops need it.
"""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face import Chain, load_card
from edge.face.detect import Detector
from edge.face.embed import Embedder
from edge.face.match import average
from edge.files import check_writable
from edge.lab.calibrate import Calibrated, CalibrationPlan, Labels, calibrate, write_calibration
from edge.lab.extract import central_vector
from edge.lab.lists import read_groups, text_of
from edge.lab.pairing import Trials, unit
from edge.lab.pictures import Picture, gather
from edge.lab.plots import calibration, contact_sheet, thumbnail
from edge.lab.progress import Tell, Tells, quiet
from edge.lab.report import check_out, csv_of, write_files
from edge.settings.model import FaceSettings
from edge.types import F32, I8, U8

FILES = ("calibration.json", "calibration.csv", "calibration.png", "alike.csv", "alike.png")
#: Pairs of a contact sheet at most (design: One-to-one by construction).
MOST_PAIRS = 50
#: Looks of a template; an enrolment takes five of a person who moves, pictures allow fewer.
LOOKS = 3
_SET = "pictures"
_SESSION = "calibration"
People = Mapping[str, Sequence[Picture]]


@dataclass(frozen=True, slots=True)
class CalibrationJob:
    """The options of the command, by the same names."""

    images: tuple[Path, ...]
    out: Path
    command: str
    model: str = "embedder"
    detector: str = "detector"
    groups: Path | None = None
    same_person: Path | None = None
    decide_by: str = "overall"
    fewest: int = 300
    rounds: int = 400
    seed: int = 1
    card_out: Path | None = None
    dry_run: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationDone:
    """What came out: the card that was written, if any, and whether a signature beside it is now stale."""

    found: Calibrated
    section: dict[str, Any]
    failed: int
    notes: tuple[str, ...]
    card: Path | None
    signature_stale: bool

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        card = None if self.card is None else str(self.card)
        head = {"schema": "edge/calibration/v1", "card": card, "without_face": self.failed, "notes": list(self.notes)}
        return {**head, "signature_stale": self.signature_stale, "calibration": self.section}


def run(job: CalibrationJob, steps: Tells) -> CalibrationDone:
    """Calibrate and write.

    Raises:
        InputError: pictures, groups or pairs cannot be used, too few people, or an earlier report lies in ``job.out``.
        ModelError: a card or a model cannot be used.
    """
    source, detector = load_card(job.model), load_card(job.detector)
    gathered = gather(job.images)
    labels = {} if job.groups is None else {_SET: _labels(job.groups, gathered.people)}
    check_out(job.out, FILES, overwrite=job.overwrite)
    if job.card_out is not None:
        check_writable(job.card_out)
    chain = Chain(FaceSettings(threads=1), Detector(detector, 1), Embedder(source, 1))
    trials, failed, unreadable = trials_of(gathered.people, chain, job.seed, steps.step("people"))
    if job.same_person is not None:
        rows = [row for row in csv.reader(text_of(job.same_person).splitlines()) if len(row) >= 2]
        trials = replace(trials, left_out=left_out(rows, trials))
    bars: dict[str, Tell] = {}

    def tell(what: str, done: int, total: int) -> None:
        title = f"{what}: {'blocks' if total != job.rounds else 'bootstrap'}"
        if title not in bars:
            bars[title] = steps.step(title)
        bars[title](done, total)

    by = cast(Literal["overall", "worst-group"], job.decide_by)
    found = calibrate({_SET: trials}, CalibrationPlan(job.rounds, job.seed, job.fewest, by), labels=labels, tell=tell)
    section = found.section(
        sha256=source.sha256,
        arithmetic=source.arithmetic,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=job.command,
        sets={_SET: ", ".join(path.name for path in job.images)},
        notes=f"detector {detector.sha256[:12]}",
    )
    write_files(job.out, _files(found, section, trials, gathered.people))
    card = None if job.dry_run else write_calibration(Path(source.path.parent, source.where), section, job.card_out)
    stale = card is not None and any(card.parent.glob("card.dsse.json"))
    bad = (f"not readable: {', '.join(unreadable[:5])}, {len(unreadable)} in all",) if unreadable else ()
    return CalibrationDone(found, section, failed, gathered.notes + bad, card, stale)


def _labels(path: Path, people: People) -> Labels:
    """The group of every person: the combination of all attributes, by the first picture of which it is known."""
    names = [(picture.name, person) for person, pictures in people.items() for picture in pictures]
    part = read_groups(path, [name for name, _ in names], [person for _, person in names])[-1]
    found = dict.fromkeys(people, "")
    for (_, person), group in zip(names, part.of.tolist(), strict=True):
        found[person] = found[person] or (part.labels[group] if group >= 0 else "")
    return tuple(found.values())


def left_out(rows: Sequence[Sequence[str]], trials: Trials) -> NDArray[np.int64]:
    """Template and probe rows of people who are one person, from pairs of their pictures' names.

    Raises:
        InputError: no pair names two pictures of the set.
    """
    person = dict(zip(trials.template_names, trials.template_person.tolist(), strict=True))
    person |= dict(zip(trials.probe_names, trials.probe_person.tolist(), strict=True))
    pairs = {(person[a], person[b]) for a, b, *_ in rows if a in person and b in person}
    if not pairs:
        raise InputError("names no two pictures of the set", where="--same-person", remedy="use names as in alike.csv")
    out = []
    for a, b in pairs | {(b, a) for a, b in pairs}:
        for row in np.flatnonzero(trials.template_person == a):
            out += [(int(row), int(column)) for column in np.flatnonzero(trials.probe_person == b)]
    return np.array(out, np.int64)


def _files(found: Calibrated, section: dict[str, Any], trials: Trials, people: People) -> list[tuple[str, str | bytes]]:
    """The report's files, by name."""
    head = list(dict.fromkeys(key for row in found.thresholds for key in row))
    table: list[list[Any]] = [head, *([row.get(key) for key in head] for row in found.thresholds)]
    alike = _alike(found, trials)
    pictures = {picture.name: picture for group in people.values() for picture in group}
    tiles = [(thumbnail(pictures[a].load()), thumbnail(pictures[b].load())) for a, b, _ in alike]
    text = json.dumps(section, indent=1) + "\n"
    sheet = contact_sheet(tiles) if tiles else b""
    return list(zip(FILES, (text, csv_of(table), calibration(found), csv_of(alike), sheet), strict=True))


def _alike(found: Calibrated, trials: Trials) -> list[tuple[str, str, str]]:
    """The most similar pairs of people, each once: (picture, picture, score)."""
    tail, rows, seen = found.curves[_SET].tails[-1], list[tuple[str, str, str]](), set[frozenset[int]]()
    own, other = tail.people_of_pairs()
    for place in np.argsort(-tail.pairs.score, kind="stable"):
        if len(rows) == MOST_PAIRS:
            break
        pair = frozenset((int(own[place]), int(other[place])))
        if pair not in seen:
            seen.add(pair)
            names = trials.template_names[tail.pairs.first[place]], trials.probe_names[tail.pairs.second[place]]
            rows.append((*names, f"{tail.pairs.score[place]:.3f}"))
    return rows


def trials_of(people: People, chain: Chain, seed: int, tell: Tell = quiet) -> tuple[Trials, int, Sequence[str]]:
    """Templates and probes of everybody, how many pictures showed no face, and which could not be decoded.

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
    for number, pictures in enumerate(people.values()):
        enrolled, others = taker.person(pictures)
        if enrolled:
            templates.append((average([vector for vector, _ in enrolled]), number, enrolled[0][1]))
        probes += [(vector, number, name) for vector, name in others]
        tell(number + 1, len(people))
    if len({person for _, person, _ in templates}) < 2 or not probes:
        raise InputError("fewer than two people with a face", where="images", remedy="hand in pictures of more people")
    rows, columns = list(zip(*templates, strict=True)), list(zip(*probes, strict=True))
    trials = Trials(
        unit(np.array(rows[0], np.int8)),
        unit(np.array(columns[0], np.int8)),
        np.array(rows[1], np.int64),
        np.array(columns[1], np.int64),
        tuple(rows[2]),
        tuple(columns[2]),
    )
    return trials, taker.failed, taker.unreadable


class _Taker:
    """Looks at one person after another."""

    def __init__(self, chain: Chain, random: np.random.Generator) -> None:
        self.chain, self.random, self.failed = chain, random, 0
        self.unreadable: list[str] = []

    def person(self, pictures: Sequence[Picture]) -> tuple[list[tuple[I8, str]], list[tuple[I8, str]]]:
        """(looks of the template, probes), each with the picture's name."""
        if len(pictures) == 1:
            image, name = self.read(pictures[0]), pictures[0].name
            if image is None:
                return [], []
            views = [nudged(image, self.random) for _ in range(LOOKS)]
            views.append(at_a_door(nudged(image, self.random), self.random))
            looks = [(vector, name) for vector in map(self.embed, views) if vector is not None]
            self.failed += len(looks) <= LOOKS
            return (looks[:-1], looks[-1:]) if len(looks) > LOOKS else ([], [])
        enrolled = min(LOOKS, len(pictures) - 1)
        taken = [(self.vector(picture), picture.name) for picture in pictures]
        good = [[(v, name) for v, name in part if v is not None] for part in (taken[:enrolled], taken[enrolled:])]
        return good[0], good[1]

    def vector(self, picture: Picture) -> I8 | None:
        """int8 (D,) of a picture; None, and counted, when it cannot be decoded or shows no face."""
        if (image := self.read(picture)) is None:
            return None
        vector = self.embed(image)
        self.failed += vector is None
        return vector

    def read(self, picture: Picture) -> U8 | None:
        """The picture; None, and noted, when it cannot be decoded: one bad file does not end hours of work."""
        try:
            return picture.load()
        except InputError:
            self.unreadable.append(picture.name)
            return None

    def embed(self, image: U8) -> I8 | None:
        """int8 (D,) of the most central face, or None; a vector of zeros says nothing of a face."""
        vector = central_vector(self.chain, image, _SESSION)
        if vector is None:
            border = max(image.shape[:2]) * 3 // 8
            padded = np.pad(image, ((border, border), (border, border), (0, 0)), "edge")
            vector = central_vector(self.chain, padded, _SESSION)
        return vector if vector is not None and vector.any() else None


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
