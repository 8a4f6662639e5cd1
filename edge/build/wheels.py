"""A wheel with a signature inside: written anew, byte for byte reproducible.

    sign_wheel(Path("dist/edge_verifier-0.1.0+device-py3-none-any.whl"), signer, out)

Workflow: the statement over all files is signed and put into the wheel as ``edge/_build/statement.dsse.json``; RECORD,
the wheel's own list of files, gets a line for it and stays last, as PEP 427 has it. Entries keep their order, dates and
modes; Ed25519 needs no randomness; so signing the same wheel with the same key gives the same bytes. An earlier
signature is replaced.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

from edge.build.attest import statement_over
from edge.build.files import SIGNATURE, WheelFiles, is_note
from edge.errors import SignatureError
from edge.trust.envelopes import BUILD, Signer, sign


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
    with WheelFiles.open(wheel) as files:
        envelope = sign(statement_over(files), BUILD, signer)
    signature = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    draft = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(draft, "w") as new:
            _rewrite(old, new, signature)
        draft.replace(out)
    except OSError as error:
        raise SignatureError(
            f"the signed wheel cannot be written ({error.strerror})", where=str(out), remedy="name another place"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return out


def record_of(archive: zipfile.ZipFile) -> str:
    """The name of a wheel's RECORD.

    Raises:
        SignatureError: there is not exactly one.
    """
    found = [name for name in archive.namelist() if is_note(name) and name.endswith("/RECORD")]
    if len(found) != 1:
        raise SignatureError("this wheel has no RECORD of its own", where=str(archive.filename), remedy="build it anew")
    return found[0]


def _rewrite(old: zipfile.ZipFile, new: zipfile.ZipFile, signature: bytes) -> None:
    """Copy every entry, with the signature before RECORD and a RECORD that knows it."""
    record = record_of(old)
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
    digest = base64.urlsafe_b64encode(hashlib.sha256(signature).digest()).decode("ascii").rstrip("=")
    text = io.StringIO()
    lines = [*rows, [SIGNATURE, f"sha256={digest}", str(len(signature))], [name, "", ""]]
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode("utf-8")
