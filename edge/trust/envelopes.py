"""Signatures over builds, policy packs, models and reviews: one envelope, one kind of key, four roles.

    signer = Signer.load(Path("builder.key"), "correct horse battery")
    envelope = sign(payload, BUILD, signer)                        # a dict; written as NAME.dsse.json

    keys = trusted(Path("/etc/edge/trust"), "builder")             # whose signature counts here, in this role
    verify(envelope, BUILD, keys).payload                          # the bytes that were signed, or SignatureError

Workflow: `edge keys signer --role ROLE --out DIR` makes a pair of PEM files. The private half stays where things are
signed, locked by a passphrase; root copies the public half into ``TRUST/{builders,packs,models,reviewers}/NAME.pem`` of
each device, and its file name is what people are shown. The envelope is DSSE (github.com/secure-systems-lab/dsse) by
securesystemslib, the algorithm Ed25519 (RFC 8032). The payload type is signed as well, so that a signature over a pack
never counts for a build. Whatever is read here was written by others: sizes are bounded and every fault is the same
typed error.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edge.errors import SignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Payload types: what a signature speaks about.
BUILD = "application/vnd.in-toto+json"
PACK = "application/vnd.edge.policy-pack+yaml"
MODEL = "application/vnd.edge.model-card+yaml"
REVIEW = "application/vnd.edge.review+json"

#: Role -> folder of the trust directory.
ROLES: Mapping[str, str] = MappingProxyType(
    {"builder": "builders", "packs": "packs", "models": "models", "reviewer": "reviewers"}
)
#: Shorter passphrases are refused when a key is made: the file may be copied and tried offline.
MIN_PASSPHRASE = 12
#: Envelope files end in this.
SUFFIX = ".dsse.json"

_MAX_KEYS = 64  # more in one role is a mistake
_MAX_KEY_BYTES = 16_384
_MAX_ENVELOPE_BYTES = 8 * 2**20  # a statement over a wheel has some 50 kB


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signer.

    Attributes:
        raw: Ed25519 public key, 32 bytes. name: whose it is, as its file in the trust directory is named.
    """

    raw: bytes
    name: str = ""

    @property
    def key_id(self) -> str:
        """16 hexadecimal digits: the beginning of SHA-256 of the raw key. Finds a key; proves nothing."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def pem(self) -> bytes:
        """The public file (SubjectPublicKeyInfo, RFC 8410)."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read one public file; its name without ``.pem`` is the key's name.

        Raises:
            SignatureError: missing, too large, or not an Ed25519 public key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(_read(path)[0])
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise SignatureError(
                "this is not the public half of a signer (PEM, Ed25519)",
                where=str(path),
                remedy="put the .pem file there that `edge keys signer` wrote",
            )
        return cls(key.public_bytes_raw(), path.stem)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private half. ``repr`` shows its key id only."""

    _private: Ed25519PrivateKey = field(repr=False)
    name: str = ""

    @classmethod
    def generate(cls, name: str = "") -> Signer:
        """A new key, from the operating system's randomness."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate(), name)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._private.public_key().public_bytes_raw(), self.name)

    def pem(self, passphrase: str) -> bytes:
        """The private file: PKCS #8, encrypted.

        Raises:
            SignatureError: the passphrase is too short.
        """
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

        if len(passphrase) < MIN_PASSPHRASE:
            raise SignatureError(
                f"the passphrase is shorter than {MIN_PASSPHRASE} characters",
                where="passphrase",
                remedy="take several words: whoever copies the file can try passphrases at leisure",
            )
        locked = BestAvailableEncryption(passphrase.encode("utf-8", "surrogateescape"))
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)

    @classmethod
    def load(cls, path: Path, passphrase: str) -> Signer:
        """Read a private file that only its owner can read.

        Raises:
            SignatureError: missing, open to others, not a signer's private half, unencrypted, or a wrong passphrase.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        data = read_private(path)
        try:
            key = load_pem_private_key(data, passphrase.encode("utf-8", "surrogateescape"))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise SignatureError(
                "wrong passphrase, or not a signer's locked private half",
                where=str(path),
                remedy="try again, or name the .key file that `edge keys signer` wrote",
            )
        return cls(key, path.stem)

    def __repr__(self) -> str:
        return f"Signer(key_id={self.public.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a Signer is never pickled or copied")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trusted key signed.

    Attributes:
        payload: the signed bytes. key_id: of the key that signed. name: whose key it is.
    """

    payload: bytes
    key_id: str
    name: str


