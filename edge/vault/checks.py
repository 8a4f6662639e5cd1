"""The self-test's checks of the store and of sealing, the latter with random numbers in memory alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edge.errors import SealBroken, Unfit
from edge.selftest import Check
from edge.types import I8, Claim, Custody, SealedTemplate
from edge.vault.seal import Header, open_sealed, seal
from edge.vault.vault import Vault

_MODEL, _DIMENSION, _SESSION = bytes(32), 128, "self-test"


def checks(vault: Callable[[], Vault], custody: str) -> list[Check]:
    """What is checked. ``vault``: gives the store, or raises. custody: of new cards."""
    return [
        Check("sealing", "a template opens with its token and this device's key, and with nothing else", sealing),
        Check(
            "vault",
            "the store is this device's, whole, and as its ledger says",
            lambda: _vault(vault(), custody),
        ),
    ]


def sealing(open_: Callable[[SealedTemplate, Claim, bytes], I8] | None = None) -> str:
    """A sealed vector of random numbers is opened as it should be, and attacked.

    Args:
        open_: opens; tests put one in its place that is too kind.

    Raises:
        Unfit: sealing does not protect, or does not open.
    """
    open_ = open_ or _open
    vector = np.frombuffer(os.urandom(_DIMENSION), np.int8).copy()
    key = os.urandom(32)
    claim = Claim(
        serial=os.urandom(16),
        credential=0,
        groups=("self-test",),
        not_before=0,
        expires=2**32 - 1,
        custody=Custody.CARD,
        issuer=bytes(8),
        site=bytes(16),
        secret=os.urandom(32),
        sealed=None,
        received_ns=0,
    )
    header = Header(Custody.CARD, claim.serial, _MODEL, _DIMENSION, 0, claim.expires)
    sealed = seal(vector, secret=claim.secret, key=key, header=header, random_bytes=os.urandom)
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    wrong = {
        "another token": (sealed, replace(claim, secret=os.urandom(32)), key),
        "another key": (sealed, claim, os.urandom(32)),
        "one bit flipped": (replace(sealed, ciphertext=flipped), claim, key),
    }
    if not np.array_equal(open_(sealed, claim, key), vector):
        raise Unfit("a sealed template opened to something else", where="vault", remedy="do not use this device")
    for what, attempt in wrong.items():
        try:
            open_(*attempt)
        except SealBroken:
            continue
        raise Unfit(f"a sealed template opened with {what}", where="vault", remedy="do not use this device")
    return "opens with its token and key; not with " + ", ".join(wrong)


def _open(sealed: SealedTemplate, claim: Claim, key: bytes) -> I8:
    with open_sealed(sealed, claim, key, model_digest=_MODEL, session=_SESSION) as template:
        return template.read(_SESSION).copy()


def _vault(vault: Vault, custody: str) -> str:
    vault.store.check()
    return f"whole; custody of new cards: {custody}"
