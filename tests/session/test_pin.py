"""A PIN beside the card: asked for before anybody is looked at, counted before it is compared, kept as a hash only."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.errors import InputError, LockedOut, PinMissing, PinWrong
from edge.session import PinGate
from edge.settings.model import LimitSettings
from edge.state import ClockGuard, Limits, Pins, state_database
from edge.state.pins import check
from edge.types import Claim, Custody
from edge.types.events import PinWanted

SERIAL, OTHER, FOREVER = b"s" * 16, b"o" * 16, 2**32 - 1
KEY = b"k" * 32


class Bench:
    """The gate of one door, and the state behind it."""

    def __init__(self, folder: Path, key: bytes = KEY) -> None:
        self.database = state_database(folder)
        self.running = 0.0
        clock = ClockGuard(self.database, system_clock=lambda: 1.8e9, uptime=lambda: 100.0 + self.running)
        self.limits = Limits(self.database, clock, LimitSettings(), b"l" * 32)
        self.pins = Pins(self.database, key, random.Random(5).randbytes)
        self.told: list[object] = []

    def tries(self, typed: str | None, serial: bytes = SERIAL) -> None:
        self.limits.check(serial)
        gate = PinGate(self.pins, self.limits, within_s=20.0, now_ns=lambda: 3)
        gate.check(claim(serial), lambda _: typed, self.told.append, "5e55")


def claim(serial: bytes) -> Claim:
    return Claim(
        custody=Custody.CARD,
        site=b"t" * 16,
        serial=serial,
        credential=1,
        groups=("default",),
        not_before=0,
        expires=FOREVER,
        secret=b"",
        sealed=None,
        issuer=b"i" * 8,
        received_ns=0,
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.pins.set(SERIAL, "402916", expires=FOREVER)
    return made


def test_the_right_pin_is_asked_for_once_and_counts_nothing(bench):
    bench.tries("402916")
    assert [type(event) for event in bench.told] == [PinWanted]
    assert bench.limits.standing(SERIAL).nothing


def test_a_wrong_pin_is_a_reject_of_the_card_and_waits_like_one(bench):
    for number in range(5):
        with pytest.raises(PinWrong):
            bench.tries("402917")
        assert bench.limits.standing(SERIAL).rejects == number + 1
    with pytest.raises(LockedOut):
        bench.tries("402916")
    bench.running += 31
    bench.tries("402916")
    assert bench.limits.standing(SERIAL).rejects == 5, "knowing the PIN clears no failure: only an accept does"


def test_the_failure_is_on_the_disk_before_the_comparison(bench, monkeypatch):
    def pulled(*_: object) -> bool:
        raise KeyboardInterrupt  # the plug, at the moment of the comparison

    monkeypatch.setattr(bench.pins, "matches", pulled)
    with pytest.raises(KeyboardInterrupt):
        bench.tries("402916")
    assert bench.limits.standing(SERIAL).rejects == 1


def test_faces_and_pins_share_the_limits(bench):
    for _ in range(4):
        bench.limits.check(SERIAL)
        bench.limits.before_comparison(SERIAL)
        bench.limits.rejected(SERIAL)
    with pytest.raises(PinWrong):
        bench.tries("402917")
    with pytest.raises(LockedOut):
        bench.tries("402916")


@pytest.mark.parametrize("serial", [SERIAL, OTHER])
def test_no_pin_typed_or_none_set_is_no_attempt(bench, serial):
    with pytest.raises(PinMissing):
        bench.tries(None, serial)
    assert bench.limits.standing(serial).nothing
    assert bool(bench.told) is (serial == SERIAL), "nobody is asked for a PIN that does not exist"


def test_a_wrong_pin_and_a_card_without_one_take_the_same_work(bench, monkeypatch):
    """Counted, not timed: one hash each, and a comparison of whole digests."""
    import edge.state.pins as module

    hashed: list[str] = []
    real = bench.pins._hash
    monkeypatch.setattr(bench.pins, "_hash", lambda pin, salt: (hashed.append(pin), real(pin, salt))[1])
    compared: list[tuple[bytes, bytes]] = []
    digest = module.hmac.compare_digest
    monkeypatch.setattr(module.hmac, "compare_digest", lambda a, b: (compared.append((a, b)), digest(a, b))[1])
    answers = [bench.pins.matches(*row) for row in ((SERIAL, "402916"), (SERIAL, "402917"), (OTHER, "402916"))]
    assert answers == [True, False, False]
    assert len(hashed) == len(compared) == 3
    assert {len(one) for pair in compared for one in pair} == {32}


def test_the_store_says_nothing_without_the_device_s_key(bench, tmp_path):
    with bench.database.snapshot() as db:
        rows = db.execute("SELECT * FROM pin").fetchall()
    assert SERIAL not in rows[0]
    assert all("402916" not in repr(value) for value in rows[0])
    stranger = Pins(bench.database, b"x" * 32, random.Random(6).randbytes)
    assert not stranger.known(SERIAL)
    assert not stranger.matches(SERIAL, "402916")


def test_the_same_pin_of_two_cards_looks_different(bench):
    bench.pins.set(OTHER, "402916", expires=FOREVER)
    with bench.database.snapshot() as db:
        hashes = {row[0] for row in db.execute("SELECT hash FROM pin")}
    assert len(hashes) == 2


def test_a_pin_goes_with_its_card_and_is_replaced_when_set_anew(bench):
    bench.pins.set(SERIAL, "773015", expires=100)
    assert (bench.pins.matches(SERIAL, "402916"), bench.pins.matches(SERIAL, "773015")) == (False, True)
    assert bench.pins.expire(99) == 0
    assert bench.pins.expire(100) == 1
    assert not bench.pins.known(SERIAL)
    assert not bench.pins.forget(SERIAL)


@pytest.mark.parametrize("pin", ["", "123", "1" * 13, "12a4", "٤٠٢٩", "0000", "7777777", "1234", "987654", " 4029"])
def test_what_is_no_pin_or_what_everybody_tries_first_is_refused_and_not_repeated(bench, pin):
    with pytest.raises(InputError) as refused:
        check(pin)
    assert not pin or pin not in str(refused.value)
