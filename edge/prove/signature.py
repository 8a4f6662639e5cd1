"""Who vouches for the build: the signature over every file of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edge.build.attest import Examination, Problem, examine
from edge.build.files import SIGNATURE, Files, InstalledFiles, WheelFiles
from edge.prove.model import Check, Finding, Level
from edge.prove.subject import Subject
from edge.trust.envelopes import PublicKey

_TITLE = "Somebody whom the auditor trusts has signed exactly these files"


def check_signature(subject: Subject, profile: str, builders: Mapping[str, PublicKey] | None) -> Check:
    """The signature of the build.

    Args:
        builders: whose signatures count. None: the auditor named nobody, so an unsigned build is a warning only.
    """
    if profile == "development":
        text = "a development install is never signed"
        level = Level.WARNING if builders is None else Level.VIOLATION
        return Check("signature", _TITLE, "nothing", (Finding("edge", text, level),))
    if builders is None:
        said = described(subject)
        return Check(
            "signature", _TITLE, said, (Finding("edge", f"is {said}; name a key with --trust", Level.WARNING),)
        )
    with _files(subject) as files:
        found = examine(files, builders)
    findings = tuple(Finding(problem.name or "edge", str(problem)) for problem in found.problems)
    return Check("signature", _TITLE, _said(found), findings)


def described(subject: Subject) -> str:
    """What the signature says of itself, without believing it."""
    try:
        envelope = json.loads(subject.home.read(SIGNATURE))
        names = ", ".join(sorted(str(entry["keyid"]) for entry in envelope["signatures"]))
    except (OSError, KeyError, ValueError, TypeError, RecursionError):
        return "unsigned"
    return f"signed by key {names}, which was not checked"


def _said(found: Examination) -> str:
    if found.signer is not None:
        return f"signed by {found.signer.name or found.signer.key_id}, {found.files} files"
    return "unsigned" if Problem("unsigned") in found.problems else "signed by nobody whom the auditor named"


@contextmanager
def _files(subject: Subject) -> Iterator[Files]:
    if subject.is_wheel:
        with WheelFiles.open(Path(subject.name)) as files:
            yield files
    else:
        assert subject.home.folder is not None
        yield InstalledFiles.of(subject.home.folder / "edge")
