"""From a source tree to what its wheel holds: evaluated by the build hook, and by nobody at run time.

Workflow: read the build file (``EDGE_BUILD_CONFIG`` or ``config/build.yaml``), list the files of its profile, settle
the date, collect every finding; refuse when there is one. Otherwise write the build statement, which a running
product reads with `edge.profile.current`. The same commit, build file and SOURCE_DATE_EPOCH give the same bytes, from a
checkout and from its sdist, which carries what only git knows.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from edge.build.buildfile import BuildFile, load_build
from edge.build.contents import contents
from edge.build.judge import judge, refusals, reviews, statement_parts, unknown_packs
from edge.errors import BuildRefused
from edge.policy.findings import Finding
from edge.policy.packs import load_packs
from edge.profile import BY_NAME, STATEMENT, STATEMENT_SCHEMA
from edge.settings.yaml_core import load as load_yaml

VARIABLE = "EDGE_BUILD_CONFIG"
#: Where a builder keeps the public keys of reviewers: TRUST/reviewers/*.pem.
TRUST_VARIABLE, TRUST_DIR = "EDGE_TRUST_DIR", "/etc/edge/trust"
SOURCE = "edge/_build/source.json"
#: A build date may be this far ahead of the clock: machines in other time zones and clocks that are a little wrong.
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """A build that nothing speaks against.

    Args:
        files: path in the wheel -> file on disk; the build file in use stands as ``edge/_data/config/build.yaml``.
        statement: the content of ``edge/_build/statement.json``.
    """

    files: dict[str, Path]
    statement: dict[str, Any]


def build_file(root: Path, environ: Mapping[str, str]) -> Path:
    """The build file in use, absolute. A relative name is relative to the project's root, wherever the build runs."""
    named = environ.get(VARIABLE, "")
    return (root / named).absolute() if named else root / "config" / "build.yaml"


def profile_named(root: Path, environ: Mapping[str, str]) -> str:
    """The profile that the build file in use names, empty when it is none; for the version's label only."""
    build, _ = load_build(build_file(root, environ))
    return build.profile if build else ""


def plan(root: Path, version: str, environ: Mapping[str, str] = os.environ, *, now: float | None = None) -> Plan:
    """What the wheel holds.

    Args:
        root: the project's root, absolute.
        version: the product's version, with its label.
        environ: where ``EDGE_BUILD_CONFIG`` and ``SOURCE_DATE_EPOCH`` are looked up.
        now: Unix seconds; None for the system clock.

    Raises:
        BuildRefused: with every finding.
    """
    file = build_file(root, environ)
    build, findings = load_build(file)
    said = source(root)
    built, late = _date(environ, said["committed"], time.time() if now is None else now)
    findings = [*findings, *late]
    files: dict[str, Path] = {}
    if build is not None:
        found = contents(root, build.profile)
        files, findings = found.files, [*findings, *found.findings]
    judged: dict[str, Any] = {}
    if build is not None and built:
        judged, against = _judged(root, build, built, environ)
        findings = [*findings, *against]
        files |= {f"edge/_data/config/{name}": file.parent / name for name in build.signed_files()}
    if build is None or findings:
        raise BuildRefused(tuple(str(finding) for finding in findings), where=str(file), remedy="mend them all")
    statement = _statement(version, build, built) | judged | said
    return Plan({**files, "edge/_data/config/build.yaml": file}, statement)


def _judged(
    root: Path, build: BuildFile, built: str, environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[Finding]]:
    """What the statement says of policy, and every finding of the packs that speaks against the build."""
    packs, findings = load_packs(sorted((root / "config" / "policy").glob("*.yaml")))
    findings += unknown_packs(build, packs)
    card, _ = load_yaml(root / "models" / "embedder.card.yaml")
    trust_dir = Path(environ.get(TRUST_VARIABLE, "") or TRUST_DIR)
    verdict = judge(
        build,
        packs,
        date.fromisoformat(built),
        card=card.data if card else None,
        reviews=reviews(build, trust_dir),
    )
    return statement_parts(build, verdict, packs), [*findings, *refusals(build, verdict)]


def impossible(root: Path, environ: Mapping[str, str] = os.environ) -> list[str]:
    """What an editable install is refused for: capabilities that no code can enable, in any profile.

    Nothing else of the build file matters to it: it is `development` and holds every room.
    """
    ids = {f"capability/{name}" for name, capability in BY_NAME.items() if not capability.profiles}
    _, findings = load_build(build_file(root, environ))
    return [str(finding) for finding in findings if finding.id in ids and "true is refused" in finding.what]


def _statement(version: str, build: BuildFile, built: str) -> dict[str, Any]:
    return {
        "schema": STATEMENT_SCHEMA,
        "profile": build.profile,
        "version": version,
        "capabilities": dict(sorted(build.capabilities.items())),
        "build_file": {"name": build.path.name, "sha256": build.sha256},
        "built": built,
    }


def as_text(statement: Mapping[str, Any]) -> str:
    """JSON in one form, so that two builds of the same source are the same bytes."""
    return json.dumps(statement, indent=1, sort_keys=True) + "\n"


def _date(environ: Mapping[str, str], committed: int | None, now: float) -> tuple[str, list[Finding]]:
    """The day of the build, UTC, and what speaks against it.

    It is SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch), else now. A date before the source was
    committed is wrong; so is one that has not come: rules with dates and the device's clock guard rest on it.
    """
    epoch = environ.get("SOURCE_DATE_EPOCH", "")
    named = "SOURCE_DATE_EPOCH" if epoch else "the clock of this machine"
    try:
        seconds = int(epoch) if epoch else int(now)
        day = datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        text = "SOURCE_DATE_EPOCH is not a time in whole seconds since 1970"
        return "", [Finding("environment", "build-date", text, "unset it or mend it")]
    if committed is not None and seconds < committed:
        text = f"{named} says {_time(seconds)}, which is before the source was committed ({_time(committed)})"
        return day, [Finding("environment", "build-date", text, "use the time of the commit or a later one")]
    if seconds > now + DAY_S:
        text = f"{named} says {_time(seconds)}, more than a day ahead of the clock of this machine ({_time(now)})"
        return day, [Finding("environment", "build-date", text, "unset it, or set the clock")]
    return day, []


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S} UTC"


def source(root: Path) -> dict[str, Any]:
    """``commit``, ``committed`` (Unix seconds) and ``dirty`` of the source.

    From git, else from what the sdist carries, else unknown (None).
    """
    if (root / ".git").exists():
        commit, status = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
        when = _git(root, "log", "-1", "--format=%ct")
        return {
            "commit": commit,
            "committed": int(when) if when else None,
            "dirty": None if status is None else bool(status),
        }
    try:
        carried = json.loads((root / SOURCE).read_text(encoding="utf-8"))
        committed = carried["committed"]
        return {
            "commit": carried["commit"],
            "committed": None if committed is None else int(committed),
            "dirty": carried["dirty"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {"commit": None, "committed": None, "dirty": None}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


__all__ = [
    "SOURCE",
    "STATEMENT",
    "VARIABLE",
    "Plan",
    "as_text",
    "build_file",
    "impossible",
    "plan",
    "profile_named",
    "source",
]
