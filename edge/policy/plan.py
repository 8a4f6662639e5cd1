"""From a source tree to what its wheel holds: evaluated by the build hook, and by nobody at run time.

Workflow: read the build file (``EDGE_BUILD_CONFIG`` or ``config/build.yaml``), list the files of its profile, collect
every finding; refuse when there is one. Otherwise write the build statement, which a running product reads with
`edge.policy.current`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.errors import BuildRefused
from edge.policy.build import STATEMENT, STATEMENT_SCHEMA
from edge.policy.buildfile import BuildFile, load_build
from edge.policy.contents import contents

VARIABLE = "EDGE_BUILD_CONFIG"
SOURCE = "edge/_build/source.json"


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


def plan(root: Path, version: str, environ: Mapping[str, str] = os.environ) -> Plan:
    """What the wheel holds.

    Args:
        root: the project's root, absolute.
        version: the product's version.
        environ: where ``EDGE_BUILD_CONFIG`` and ``SOURCE_DATE_EPOCH`` are looked up.

    Raises:
        BuildRefused: with every finding.
    """
    file = build_file(root, environ)
    build, findings = load_build(file)
    files: dict[str, Path] = {}
    if build is not None:
        found = contents(root, build.profile)
        files, findings = found.files, found.findings
    if build is None or findings:
        raise BuildRefused(tuple(str(finding) for finding in findings), where=str(file), remedy="mend them all")
    return Plan({**files, "edge/_data/config/build.yaml": file}, _statement(root, version, build, environ))


def _statement(root: Path, version: str, build: BuildFile, environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        "schema": STATEMENT_SCHEMA,
        "profile": build.profile,
        "version": version,
        "capabilities": dict(sorted(build.capabilities.items())),
        "build_file": {"name": build.path.name, "sha256": build.sha256},
        "built": _date(environ),
        **source(root),
    }


def as_text(statement: Mapping[str, Any]) -> str:
    """JSON in one form, so that two builds of the same source are the same bytes."""
    return json.dumps(statement, indent=1, sort_keys=True) + "\n"


def _date(environ: Mapping[str, str]) -> str:
    """The day of the build, UTC: today, or SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch)."""
    epoch = environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return datetime.now(UTC).date().isoformat()
    try:
        return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        text = "SOURCE_DATE_EPOCH is not a time in whole seconds since 1970"
        raise BuildRefused((text,), where="environment", remedy="unset it or mend it") from error


def source(root: Path) -> dict[str, Any]:
    """``commit`` and ``dirty`` of the source: from git, else from what the sdist carries, else unknown (None)."""
    if (root / ".git").exists():
        commit, status = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
        return {"commit": commit, "dirty": None if status is None else bool(status)}
    try:
        carried = json.loads((root / SOURCE).read_text(encoding="utf-8"))
        return {"commit": carried["commit"], "dirty": carried["dirty"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"commit": None, "dirty": None}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


__all__ = ["SOURCE", "STATEMENT", "VARIABLE", "Plan", "as_text", "build_file", "plan", "source"]
