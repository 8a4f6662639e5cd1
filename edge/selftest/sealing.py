"""Does sealing protect on this very machine? A template of random numbers, sealed and attacked in memory.

    bench = Bench.make(os.urandom)
    bench.open(bench.right)                     # the vector
    for attempt in bench.wrong.values(): ...    # each raises SealBroken

Nothing of the device's own vault is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from edge.types import I8, Claim, Custody, SealedTemplate
from edge.vault import Header, open_sealed, seal

_MODEL = bytes(32)
_DIMENSION = 128


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody's try at a sealed template: with this token, this key, these bytes."""

    claim: Claim = field(repr=False)
    key: bytes = field(repr=False)
    sealed: SealedTemplate = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bench:
    """A sealed vector, the one right way to open it, and wrong ones by name."""

    vector: I8 = field(repr=False)
    right: Attempt
    wrong: Mapping[str, Attempt]

    @classmethod
    def make(cls, random_bytes: Callable[[int], bytes]) -> Bench:
        """A fresh bench. ``random_bytes`` is `os.urandom` outside tests."""
        vector = np.frombuffer(random_bytes(_DIMENSION), np.int8).copy()
        key = random_bytes(32)
        claim = Claim(
            serial=random_bytes(16),
            credential=0,
            groups=("self-test",),
            not_before=0,
            expires=2**32 - 1,
            custody=Custody.CARD,
            issuer=bytes(8),
            site=bytes(16),
            secret=random_bytes(32),
            sealed=None,
            received_ns=0,
        )
        header = Header(Custody.CARD, claim.serial, _MODEL, _DIMENSION, 0, claim.expires)
        sealed = seal(vector, secret=claim.secret, key=key, header=header, random_bytes=random_bytes)
        right = Attempt(claim, key, sealed)
        flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
        wrong = {
            "another token": replace(right, claim=replace(claim, secret=random_bytes(32))),
            "another key": replace(right, key=random_bytes(32)),
            "one bit flipped": replace(right, sealed=replace(sealed, ciphertext=flipped)),
        }
        return cls(vector, right, wrong)

    def open(self, attempt: Attempt) -> I8:
        """What the attempt opens.

        Raises:
            SealBroken: it does not open.
        """
        session = "self-test"
        with open_sealed(attempt.sealed, attempt.claim, attempt.key, model_digest=_MODEL, session=session) as template:
            return template.read(session).copy()
