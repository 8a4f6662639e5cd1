"""Honest arithmetic about codes that are short enough to be tried out.

A card's secret has 256 bits. A PIN has 13 to 20, the number of a plain card (UID) 13 to 32: whoever holds the device
can try them all. Those modes are not built. What trying would take is measured here all the same, with the costliest
function that a small device can afford, so that nobody builds them in the belief that they are as good.
"""

from __future__ import annotations

import os
import time

#: (what it is, how many there are)
CODES = (
    ("a PIN of 4 digits", 10**4),
    ("a PIN of 6 digits", 10**6),
    ("the number of a plain card from one delivery of 65,536", 2**16),
    ("the number of a plain card, 32 bits", 2**32),
)


def enumeration() -> tuple[str, ...]:
    """Sentences about how long trying every code would take."""
    seconds = _one_guess()
    head = (
        "Modes in which a PIN or a plain card's number stands for the card are not built. They would be weak: with the"
        f" device in hand one guess takes {1e3 * seconds:.0f} ms here (Argon2id, 64 MiB, 3 passes)."
    )
    each = [f"Trying every possible value of {name}: {_duration(count * seconds)}." for name, count in CODES]
    tail = "A hundred machines need a hundredth of that. A card's secret (256 bits) cannot be tried out at all."
    return (head, *each, tail)


def _one_guess() -> float:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    started = time.perf_counter()
    Argon2id(salt=os.urandom(16), length=32, iterations=3, lanes=4, memory_cost=65_536).derive(b"0000")
    return time.perf_counter() - started


def _duration(seconds: float) -> str:
    for name, size in (("years", 365.25 * 86_400), ("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:,.0f} seconds"
