"""PINs of cards, as a second thing to know: kept as Argon2id with a pepper of this device, and never as themselves.

    pins = Pins(database, keyring.derive("edge/pin/v1"))
    pins.set(serial, "402916", expires=card.expires)
    pins.matches(serial, "402917")      # False, after as long as for the right one

A PIN of a few digits can be enumerated by whoever has the hash *and* the pepper: it is worth what the limits in front
of it are worth (`edge.state.limits`), and nothing once the device's key is known. So the pepper is derived from the
device key: the store alone says nothing, and a PIN set at one door is not known at another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edge.errors import InputError
from edge.state.database import SqliteFile

#: What may be a PIN, as it is typed.
SHAPE = re.compile(r"[0-9]{4,12}", re.ASCII)
#: OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane; what a door of 512 MB can spare.
_LENGTH, _ITERATIONS, _LANES, _MEMORY_KIB = 32, 2, 1, 19_456
_SALT_BYTES = 16
_RUN = "01234567890123456789"


class Pins:
    """The PINs known at one door.

    Args:
        database: of `state_database`. key: 32 bytes, derived from the device key: the pepper.
        random_bytes: makes salts.
    """

    def __init__(self, database: SqliteFile, key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._database, self._key, self._random = database, key, random_bytes

    def set(self, serial: bytes, pin: str, *, expires: int) -> None:
        """Keep a card's PIN, in the place of an earlier one, as long as the card is valid (Unix seconds).

        Raises:
            InputError: it is none, or the first that anybody would try; the message does not show it.
        """
        check(pin)
        salt = self._random(_SALT_BYTES)
        row = (card_name(self._key, serial), salt, self._hash(pin, salt), expires)
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO pin VALUES (?, ?, ?, ?)", row)

    def known(self, serial: bytes) -> bool:
        """Whether a card has a PIN here, beside it."""
        with self._database.snapshot() as db:
            row = db.execute("SELECT 1 FROM pin WHERE card = ?", (card_name(self._key, serial),)).fetchone()
        return row is not None

    def stands_alone(self, serial: bytes) -> bool:
        """Whether a PIN stands for a card here (`edge.state.pin_alone`), in this build or in one before it."""
        with self._database.snapshot() as db:
            row = db.execute("SELECT 1 FROM pin_alone WHERE card = ?", (card_name(self._key, serial),)).fetchone()
        return row is not None

    def matches(self, serial: bytes, typed: str) -> bool:
        """Whether this is the card's PIN. The caller has counted the attempt before.

        It takes as long for a wrong PIN, and for a card without one, as for the right one.
        """
        with self._database.snapshot() as db:
            row = db.execute("SELECT salt, hash FROM pin WHERE card = ?", (card_name(self._key, serial),)).fetchone()
        salt, kept = row if row is not None else (bytes(_SALT_BYTES), bytes(32))
        return hmac.compare_digest(self._hash(typed, salt), kept) and row is not None

    def forget(self, serial: bytes) -> bool:
        """Delete a card's PIN, beside it or in its place (`edge.state.pin_alone`); whether there was one."""
        card = (card_name(self._key, serial),)
        with self._database.write() as db:
            beside = db.execute("DELETE FROM pin WHERE card = ?", card).rowcount
            alone = db.execute("DELETE FROM pin_alone WHERE card = ?", card).rowcount
        return beside + alone > 0

    def expire(self, now_s: int) -> int:
        """Delete the PINs of cards that have expired; how many went."""
        with self._database.write() as db:
            beside = db.execute("DELETE FROM pin WHERE expires <= ?", (now_s,)).rowcount
            alone = db.execute("DELETE FROM pin_alone WHERE expires <= ?", (now_s,)).rowcount
        return beside + alone

    def _hash(self, pin: str, salt: bytes) -> bytes:
        argon = Argon2id(
            salt=salt,
            length=_LENGTH,
            iterations=_ITERATIONS,
            lanes=_LANES,
            memory_cost=_MEMORY_KIB,
            secret=self._key,
        )
        return bytes(argon.derive(pin.encode()))


def card_name(key: bytes, serial: bytes) -> bytes:
    """What the tables call a card; 32 bytes."""
    return hmac.new(key, b"edge/pin/v1/card/" + serial, hashlib.sha256).digest()


def check(pin: str) -> None:
    """Return when this may be a PIN. Raises `InputError`; the message does not show it."""
    if SHAPE.fullmatch(pin) is None:
        raise InputError("a PIN has 4 to 12 digits", where="PIN", remedy="choose another one")
    if usual(pin):
        raise InputError("this PIN is among the first that anybody tries", where="PIN", remedy="choose another one")


def usual(pin: str) -> bool:
    """Whether it is among the first that anybody tries."""
    return len(set(pin)) == 1 or pin in _RUN or pin in _RUN[::-1]
