"""What an auditor runs over a wheel, an environment or a device's disk, to see for themselves what it can do.

    report = prove(wheel=Path("edge_verifier-0.1.0+device-py3-none-any.whl"))
    report.holds, report.findings, report.limits

Workflow: `subject` opens what is to be examined and reads it as bytes; `static` puts one question after the other to
those bytes (files, packages, start-up, rooms, scores, templates, SQL, dynamic code, listeners); `live` tries to open
stored templates without their cards; `page` and `model` say what came of it. Nothing that is examined is ever imported,
so an auditor runs their own copy against another party's device. Every report lists by name what it cannot see.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from edge._version import __version__
from edge.prove.model import About, Evidence, Live, ProofReport, Question, Severity, Trial, verdict
from edge.prove.page import limits
from edge.prove.static import builders_from, described, examine
from edge.prove.subject import Subject, open_subject

#: Made-up people of the store that is made when none is handed in.
OWN_STORE = 100


def prove(
    *,
    root: Path | None = None,
    wheel: Path | None = None,
    trust: Path | None = None,
    vault: Path | None = None,
    records: int = OWN_STORE,
    tell: Callable[[str], None] = lambda _: None,
) -> ProofReport:
    """Examine a build; without ``root`` and ``wheel`` this very installation.

    Args:
        root: a virtual environment, or the root of a mounted device. wheel: a wheel.
        trust: whose signature counts: a public key (PEM) or a trust folder. None: the signature is not checked.
        vault: a copy of a device's state folder, or of its ``vault.sqlite3``. None: a store is made for the trials.
        records: of the store that is made.
        tell: told what is being done, often.

    Raises:
        InputError: nothing of this product is there, or no store. SignatureError: ``trust`` is no key.
    """
    started = time.perf_counter()
    builders = builders_from(trust) if trust is not None else None
    with open_subject(root=root, wheel=wheel) as subject:
        about = _about(subject)
        checks = []
        for check in examine(subject, about.profile, builders, tell):
            tell(check.title)
            checks.append(check)
        found = limits(subject)
    signature = next(check for check in checks if check.id == "signature")
    if builders is not None:
        about = replace(about, signed=signature.examined)
    live, note = _live(vault, records, tell)
    return ProofReport(
        about=about,
        checks=tuple(checks),
        live=live,
        limits=found,
        seconds=time.perf_counter() - started,
        date=datetime.now(UTC).date().isoformat(),
        notes=(note,) if note else (),
    )


def _live(vault: Path | None, records: int, tell: Callable[[str], None]) -> tuple[Live | None, str]:
    """The trials, where this copy holds the rooms that they need (a lab build does not)."""
    try:
        from edge.prove.live import live_on_copy, live_on_own
    except ModuleNotFoundError:
        return None, "This copy holds no vault (a lab build), so nothing was tried on a store."

    def count(_: int) -> None:
        tell("")

    return (live_on_copy(vault, count) if vault is not None else live_on_own(records, count)), ""


def _about(subject: Subject) -> About:
    from edge.prove.rooms import statement

    said = statement(subject)
    profile = "development" if subject.development else str(said.get("profile", "device"))
    if profile not in ("device", "lab", "development"):
        profile = "device"
    return About(
        kind=subject.kind,
        name=subject.name,
        profile=profile,
        version=str(said.get("version", __version__ if subject.development else "unknown")),
        built=str(said.get("built", "")),
        commit=str(said.get("commit") or "") + (" with changes" if said.get("dirty") else ""),
        signed=described(subject),
        auditor=__version__,
    )


__all__ = ["Evidence", "Live", "ProofReport", "Question", "Severity", "Trial", "prove", "verdict"]
