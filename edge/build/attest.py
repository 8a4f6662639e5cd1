"""What a signature over a build says, and whether it holds: an in-toto statement over every file.

    found = examine(files, trusted(trust_dir, "builder"))
    found.ok, found.signer.name, found.problems    # False, "acme", (Discrepancy("altered", "edge/errors.py"),)

    build = verified(settings.device.trust_dir)        # as `edge.profile.current`, and `signed` is known
    build.signed, build.unsigned                       # (False, "edge/door/choose.py was altered after it was signed")

Workflow: `edge build sign` makes a statement (in-toto.io/Statement/v1) whose subjects are the SHA-256 of every file in
the wheel but the signature itself and RECORD, and whose predicate is the build statement; it lies in the wheel as DSSE.
A device reads all its files again before it drives a door, and in its self-test: some hundred milliseconds, which
`edge --help` never pays. A program that checks itself shows accidents and clumsy changes; anyone who can alter these
very lines is caught from outside only, by `edge build verify WHEEL` before and by `edge prove` after the installation.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge._version import __version__
from edge.build.contents import strangers
from edge.build.files import SIGNATURE, Discrepancy, Files, InstalledFiles, WheelFiles, is_record, record_hash
from edge.errors import SignatureError
from edge.files import atomic, refusal
from edge.profile import STATEMENT, BuildInfo, current, from_statement, package_folder
from edge.trust.envelopes import BUILD, PublicKey, Signer, Verified, sign, trusted, verify

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:edge-verifier:build-statement:v1"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found about a wheel or an installation.

    Attributes:
        where: what was examined. files: how many files the signature covers.
        build: what it says it is. signer: whose signature it bears, None when that is not valid.
        problems: every reason against it; empty means that a trusted signature covers exactly what is there.
    """

    where: str
    files: int
    build: BuildInfo
    signer: Verified | None
    problems: tuple[Discrepancy, ...] = field(default=())

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
    """Why a wheel may not be signed, and whether it was built from changed source (None: unknown).

    A build statement that is not valid, files that its profile does not hold, compiled files, damage, stray bytes.
    """
    build = _build(files)
    if build.fault:
        return [build.fault, *map(str, files.wrong())], None
    reasons = [Discrepancy("foreign", name) for name in strangers(files.names(), build.profile, build.capabilities)]
    return [str(reason) for reason in (*reasons, *files.wrong(), *files.unlisted())], build.dirty


def examine(files: Files, builders: Mapping[str, PublicKey]) -> Examination:
    """Whether a trusted builder's signature covers exactly these files.

    Args:
        files: of a wheel or an installation. builders: whose signatures count; see `edge.trust.envelopes.trusted`.

    Returns:
        Every problem at once; never raises for what the files hold.
    """
    build = _build(files)
    problems = [Discrepancy("statement")] if build.fault else []
    problems += [one for one in files.wrong() if one.kind != "compiled"]
    envelope = _signature(files)
    if envelope is None:
        return Examination(files.where, 0, build, None, (*problems, Discrepancy("unsigned")))
    try:
        signer = verify(envelope, BUILD, builders)
    except SignatureError:
        return Examination(files.where, 0, build, None, (*problems, Discrepancy(_refusal(envelope, builders))))
    try:
        said = _subjects(signer.payload)
        predicate = _json(signer.payload, SIGNATURE)["predicate"]
    except (SignatureError, KeyError, TypeError, ValueError):
        return Examination(files.where, 0, build, None, (*problems, Discrepancy("broken")))
    if not build.fault and _json(files.read(STATEMENT), STATEMENT) != predicate:
        problems.append(Discrepancy("contradiction"))
    problems += _differences(files, said)
    if build.version.partition("+")[0] == __version__:  # the rows of another version are not known here
        problems += [Discrepancy("foreign", name) for name in strangers(said, build.profile, build.capabilities)]
    if not problems:  # otherwise the list differs because the files do
        problems += files.unlisted()
    return Examination(files.where, len(said), build, signer, tuple(problems))


def examine_installed(builders: Mapping[str, PublicKey], *, package: Path | None = None) -> Examination:
    """As `examine`, for the running installation; a development install is what it is, whatever lies in it."""
    package = package or package_folder()
    build = current(package)
    if build.profile == "development":
        return Examination(str(package.parent), 0, build, None, (Discrepancy("development"),))
    found = examine(InstalledFiles.of(package), builders)
    return replace(found, build=build)  # `current` has the last word about what is running


def verified(trust_dir: Path, *, strict: bool = True, package: Path | None = None) -> BuildInfo:
    """What the running product is, and whether a trusted signature covers it. Reads every installed file.

    Args:
        trust_dir: `settings.device.trust_dir`.
        strict: ignore a trust folder that others could write.
        package: the folder of the package `edge`; another one in tests only.

    Returns:
        `current`, with `signed` and `signer`, or with the reason in `unsigned`. Never raises.
    """
    try:
        builders = trusted(trust_dir, "builder", strict=strict)
    except SignatureError as error:
        return replace(current(package or package_folder()), unsigned=str(Discrepancy("trust", str(error))))
    found = examine_installed(builders, package=package)
    if found.problems or found.signer is None:
        return replace(found.build, unsigned=_summary(found.problems))
    return replace(found.build, signed=True, signer=found.signer.name, signer_id=found.signer.key_id)


