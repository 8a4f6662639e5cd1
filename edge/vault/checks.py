"""The self-test's checks of the store, of sealing (random numbers in memory) and of erasing (a scratch store)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edge.errors import SealBroken, Unfit
from edge.selftest import Check
from edge.state import Binding, Counters, state_database
from edge.types import I8, Claim, Custody, SealedTemplate, Template
from edge.types.inside import _inside
from edge.types.rotation import F64
from edge.vault.holder import Holder
from edge.vault.seal import Header, open_sealed, seal
from edge.vault.store import Store
from edge.vault.vault import Vault

_MODEL, _DIMENSION, _SESSION = bytes(32), 128, "self-test"
#: The cosine that a vector keeps at least when it is sealed, which rounds it anew.
_SAME = 0.999


def checks(vault: Callable[[], Vault], custody: str) -> list[Check]:
    """What is checked. ``vault``: gives the store, or raises. custody: of new cards."""
    return [
        Check(
            "sealing",
            "a template opens with its token and this device's key, and with nothing else",
            sealing,
            limit=f"cosine {_SAME}",
        ),
        Check("erasing", "what is erased is gone from the bytes of the database, too", erasing, limit="0 traces"),
        Check(
            "vault",
            "the store is this device's, whole, and as its ledger says",
            lambda: _vault(vault(), custody),
            limit="every page, and every row under the ledger",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Scratch:
    """A sealed vector with a token and a key of its own, which belong to no one and are not kept."""

    sealed: SealedTemplate
    claim: Claim
    key: bytes
    model: bytes = _MODEL

    @classmethod
    def seal(cls, vector: I8, model: bytes = _MODEL) -> Scratch:
        """Seal int8 (D,) under random numbers."""
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
        key, header = os.urandom(32), Header(Custody.CARD, claim.serial, model, len(vector), 0, claim.expires)
        with _inside():
            sealed = seal(vector, secret=claim.secret, key=key, header=header, random_bytes=os.urandom)
        return cls(sealed, claim, key, model)

    def open(self, session: str) -> Template:
        """The template, for one session. Raises `SealBroken`."""
        return open_sealed(self.sealed, self.claim, self.key, model_digest=self.model, session=session)


def sealing(open_: Callable[[Scratch], F64] | None = None) -> str:
    """A sealed vector of random numbers is opened as it should be, and attacked.

    Args:
        open_: opens; tests put one in its place that is too kind.

    Raises:
        Unfit: sealing does not protect, or does not open.
    """
    open_ = open_ or _open
    vector = np.frombuffer(os.urandom(_DIMENSION), np.int8).copy()
    right = Scratch.seal(vector)
    flipped = bytes([right.sealed.ciphertext[0] ^ 1]) + right.sealed.ciphertext[1:]
    wrong = {
        "another token": replace(right, claim=replace(right.claim, secret=os.urandom(32))),
        "another key": replace(right, key=os.urandom(32)),
        "one bit flipped": replace(right, sealed=replace(right.sealed, ciphertext=flipped)),
    }
    opened, whole = open_(right).astype(np.float64), vector.astype(np.float64)
    if opened @ whole <= _SAME * np.linalg.norm(opened) * np.linalg.norm(whole):
        raise Unfit("a sealed template opened to something else", where="vault", remedy="do not use this device")
    for what, attempt in wrong.items():
        try:
            open_(attempt)
        except SealBroken:
            continue
        raise Unfit(f"a sealed template opened with {what}", where="vault", remedy="do not use this device")
    return "opens with its token and key; not with " + ", ".join(wrong)


def _open(scratch: Scratch) -> F64:
    with scratch.open(_SESSION) as template, _inside():
        (only,) = template.unrotated(_SESSION)
        return np.asarray(only, np.float64)


def erasing() -> str:
    """A record is written into a scratch store, read, erased, and looked for in the bytes of its database.

    Raises:
        Unfit: it is not what was written, or something of it is left. VaultError, StateError: it cannot be written.
    """
    record, card = os.urandom(256), os.urandom(16)
    holder = Holder(card, os.urandom(32), 0, 0, 2**32 - 1, 0, receipt="self-test", subject=os.urandom(32))
    with (
        TemporaryDirectory(prefix="edge-self-test-") as folder,
        state_database(Path(folder)) as state,
        Binding(Path(folder), os.urandom(32)) as binding,
        Store(Path(folder), os.urandom(32), binding, Counters(state)) as store,
    ):
        with store.change() as change:
            change.put(holder, record)
        kept = store.holder(card)
        if kept is None or kept.record_id is None or store.template(kept.record_id) != record:
            raise Unfit("a record is not what was written", where="vault", remedy="do not use this device")
        values = store.distinctive(kept)
        with store.change() as change:
            change.drop(card, kept.record_id)
        emptied, traces = store.scrub(values)
        if traces or not emptied or not store.secure_delete or store.holder(card) is not None:
            raise Unfit(
                f"{traces} traces of an erased record are left in the database",
                where="vault",
                remedy="use the SQLite of the operating system: this one does not overwrite what it deletes",
            )
    return "a scratch record was written, read and erased; nothing of it is left"


def _vault(vault: Vault, custody: str) -> str:
    vault.store.check()
    return f"whole; custody of new cards: {custody}"
