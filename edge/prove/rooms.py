"""Rooms outside the profile are absent, and every file of the package is one that somebody has decided about.

The rows are those of the auditor's own copy (`edge.build.contents`), not of the examined one.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from edge.build.contents import DATA, profiles_of
from edge.profile import STATEMENT, STATEMENT_SCHEMA, WHEEL_PROFILES, of
from edge.prove.model import Finding, Level
from edge.prove.subject import Subject

_BUILD = frozenset({"statement.json", "statement.dsse.json"})
_EXTRA_DATA = frozenset({"config/build.yaml"})
_CODE = re.compile(r"\.(py|pyc|pyo|so|pyd|dll|dylib|pyx|pth|sh)$|\.so\.\d")
_ENTRY = "[console_scripts]\nedge = edge.cli:run"


def statement(subject: Subject) -> dict[str, Any]:
    """What the examined build says of itself; empty when it says nothing that can be read."""
    try:
        loaded = json.loads(subject.home.read(STATEMENT))
    except (OSError, KeyError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def check_rooms(subject: Subject, profile: str, said: dict[str, Any]) -> tuple[str, list[Finding]]:
    """The files of the package against the rows of the profile.

    Args:
        profile: ``device``, ``lab`` or ``development``. said: the build statement.
    """
    findings = [] if profile == "development" else _statement(said, profile)
    for name in subject.edge:
        findings += _file(name.removeprefix("edge/"), profile)
    if subject.is_wheel:
        findings += _beside(subject)
    findings += _scripts(subject)
    return f"{len(subject.edge)} files against the profile {profile}", findings


def _statement(said: dict[str, Any], profile: str) -> list[Finding]:
    if not said:
        return [Finding(STATEMENT, "there is no build statement that can be read")]
    found = []
    if said.get("schema") != STATEMENT_SCHEMA or said.get("profile") not in WHEEL_PROFILES:
        found.append(Finding(STATEMENT, "the build statement is not of a kind that this copy knows"))
    elif said.get("capabilities") != of(profile):
        found.append(Finding(STATEMENT, f"the capabilities stated are not those of the profile {profile}"))
    if said.get("dirty"):
        text = "the build was made from a source that differs from its commit"
        found.append(Finding(STATEMENT, text, Level.WARNING))
    return found


def _file(name: str, profile: str) -> list[Finding]:
    where = f"edge/{name}"
    if "__pycache__/" in f"/{name}":
        return []
    if name.startswith("_build/"):
        known = name.removeprefix("_build/") in _BUILD or name == "_build/source.json"
        return [] if known else [Finding(where, "nothing but the build statement belongs here")]
    if name.startswith("_data/"):
        return [] if _is_data(name.removeprefix("_data/")) else [Finding(where, "is no known data of this product")]
    profiles = profiles_of(name)
    if profiles is None:
        code = bool(_CODE.search(name))
        if profile == "development" and not code:
            return []
        return [Finding(where, "is in no row of the auditor's list: nobody has decided about it")]
    if profile == "development":
        return []
    if profile not in profiles:
        return [Finding(where, f"does not belong into a {profile} build")]
    return []


def _is_data(name: str) -> bool:
    patterns = (f"{folder}/{pattern}" for folder, pattern in DATA)
    return name in _EXTRA_DATA or any(fnmatchcase(name, pattern) for pattern in patterns)


def _beside(subject: Subject) -> list[Finding]:
    """What a wheel holds beside the package and its own notes."""
    return [
        Finding(name, "lies beside the package; installing the wheel would install it as well")
        for name in subject.home.names
        if not name.startswith("edge/") and not re.match(r"edge_verifier-[^/]+\.dist-info/", name)
    ]


def _scripts(subject: Subject) -> list[Finding]:
    """The commands that the distribution installs."""
    found = []
    for name in subject.home.names:
        if re.fullmatch(r"edge_verifier-[^/]+\.dist-info/entry_points\.txt", name):
            text = subject.home.read(name).decode("utf-8", "replace").strip()
            if text != _ENTRY:
                found.append(Finding(name, "installs other commands than `edge`"))
    return found
