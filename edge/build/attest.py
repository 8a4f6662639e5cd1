"""What a signature over a build says, and whether it holds: an in-toto statement over every file.

    found = examine(files, trusted(trust_dir, "builder"))
    found.ok, found.signer.name, found.problems        # (False, "acme", (Problem("altered", "edge/door/choose.py"),))

    build = verified(settings.device.trust_dir)        # as `edge.profile.current`, and `signed` is known
    build.signed, build.unsigned                       # (False, "edge/door/choose.py was altered after it was signed")

Workflow: `edge build sign` makes a statement (in-toto.io/Statement/v1) whose subjects are the SHA-256 of every file in
the wheel but the signature itself and RECORD, and whose predicate is the build statement; it lies in the wheel as DSSE.
A device reads all its files again before it drives a door, and in its self-test: some hundred milliseconds, which
`edge --help` never pays. A program that checks itself shows accidents and clumsy changes; somebody who can alter these
very lines is caught from outside only, by `edge build verify WHEEL` before and by `edge prove` after the installation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge._version import __version__
from edge.build.contents import strangers
from edge.build.files import SIGNATURE, Files, InstalledFiles
from edge.errors import SignatureError
from edge.profile import STATEMENT, BuildInfo, current, from_statement, package_folder
from edge.trust.envelopes import BUILD, PublicKey, Verified, trusted, verify

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:edge-verifier:build-statement:v1"

#: Kinds of problems, and how each is said of a file or of the whole.
SAID: Mapping[str, str] = {
    "unsigned": "it is not signed",
    "untrusted": "it is signed by nobody whom this device trusts",
    "broken": "its signature does not hold",
    "contradiction": "its signature is over another build",
    "altered": "{name} was altered after it was signed",
    "missing": "{name} is missing",
    "extra": "{name} was added after it was signed",
    "compiled": "{name} is not what its source compiles to",
    "foreign": "{name} does not belong in a build of this profile",
    "development": "it is a development install, which is never signed",
    "statement": "its build statement does not count",
    "trust": "the trust folder cannot be used: {name}",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One reason why a signature does not cover what is there.

    Args:
        kind: a key of `SAID`. name: the file it is about, if it is about one.
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return SAID[self.kind].format(name=self.name)


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found about a wheel or an installation.

    Attributes:
        where: what was examined. files: how many files the signature covers.
        build: what it says it is. signer: whose signature it bears, None when it does not count.
        problems: every reason against it; empty means that a trusted signature covers exactly what is there.
    """

    where: str
    files: int
    build: BuildInfo
    signer: Verified | None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.problems


def statement_over(files: Files) -> bytes:
    """The in-toto statement over a build's files, as canonical JSON.

    Raises:
        SignatureError: there is no build statement in it.
    """
    predicate = _json(files.read(STATEMENT), STATEMENT)
    subjects = [{"name": name, "digest": {"sha256": files.digest(name)}} for name in sorted(files.names())]
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode("utf-8")


def unfit(files: Files) -> tuple[list[str], bool | None]:
    """What speaks against signing a wheel, and whether it was built from changed source (None: unknown).

    A build statement that does not count, files that its profile does not hold, compiled files.
    """
    build = _build(files)
    if build.fault:
        return [build.fault], None
    reasons = [str(Problem("foreign", name)) for name in strangers(files.names(), build.profile)]
    return reasons + [str(Problem("compiled", name)) for name in files.wrong()], build.dirty


