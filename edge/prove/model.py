"""What an examination says: findings, checks, trials, limits, and one verdict.

A *violation* is a reason not to believe that this is what it says it is. A *warning* is something that an auditor
should know and that shows nothing wrong by itself. A check with neither holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = "edge/prove/v1"


class Severity(StrEnum):
    """How much a finding weighs."""

    VIOLATION = "violation"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One thing that was found.

    Attributes:
        where: file and line below the examined root, or a name.
        what: one sentence without a full stop; never a secret, an embedding or a picture.
        level: how much it weighs.
    """

    where: str
    what: str
    level: Severity = Severity.VIOLATION

    def softened(self) -> Evidence:
        """The same as a warning."""
        return Evidence(self.where, self.what, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Question:
    """One question that was put to the examined files.

    Attributes:
        id: stable name, such as ``sql``. title: the question, as a statement that should hold, for a layman.
        examined: what was looked at, counted, such as "12 statements".
        findings: what was found against it.
        skipped: why the question was not put; empty when it was.
    """

    id: str
    title: str
    examined: str
    findings: tuple[Evidence, ...] = ()
    skipped: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing was found against it. True for a skipped check as well: see `skipped`."""
        return not any(finding.level is Severity.VIOLATION for finding in self.findings)

    @property
    def mark(self) -> str:
        """``ok``, ``warning``, ``violation`` or ``skipped``."""
        if self.skipped:
            return "skipped"
        if not self.holds:
            return "violation"
        return "warning" if self.findings else "ok"

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self) | {"mark": self.mark}


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind of attempt to open templates.

    Attributes:
        id, title: stable name and statement, as in `Question`.
        records: how many records it was tried on. attempts: how many times in all.
        opened, expected: how many records opened, and how many must have.
        said: exactly what was tried, and what was not.
        control: whether it shows that the trial itself works; a failed control makes the whole examination void.
    """

    id: str
    title: str
    records: int
    attempts: int
    opened: int
    expected: int
    said: str
    control: bool = False

    @property
    def holds(self) -> bool:
        return self.opened == self.expected

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self) | {"holds": self.holds}


@dataclass(frozen=True, slots=True)
class Live:
    """The trials on one store.

    Attributes:
        store: which store it was. trials: in order. findings: what else was noticed. enumeration: sentences about codes
            that are short enough to be tried out.
    """

    store: str
    trials: tuple[Trial, ...]
    findings: tuple[Evidence, ...] = ()
    enumeration: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether a control failed: then the trials show nothing, whatever they say."""
        return any(trial.control and not trial.holds for trial in self.trials)

    @property
    def holds(self) -> bool:
        return all(trial.holds for trial in self.trials) and all(f.level is Severity.WARNING for f in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self) | {"void": self.void, "trials": [trial.as_json() for trial in self.trials]}


@dataclass(frozen=True, slots=True)
class About:
    """What was examined, and with what.

    Attributes:
        kind: ``wheel``, ``environment``, ``device root`` or ``this installation``.
        name: path as given. profile, version, built, commit: as the examined build says of itself.
        signed: what the signature says, in words. auditor: version of the copy that examined.
    """

    kind: str
    name: str
    profile: str
    version: str
    built: str
    commit: str
    signed: str
    auditor: str

    @property
    def self_check(self) -> bool:
        """Whether the examined files are the examiner's own, so that they vouch for themselves."""
        return self.kind == "this installation"


@dataclass(frozen=True, slots=True)
class ProofReport:
    """The whole examination.

    Attributes:
        about: what was examined. checks: of the static part. live: the trials; None when they were not made.
        limits: (name, sentence) of what this examination cannot see. seconds: how long it took.
    """

    about: About
    checks: tuple[Question, ...]
    live: Live | None
    limits: tuple[tuple[str, str], ...]
    seconds: float = 0.0
    date: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def established(self) -> tuple[tuple[str, str], ...]:
        """(by what, what it shows): identity, analysis and trying, each as what it is worth."""
        signature = next((check for check in self.checks if check.id == "signature"), None)
        if signature is not None and signature.mark == "ok":
            same = f"Every file of the product is one that was signed: {signature.examined}. If you trust the signer,"
            same += " this is what counts, and nothing below can add to it."
        else:
            same = (
                "Nothing. No key was named whose signature covers these files, so no one is known to answer for them."
            )
            same += " Name the key of a builder that you trust with --trust."
        read = (
            "The source was read for patterns that a search among many faces could hardly do without. This is advice,"
        )
        read += (
            " and can be walked around: what is found is a reason for distrust, that nothing is found proves nothing."
        )
        tried = "Nothing was tried."
        if self.live is not None:
            tried = f"Templates were tried without their cards on {self.live.store}, by the examiner's own copy of the"
            tried += (
                " program. That shows how the seal works, not what the examined program does with an open template."
            )
        return (("By identity", same), ("By analysis", read), ("By trying", tried))

    @property
    def void(self) -> bool:
        """The examination failed itself: a positive control did not work."""
        return self.live is not None and self.live.void

    @property
    def holds(self) -> bool:
        """Whether nothing was found against the examined build."""
        return not self.void and all(check.holds for check in self.checks) and (self.live is None or self.live.holds)

    @property
    def findings(self) -> tuple[Evidence, ...]:
        """Of all checks and of the live part, violations first."""
        found = [finding for check in self.checks for finding in check.findings]
        found += self.live.findings if self.live else ()
        return tuple(sorted(found, key=lambda f: (f.level is Severity.WARNING, f.where, f.what)))

    @property
    def warnings(self) -> int:
        return sum(finding.level is Severity.WARNING for finding in self.findings)

    @property
    def violations(self) -> int:
        failed = sum(not trial.holds for trial in self.live.trials) if self.live else 0
        return len(self.findings) - self.warnings + failed

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        about = self.about
        return {
            "schema": SCHEMA,
            "verdict": verdict(self),
            "holds": self.holds,
            "self_check": about.self_check,
            "subject": {key: value for key, value in asdict(about).items() if key != "auditor"},
            "auditor": about.auditor,
            "date": self.date,
            "seconds": round(self.seconds, 2),
            "violations": self.violations,
            "warnings": self.warnings,
            "checks": [check.as_json() for check in self.checks],
            "live": self.live.as_json() if self.live else None,
            "limits": [{"name": name, "what": what} for name, what in self.limits],
            "established": [{"by": by, "what": what} for by, what in self.established],
            "notes": list(self.notes),
            "error": None,
        }


def verdict(report: ProofReport) -> str:
    """``void``, ``violation``, ``development`` (nothing is shown about a door), ``warnings`` or ``ok``."""
    if report.void:
        return "void"
    if not report.holds:
        return "violation"
    if report.about.profile == "development":
        return "development"
    return "warnings" if report.warnings else "ok"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ordered(findings: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Without repetitions, in the order of places."""
    return tuple(sorted(set(findings)))
