"""Rooms outside the profile are absent, and every file of the package has its row in the build's list.

The rows are those of the auditor's own copy (`edge.build.contents`), not of the examined one.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from edge.build.contents import DATA, asked_for, profiles_of
from edge.profile import OWN_DRIVER, STATEMENT, STATEMENT_SCHEMA, WHEEL_PROFILES, possible
from edge.prove.model import Evidence, Severity
from edge.prove.subject import Subject

_BUILD = frozenset({"statement.json", "statement.dsse.json"})
_EXTRA_DATA = frozenset({"config/build.yaml"})
_CODE = re.compile(r"\.(py|pyc|pyo|so|pyd|dll|dylib|pyx|pth|sh)$|\.so\.\d")
_OWN = (
    "is a camera driver of the builder's own, no part of this product: it decides which frames a session sees, so it "
    "must be read by whoever trusts this build"
)
_ENTRY = "[console_scripts]\nedge = edge.__main__:run"


def statement(subject: Subject) -> dict[str, Any]:
    """What the examined build says of itself; empty when it says nothing that can be read."""
    try:
        loaded = json.loads(subject.home.read(STATEMENT))
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def check_rooms(subject: Subject, profile: str, said: dict[str, Any]) -> tuple[str, list[Evidence]]:
    """The files of the package against the rows of the profile.

    Args:
        profile: ``device``, ``lab`` or ``development``. said: the build statement.
    """
    findings = [] if profile == "development" else _statement(said, profile)
    for name in subject.edge:
        findings += _file(name.removeprefix("edge/"), profile, said)
    if subject.is_wheel:
        findings += _beside(subject)
    findings += _scripts(subject)
    return f"{len(subject.edge)} files against the profile {profile}", findings


def _statement(said: dict[str, Any], profile: str) -> list[Evidence]:
    if not said:
        return [Evidence(STATEMENT, "there is no build statement that can be read")]
    found = []
    if said.get("schema") != STATEMENT_SCHEMA or said.get("profile") not in WHEEL_PROFILES:
        found.append(Evidence(STATEMENT, "the build statement is not of a kind that this copy knows"))
    elif not possible(profile, said.get("capabilities")):
        found.append(Evidence(STATEMENT, f"the capabilities stated are not those of the profile {profile}"))
    if said.get("dirty"):
        text = "the build was made from a source that differs from its commit"
        found.append(Evidence(STATEMENT, text, Severity.WARNING))
    return found


def _file(name: str, profile: str, said: dict[str, Any]) -> list[Evidence]:
    where = f"edge/{name}"
    if "__pycache__/" in f"/{name}":
        return []
    if name.startswith("_build/"):
        known = name.removeprefix("_build/") in _BUILD or name == "_build/source.json"
        return [] if known else [Evidence(where, "nothing but the build statement belongs here")]
    if name.startswith("_data/"):
        return [] if _is_data(name.removeprefix("_data/")) else [Evidence(where, "is not known data of this product")]
    if where == OWN_DRIVER and profile == "device" and "camera_driver" in said:
        return [Evidence(where, _OWN, Severity.WARNING)]
    profiles = profiles_of(name)
    if profiles is None:
        code = bool(_CODE.search(name))
        if profile == "development" and not code:
            return []
        return [Evidence(where, "is not on the auditor's list of files")]
    if profile == "development":
        return []
    if profile not in profiles:
        return [Evidence(where, f"does not belong in a {profile} build")]
    declared = said.get("capabilities")
    if not asked_for(name, declared if isinstance(declared, dict) else {}):
        return [Evidence(where, "belongs to a capability that this build does not declare")]
    return []


def _is_data(name: str) -> bool:
    patterns = (f"{folder}/{pattern}" for folder, pattern in DATA)
    return name in _EXTRA_DATA or any(fnmatchcase(name, pattern) for pattern in patterns)


def _beside(subject: Subject) -> list[Evidence]:
    """What a wheel holds beside the package and its own notes."""
    return [
        Evidence(name, "lies beside the package; installing the wheel would install it as well")
        for name in subject.home.names
        if not name.startswith("edge/") and not re.match(r"edge_verifier-[^/]+\.dist-info/", name)
    ]


def _scripts(subject: Subject) -> list[Evidence]:
    """The commands that the distribution installs."""
    found = []
    for name in subject.home.names:
        ours = re.fullmatch(r"edge_verifier-[^/]+\.dist-info/entry_points\.txt", name)
        if ours and subject.home.text(name).strip() != _ENTRY:
            found.append(Evidence(name, "installs other commands than `edge`"))
    return found
