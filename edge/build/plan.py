"""From a source tree to what its wheel holds: evaluated by the build hook, never at run time.

Workflow: read the build file (``EDGE_BUILD_CONFIG`` or ``config/build.yaml``), list the files of its profile, settle
the date, collect every finding; refuse when there is one. Otherwise write the build statement, which a running
product reads with `edge.profile.current`. The same commit, build file and SOURCE_DATE_EPOCH give the same bytes, from a
checkout and from its sdist, which carries what only git knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from edge.build.buildfile import BuildFile, driver_findings, load_build
from edge.build.contents import Contents, contents
from edge.build.judge import judge, refusals, reviews, statement_parts, unknown_packs
from edge.errors import BuildRefused
from edge.policy.findings import Finding
from edge.policy.packs import load_packs
from edge.profile import BY_NAME, OWN_DRIVER, STATEMENT_SCHEMA
from edge.settings.yaml_core import load as load_yaml

VARIABLE = "EDGE_BUILD_CONFIG"
#: Where a builder keeps the public keys of reviewers: TRUST/reviewers/*.pem.
TRUST_VARIABLE, TRUST_DIR = "EDGE_TRUST_DIR", "/etc/edge/trust"
SOURCE = "edge/_build/source.json"
#: A build date may be this far ahead of the clock: machines in other time zones and clocks that are a little wrong.
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class WheelPlan:
    """A build that may be made.

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


def plan(root: Path, version: str, environ: Mapping[str, str] = os.environ, *, now: float | None = None) -> WheelPlan:
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
    found = contents(root, build.profile, build.capabilities) if build is not None else Contents({})
    files, said = found.files, source(root, found.files.values())
    built, late = _date(environ, said["committed"], time.time() if now is None else now)
    findings = [*findings, *late, *found.findings]
    judged: dict[str, Any] = {}
    if build is not None and built:
        judged, against = _judged(root, build, built, environ)
        findings = [*findings, *against, *driver_findings(build)]
        files |= {f"edge/_data/config/{name}": file.parent / name for name in build.signed_files()}
        if build.camera_driver:
            files[OWN_DRIVER] = file.parent / build.camera_driver
    if build is None or findings:
        raise BuildRefused(tuple(str(finding) for finding in findings), where=str(file), remedy="fix them all")
    statement = _statement(version, build, built) | judged | said
    return WheelPlan({**files, "edge/_data/config/build.yaml": file}, statement)


def _judged(
    root: Path, build: BuildFile, built: str, environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[Finding]]:
    """What the statement says of policy, and every finding of the packs that refuses the build."""
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
    foreign: dict[str, Any] = {}
    if build.camera_driver:
        digest = hashlib.sha256((build.path.parent / build.camera_driver).read_bytes()).hexdigest()
        foreign["camera_driver"] = {"name": Path(build.camera_driver).name, "sha256": digest}
    return foreign | {
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
    """The day of the build, UTC, and why it is refused, if it is.

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
        return "", [Finding("environment", "build-date", text, "unset it or correct it")]
    if committed is not None and seconds < committed:
        text = f"{named} says {_time(seconds)}, which is before the source was committed ({_time(committed)})"
        return day, [Finding("environment", "build-date", text, "use the time of the commit or a later one")]
    if seconds > now + DAY_S:
        text = f"{named} says {_time(seconds)}, more than a day ahead of the clock of this machine ({_time(now)})"
        return day, [Finding("environment", "build-date", text, "unset it, or set the clock")]
    return day, []


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S} UTC"


def source(root: Path, built: Iterable[Path] = ()) -> dict[str, Any]:
    """``commit``, ``committed`` (Unix seconds) and ``dirty`` of the source.

    From git, else from what the sdist carries, else unknown (None). ``dirty`` is whether any file that git knows is not
    byte for byte what the commit holds (whatever git's settings convert or hide), or one is there that it knows not.

    Args:
        root: the project's root. built: files that go into the wheel; one that git ignores makes it dirty, too.

    Raises:
        BuildRefused: there is a repository and git cannot read it.
    """
    if (root / ".git").exists():
        when, commit = _git(root, "rev-list", "-1", "--timestamp", "HEAD").split()
        rows = [row for row in _git(root, "ls-tree", "-r", "-z", commit).split("\0") if row]
        known = {root / row.partition("\t")[2] for row in rows}
        strange = _git(root, "status", "--porcelain", "--untracked-files=all") or not known.issuperset(built)
        return {
            "commit": commit,
            "committed": int(when),
            "dirty": bool(strange) or not all(_as_committed(root, row) for row in rows),
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


def _as_committed(root: Path, row: str) -> bool:
    """Whether a file holds the very bytes of the commit; ``row``: of ``git ls-tree``.

    git's own answer goes through its settings: ``core.autocrlf`` turns line ends into the committed ones before it
    compares, and an index may say that a file is to be taken for unchanged.
    """
    (mode, kind, name), path = row.partition("\t")[0].split(), root / row.partition("\t")[2]
    if kind != "blob":
        return True  # a submodule; there is none
    try:
        data = str(path.readlink()).encode() if mode == "120000" else path.read_bytes()
    except OSError:
        return False
    digest = hashlib.sha1 if len(name) == 40 else hashlib.sha256  # git's names of content, no signature
    return digest(b"blob %d\0" % len(data) + data).hexdigest() == name


def _git(root: Path, *arguments: str) -> str:
    """What git says of the repository of this very folder.

    The repository is named: git would search for one in the folders above a damaged one, follow GIT_DIR, or refuse a
    checkout of another user lest its settings run a program. Whoever builds runs the checkout's code anyway; its
    settings still run nothing here.
    """
    command = [
        "git",
        f"--git-dir={root / '.git'}",
        f"--work-tree={root}",
        "--no-optional-locks",
        "--no-replace-objects",
    ]
    command += [
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.quotePath=false",
        *arguments,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=True)
    except OSError as error:
        said, remedy = f"git cannot be run ({error.strerror})", "install git"
    except UnicodeDecodeError:
        said, remedy = "git names a file that is not UTF-8", "rename it"
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        said, remedy = f"git cannot read it: {lines[0] if lines else error}", " ".join(lines[1:]) or "run `git fsck`"
    else:
        return answer.stdout.strip()
    remedy += "; or build from the sdist, which carries the commit"
    finding = Finding(str(root / ".git"), "source", f"the source cannot be identified: {said}", remedy)
    raise BuildRefused((str(finding),), where=str(root), remedy="repair the repository")
