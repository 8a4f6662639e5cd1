"""Signatures over builds, policy packs, models and reviews: one envelope, one kind of key, four roles.

    signer = Signer.load(Path("builder.key"), "correct horse battery")
    envelope = sign(payload, BUILD, signer)                        # a dict; written as NAME.dsse.json

    keys = trusted(Path("/etc/edge/trust"), "builder")             # whose signature counts here, in this role
    verify(envelope, BUILD, keys).payload                          # the bytes that were signed, or SignatureError

Workflow: `edge keys signer --role ROLE --out DIR` makes a pair of files. The private half stays where things are
signed, locked by a passphrase; root copies the public half into ``TRUST/{builders,packs,models,reviewers}/NAME.pem`` of
each device, and its file name is what people are shown. The envelope is DSSE (github.com/secure-systems-lab/dsse), the
algorithm Ed25519 (RFC 8032). The payload type is signed as well, so that a signature over a pack never counts for a
build. Whatever is read here was written by others: sizes are bounded and every fault is the same typed error. Nothing
but the standard library is imported until a signature is made or checked: the build hook has no more.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

from edge.errors import SignatureError
from edge.files import read_file
from edge.trust.folder import Strict, trusted_files
from edge.trust.keyfile import MAX_BYTES, read_key
from edge.trust.locked import SigningKey, older_forms, unlock, wrong_passphrase

#: Payload types: what a signature speaks about.
BUILD = "application/vnd.in-toto+json"
PACK = "application/vnd.edge.policy-pack+yaml"
MODEL = "application/vnd.edge.model-card+yaml"
REVIEW = "application/vnd.edge.review+json"

#: Role -> folder of the trust directory.
ROLES: Mapping[str, str] = MappingProxyType(
    {"builder": "builders", "packs": "packs", "models": "models", "reviewer": "reviewers"}
)
#: Envelope files end in this.
SUFFIX = ".dsse.json"

_MAX_ENVELOPE_BYTES = 8 * 2**20  # a statement over a wheel has some 50 kB
_MAX_SIGNATURES = 16  # each is tried with each trusted key: at most a tenth of a second
_BOM = b"\xef\xbb\xbf"  # of UTF-8, which some editors put before a PEM
_PEM = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


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
        return cls.parse(read_file(path, limit=MAX_BYTES, kind=SignatureError, noun="public key file"), path)

    @classmethod
    def parse(cls, data: bytes, path: Path) -> PublicKey:
        """What a public file holds. Raises `SignatureError`: not an Ed25519 public key."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(data.removeprefix(_BOM))
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise SignatureError(
                "this is not the public half of a signer (PEM, Ed25519)",
                where=str(path),
                remedy="put the .pem file there that `edge keys signer` wrote",
            )
        return cls(key.public_bytes_raw(), path.stem)


@dataclass(frozen=True, slots=True, repr=False)
class Signer(SigningKey):
    """A private half; its comment is its name. ``repr`` shows its key id only."""

    KIND: ClassVar[str] = "edge-signer-key-v1"
    MISSING: ClassVar[str] = "`edge keys signer` makes one"

    @classmethod
    def generate(cls, name: str = "") -> Signer:
        """A new key, from the operating system's randomness."""
        return cls(os.urandom(32), name)

    @property
    def name(self) -> str:
        return self.comment

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.public_bytes(), self.name)

    @classmethod
    def load(cls, path: Path, passphrase: str) -> Self:
        """Read a private file that only its owner can read; its name without ``.key`` is the signer's name.

        Raises:
            KeyringError: missing, open to others, not a signer's private half, or a wrong passphrase.
        """
        data = read_key(path, missing=cls.MISSING)
        if _PEM in data:
            return cls(_from_pem(data, passphrase, str(path)), path.stem)
        return cls(unlock(data, passphrase, kind=cls.KIND, where=str(path))[0], path.stem)

    @classmethod
    def check(cls, path: Path) -> None:
        """Return when this is a signer's private file; what can be told before a passphrase is asked for.

        Raises:
            KeyringError: missing, open to others, or not a signer's private half.
        """
        if _PEM not in read_key(path, missing=cls.MISSING):
            cls.public_bytes_of(path)

    def sign(self, message: bytes) -> bytes:
        """64 bytes: Ed25519 over the message as it is; `sign` of this module says what it is first."""
        return self._signature(message)

    def __repr__(self) -> str:
        return f"Signer(key_id={self.public.key_id})"


