"""PIN alone: a PIN in the place of the card. **The weak mode**, in a build and at a door that ask for it with a reason.

    alone = PinAlone(database, keyring.derive("edge/pin/v1"), clock, random_bytes=os.urandom)
    pin = alone.draw(claim.serial, token, expires=claim.expires)     # "40291672", shown once, kept nowhere
    alone.card(pin)                                                  # the token, or PinWrong, or LockedOut

The card itself lies here, sealed under its PIN and a key of this device; a PIN that is typed is stretched (Argon2id)
into a name and a key. The name finds one row or none, the key opens it, and from there on it is a claim like any: one
card, its signature, its limits, its template. So nothing is ever tried against many, though a PIN that somebody guesses
is *somebody's*: that is what the digits and the limit below are for.

- **Drawn by the device**, eight digits, never chosen: no two people have the same, and nobody learns that one is taken.
- **Limited for the door**, since a wrong PIN names no card that could be made to wait: ten at once, then one in ten
  minutes of running, and a right one clears nothing. That is 154 a day: with the most cards that fit, one day
  of guessing finds somebody's PIN with a chance of 1 in 1,300, whose face must match then. An operator clears it.
- **A wrong PIN says nothing**: one that never was, of a card that was revoked, replaced or has expired take as long and
  get the same answer. A right one is answered as its card would be, so whoever is asked to look has found one. Digits
  that are too few or too many cannot be one, which is no secret, and cost nobody a try.
- The store without the device's key says nothing. **Whoever has both tries all of 10^8** and opens what they name.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edge.errors import InputError, LockedOut, PinWrong
from edge.state.clock import ClockGuard, Moment
from edge.state.database import SqliteFile
from edge.state.pins import SHAPE, card_name, usual
from edge.types.wipe import wipe

#: Digits of a PIN, and how many cards fit: with both, a guess is somebody's with a chance of 1 in 200,000.
DIGITS, MOST_CARDS = 8, 500
#: So many wrong PINs at once; then one more each time that one is forgotten, seconds of running.
AT_ONCE, FORGOTTEN_S = 10, 600.0
#: As of `edge.state.pins`, whose comment names the source.
_ITERATIONS, _LANES, _MEMORY_KIB = 2, 1, 19_456
_NONCE = 12


class PinAlone:
    """The cards that lie under a PIN at one door.

    Args:
        database: of `state_database`. key: 32 bytes, derived from the device key. clock: its running time counts.
        random_bytes: draws PINs and nonces.
    """

    def __init__(
        self, database: SqliteFile, key: bytes, clock: ClockGuard, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._database, self._key, self._clock, self._random = database, key, clock, random_bytes

    def draw(self, serial: bytes, token: str, *, expires: int) -> str:
        """Put a card under a new PIN, in the place of an earlier one, as long as the card is valid (Unix seconds).

        Returns:
            The PIN, which is kept nowhere.

        Raises:
            InputError: as many cards lie here as fit. StateError: it could not be written.
        """
        card = card_name(self._key, serial)
        while True:
            pin = self._digits()
            if usual(pin):
                continue
            name, key = self._stretched(pin)
            nonce = self._random(_NONCE)
            sealed = nonce + ChaCha20Poly1305(key).encrypt(nonce, token.encode(), name)
            with self._database.write() as db:
                if db.execute("SELECT 1 FROM pin_alone WHERE name = ?", (name,)).fetchone() is not None:
                    continue  # somebody has it: another one, and nobody is told
                db.execute("DELETE FROM pin_alone WHERE card = ?", (card,))
                (count,) = db.execute("SELECT count(*) FROM pin_alone").fetchone()
                if count >= MOST_CARDS:
                    raise InputError(
                        f"{MOST_CARDS} cards lie under PINs at this door, which is the most",
                        where="PIN",
                        remedy="give people cards, or revoke those of people who have left",
                    )
                db.execute("INSERT INTO pin_alone VALUES (?, ?, ?, ?)", (name, sealed, card, expires))
            return pin

    def card(self, typed: str) -> str:
        """The card that lies under a PIN; what is no PIN comes back as it is. The attempt is counted before.

        Raises:
            PinWrong: none does. LockedOut: too many wrong ones at this door. StateError: it could not be written.
        """
        if SHAPE.fullmatch(typed) is None:
            return typed
        wrong = PinWrong("the PIN is wrong", where="PIN", remedy="type it again, or take the other way in")
        if len(typed) != DIGITS:
            raise wrong
        self._count()
        name, key = self._stretched(typed)
        with self._database.snapshot() as db:
            row = db.execute("SELECT sealed, expires FROM pin_alone WHERE name = ?", (name,)).fetchone()
        sealed, expires = row if row is not None else (bytes(_NONCE + 16), 0)
        try:
            token = ChaCha20Poly1305(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], name).decode()
        except InvalidTag:
            raise wrong from None
        if expires <= self._clock.now().utc_s:
            wipe(token)
            raise wrong
        self._take_back()
        return token

    @property
    def wait_s(self) -> float:
        """Until the next PIN is compared at this door, seconds."""
        with self._database.snapshot() as db:
            return _wait(self._level(db, self._clock.moment()))

    def _digits(self) -> str:
        """Drawn evenly: a number of 64 bits that does not lie in the last, incomplete round is taken."""
        most = 10**DIGITS
        while (number := int.from_bytes(self._random(8), "big")) >= 2**64 // most * most:
            continue
        return f"{number % most:0{DIGITS}}"

    def _stretched(self, pin: str) -> tuple[bytes, bytes]:
        """Name and key of a PIN, 32 bytes each. The secret is the pepper; one salt, since no PIN is chosen twice."""
        secret = hmac.new(self._key, b"edge/pin-alone/v1", hashlib.sha256).digest()
        salt = hashlib.sha256(b"edge/pin-alone/v1").digest()[:16]
        argon = Argon2id(
            salt=salt, length=64, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB, secret=secret
        )
        spelled = pin.encode()
        both = bytes(argon.derive(spelled))
        wipe(spelled)
        return both[:32], both[32:]

    def _count(self) -> None:
        """Write the attempt, synced. Raises `LockedOut`."""
        with self._change() as (db, moment):
            level = self._level(db, moment)
            if (wait := _wait(level)) > 0:
                raise LockedOut(
                    "too many wrong PINs at this door",
                    where="PIN",
                    remedy=f"wait {int(wait) + 1} s, or take the other way in",
                    wait_s=wait,
                )
            db.execute("INSERT OR REPLACE INTO pin_tries VALUES (1, ?, ?)", (level + 1, moment.running))

    def _take_back(self) -> None:
        """The attempt that was right is none; the wrong ones before it stay."""
        with self._change() as (db, moment):
            level = max(0.0, self._level(db, moment) - 1)
            db.execute("INSERT OR REPLACE INTO pin_tries VALUES (1, ?, ?)", (level, moment.running))

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, Moment]]:
        """A transaction that also records the clock, so that one sync does for both."""
        with self._database.write() as db:
            moment = self._clock.moment()
            self._clock.save(db, moment)
            yield db, moment

    def _level(self, db: sqlite3.Connection, moment: Moment) -> float:
        """Wrong PINs that are not forgotten yet."""
        row = db.execute("SELECT level, running FROM pin_tries").fetchone()
        level, since = row if row is not None else (0.0, moment.running)
        return max(0.0, level - max(0.0, moment.running - since) / FORGOTTEN_S)


def _wait(level: float) -> float:
    """Until one more attempt is none too many, seconds."""
    return max(0.0, level - AT_ONCE + 1) * FORGOTTEN_S
