"""Attempts to open sealed records with what an attacker might have.

An attempt is made in two ways, and counts as a success when either works: by the product's own `open_sealed`, and by
the bare cipher without any of the product's checks, as an attacker's own program would.

    one = Sealed.of(record_id, serial, data)
    opens(one.record, secret + device_key)    # True: it opened

Guesses for a missing secret are what lies on the device itself: zeros, the keys, the record's own id, salt and serial.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edge.trust import derive
from edge.types import Custody
from edge.vault import Record

_NONCE = bytes(12)
_ZERO = bytes(32)
_LABEL = f"edge/template/v1/{Custody.DEVICE.value}"


#: Chi-square of evenly spread bytes: 255 on average, 22.6 its deviation; beyond this is chance once in 10^15.
_SPREAD = 255 + 8 * 22.6


@dataclass(frozen=True, slots=True)
class Sealed:
    """One stored record.

    Attributes:
        name: its record id. serial: of the card, from the readable row. data: the stored bytes; record: as read.
    """

    name: bytes
    serial: bytes
    data: bytes = field(repr=False)
    record: Record = field(repr=False)

    @classmethod
    def of(cls, name: bytes, serial: bytes, data: bytes) -> Sealed:
        """Read a record. Raises `SealBroken`: cut off."""
        return cls(name, serial, data, Record.unpack(data))


def opens(record: Record, ikm: bytes) -> bool:
    """Whether the cipher opens a record with a key made of ``ikm``, without any of the product's checks."""
    sealed = record.sealed
    key = derive(ikm, _LABEL, salt=sealed.salt)
    try:
        plain = bytearray(ChaCha20Poly1305(key).decrypt(_NONCE, sealed.ciphertext, sealed.header))
    except InvalidTag:
        return False
    plain[:] = bytes(len(plain))
    return True


def looks_sealed(records: Sequence[bytes]) -> bool:
    """Whether the ciphertexts together are spread evenly over all byte values (Pearson's chi-square, 256 cells).

    Args:
        records: as stored, together at least 5 bytes a cell.
    """
    seen = Counter(byte for data in records for byte in Record.unpack(data).sealed.ciphertext)
    expected = seen.total() / 256
    return sum((seen[byte] - expected) ** 2 / expected for byte in range(256)) < _SPREAD


def without_keys(one: Sealed) -> Iterator[bytes]:
    """Key material that needs neither the card nor the device: what the record itself says, and nothing."""
    for secret in (_ZERO, b"", one.name, one.serial, os.urandom(32)):
        yield secret + _ZERO
        yield secret


def with_device_key(one: Sealed, device_key: bytes) -> Iterator[bytes]:
    """Key material out of the device's key and everything that lies beside the record."""
    for secret in (b"", _ZERO, device_key, one.name, one.serial, one.serial + one.serial, one.record.sealed.salt):
        yield secret + device_key
    yield device_key + _ZERO
    yield derive(device_key, "edge/record/v1") + device_key
    yield derive(device_key, "edge/template/v1/device") + device_key


#: How many guesses the two make for a record.
WITHOUT, ALONE = 10, 10


# -- codes that are short enough to be tried out ---------------------------------------------------------------------
#
# A card's secret has 256 bits. A PIN has 13 to 20, the number of a plain card (UID) 13 to 32: whoever has the device
# can try them all. A plain card's number stands for no card in any build; a PIN does in those that declare pin_alone.
# What trying takes is measured here, with the costliest function that a small device can afford.

#: (what it is, how many there are)
CODES = (
    ("a PIN of 4 digits", 10**4),
    ("a PIN of 6 digits", 10**6),
    ("a PIN of 8 digits, which a door with claim.pin: alone draws", 10**8),
    ("the number of a plain card from one delivery of 65,536", 2**16),
    ("the number of a plain card, 32 bits", 2**32),
)


def enumeration() -> tuple[str, ...]:
    """Sentences about how long trying every code would take."""
    seconds = _one_guess()
    head = (
        "A PIN in the place of a card is weak, and only in a build that declares pin_alone; a plain card's number"
        " stands for no card in any. With the device in hand one guess"
        f" takes {1e3 * seconds:.0f} ms here (Argon2id, 64 MiB, 3 passes)."
    )
    each = [f"Trying every possible value of {name}: {_duration(count * seconds)}." for name, count in CODES]
    tail = "A hundred machines need a hundredth of that. A card's secret (256 bits) cannot be tried out at all."
    return (head, *each, tail)


def _one_guess() -> float:
    started = time.perf_counter()
    Argon2id(salt=os.urandom(16), length=32, iterations=3, lanes=4, memory_cost=65_536).derive(b"0000")
    return time.perf_counter() - started


def _duration(seconds: float) -> str:
    for name, size in (("years", 365.25 * 86_400), ("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:,.0f} seconds"
