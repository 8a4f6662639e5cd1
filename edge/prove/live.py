"""The live part: does a stored template open without its card?

    live = try_out(store, tell=bar)

Every record of a store is tried without any key, with the device's key alone, and with other people's cards; then with
the right one. Two controls show that the attempts are worth something: records sealed wrongly on purpose must all open,
and records that were never sealed must be noticed. If a control fails the examination is void.

Trying every card on every record is N x N. Up to 500 records that is done. Beyond it each record meets a sample of
other cards, and the report says how many: the rest is not tried but follows from the keys. A card leads to one record
id and, with a record's own salt, to one key; that all ids are different is checked for every card.

The attempts run the auditor's own copy of the product's code, never the examined one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge.errors import ClaimError, ModelMismatch
from edge.prove import stores
from edge.prove.model import Evidence, Live, Severity, Trial, counted
from edge.prove.stores import TrialStore
from edge.prove.trials import (
    ALONE,
    WITHOUT,
    Sealed,
    enumeration,
    looks_sealed,
    opens,
    with_device_key,
    without_keys,
)
from edge.vault import record_id
from edge.vault.seal import open_sealed

#: Up to so many attempts every card meets every record.
_PAIRS = 250_000
#: Other people's cards that each record meets in a larger store.
_SAMPLE = 5
#: Records of the controls, and fewest bytes from which sealed and plain can be told apart.
_CONTROL, _FEW = 20, 40
_OWN = 200

Tell = Callable[[int], None]


def live_on_copy(path: Path, tell: Tell = lambda _: None) -> Live:
    """The trials on a copy of a device's store. Raises `InputError`: no store is there."""
    with stores.borrowed(path) as store:
        return try_out(store, tell)


def live_on_own(count: int = _OWN, tell: Tell = lambda _: None) -> Live:
    """The trials on a store of made-up people."""
    with stores.made(count, os.urandom, tell) as store:
        return try_out(store, tell)


def try_out(store: TrialStore, tell: Tell = lambda _: None) -> Live:
    """Every trial on one store, and the controls on others."""
    pairs = store.pairs()
    found = list(zip(pairs, store.read([name for name, _ in pairs]), strict=True))
    stored = [(name, serial, data) for (name, serial), data in found if data is not None]
    records = [one for row in stored if (one := _readable(*row)) is not None]
    trials = [*_closed(store, records, tell), *_right(store, records, tell), *_controls()]
    findings = _noticed(store, [(name, data) for name, _, data in stored], len(records), len(found) - len(stored))
    return Live(store.said, tuple(trials), tuple(findings), enumeration())


def _closed(store: TrialStore, records: Sequence[Sealed], tell: Tell) -> Iterator[Trial]:
    """The attempts that must all fail."""
    count = len(records)
    if count >= _FEW:
        sealed = looks_sealed([one.data for one in records])
        said = "The bytes of all records together were tested for being evenly spread, as those of a cipher are."
        yield Trial("plain", "No record can be read as it lies there", count, count, 0 if sealed else count, 0, said)
    opened = 0
    for one in records:
        opened += any(opens(one.record, ikm) for ikm in without_keys(one))
        tell(1)
    said = f"Each record met {WITHOUT} keys made of nothing but zeros, chance, its own id and its card's serial."
    yield Trial("no key", "Without any key no record opens", count, count * WITHOUT, opened, 0, said)
    if store.device_key is not None:
        opened = 0
        for one in records:
            opened += any(opens(one.record, ikm) for ikm in with_device_key(one, store.device_key))
            tell(1)
        said = f"Each record met {ALONE} keys made of the device's key and everything that lies beside the record."
        yield Trial("device key", "With the device's key alone no record opens", count, count * ALONE, opened, 0, said)
        yield _others(store, records, tell)


def _others(store: TrialStore, records: Sequence[Sealed], tell: Tell) -> Trial:
    """Other people's cards, together with the device's key."""
    assert store.device_key is not None
    count, attempts, opened = len(records), 0, 0
    secrets = [store.secrets.get(one.name, b"") for one in records]
    known = all(secrets) and count > 1
    strangers = [os.urandom(32) for _ in range(_SAMPLE)]
    every = known and count * (count - 1) <= _PAIRS
    for place, one in enumerate(records):
        cards = _cards(place, secrets, every=every) if known else strangers
        attempts += len(cards)
        opened += sum(_opens_both_ways(one, card, store.device_key) for card in cards) > 0  # none is left out
        tell(1)
    title = "With another person's card and the device's key no record opens"
    return Trial("other cards", title, count, attempts, opened, 0, _said(count, attempts, known=known, every=every))