def sign(payload: bytes, payload_type: str, signer: Signer) -> dict[str, Any]:
    """A DSSE envelope over a payload, as a dict that JSON can hold.

    Args:
        payload: any bytes. payload_type: what they are, such as `BUILD`; signed as well. signer: the private half.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

    envelope = Envelope(payload, payload_type, {})
    public = SSlibKey.from_crypto(signer._private.public_key(), signer.public.key_id)
    envelope.sign(CryptoSigner(signer._private, public))
    return dict(envelope.to_dict())


def verify(envelope: Mapping[str, Any] | bytes, payload_type: str, trusted: Mapping[str, PublicKey]) -> Verified:
    """What was signed, when a trusted key signed it as this type of payload.

    Args:
        envelope: as `sign` made it, or its JSON bytes. payload_type: what the caller is going to read it as.
        trusted: key id -> key; see the function `trusted`.

    Raises:
        SignatureError: no such envelope, another type of payload, no trusted signer, or an altered payload.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    read = _envelope(envelope)
    if read.payload_type != payload_type:
        raise SignatureError("the signature is over something else", where="signature", remedy="name the right file")
    known = [trusted[key_id] for key_id in read.signatures if key_id in trusted]
    if not known:
        raise SignatureError(
            "signed by nobody whom this device trusts in this role",
            where="signature",
            remedy="add the signer's .pem file to the trust folder, as root, if you do trust them",
        )
    keys = [SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.raw), key.key_id) for key in known]
    try:
        (key_id,) = read.verify(list(keys), 1)
    except (VerificationError, ValueError):
        raise SignatureError(
            "the signature does not fit: what was signed has been altered", where="signature", remedy="fetch it anew"
        ) from None
    return Verified(bytes(read.payload), key_id, trusted[key_id].name)


def trusted(trust_dir: Path, role: str, *, strict: bool = True) -> Mapping[str, PublicKey]:
    """Whose signatures count here, in one role.

    Args:
        trust_dir: the trust directory; without a folder for the role nobody is trusted.
        role: one of `ROLES` (the name of its folder is accepted as well).
        strict: refuse when someone but root and this user could write a folder or file.

    Returns:
        key id -> public key, read-only.

    Raises:
        SignatureError: a file is not a public key, there are too many, they cannot be read, or others could write.
    """
    name = ROLES.get(role, role)
    if name not in ROLES.values():
        raise ValueError(f"no such role: {role}")
    folder = trust_dir / name
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".pem") if folder.is_dir() else []
        exposed = [path for path in (trust_dir, folder, *paths) if path.exists() and _writable_by_others(path)]
    except OSError as error:
        raise SignatureError(
            f"the trusted keys cannot be read ({error.strerror})", where=str(folder), remedy="check its permissions"
        ) from None
    if strict and exposed:
        raise SignatureError(
            "someone besides root could change whom this device trusts",
            where=str(exposed[0]),
            remedy=f"chown root:root {exposed[0]} and chmod go-w it",
        )
    if len(paths) > _MAX_KEYS:
        raise SignatureError(f"more than {_MAX_KEYS} keys", where=str(folder), remedy="remove retired ones")
    return MappingProxyType({key.key_id: key for key in map(PublicKey.load, paths)})


def read_private(path: Path) -> bytes:
    """A file that only its owner can read: a private half, or its passphrase.

    Raises:
        SignatureError: missing, a link, too large, another user's, or open to others.
    """
    data, status = _read(path)
    if status.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(status.st_mode) & 0o077:
        raise SignatureError("others may read this private file", where=str(path), remedy="chmod 600 it")
    return data


def _envelope(given: Mapping[str, Any] | bytes) -> Any:
    """The parsed envelope; securesystemslib alters the dict it is given, so it gets its own."""
    from securesystemslib.dsse import Envelope

    try:
        data = given if isinstance(given, bytes) else json.dumps(dict(given)).encode("utf-8")
        read = Envelope.from_dict(json.loads(data)) if len(data) <= _MAX_ENVELOPE_BYTES else None
    except Exception:  # the parser is another project's and the bytes are anybody's
        read = None
    if read is None:
        raise SignatureError("this is not a signature envelope (DSSE)", where="signature", remedy="fetch it anew")
    return read


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    """A key file and its status: a regular file, not a link, not large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SignatureError(
            f"the key file cannot be read ({error.strerror})", where=str(path), remedy="check the name"
        ) from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_KEY_BYTES:
            raise SignatureError("this is not a key file", where=str(path), remedy="name the right file")
        return file.read(_MAX_KEY_BYTES), status


def _writable_by_others(path: Path) -> bool:
    """As `edge.trust.files.writable_by_others`; that room stands below this one."""
    status = path.stat()
    return status.st_uid not in (0, os.geteuid()) or bool(stat.S_IMODE(status.st_mode) & 0o022)