def _from_pem(data: bytes, passphrase: str, where: str) -> bytes:
    """The seed in a private file of earlier versions: PKCS #8, whose PBKDF2 with 2,048 rounds stops no attacker."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    for form in older_forms(passphrase):
        try:
            key = load_pem_private_key(data.removeprefix(_BOM), form)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, Ed25519PrivateKey):
            return key.private_bytes_raw()
    raise wrong_passphrase(where)


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
    signature = signer.sign(_encoding(payload_type, payload))
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [{"keyid": signer.public.key_id, "sig": base64.b64encode(signature).decode("ascii")}],
    }


def verify(envelope: Mapping[str, Any] | bytes, payload_type: str, trusted: Mapping[str, PublicKey]) -> Verified:
    """What was signed, when a trusted key signed it as this type of payload.

    The ``keyid`` beside a signature is optional and only a hint (DSSE, protocol.md): the key that it names is tried
    first, then every other trusted one.

    Args:
        envelope: as `sign` made it, or its JSON bytes. payload_type: what the caller is going to read it as.
        trusted: key id -> key; see the function `trusted`.

    Raises:
        SignatureError: no such envelope, another type of payload, no trusted signer, or an altered payload.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    found_type, payload, signatures = _envelope(envelope)
    if found_type != payload_type:
        raise SignatureError("the signature is over something else", where="signature", remedy="name the right file")
    message = _encoding(payload_type, payload)
    for hint, signature in signatures:
        for key in sorted(trusted.values(), key=lambda key: key.key_id != hint):
            try:
                Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
            except (InvalidSignature, ValueError):
                continue
            return Verified(payload, key.key_id, key.name)
    if any(hint in trusted for hint, _ in signatures):
        raise SignatureError(
            "the signature does not fit: what was signed has been altered", where="signature", remedy="fetch it anew"
        )
    raise SignatureError(
        "not signed by a key that this device trusts in this role",
        where="signature",
        remedy="add the signer's .pem file to the trust folder, as root, if you do trust them",
    )


def trusted(trust_dir: Path, role: str, *, strict: Strict = True) -> Mapping[str, PublicKey]:
    """Whose signatures count here, in one role.

    Args:
        trust_dir: the trust directory; without a folder for the role no key is trusted.
        role: one of `ROLES` (the name of its folder is accepted as well). strict: see `edge.trust.folder.Strict`.

    Returns:
        key id -> public key, read-only.

    Raises:
        SignatureError: a file is not a public key, there are too many, they cannot be read, or others could write.
    """
    folder = ROLES.get(role, role)
    if folder not in ROLES.values():
        raise ValueError(f"no such role: {role}")
    files, _ = trusted_files(trust_dir, folder, ".pem", strict=strict, kind=SignatureError)
    keys = [PublicKey.parse(data, path) for path, data in files]
    return MappingProxyType({key.key_id: key for key in keys})


def _encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding (protocol.md, "Signature Definition")."""
    name = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _envelope(given: Mapping[str, Any] | bytes) -> tuple[str, bytes, list[tuple[str, bytes]]]:
    """Type of payload, payload, each signature with the key id beside it. Unknown fields are ignored, as DSSE says."""
    try:
        data = given if isinstance(given, bytes) else json.dumps(dict(given)).encode("utf-8")
        read = json.loads(data if len(data) <= _MAX_ENVELOPE_BYTES else b"")
        signatures = [(str(one.get("keyid") or ""), _unbase64(one["sig"])) for one in read["signatures"]]
        payload_type, payload = read["payloadType"], _unbase64(read["payload"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        signatures = []
    if not 0 < len(signatures) <= _MAX_SIGNATURES:
        raise SignatureError("this is not a signature envelope (DSSE)", where="signature", remedy="fetch it anew")
    return str(payload_type), payload, signatures


def _unbase64(text: str) -> bytes:
    """Base64 in the standard or the URL-safe alphabet, which is often not padded: DSSE allows both."""
    plain = text.translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
