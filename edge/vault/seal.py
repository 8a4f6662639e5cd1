"""Sealing one template, so that it opens only with its token's secret together with a key of the device or the site.

    key        = HKDF-SHA256(ikm = secret || K, salt = 32 fresh random bytes, info = "edge/template/v1/" + custody)
    rotation   = edge.types.rotation, keyed by HKDF-SHA256(ikm = key, info = "edge/rotation/v1")
    ciphertext = ChaCha20-Poly1305(key, nonce = 0, associated data = the whole header, int8 of the rotated vector)

K is the site key in card custody and the device key in device custody. A zero nonce is right here because a key seals
once: every seal and re-seal draws a new salt and so a new key. ChaCha20, because a Pi 4 has no AES instructions.

A template may hold two or three references of its one person (version 3): one ciphertext, D bytes a reference, all of
them turned by the same rotation; its length tells how many. One reference alone is sealed as version 2.

The rotation makes templates renewable and unlinkable (ISO/IEC 24745): every seal rounds other numbers, and two opened
ones of one person say no more about each other than those of strangers, unless their keys are known: whoever has a card
together with the key it is sealed to undoes it. Version 1 was not rotated; it still opens.

The header is readable and authenticated: whoever changes a bit of it, of the salt or of the ciphertext gets nothing.

    offset  bytes  field (big-endian)
    0       1      version: 2; 3: two or three references (1: not rotated)
    1       1      custody: 1 card, 2 device
    2       16/32  card custody: the card's serial; device custody: the record id
            32     the embedder's identity: SHA-256 of its file (imported: and of its preprocessing)
            2      dimension D, 1..4096
            4      made, Unix seconds
            4      expires, Unix seconds
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.errors import ModelMismatch, SealBroken
from edge.trust import derive
from edge.types import I8, Claim, Custody, SealedTemplate, Template
from edge.types.inside import need_inside
from edge.types.rotation import F64, Rotation, quantised
from edge.types.wipe import wipe

VERSION, SEVERAL = 2, 3
_VERSIONS = (1, VERSION, SEVERAL)
#: A template holds at most so many references of its one person.
MOST_REFERENCES = 3
SALT_BYTES, TAG_BYTES, SECRET_BYTES = 32, 16, 32
MAX_DIMENSION = 4096
_NONCE = bytes(12)
_CUSTODY = {Custody.CARD: 1, Custody.DEVICE: 2}
_IDENT_BYTES = {Custody.CARD: 16, Custody.DEVICE: 32}
_TAIL = struct.Struct(">32sHII")
#: Length of a header: 60 bytes on a card, 76 on a device.
HEADER_BYTES = {custody: 2 + ident + _TAIL.size for custody, ident in _IDENT_BYTES.items()}


@dataclass(frozen=True, slots=True)
class Header:
    """What is said, readable and authenticated, about a sealed template.

    Attributes:
        custody: where it is kept. ident: the card's serial (16 bytes) or the record id (32 bytes).
        model: the embedder's identity (`edge.face.Card.identity`), 32 bytes. dimension: D.
        made, expires: Unix seconds.
        version: of the format; see above.
    """

    custody: Custody
    ident: bytes
    model: bytes
    dimension: int
    made: int
    expires: int
    version: int = VERSION

    def pack(self) -> bytes:
        """The bytes that are authenticated. Raises `ValueError`: a field is outside its range."""
        if len(self.ident) != _IDENT_BYTES[self.custody] or len(self.model) != 32:
            raise ValueError("wrong length of the serial, record id or model digest")
        if not (1 <= self.dimension <= MAX_DIMENSION and 0 <= self.made < 2**32 and 0 <= self.expires < 2**32):
            raise ValueError("dimension or date out of range")
        tail = _TAIL.pack(self.model, self.dimension, self.made, self.expires)
        return bytes([self.version, _CUSTODY[self.custody]]) + self.ident + tail

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read a header. Raises `ValueError`, and nothing else, whatever the bytes."""
        custody = next((c for c, code in _CUSTODY.items() if data[1:2] == bytes([code])), None)
        version = data[0] if data else 0
        if version not in _VERSIONS or custody is None or len(data) != HEADER_BYTES[custody]:
            raise ValueError("not a header of this version")
        end = 2 + _IDENT_BYTES[custody]
        model, dimension, made, expires = _TAIL.unpack(data[end:])
        header = cls(custody, data[2:end], model, dimension, made, expires, version)
        if not 1 <= header.dimension <= MAX_DIMENSION:
            raise ValueError("dimension out of range")
        return header

    def references(self, size: int) -> int:
        """How many references a ciphertext of so many bytes holds; 0 where it does not fit this header."""
        count, rest = divmod(size - TAG_BYTES, self.dimension)
        fits = 2 <= count <= MOST_REFERENCES if self.version == SEVERAL else count == 1
        return count if fits and not rest else 0


def record_id(secret: bytes) -> bytes:
    """The name under which device custody keeps a template: 32 bytes that only the token's secret gives."""
    return derive(secret, "edge/record/v1")