def _cards(place: int, secrets: Sequence[bytes], *, every: bool) -> list[bytes]:
    """All other people's secrets, or a sample spread over the whole store."""
    count = len(secrets)
    if every:
        return [secret for other, secret in enumerate(secrets) if other != place]
    spread = [1 + (step * (count - 1)) // _SAMPLE for step in range(_SAMPLE)]
    return [secrets[(place + offset) % count] for offset in spread]


def _said(count: int, attempts: int, *, known: bool, every: bool) -> str:
    ways = "Each attempt was made by the product's own function and by the bare cipher."
    if not known:
        return (
            f"The people's cards are not on the device, so each record met {_SAMPLE} cards made up here,"
            f" {attempts:,} attempts. {ways}"
        )
    if every:
        return f"Every card met every other record: {attempts:,} attempts. {ways}"
    pairs = count * (count - 1)
    return (
        f"Each record met {_SAMPLE} other people's cards: {attempts:,} of {pairs:,} pairs were tried."
        " The others were not tried. That they fail follows from the keys: each card leads to one record id, all ids"
        f" are different (checked for all {count:,} cards), and a key is made of a card's secret, the device's key and"
        f" the record's own salt. {ways}"
    )


def _opens_both_ways(one: Sealed, secret: bytes, device_key: bytes) -> bool:
    return opens(one.record, secret + device_key) or _product_opens(one, secret, device_key)


def _product_opens(one: Sealed, secret: bytes, device_key: bytes) -> bool:
    """Whether the product's own function opens a record for the claim that a card makes."""
    record = one.record
    claim = stores.claim_for(record, secret, one.serial)
    try:
        with open_sealed(record.sealed, claim, device_key, model_digest=stores.model_of(record), session="prove"):
            return True
    except (ClaimError, ModelMismatch):
        return False


def _right(store: TrialStore, records: Sequence[Sealed], tell: Tell) -> Iterator[Trial]:
    """The right card opens its own record, and is looked up under no other."""
    if store.device_key is None:
        return
    if not store.secrets:
        visitor, secret = store.add_visitor(store.device_key)
        opened = int(_product_opens(visitor, secret, store.device_key))
        said = "A made-up person was added to the copy; their card opened their record. No other card is known."
        yield Trial("right card", "The right card opens its record", 1, 1, opened, 1, said, control=True)
        return
    opened, ids = 0, set()
    for one in records:
        secret = store.secrets.get(one.name, b"")
        ids.add(record_id(secret))
        opened += bool(secret) and record_id(secret) == one.name and _product_opens(one, secret, store.device_key)
        tell(1)
    count = len(records)
    said = f"Each card was tried on the record that it leads to; {counted(len(ids), 'different record id')}."
    yield Trial("right card", "The right card opens its record", count, count, opened, count, said, control=True)


def _controls() -> Iterator[Trial]:
    """Stores that are wrong on purpose, through the same attempts."""
    with stores.weak(_CONTROL, os.urandom) as store:
        pairs, key = store.pairs(), store.device_key or b""
        records = [
            Sealed.of(name, serial, data or b"")
            for (name, serial), data in zip(pairs, store.read([name for name, _ in pairs]), strict=True)
        ]
        opened = sum(any(opens(one.record, ikm) for ikm in with_device_key(one, key)) for one in records)
    said = "A store was sealed wrongly on purpose, with what lies on the device. The same attempts must open all of it."
    title = "Control: a store sealed with the device's key alone is seen to be open"
    yield Trial("control weak", title, _CONTROL, _CONTROL * ALONE, opened, _CONTROL, said, control=True)
    readable = 0 if looks_sealed(stores.plain(_FEW, os.urandom)) else _FEW
    said = "Embeddings were put where ciphertext belongs. The same test must say that they can be read."
    title = "Control: a store that is not sealed at all is seen to be readable"
    yield Trial("control plain", title, _FEW, _FEW, readable, _FEW, said, control=True)


def _noticed(
    store: TrialStore, stored: Sequence[tuple[bytes, bytes]], readable: int, missing: int
) -> Iterator[Evidence]:
    """What else is wrong with, or not visible in, a store.

    Args:
        stored: record id and bytes. readable: how many have the form of a sealed template. missing: how many cards of
            the readable table have no record.
    """
    for table in store.unknown_tables():
        yield Evidence(table, "is a table that this product does not have")
    if readable < len(stored):
        text = f"{counted(len(stored) - readable, 'record')} of the store are no sealed templates"
        yield Evidence("template", text)
    if missing:
        text = f"{counted(missing, 'card')} of the readable table has no record (revoked by hand, or restored in part)"
        yield Evidence("holder", text, Severity.WARNING)
    if len({hashlib.sha256(data).digest() for _, data in stored}) < len(stored):
        yield Evidence("template", "two records are the same")
    if store.left_over([name for name, _ in stored]):
        yield Evidence("template", "holds records that no card of the readable table names")
    if store.device_key is None:
        text = "the device's key is not in the copy: nothing was tried with it, nor with other people's cards"
        yield Evidence("device.key", text, Severity.WARNING)
    if not stored:
        text = "the store holds no template: where the cards carry them there is nothing to open"
        yield Evidence("template", text, Severity.WARNING)


def _readable(name: bytes, serial: bytes, data: bytes) -> Sealed | None:
    """A record that has the form of a sealed template; None for anything else."""
    try:
        one = Sealed.of(name, serial, data)
    except ClaimError:
        return None
    return one if stores.is_sound(one.record) else None
