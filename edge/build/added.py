"""What was added to a device after its build: models and policy packs, each under a signature of its own.

    added(state_dir, trust_dir)      # (Added("model", "embedder-2027", signer="acme-models"), ...)

Nothing is loaded here: `edge build show` lists what lies in the state directory beside the build, and says of each
whose signature covers it. What has no trusted signature is not used by the device, and is listed as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SignatureError
from edge.trust.envelopes import MODEL, PACK, SUFFIX, PublicKey, trusted, verify

#: Folders of the state directory.
MODELS, PACKS = "models", "packs"
_LONGEST = 2**22


@dataclass(frozen=True, slots=True)
class Added:
    """One thing that was added.

    Args:
        kind: ``model`` or ``pack``. name: as its folder or file is named.
        signer: whose trusted signature it bears; empty: nobody's, so that it is not used.
    """

    kind: str
    name: str
    signer: str = ""


def added(state_dir: Path, trust_dir: Path, *, strict: bool = True) -> tuple[Added, ...]:
    """Everything that was added, in order of its name. A folder that cannot be read counts as empty.

    Args:
        state_dir: `settings.device.state_dir`. trust_dir: `settings.device.trust_dir`.
        strict: do not count keys that others could have put there.
    """
    models, packs = (_keys(trust_dir, role, strict) for role in ("models", "packs"))
    found = [
        Added("model", folder.name, _signer(folder / f"card{SUFFIX}", folder / "card.yaml", MODEL, models))
        for folder in _entries(state_dir / MODELS)
        if folder.is_dir()
    ]
    found += [
        Added("pack", file.name.removesuffix(SUFFIX), _signer(file, None, PACK, packs))
        for file in _entries(state_dir / PACKS)
        if file.name.endswith(SUFFIX)
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
        if envelope.stat().st_size > _LONGEST:
            return ""
        done = verify(envelope.read_bytes(), payload_type, keys)
        same = content is None or content.read_bytes() == done.payload
    except (OSError, SignatureError):
        return ""
    return done.name if same else ""


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return
