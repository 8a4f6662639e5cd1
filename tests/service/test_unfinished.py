"""What counts is in the journal: an act that is killed at any call of its way is not made, or made and told once.

The acts are the product's own (`edge.service.keeping`, `rights`, `housekeeping`), on a device of records alone.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.errors import VaultError
from edge.service.handing import commit_handed_over
from edge.service.housekeeping import Housekeeping
from edge.service.keeping import Keeping
from edge.service.ledger import Ledger
from edge.service.records import Records
from edge.service.unfinished import finish, noted, settle
from edge.state import ClockGuard, Limits, Pins, StateFile
from edge.types import Custody, acts, events
from edge.vault import Draft, Issued, Status, serial_text
from edge.vault.holder import Holder
from tests.service.test_records import KEYRING, START, card, doomed, limits

LAST = int(START) + 86_400


def clock(state: StateFile) -> ClockGuard:
    return ClockGuard(state, system_clock=lambda: START, uptime=lambda: 100.0, synchronised=lambda: True)


class Desk(Keeping):
    """An operator at a device that consists of its records."""

    def __init__(self, records: Records) -> None:
        assert records.vault is not None
        self.name, self.records, self.vault, ledger = "kim", records, records.vault, Ledger(records.journal)
        self.limits, self.pins = limits(records), Pins(records.state, KEYRING.derive("edge/pin/v1"), random.randbytes)

        def tell(event: events.Event) -> None:
            ledger(event)
            settle(self.vault.store, event)

        self.device: Any = SimpleNamespace(
            _vault=self.vault, _limits=self.limits, _pins=self.pins, _ledger=ledger, _clock=records.clock, tell=tell,
            now_ns=lambda: 0, settings=SimpleNamespace(device=SimpleNamespace(name="d")),
            retention=SimpleNamespace(journal_days=30, template_days=None),
        )  # fmt: skip

    def hand_out(self, number: int) -> None:
        """As `Operator.enrol` after its captures."""
        holder = Holder(card(number), number.to_bytes(32, "big"), int(START), 0, LAST, int(START), receipt="{}")
        issued: Any = SimpleNamespace(text="the card", card=SimpleNamespace(serial=card(number)))
        draft = Draft(issued, holder, b"record of a card")
        act = acts.Enrolled(
            at_ns=0, operator="kim", serial=card(number), custody=Custody.DEVICE, expires=LAST, issuer=bytes(8)
        )
        commit_handed_over(self.vault, self.limits, draft, handed_over, noted(act))
        self.device.tell(act)

    def keep_house(self) -> None:
        """As a day later."""
        day = SimpleNamespace(now=lambda: SimpleNamespace(may_delete=True, confirmed=True, utc_s=LAST))
        parts: Any = (self.vault, self.limits, self.pins, self.device._ledger, day)
        Housekeeping(*parts, lambda: self.device.retention, self.device.tell).keep()

    def standing(self) -> tuple[bool, int, bool, list[str]]:
        """Of card 1: whether it counts, its rejects, whether it has a PIN, the entries that name it."""
        row = self.vault.store.holder(card(1))
        return (
            row is not None and row.status is Status.ACTIVE,
            self.limits.standing(card(1)).rejects,
            self.pins.known(card(1)),
            [entry.kind for entry in self.records.journal.about(card(1))],
        )


def handed_over(issued: Issued, consent: object) -> Callable[[], None]:
    return lambda: None


@contextmanager
def opened(folder: Path) -> Iterator[Desk]:
    records = Records.open(folder, KEYRING, clock=clock)
    try:
        yield Desk(records)
    finally:
        records.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A device where card 1 is enrolled, has failed once, and has a PIN."""
    with opened(tmp_path / "state") as desk:
        desk.hand_out(1)
        Limits.rejected(desk.limits, card(1))
        desk.pins.set(card(1), "402916", expires=LAST)
    return tmp_path / "state"


def after(folder: Path, act: Callable[[Desk], object], calls: int) -> bool:
    """Do an act in a process that is killed after so many calls; whether it came to its end before."""
    child = os.fork()
    if not child:
        code = 1
        try:
            with opened(folder) as desk:
                doomed(calls)
                act(desk)
                code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


