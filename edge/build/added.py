"""What is added to a device after its build: models and policy packs, each under a signature of its own.

    added(state_dir, trust_dir)                              # (Addition("model", "mine", signer="acme-models"), ...)
    install(Path("update.dsse.json"), state_dir, trust_dir)  # verifies a pack, then STATE/packs/ID-DIGEST.dsse.json
    packs, refused = load_added(state_dir, trust_dir)        # the packs in force here, and the files that are not

Workflow: a pack is signed with a key of the role `packs` (`edge policy sign`), and its envelope is carried to the
device. Only what a key in ``TRUST/packs`` signed is read at all. An added pack never replaces one of the build, nor
another added one of the same id: all of them are evaluated, and since no rule can permit anything, more rules can only
forbid more. To loosen a rule takes a new build. `edge build show` lists what was added beside the build; what has no
trusted signature is not used by the device, and is listed as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from edge.errors import InputError, PackRefused, SignatureError
from edge.files import refusal, write_atomic
from edge.policy.packs import parse_pack
from edge.policy.rules import Pack
from edge.trust.envelopes import MODEL, PACK, SUFFIX, PublicKey, Signer, sign, trusted, verify

#: Folders of the state directory.
MODELS, PACKS = "models", "packs"
#: A pack of this build has 8 kB at most, a model's card 60 kB.
MAX_BYTES = 2_000_000
#: More added packs than this in one folder is a mistake.
MAX_PACKS = 64


@dataclass(frozen=True, slots=True)
class Addition:
    """One thing that was added.

    Args:
        kind: ``model`` or ``pack``. name: as its folder or file is named.
        signer: who signed it, if trusted; empty: no trusted signature, so it is not used.
    """

    kind: str
    name: str
    signer: str = ""


@dataclass(frozen=True, slots=True)
class RefusedPack:
    """An added file that is not used. ``name``: of the file. ``why``: in words."""

    name: str
    why: str


def added(state_dir: Path, trust_dir: Path, *, strict: bool = True) -> tuple[Addition, ...]:
    """Everything that was added, in order of its name. A folder that cannot be read is taken for empty.

    Args:
        state_dir: `settings.device.state_dir`. trust_dir: `settings.device.trust_dir`.
        strict: ignore keys that others could have put there.
    """
    models, packs = (_keys(trust_dir, role, strict) for role in ("models", "packs"))
    found = [
        Addition("model", folder.name, _signer(folder / f"card{SUFFIX}", folder / "card.yaml", MODEL, models))
        for folder in _entries(state_dir / MODELS)
        if folder.is_dir()
    ]
    found += [
        Addition("pack", file.name.removesuffix(SUFFIX), _signer(file, None, PACK, packs))
        for file in _envelopes(state_dir / PACKS)
    ]
    return tuple(found)


def _keys(trust_dir: Path, role: str, strict: bool) -> Mapping[str, PublicKey]:
    try:
        return trusted(trust_dir, role, strict=strict)
    except SignatureError:
        return {}


def _signer(envelope: Path, content: Path | None, payload_type: str, keys: Mapping[str, PublicKey]) -> str:
    """The name of the trusted signer of an envelope whose payload is the content; empty when there is none."""
    try:
        done = verify(_bytes(envelope), payload_type, keys)
        return done.name if content is None or content.read_bytes() == done.payload else ""
    except (OSError, InputError, SignatureError):
        return ""


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return


def _envelopes(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.name.endswith(SUFFIX)]


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
        SignatureError: it is not signed by a key that this device trusts for packs.
        PackRefused: it is no pack; with every finding.
    """
    envelope = _bytes(file)
    pack = _verified(envelope, file.name, trusted(trust_dir, "packs", strict=strict))
    folder = state_dir / PACKS
    target = folder / f"{pack.id}-{sha256(envelope).hexdigest()[:12]}{SUFFIX}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(target, envelope, mode=0o600)
    except OSError as error:
        raise refusal(InputError, error, target, "the pack cannot be written") from None
    return pack, target


def load_added(
    state_dir: Path, trust_dir: Path, *, strict: bool = True
) -> tuple[tuple[Pack, ...], tuple[RefusedPack, ...]]:
    """The added packs in force, each with its signer's name in ``added``, and every file that is not.

    Args:
        state_dir, trust_dir: of the settings. strict: as `edge.trust.envelopes.trusted`.
    """
    files = _envelopes(state_dir / PACKS)
    if not files:
        return (), ()
    packs, refused = list[Pack](), list[RefusedPack]()
    try:
        keys = trusted(trust_dir, "packs", strict=strict)
    except SignatureError as error:
        return (), tuple(RefusedPack(file.name, str(error)) for file in files)
    for file in files[:MAX_PACKS]:
        try:
            packs.append(_verified(_bytes(file), file.name, keys))
        except (InputError, SignatureError, PackRefused) as error:
            refused.append(RefusedPack(file.name, error.what))
    refused += [RefusedPack(file.name, f"more than {MAX_PACKS} packs") for file in files[MAX_PACKS:]]
    return tuple(packs), tuple(refused)


def _verified(envelope: bytes, name: str, keys: Mapping[str, PublicKey]) -> Pack:
    done = verify(envelope, PACK, keys)
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
