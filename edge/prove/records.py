"""Every file on the path belongs to a distribution whose RECORD names it, with the hash that it has.

A wheel's RECORD must name every file of the wheel. In an installation each distribution's RECORD is read, every named
file is hashed, and what no list names is found. Compiled files are no part of RECORD: see `edge.prove.environment`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.build.files import Discrepancy
from edge.prove.model import Evidence, Severity, counted
from edge.prove.subject import Site, Subject

_DIST_INFO = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^/]+)\.dist-info", re.ASCII)
#: Notes that an installer may leave without a hash.
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED")
_EGG = re.compile(r"\.(egg-info|egg-link|egg)(/|$)")
_NAME = re.compile(r"[-_.]+")
OURS = "edge-verifier"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution.

    Attributes:
        name: normalised (PEP 503). version: as in its folder. folder: ``NAME-VERSION.dist-info``. site: where it lies.
        rows: path relative to the site -> hash as in RECORD, '' when there is none. None: it has no RECORD.
    """

    name: str
    version: str
    folder: str
    site: Site
    rows: dict[str, str] | None


def normalised(name: str) -> str:
    """A distribution's name in the one form of PEP 503."""
    return _NAME.sub("-", name).lower()


def distributions(site: Site) -> list[Distribution]:
    """The distributions of a site, by their ``.dist-info`` folders."""
    folders = sorted({name.split("/")[0] for name in site.names if _DIST_INFO.fullmatch(name.split("/")[0])})
    found = []
    for folder in folders:
        match = _DIST_INFO.fullmatch(folder)
        assert match is not None
        rows = _rows(site, f"{folder}/RECORD")
        found.append(Distribution(normalised(match["name"]), match["version"], folder, site, rows))
    return found


def _rows(site: Site, name: str) -> dict[str, str] | None:
    try:
        text = site.read(name).decode("utf-8")
        return {row[0]: row[1] for row in csv.reader(text.splitlines()) if len(row) == 3}
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def check_records(subject: Subject, tell: Callable[[str], None]) -> tuple[str, list[Evidence]]:
    """RECORD against what is there.

    Args:
        subject: what is examined. tell: told about each distribution before it is hashed.

    Returns:
        What was examined, in words; findings.
    """
    findings: list[Evidence] = []
    files = count = 0
    for site in subject.sites:
        if site.system or (subject.development and site is subject.home):
            continue
        claimed: set[str] = set()
        for distribution in distributions(site):
            tell(distribution.name)
            count += 1
            named, found = _check(distribution, subject)
            findings += found
            claimed |= named
            files += len(named)
        findings += [_unowned(site, name) for name in _unclaimed(site, claimed)]
        findings += [Evidence(name, "is a symbolic link; nothing is installed as one") for name in site.links]
        if site.archive is not None:
            findings += [Evidence(site.where, str(Discrepancy("stray")))] if site.archive.stray else []
    return f"{counted(files, 'file')} of {counted(count, 'package')}", findings


def _check(distribution: Distribution, subject: Subject) -> tuple[set[str], list[Evidence]]:
    site, folder = distribution.site, distribution.folder
    if distribution.rows is None:
        return {n for n in site.names if n.startswith(f"{folder}/")}, [Evidence(folder, "has no readable RECORD")]
    named: set[str] = set()
    findings: list[Evidence] = []
    for name, wanted in distribution.rows.items():
        place = os.path.normpath(name).replace(os.sep, "/")
        named.add(place)
        if place.startswith("edge/") and distribution.name != OURS:
            findings.append(Evidence(place, f"the distribution {distribution.name} claims a file of this product"))
        problem = _problem(site, place, wanted, folder)
        if problem is not None:
            findings.append(Evidence(place, problem[0], problem[1]))
    return named, findings


def _problem(site: Site, name: str, wanted: str, folder: str) -> tuple[str, Severity] | None:
    """Why a row of RECORD does not hold."""
    outside = name.startswith(("../", "/"))
    if outside and not _within(site, name):
        return "RECORD names a file outside of the environment", Severity.WARNING
    if not wanted:
        plain = name.endswith(".pyc") or name in {f"{folder}/{note}" for note in _UNHASHED}
        return None if plain else ("RECORD gives no hash for it", Severity.VIOLATION)
    kind, _, text = wanted.partition("=")
    try:
        data = site.read(name)
    except FileNotFoundError:
        return "RECORD names it, and it is not there", Severity.VIOLATION
    except OSError:
        return "cannot be read, or is damaged", Severity.VIOLATION
    if kind != "sha256":
        return f"RECORD uses {kind or 'no hash'}, which is not checked", Severity.WARNING
    actual = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return None if actual == text.rstrip("=") else ("was altered after it was installed", Severity.VIOLATION)


def _within(site: Site, name: str) -> bool:
    if site.folder is None or site.prefix is None:
        return False
    return Path(os.path.normpath(site.folder / name)).is_relative_to(site.prefix)


def _unclaimed(site: Site, claimed: set[str]) -> Iterator[str]:
    """Files that no RECORD names. A compiled file belongs to its source."""
    for name in site.names:
        if name in claimed or name.rsplit("/", 1)[-1] in ("RECORD.jws", "RECORD.p7s"):
            continue
        if "/__pycache__/" in f"/{name}" and name.endswith(".pyc"):
            head, tail = f"/{name}".split("/__pycache__/", 1)
            if f"{head}/{tail.split('.')[0]}.py".lstrip("/") in claimed:
                continue
        yield name


def _unowned(site: Site, name: str) -> Evidence:
    text = "belongs to no distribution"
    if _EGG.search(name):
        text = "is an old kind of installation (egg), which has no RECORD"
    return Evidence(name, text)
