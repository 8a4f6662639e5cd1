"""One calibration from files to files: what `edge lab calibrate` does.

    done = run(Job(images=(Path("staff"),), out=Path("report"), ...), steps)

pictures -> templates and probes in memory -> `calibrate` -> OUT/calibration.json, .csv, .png -> the 50 most similar
pairs of different people as a contact sheet (somebody under two names is found there) -> the model's card.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Sequence
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
from edge.lab.calibrate import Found, Labels, Plan, calibrate
from edge.lab.calibrate_card import write_calibration
from edge.lab.calibrate_pictures import trials_of
from edge.lab.calibrate_tail import Trials
from edge.lab.picture_files import Picture, gather
from edge.lab.progress import Tells
from edge.lab.table_file import read_groups
from edge.settings.model import FaceSettings
from edge.types import U8

#: Pairs of a contact sheet at most (design: One-to-one by construction).
MOST_PAIRS = 50
_SET = "pictures"
_TILE = 112


@dataclass(frozen=True, slots=True)
class Job:
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

    def plan(self) -> Plan:
        """How to calibrate."""
        by = cast(Literal["overall", "worst-group"], self.decide_by)
        return Plan(self.rounds, self.seed, self.fewest, by)


@dataclass(frozen=True, slots=True)
class Done:
    """What came out: the card that was written, if any, and whether a signature beside it is now stale."""

    found: Found
    section: dict[str, Any]
    failed: int
    card: Path | None
    signature_stale: bool

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        card = None if self.card is None else str(self.card)
        head = {"schema": "edge/calibration/v1", "card": card, "without_face": self.failed}
        return {**head, "signature_stale": self.signature_stale, "calibration": self.section}


def run(job: Job, steps: Tells) -> Done:
    """Calibrate and write.

    Raises:
        InputError: pictures, groups or pairs cannot be used, or too few people.
        ModelError: a card or a model cannot be used.
    """
    source, detector = load_card(_path(job.model)), load_card(_path(job.detector))
    chain = Chain(FaceSettings(threads=1), Detector(detector, 1), Embedder(source, 1))
    people = gather(job.images)
    trials, failed = trials_of(people, chain, job.seed, steps.step("people"))
    if job.same_person is not None:
        trials = replace(trials, left_out=left_out(_pairs(job.same_person), trials))
    labels = {} if job.groups is None else {_SET: _labels(job.groups, people)}
    bars: dict[str, Any] = {}

    def tell(what: str, done: int, total: int) -> None:
        title = f"{what}: {'blocks' if total != job.rounds else 'bootstrap'}"
        if title not in bars:
            bars[title] = steps.step(title)
        bars[title](done, total)

    found = calibrate({_SET: trials}, job.plan(), labels=labels, tell=tell)
    section = found.section(
        sha256=source.sha256,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=job.command,
        sets={_SET: ", ".join(path.name for path in job.images)},
        notes=f"detector {detector.sha256[:12]}",
    )
    _write(job.out, found, section, trials, people)
    card = None if job.dry_run else write_calibration(Path(source.path.parent, source.where), section, job.card_out)
    stale = card is not None and any(card.parent.glob("card.dsse.json"))
    return Done(found, section, failed, card, stale)


def _path(model: str) -> str | Path:
    """A card's name stays a name; anything that exists as a file is a path."""
    return Path(model) if Path(model).is_file() else model


def _labels(path: Path, people: dict[str, list[Picture]]) -> Labels:
    """The group of every person: the combination of all attributes, by their first picture."""
    names = [pictures[0].name for pictures in people.values()]
    part = read_groups(path, names, list(people))[-1]
    return tuple(part.labels[k] if k >= 0 else "" for k in part.of.tolist())


def _pairs(path: Path) -> list[list[str]]:
    """Rows of a CSV with two names and perhaps more."""
    try:
        return [row for row in csv.reader(io.StringIO(path.read_text("utf-8"))) if len(row) >= 2]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"cannot be read ({type(error).__name__})", where=str(path), remedy="rows of picture,picture"
        ) from None


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


def _write(out: Path, found: Found, section: dict[str, Any], trials: Trials, people: dict[str, list[Picture]]) -> None:
    """The report's files."""
    from edge.lab.calibrate_plot import plot

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "calibration.json").write_text(json.dumps(section, indent=1) + "\n", encoding="utf-8")
        with (out / "calibration.csv").open("w", newline="", encoding="utf-8") as file:
            head = list(dict.fromkeys(key for row in found.thresholds for key in row))
            table = csv.DictWriter(file, head)
            table.writeheader()
            table.writerows(found.thresholds)
        (out / "calibration.png").write_bytes(plot(found))
        _contact_sheet(out, found, trials, {p.name: p for group in people.values() for p in group})
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(out), remedy="choose another --out"
        ) from None


def _contact_sheet(out: Path, found: Found, trials: Trials, pictures: dict[str, Picture]) -> None:
    """The most similar pairs of people, each once: alike.csv and alike.png."""
    tail = found.curves[_SET].tails[-1]
    lines, tiles, seen = [], list[U8](), set[frozenset[str]]()
    for place in np.argsort(-tail.score, kind="stable"):
        names = trials.template_names[tail.template[place]], trials.probe_names[tail.probe[place]]
        pair = frozenset(pictures[name].person for name in names)
        if pair in seen:
            continue
        seen.add(pair)
        lines.append((*names, f"{tail.score[place]:.3f}"))
        tiles.append(np.hstack([_small(pictures[name].load()) for name in names]))
        if len(lines) == MOST_PAIRS:
            break
    with (out / "alike.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 5) if tiles else []
    if tiles:
        sheet = np.vstack([np.hstack(tiles[i : i + 5]) for i in range(0, len(tiles), 5)])
        (out / "alike.png").write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def _small(image: U8) -> U8:
    """The picture's middle square, small."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