def _summary(problems: tuple[Discrepancy, ...]) -> str:
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


def _refusal(envelope: bytes, builders: Mapping[str, PublicKey]) -> str:
    """Why a signature is not valid: ``untrusted`` when it names other keys only, else ``broken``."""
    try:
        named = {entry.get("keyid", "") for entry in _json(envelope, SIGNATURE)["signatures"]}
    except (SignatureError, KeyError, TypeError, AttributeError):
        return "broken"
    return "untrusted" if named and not named & builders.keys() else "broken"


def _subjects(payload: bytes) -> dict[str, str]:
    """Name -> SHA-256 of what was signed."""
    statement = _json(payload, SIGNATURE)
    if statement.get("_type") != STATEMENT_TYPE or statement.get("predicateType") != PREDICATE_TYPE:
        raise SignatureError("this is not a statement about a build", where=SIGNATURE, remedy="sign it anew")
    said = {str(entry["name"]): str(entry["digest"]["sha256"]) for entry in statement["subject"]}
    if not said or len(said) != len(statement["subject"]):
        raise SignatureError("the statement names a file twice, or none", where=SIGNATURE, remedy="sign it anew")
    return said


def _differences(files: Files, said: Mapping[str, str]) -> list[Discrepancy]:
    there = files.names()
    found = [Discrepancy("missing", name) for name in sorted(said.keys() - there)]
    found += [Discrepancy("extra", name) for name in sorted(there - said.keys())]
    wrong = files.wrong()
    told = {one.name for one in wrong if one.kind == "damaged"}
    for name in sorted((said.keys() & there) - told):
        try:
            same = files.digest(name) == said[name]
        except SignatureError:
            same = False
        if not same:
            found.append(Discrepancy("altered", name))
    return found + [one for one in wrong if one.kind == "compiled" and one.name not in said]


def _json(data: bytes, where: str) -> dict[str, Any]:
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        raise SignatureError("this cannot be read", where=where, remedy="build the wheel anew")
    return loaded


# -- signing -----------------------------------------------------------------------------------------------------------


def sign_wheel(wheel: Path, signer: Signer, out: Path | None = None) -> Path:
    """Sign a wheel. What it holds is not judged here; `edge build sign` looks at that first.

    Args:
        wheel: as the build hook made it. signer: the builder's private half.
        out: the signed wheel's path, whose name must be the wheel's own; None replaces the wheel.

    Returns:
        The path of the signed wheel.

    Raises:
        SignatureError: no wheel of this product, or it cannot be written.
    """
    out = wheel if out is None else out
    envelope = sign(statement_over(WheelFiles.of(wheel)), BUILD, signer)
    signature = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    try:
        with atomic(out) as draft, zipfile.ZipFile(wheel) as old, zipfile.ZipFile(draft, "w") as new:
            _rewrite(old, new, signature)
    except OSError as error:
        raise refusal(SignatureError, error, out, "the signed wheel cannot be written") from None
    return out


def _record_name(archive: zipfile.ZipFile) -> str:
    """The name of a wheel's RECORD.

    Raises:
        SignatureError: there is not exactly one.
    """
    found = [name for name in archive.namelist() if is_record(name)]
    if len(found) != 1:
        raise SignatureError("this wheel has no RECORD of its own", where=str(archive.filename), remedy="build it anew")
    return found[0]


def _rewrite(old: zipfile.ZipFile, new: zipfile.ZipFile, signature: bytes) -> None:
    """Copy every entry, with the signature before RECORD and a RECORD that knows it."""
    record = _record_name(old)
    for entry in old.infolist():
        if entry.filename not in (SIGNATURE, record):
            new.writestr(_entry(entry, entry.filename), old.read(entry))
    last = old.getinfo(record)
    new.writestr(_entry(last, SIGNATURE), signature)
    new.writestr(_entry(last, record), _record(old.read(record), record, signature))


def _entry(like: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, like.date_time)
    entry.external_attr, entry.compress_type, entry.create_system = like.external_attr, zipfile.ZIP_DEFLATED, 3
    return entry


def _record(old: bytes, name: str, signature: bytes) -> bytes:
    """RECORD with a line for the signature, before its own."""
    rows = [row for row in csv.reader(io.StringIO(old.decode("utf-8"))) if row and row[0] not in (SIGNATURE, name)]
    text = io.StringIO()
    lines = [*rows, [SIGNATURE, record_hash(signature), str(len(signature))], [name, "", ""]]
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode("utf-8")