COUNTS = (True, 1, True, ["enrolled"])
ACTS: dict[str, tuple[Callable[[Desk], object], object]] = {
    "erase": (lambda desk: desk.erase(serial=serial_text(card(1))), (False, 0, False, ["enrolled", "erased"])),
    "revoke": (lambda desk: desk.revoke(serial_text(card(1))), (False, 1, False, ["enrolled", "revoked"])),
    "expire": (Desk.keep_house, (False, 0, False, ["enrolled", "expired"])),
}


def kills(folder: Path, tmp_path: Path, act: Callable[[Desk], object], steps: int) -> Iterator[Desk]:
    """The device after a restart, for each of many points of an act at which it was killed."""
    calls = 0
    while True:
        place = tmp_path / f"killed after {calls}"
        shutil.copytree(folder, place)
        done = after(place, act, calls)
        with opened(place) as desk:
            finish(desk.records, desk.limits, desk.pins)
            assert desk.vault.store.unjournalled() == []
            desk.vault.store.check()
            assert desk.records.journal.verify().ok
            yield desk
        shutil.rmtree(place)
        if done:
            return
        calls += steps


#: Calls from one kill to the next: some of them in each run, most in the slow one.
STEPS = [211, pytest.param(23, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_is_killed_at_any_call_is_not_made_or_made_and_journalled_once(
    folder: Path, tmp_path: Path, name: str, steps: int
):
    act, made = ACTS[name]
    found = [desk.standing() for desk in kills(folder, tmp_path, act, steps)]
    assert set(map(repr, found)) == {repr(COUNTS), repr(made)}, "one or the other, wholly; and both were met"
    # each point is a process of its own, whose calls are not the same in number each time: only the ends are in order
    assert (found[0], found[-1]) == (COUNTS, made), "killed at its first call, and not at all"


@pytest.mark.parametrize("steps", STEPS)
def test_a_card_that_counts_is_journalled_wherever_its_enrolment_was_killed(folder: Path, tmp_path: Path, steps: int):
    found = set()
    for desk in kills(folder, tmp_path, lambda desk: desk.hand_out(2), steps):
        kinds = [entry.kind for entry in desk.records.journal.about(card(2))]
        found.add((desk.vault.store.holder(card(2)) is not None, *kinds))
    assert found == {(False,), (True, "enrolled")}


def test_an_act_that_was_made_and_not_told_is_finished_by_the_next_start(folder: Path):
    """Killed at the very point: behind the vault's commit, before anything else."""
    act = acts.Erased(at_ns=0, serial=card(1), operator="kim")
    with opened(folder) as desk:
        desk.vault.erase(card(1), "kim", now_s=int(START), note=noted(act))
    with opened(folder) as desk:
        assert desk.standing() == (False, 1, True, ["enrolled"]), "nobody but a start that holds the folder finishes it"
        assert finish(desk.records, desk.limits, desk.pins) == 1
        assert desk.standing() == (False, 0, False, ["enrolled", "erased"])
        assert finish(desk.records, desk.limits, desk.pins) == 0


def test_an_act_that_was_told_is_not_told_again(folder: Path):
    """Killed behind the journal's entry, before the note went."""
    act = acts.Erased(at_ns=0, serial=card(1), operator="kim")
    with opened(folder) as desk:
        desk.vault.erase(card(1), "kim", now_s=int(START), note=noted(act))
        Ledger(desk.records.journal)(act)
    with opened(folder) as desk:
        finish(desk.records, desk.limits, desk.pins)
        assert desk.standing()[3] == ["enrolled", "erased"]


@pytest.mark.parametrize("sql", ["UPDATE unjournalled SET text = replace(text, 'erased', 'revoked')",
                                 "DELETE FROM unjournalled"])  # fmt: skip
def test_a_note_that_was_edited_or_taken_away_is_noticed(folder: Path, sql: str):
    act = acts.Erased(at_ns=0, serial=card(1), operator="kim")
    with opened(folder) as desk:
        desk.vault.erase(card(1), "kim", now_s=int(START), note=noted(act))
    with sqlite3.connect(folder / "vault.sqlite3") as database:
        database.execute(sql)
    with opened(folder) as desk, pytest.raises(VaultError):
        desk.vault.store.check()