@dataclass(frozen=True, slots=True)
class Lock:
    """The key of one sealed template with what it authenticates: all that a session's own process is given of a card.

    Attributes:
        header: packed. salt: 32 bytes. key: 32 bytes, of this one template; it opens or seals nothing else.
    """

    header: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, header: bytes, salt: bytes, *, secret: bytes, key: bytes, custody: Custody) -> Lock:
        """From a token's secret and the site's or device's key, 32 bytes each. Raises `ValueError`: other lengths."""
        if len(secret) != SECRET_BYTES or len(key) != 32:
            raise ValueError("secret and key have 32 bytes each")
        both = secret + key
        own = derive(both, f"edge/template/v1/{custody.value}", salt=salt)
        wipe(both)
        return cls(header, salt, own)

    def seal(self, vectors: I8 | F64) -> SealedTemplate:
        """Seal a reference (D,) or several (n, D), rotated.

        Raises:
            ValueError: they are not what the header says. SpentError: a device build, outside of a session.
        """
        need_inside("a seal")
        header, rows = Header.parse(self.header), np.atleast_2d(vectors)
        if rows.dtype not in (np.int8, np.float64) or header.references(rows.size + TAG_BYTES) != len(rows):
            raise ValueError("a template is one to three int8 vectors of the header's dimension, and says so")
        if header.version != (VERSION if len(rows) == 1 else SEVERAL):
            raise ValueError("a new template has version 2 with one reference, and 3 with several")
        rotation = self._rotation(header)
        turned = np.stack([rotation.turn(row) for row in rows])
        plain = bytearray(np.stack([quantised(row) for row in turned]))
        try:
            return SealedTemplate(
                self.header, self.salt, ChaCha20Poly1305(self.key).encrypt(_NONCE, plain, self.header)
            )
        finally:
            rotation.erase()
            wipe(turned, plain)

    def open(self, ciphertext: bytes, *, model_digest: bytes, session: str) -> Template:
        """The template, for one session. Raises `SealBroken`, `ModelMismatch`: as `open_sealed`."""
        header = Header.parse(self.header)
        count = header.references(len(ciphertext))
        if not count:
            raise broken()
        # into a buffer of our own, because a `bytes` object cannot be overwritten afterwards
        plain = bytearray(count * header.dimension)
        try:
            ChaCha20Poly1305(self.key).decrypt_into(_NONCE, ciphertext, self.header, plain)
            if not hmac.compare_digest(header.model, model_digest):
                raise made_by_another()
            rotation = None if header.version == 1 else self._rotation(header)
            data = np.frombuffer(plain, dtype=np.int8).reshape(count, header.dimension)
            return Template(data, model=header.model.hex(), session=session, rotation=rotation)
        except InvalidTag:
            raise broken() from None
        finally:
            wipe(plain)

    def wipe(self) -> None:
        """Overwrite the key."""
        wipe(self.key)

    def _rotation(self, header: Header) -> Rotation:
        key = derive(self.key, "edge/rotation/v1")
        rotation = Rotation(key, header.dimension)
        wipe(key)
        return rotation


def lock_of(sealed: SealedTemplate, claim: Claim, key: bytes) -> Lock:
    """What opens the sealed template of a claim.

    Args:
        sealed: from the card or the store. claim: gives the secret, and what the header must say.
        key: site or device key, 32 bytes.

    Raises:
        SealBroken: it is another claim's, or malformed.
    """
    try:
        header = Header.parse(sealed.header)
    except ValueError:
        raise broken() from None
    expected = claim.serial if claim.custody is Custody.CARD else record_id(claim.secret)
    if (
        header.custody is not claim.custody
        or not hmac.compare_digest(header.ident, expected)
        or header.expires != claim.expires
        or len(sealed.salt) != SALT_BYTES
        or not header.references(len(sealed.ciphertext))
    ):
        raise broken()
    return Lock.of(sealed.header, sealed.salt, secret=claim.secret, key=key, custody=header.custody)


def new_lock(header: Header, *, secret: bytes, key: bytes, random_bytes: Callable[[int], bytes]) -> Lock:
    """What seals a new template: a fresh salt, and so a key that seals once.

    Args:
        header: what is authenticated with it. secret: the token's, 32 bytes. key: site or device key, 32 bytes.
        random_bytes: draws the salt; `os.urandom` outside tests.

    Raises:
        ValueError: a length or a date is out of range.
    """
    return Lock.of(header.pack(), random_bytes(SALT_BYTES), secret=secret, key=key, custody=header.custody)


def seal(
    vector: I8 | F64, *, secret: bytes, key: bytes, header: Header, random_bytes: Callable[[int], bytes]
) -> SealedTemplate:
    """Seal a reference, or the two or three of one person; see `new_lock` and `Lock.seal`."""
    return new_lock(header, secret=secret, key=key, random_bytes=random_bytes).seal(vector)


def open_sealed(sealed: SealedTemplate, claim: Claim, key: bytes, *, model_digest: bytes, session: str) -> Template:
    """Open the template of a claim in this very process; see `lock_of`.

    Args:
        model_digest: SHA-256 of the loaded embedder's file, 32 bytes.
        session: the template answers to this session only, and is overwritten after it.

    Raises:
        SealBroken: another claim's, another key's, or one bit altered.
        ModelMismatch: made by another embedder than the one loaded.
    """
    lock = lock_of(sealed, claim, key)
    try:
        return lock.open(sealed.ciphertext, model_digest=model_digest, session=session)
    finally:
        lock.wipe()


def made_by_another() -> ModelMismatch:
    """The error for a template of an embedder that is not on this device."""
    return ModelMismatch(
        "the template was made by another embedder than the one on this device",
        where="template",
        remedy="enrol the person again with `edge enrol --renew`",
    )


def broken() -> SealBroken:
    """The error for a template that does not open."""
    return SealBroken(
        "the sealed template does not open with this card on this device",
        where="template",
        remedy="present the card again; if this goes on, ask the operator for a new one",
    )