def examine(files: Files, builders: Mapping[str, PublicKey]) -> Examination:
    """Whether a trusted builder's signature covers exactly these files.

    Args:
        files: of a wheel or an installation. builders: whose signatures count; see `edge.trust.envelopes.trusted`.

    Returns:
        Every problem at once; never raises for what the files hold.
    """
    build = _build(files)
    problems = [Problem("statement")] if build.fault else []
    envelope = _signature(files)
    if envelope is None:
        return Examination(files.where, 0, build, None, (*problems, Problem("unsigned")))
    try:
        signer = verify(envelope, BUILD, builders)
    except SignatureError as error:
        kind = "untrusted" if "nobody" in error.what else "broken"
        return Examination(files.where, 0, build, None, (*problems, Problem(kind)))
    try:
        said = _subjects(signer.payload)
        predicate = _json(signer.payload, SIGNATURE)["predicate"]
    except (SignatureError, KeyError, TypeError, ValueError):
        return Examination(files.where, 0, build, None, (*problems, Problem("broken")))
    if not build.fault and _json(files.read(STATEMENT), STATEMENT) != predicate:
        problems.append(Problem("contradiction"))
    problems += _differences(files, said)
    if build.version.partition("+")[0] == __version__:  # the rows of another version are not known here
        problems += [Problem("foreign", name) for name in strangers(said, build.profile)]
    return Examination(files.where, len(said), build, signer, tuple(problems))


def examine_installed(builders: Mapping[str, PublicKey], *, package: Path | None = None) -> Examination:
    """As `examine`, for the running installation; a development install is what it is, whatever lies in it."""
    package = package or package_folder()
    build = current(package)
    if build.profile == "development":
        return Examination(str(package.parent), 0, build, None, (Problem("development"),))
    found = examine(InstalledFiles.of(package), builders)
    return replace(found, build=build)  # `current` has the last word about what is running


def verified(trust_dir: Path, *, strict: bool = True, package: Path | None = None) -> BuildInfo:
    """What the running product is, and whether a trusted signature covers it. Reads every installed file.

    Args:
        trust_dir: `settings.device.trust_dir`.
        strict: do not count a trust folder that others could write.
        package: the folder of the package `edge`; another one in tests only.

    Returns:
        `current`, with `signed` and `signer`, or with the reason in `unsigned`. Never raises.
    """
    try:
        builders = trusted(trust_dir, "builder", strict=strict)
    except SignatureError as error:
        return replace(current(package or package_folder()), unsigned=str(Problem("trust", str(error))))
    found = examine_installed(builders, package=package)
    if found.problems or found.signer is None:
        return replace(found.build, unsigned=_summary(found.problems))
    return replace(found.build, signed=True, signer=found.signer.name, signer_id=found.signer.key_id)


def _summary(problems: tuple[Problem, ...]) -> str:
    """The first problem in words, and how many more there are."""
    more = len(problems) - 1
    return str(problems[0]) + (f", and {more} more" if more else "")


def _build(files: Files) -> BuildInfo:
    try:
        return from_statement(_json(files.read(STATEMENT), STATEMENT))
    except (SignatureError, KeyError, TypeError, ValueError):
        return BuildInfo("device", "", fault="the build statement cannot be read")


def _signature(files: Files) -> bytes | None:
    try:
        return files.read(SIGNATURE)
    except SignatureError:
        return None


def _subjects(payload: bytes) -> dict[str, str]:
    """Name -> SHA-256 of what was signed."""
    statement = _json(payload, SIGNATURE)
    if statement.get("_type") != STATEMENT_TYPE or statement.get("predicateType") != PREDICATE_TYPE:
        raise SignatureError("this is not a statement about a build", where=SIGNATURE, remedy="sign it anew")
    said = {str(entry["name"]): str(entry["digest"]["sha256"]) for entry in statement["subject"]}
    if not said or len(said) != len(statement["subject"]):
        raise SignatureError("the statement names a file twice, or none", where=SIGNATURE, remedy="sign it anew")
    return said


def _differences(files: Files, said: Mapping[str, str]) -> list[Problem]:
    there = files.names()
    found = [Problem("missing", name) for name in sorted(said.keys() - there)]
    found += [Problem("extra", name) for name in sorted(there - said.keys())]
    for name in sorted(said.keys() & there):
        try:
            same = files.digest(name) == said[name]
        except SignatureError:
            same = False
        if not same:
            found.append(Problem("altered", name))
    return found + [Problem("compiled", name) for name in files.wrong() if name not in said]


def _json(data: bytes, where: str) -> dict[str, Any]:
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        raise SignatureError("this cannot be read", where=where, remedy="build the wheel anew")
    return loaded
