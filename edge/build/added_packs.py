"""Policy packs that are added in the field: signed files beside the build, which can only tighten.

    install(Path("update.dsse.json"), state_dir, trust_dir)      # verifies, then STATE/packs/ID-DIGEST.dsse.json
    packs, faults = load_added(state_dir, trust_dir)             # what counts here, and what does not

Workflow: a pack is signed with a key of the role `packs` (`edge policy sign`), and its envelope is carried to the
device. Only what a key in ``TRUST/packs`` signed is read at all. An added pack never replaces one of the build, nor
another added one of the same id: all of them are evaluated, and since no rule can permit anything, more rules can only
forbid more. To loosen a rule takes a new build.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from edge.build.added import PACKS
from edge.errors import InputError, PackRefused, SignatureError
from edge.policy.packs import Pack, parse_pack
from edge.trust.envelopes import PACK, SUFFIX, PublicKey, Signer, Verified, sign, trusted, verify

MAX_BYTES = 2_000_000
#: More added packs than this in one folder is a mistake.
MAX_PACKS = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """An added file that does not count. ``name``: of the file. ``why``: in words."""

    name: str
    why: str


def sign_pack(text: str, file: str, signer: Signer) -> dict[str, object]:
    """A signed pack, as a dict that JSON can hold.

    Raises:
        PackRefused: it is no pack; with every finding.
    """
    _parsed(text, file)
    return sign(text.encode("utf-8"), PACK, signer)


def install(file: Path, state_dir: Path, trust_dir: Path, *, strict: bool = True) -> tuple[Pack, Path]:
    """Verify a signed pack and put it beside the build.

    Args:
        file: the envelope. state_dir, trust_dir: of the settings. strict: as `edge.trust.envelopes.trusted`.

    Returns:
        The pack and where it lies now; installing the same file twice is harmless.

    Raises:
        InputError: the file cannot be read or the state directory not be written.
        SignatureError: nobody whom this device trusts for packs signed it.
        PackRefused: it is no pack; with every finding.
    """
    envelope = _bytes(file)
    pack = _verified(envelope, file.name, trusted(trust_dir, "packs", strict=strict))
    folder = state_dir / PACKS
    target = folder / f"{pack.id}-{sha256(envelope).hexdigest()[:12]}{SUFFIX}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(envelope)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as error:
        raise InputError(
            f"the pack cannot be written ({error.strerror})", where=str(folder), remedy="run this as the service's user"
        ) from None
    return pack, target


def load_added(state_dir: Path, trust_dir: Path, *, strict: bool = True) -> tuple[tuple[Pack, ...], tuple[Fault, ...]]:
    """The added packs that count, each with its signer's name in ``added``, and every file that does not.

    Args:
        state_dir, trust_dir: of the settings. strict: as `edge.trust.envelopes.trusted`.
    """
    files = _files(state_dir / PACKS)
    if not files:
        return (), ()
    packs, faults = list[Pack](), list[Fault]()
    try:
        keys = trusted(trust_dir, "packs", strict=strict)
    except SignatureError as error:
        return (), tuple(Fault(file.name, str(error)) for file in files)
    for file in files[:MAX_PACKS]:
        try:
            packs.append(_verified(_bytes(file), file.name, keys))
        except (InputError, SignatureError, PackRefused) as error:
            faults.append(Fault(file.name, error.what))
    faults += [Fault(file.name, f"more than {MAX_PACKS} packs") for file in files[MAX_PACKS:]]
    return tuple(packs), tuple(faults)


def _verified(envelope: bytes, name: str, keys: Mapping[str, PublicKey]) -> Pack:
    done: Verified = verify(envelope, PACK, keys)
    try:
        text = done.payload.decode("utf-8")
    except UnicodeDecodeError:
        raise PackRefused(("this is not UTF-8 text",), where=name) from None
    return replace(_parsed(text, name), added=done.name or done.key_id)


def _parsed(text: str, name: str) -> Pack:
    pack, findings = parse_pack(text, name)
    if pack is None:
        raise PackRefused(tuple(str(finding) for finding in findings), where=name)
    return pack


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file), remedy="check the name") from None
    if len(data) > MAX_BYTES:
        raise InputError("too large for a signed pack", where=str(file), remedy="name the right file")
    return data


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))
    except OSError:
        return []
