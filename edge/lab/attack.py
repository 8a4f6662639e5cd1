"""Presentation attack detection, measured on whole sessions from folders of pictures, as ISO/IEC 30107-3 words it.

    report = measure_attacks(AttackPlan(images=Path("pad"), out=Path("report")))

    pad/enrol/PERSON/*.jpg                    pictures that the person is enrolled from
    pad/bona_fide/PERSON/SESSION/*.jpg        a living person, frames in the order of their names
    pad/SPECIES/PERSON/SESSION/*.jpg          one folder an attack instrument species; PERSON is who is attacked
    pad/people.csv                            may be there: ``person`` and further columns (group, source, camera ...)

Each session is played by the rule of a door (`edge.face.rule`) twice. With comparisons as they are it gives the IAPAR
(attacks accepted by the whole system). With every comparison taken as a match, so that nothing but the gates decides,
it gives the APCER and the BPCER. Rates are by person: a person counts once one of their sessions went wrong, since
sessions of one person are not independent; bounds are exact (`edge.lab.intervals`). The worst species stands first and
no mean is formed; the people alive are told apart by every column of ``people.csv``, since a mean hides a rate that
only some groups pay. Recordings answer no challenge, so a session that asks for one ends without a decision.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

from edge.errors import InputError
from edge.face import Chain
from edge.face.match import average
from edge.face.rule import Active, Rule
from edge.lab import plots
from edge.lab.figures import by_limit
from edge.lab.intervals import attempts_for, clopper_pearson, upper
from edge.lab.sessions import EnrolledPerson, SessionPlayed, play
from edge.pictures import read_image
from edge.settings.model import DecisionSettings, FaceSettings
from edge.types import Frame, Outcome
from edge.types.gates import BONA_FIDE, ENROL

SCHEMA = "edge/lab/attack/v1"
FILES = ("attack.html", "attack.json")
LABELS = "people.csv"
#: Of the passive network's suspicion, for the curves.
LIMITS = [round(0.02 * step, 2) for step in range(51)]
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class AttackPlan:
    """What is measured.

    Attributes:
        images: see the module. out: folder of the report. fps: of the pictures. active: when a challenge is asked.
        claim: "the APCER of every species is below this", 0..1, to be shown with 95 %; None: nothing is claimed.
        two_sided: of the claim's interval. passive: whether the passive network judges.
    """

    images: Path
    out: Path
    fps: float = 15.0
    active: Literal["off", "on_doubt", "always"] = "off"
    claim: float | None = None
    two_sided: bool = False
    passive: bool = True


@dataclass(frozen=True, slots=True)
class _Session:
    """One presentation: accepted by the whole system, passed by the gates alone, by any limit above ``suspicion``."""

    person: str
    accepted: bool
    passed: bool
    rejected: bool
    suspicion: float


def measure_attacks(plan: AttackPlan) -> dict[str, Any]:
    """Play every session and write the report.

    Returns:
        The content of ``attack.json``.

    Raises:
        InputError: a folder is missing or empty, or the claim needs more people than there are.
    """
    species = _species(plan.images)
    found = {name: list(_presentations(plan.images / name)) for name in (BONA_FIDE, *species)}
    if plan.claim is not None:
        for name in species:
            _need_people(plan, name, len({person for person, _ in found[name]}))
    labels = _labels(plan.images, {person for person, _ in found[BONA_FIDE]})
    chain = Chain.load(FaceSettings(threads=1))
    holders, rows, curves = dict[str, EnrolledPerson](), [], {}
    for name, presentations in found.items():
        sessions = []
        for person, folder in presentations:
            if person not in holders:
                holders[person] = _holder(chain, plan.images / ENROL / person)
            sessions.append(_played(plan, person, holders[person], folder))
        rows.append(_row(name, sessions))
        curves[name] = by_limit([(one.person, one.suspicion) for one in sessions], LIMITS)
        if name == BONA_FIDE:
            rows[0]["by"] = {column: _groups(sessions, of) for column, of in labels.items()}
    attacks = sorted(rows[1:], key=lambda row: -row["apcer"]["rate"])
    report = {
        "schema": SCHEMA,
        "model": chain.model,
        "passive": plan.passive and chain.passive is not None,
        "active": plan.active,
        "bona_fide": rows[0],
        "species": attacks,
        "claim": _claim(plan, attacks),
        "curves": None,
        "error": None,
    }
    if plan.passive and chain.passive is not None:
        alive, card = curves.pop(BONA_FIDE), chain.passive.limits.doubt
        report["curves"] = {"limits": LIMITS, "card": card, "bona_fide": alive, "species": curves}
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "attack.json").write_text(json.dumps(report, indent=1))
    (plan.out / "attack.html").write_text(_page(report))
    return report


def _species(images: Path) -> list[str]:
    if not (images / BONA_FIDE).is_dir() or not (images / ENROL).is_dir():
        raise InputError(
            "sessions of living people or enrolment pictures are missing",
            where=str(images),
            remedy=f"make folders {ENROL}/PERSON, {BONA_FIDE}/PERSON/SESSION and one for each species beside them",
        )
    names = sorted(entry.name for entry in images.iterdir() if entry.is_dir())
    attacks = [name for name in names if name not in (BONA_FIDE, ENROL)]
    if not attacks:
        raise InputError(
            "there is no attack to measure", where=str(images), remedy="add SPECIES/PERSON/SESSION, such as print"
        )
    return attacks


def _presentations(folder: Path) -> Iterator[tuple[str, Path]]:
    """(person, folder of frames), by name."""
    count = 0
    for person in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        for session in sorted(entry for entry in person.iterdir() if entry.is_dir()):
            count += 1
            yield person.name, session
    if not count:
        raise InputError("no session lies here", where=str(folder), remedy="put frames into PERSON/SESSION/ below it")


def _pictures(folder: Path) -> list[Path]:
    """The pictures of a folder; numbers in their names count as numbers."""

    def order(path: Path) -> tuple[int, str]:
        digits = "".join(letter for letter in path.stem.split("_")[-1] if letter.isdigit())
        return int(digits or 0), path.name

    found = sorted((path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES), key=order)
    if not found:
        raise InputError("no picture lies here", where=str(folder), remedy="put JPEG or PNG pictures into it")
    return found


def _holder(chain: Chain, folder: Path) -> EnrolledPerson:
    if not folder.is_dir():
        raise InputError(
            "this person is not enrolled", where=str(folder), remedy="put pictures of the person into this folder"
        )
    looks = [chain.look(frame, gate=False) for frame in _frames(folder, 1.0)]
    vectors = [chain.embedder.embed(look.crop) for look in looks if look.crop is not None]
    if not vectors:
        raise InputError("no face is in these pictures", where=str(folder), remedy="use pictures of one face")
    settings = DecisionSettings()
    return EnrolledPerson(chain, average(vectors), chain.threshold(settings.target_fmr, settings.looks))


def _frames(folder: Path, fps: float) -> Iterator[Frame]:
    for k, path in enumerate(_pictures(folder)):
        yield Frame(read_image(path), int(k / fps * 1e9), k + 1, "pictures")


def _played(plan: AttackPlan, person: str, holder: EnrolledPerson, folder: Path) -> _Session:
    whole = _session(plan, holder, folder)
    gates = _session(plan, replace(holder, threshold=-2.0), folder)
    rejected = gates.ending is not None and gates.ending.outcome is Outcome.REJECT
    return _Session(person, _accepted(whole), _accepted(gates), rejected, _suspicion(plan, holder, folder))


def _suspicion(plan: AttackPlan, holder: EnrolledPerson, folder: Path) -> float:
    """The largest suspicion up to the first look that is compared; 2.0 where none is."""
    if not plan.passive or holder.chain.passive is None:
        return 0.0
    rule = Rule(DecisionSettings(), replace(holder.chain.passive.limits, doubt=2.0, attack=2.0))
    ended = play(rule, replace(holder, threshold=-2.0), _frames(folder, plan.fps))
    return rule.suspicion.highest if rule.suspicion is not None and _accepted(ended) else 2.0


def _session(plan: AttackPlan, holder: EnrolledPerson, folder: Path) -> SessionPlayed:
    chain = holder.chain
    limits = chain.passive.limits if plan.passive and chain.passive is not None else None
    align, active = chain.embedder.card.align, None
    if plan.active != "off" and align is not None:
        active = Active(plan.active, align, lambda: 0.5)  # a recording answers nothing: any way will do
    return play(Rule(DecisionSettings(), limits, active), holder, _frames(folder, plan.fps))


def _accepted(played: SessionPlayed) -> bool:
    return played.ending is not None and played.ending.outcome is Outcome.ACCEPT


def _row(name: str, sessions: list[_Session]) -> dict[str, Any]:
    """Figures of bona fide sessions, or of one species."""
    people = defaultdict(list)
    for session in sessions:
        people[session.person].append(session)
    row: dict[str, Any] = {"name": name, "people": len(people), "sessions": len(sessions)}
    if name == BONA_FIDE:
        wrong = {person: sum(not one.passed for one in of) / len(of) for person, of in people.items()}
        row["bpcer"] = _rate(sum(share > 0 for share in wrong.values()), len(people), wrong)
        row["rejected_as_attack"] = sum(one.rejected for one in sessions)
        return row
    passed = {person: sum(one.passed for one in of) / len(of) for person, of in people.items()}
    accepted = {person: sum(one.accepted for one in of) / len(of) for person, of in people.items()}
    row["apcer"] = _rate(sum(share > 0 for share in passed.values()), len(people), passed)
    row["iapar"] = _rate(sum(share > 0 for share in accepted.values()), len(people), accepted)
    return row


def _groups(sessions: list[_Session], labels: Mapping[str, str]) -> dict[str, Any]:
    """BPCER of the people of each label, the worst first."""
    values = sorted({labels[session.person] for session in sessions})
    found = {value: _row(BONA_FIDE, [one for one in sessions if labels[one.person] == value]) for value in values}
    return dict(sorted(found.items(), key=lambda item: -item[1]["bpcer"]["rate"]))


def _labels(images: Path, people: set[str]) -> dict[str, dict[str, str]]:
    """Column -> person -> label, of ``people.csv``; nothing without one.

    Raises:
        InputError: it cannot be read, has no column ``person``, or does not name everybody.
    """
    file = images / LABELS
    if not file.exists():
        return {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            rows, columns = list(reader), list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the labels cannot be read ({error})", where=str(file), remedy="save it as CSV in UTF-8"
        ) from None
    if "person" not in columns:
        raise InputError("no column is called person", where=str(file), remedy="name people as their folders are named")
    named = {row["person"]: row for row in rows}
    if lacking := sorted(people - named.keys()):
        text = f"{len(lacking)} of the people alive have no row, such as {lacking[0]}"
        raise InputError(text, where=str(file), remedy="give each folder of bona_fide a row")
    of = [column for column in columns if column and column != "person"]
    return {column: {person: named[person][column] or "not said" for person in people} for column in of}


def _rate(events: int, people: int, shares: dict[str, float]) -> dict[str, Any]:
    """A share of people with its exact bounds, and the mean and the worst of their sessions."""
    low, high = clopper_pearson(events, people)
    return {
        "people": events,
        "rate": events / people,
        "low": low,
        "high": high,
        "upper": upper(events, people),
        "mean_of_sessions": sum(shares.values()) / people,
        "worst_person": max(shares.values()),
    }


def _need_people(plan: AttackPlan, name: str, people: int) -> None:
    assert plan.claim is not None
    needed = attempts_for(plan.claim, two_sided=plan.two_sided)
    if people < needed:
        side = "two-sided" if plan.two_sided else "one-sided"
        raise InputError(
            f"{people} people of the species {name} cannot show a rate below {plan.claim:.0%}, even without a success",
            where=str(plan.images / name),
            remedy=f"bring {needed} people ({side}, 95 %), or claim less",
        )


def _claim(plan: AttackPlan, attacks: list[dict[str, Any]]) -> dict[str, Any] | None:
    if plan.claim is None:
        return None
    bound = "high" if plan.two_sided else "upper"
    worst = max(attacks, key=lambda row: float(row["apcer"][bound]))
    shown = worst["apcer"][bound] < plan.claim
    return {"below": plan.claim, "shown": shown, "worst": worst["name"], "bound": worst["apcer"][bound]}


def _page(report: dict[str, Any]) -> str:
    """One page that needs nothing else."""
    rows = "".join(
        f"<tr><td>{escape(row['name'])}</td><td>{row['people']}</td><td>{row['sessions']}</td>"
        f"<td>{_cell(row['apcer'])}</td><td>{_cell(row['iapar'])}</td></tr>"
        for row in report["species"]
    )
    live, claim, said = report["bona_fide"], report["claim"], ""
    if claim is not None:
        verdict = "shown" if claim["shown"] else "NOT shown"
        said = (
            f"<p>Claim: every species below {claim['below']:.1%}: <b>{verdict}</b> ({escape(claim['worst'])}: "
            f"at most {claim['bound']:.1%}).</p>"
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>edge lab attack</title><style>'
        "body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;max-width:960px;margin:28px auto}"
        "td,th{text-align:right;padding:4px 12px 4px 0;border-bottom:1px solid #e3e5e8}td:first-child,th:first-child"
        "{text-align:left}</style>"
        "<h1>Presentation attacks, by person</h1>"
        "<p>A person counts as soon as one session went wrong; 95 % exact intervals over people; worst species first. "
        f"Passive network: {'on' if report['passive'] else 'off'}; challenge: {report['active']}, never answered. "
        "Attacks that are not listed were not tried.</p>"
        "<table><tr><th>species</th><th>people</th><th>sessions</th><th>APCER (gates alone)</th>"
        f"<th>IAPAR (whole system)</th></tr>{rows}</table>"
        f"{plots.by_limit(report['curves']) if report['curves'] else ''}"
        f"<p>Bona fide: {live['people']} people, {live['sessions']} sessions; BPCER {_cell(live['bpcer'])}; "
        f"{live['rejected_as_attack']} sessions rejected as an attack.</p>{_by(live['by'])}{said}</html>"
    )


def _by(labels: Mapping[str, Mapping[str, Any]]) -> str:
    """A table for each way in which people are told apart."""
    tables = []
    for column, groups in labels.items():
        rows = "".join(
            f"<tr><td>{escape(value)}</td><td>{row['people']}</td><td>{row['sessions']}</td><td>{_cell(row['bpcer'])}</td></tr>"
            for value, row in groups.items()
        )
        head = f"<tr><th>{escape(column)}</th><th>people</th><th>sessions</th><th>BPCER</th></tr>"
        tables.append(f"<table>{head}{rows}</table>")
    return "".join(tables)


def _cell(rate: dict[str, Any]) -> str:
    return (
        f"{rate['people']} people, {rate['rate']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}]; "
        f"of sessions {rate['mean_of_sessions']:.1%}, worst person {rate['worst_person']:.0%}"
    )
