"""A PIN in the place of the card: found by its name and never searched, drawn and never chosen, and slow to guess."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable

import pytest

from edge.errors import ClaimError, InputError, LockedOut, PinWrong
from edge.state import Pins, SqliteFile, state_database
from edge.state import pin_alone as room
from edge.state.pin_alone import AT_ONCE, DIGITS, FORGOTTEN_S, MOST_CARDS, PinAlone
from tests.state.conftest import KEY, NOW, World

ADA, CHEN = bytes(range(16)), bytes(range(1, 17))
TOKEN = "EV1:" + "A0" * 150
EXPIRES = int(NOW) + 86_400
DAY_S = 86_400.0


def under(
    world: World, database: SqliteFile, random: Callable[[int], bytes] = os.urandom, key: bytes = KEY
) -> PinAlone:
    return PinAlone(database, key, world.clock(database), random)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of guesses: what one costs is not what is asked."""
    monkeypatch.setattr(room, "_MEMORY_KIB", 8)
    monkeypatch.setattr(room, "_ITERATIONS", 1)


def numbers(*drawn: int) -> Callable[[int], bytes]:
    """A device's randomness that draws these PINs."""
    left = list(drawn)
    return lambda size: left.pop(0).to_bytes(8, "big") if size == 8 else os.urandom(size)


def test_a_card_is_found_by_its_pin_and_what_is_no_pin_is_a_token(world: World, database: SqliteFile):
    alone = under(world, database)
    pin = alone.draw(ADA, TOKEN, expires=EXPIRES)
    assert len(pin) == DIGITS
    assert pin.isdigit()
    assert alone.card(pin) == TOKEN
    assert alone.card("EV1:SOMETHING ELSE") == "EV1:SOMETHING ELSE"
    second = alone.draw(ADA, TOKEN, expires=EXPIRES)
    assert alone.card(second) == TOKEN
    with pytest.raises(PinWrong):
        alone.card(pin)


def test_two_people_never_have_one_pin_and_nobody_learns_that_one_is_taken(world: World, database: SqliteFile):
    first = under(world, database, numbers(48_151_623)).draw(ADA, TOKEN, expires=EXPIRES)
    told = under(world, database, numbers(48_151_623, 42_108_376)).draw(CHEN, TOKEN + "B", expires=EXPIRES)
    assert (first, told) == ("48151623", "42108376")
    alone = under(world, database)
    assert (alone.card(first), alone.card(told)) == (TOKEN, TOKEN + "B")


def test_pins_that_anybody_tries_first_are_never_drawn_and_the_others_evenly(world: World, database: SqliteFile):
    last_round = 2**64 // 10**DIGITS * 10**DIGITS
    alone = under(world, database, numbers(11_111_111, 12_345_678, 98_765_432, last_round, 7))
    assert alone.draw(ADA, TOKEN, expires=EXPIRES) == "00000007"


def test_a_pin_names_one_row_by_its_key_and_no_statement_walks_through_cards(world: World, database: SqliteFile):
    alone = under(world, database)
    pins = [alone.draw(bytes([k]) * 16, f"{TOKEN}{k}", expires=EXPIRES) for k in range(3)]
    with database.snapshot() as db:
        plan = db.execute("EXPLAIN QUERY PLAN SELECT sealed, expires FROM pin_alone WHERE name = ?", (b"",)).fetchall()
    assert [row[-1] for row in plan] == ["SEARCH pin_alone USING PRIMARY KEY (name=?)"]
    stretched, old = [], PinAlone._stretched
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PinAlone, "_stretched", lambda self, pin: stretched.append(pin) or old(self, pin))
        assert alone.card(pins[1]) == f"{TOKEN}1"
        with pytest.raises(PinWrong):
            alone.card("86420975")
    assert stretched == [pins[1], "86420975"], "one derivation a PIN, however many cards lie there"


def spend_all_tries(alone: PinAlone) -> None:
    for number in range(AT_ONCE):
        with pytest.raises(PinWrong):
            alone.card(f"2000000{number}")


@pytest.mark.usefixtures("quick")
def test_a_day_of_guessing_is_a_hundred_and_fifty_four_pins_whatever_is_right_between_them(
    world: World, database: SqliteFile
):
    alone = under(world, database)
    mine = alone.draw(ADA, TOKEN, expires=EXPIRES)
    guessed, number = 0, 20_000_000
    until = world.uptime + DAY_S
    while world.uptime < until:
        try:
            alone.card(f"{number + guessed}")
        except PinWrong:
            guessed += 1
            if guessed % 3 == 0:
                with pytest.MonkeyPatch.context() as patched:  # somebody else comes in meanwhile, and clears nothing
                    patched.setattr(room, "AT_ONCE", 10**6)
                    assert alone.card(mine) == TOKEN
        except LockedOut as error:
            world.pass_time(min(error.wait_s, FORGOTTEN_S) + 0.1)
    assert guessed <= AT_ONCE + DAY_S / FORGOTTEN_S == 154
    assert guessed >= 150, "and it is the limit that held them, not the test"
    assert guessed * MOST_CARDS / 10**DIGITS < 1 / 1250, "somebody's PIN, at the fullest door"


@pytest.mark.usefixtures("quick")
def test_neither_a_restart_nor_the_clock_gives_another_try(world: World, database: SqliteFile):
    spend_all_tries(under(world, database))
    world.reboot(off_s=30 * DAY_S)
    with state_database(world.folder) as again, pytest.raises(LockedOut):
        under(world, again).card("20000099")


@pytest.mark.usefixtures("quick")
def test_clocks_that_are_set_in_either_direction_give_none_either(world: World, database: SqliteFile):
    spend_all_tries(under(world, database))
    for step in (DAY_S, -3 * DAY_S, 400 * DAY_S, -400 * DAY_S):
        world.system += step
        world.reboot()
        with state_database(world.folder) as again, pytest.raises(LockedOut):
            under(world, again).card("20000099")


@pytest.mark.usefixtures("quick")
def test_many_at_once_are_no_more_than_one_after_the_other(world: World, database: SqliteFile):
    """Each with a file of its own, as processes would have; the device's lock would keep them apart before."""
    answers: list[str] = []

    def guess(number: int) -> None:
        with state_database(world.folder) as mine:
            try:
                under(world, mine).card(f"{20_000_000 + number}")
            except ClaimError as refused:
                answers.append(type(refused).__name__)

    under(world, database)
    threads = [threading.Thread(target=guess, args=(number,)) for number in range(3 * AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count("PinWrong"), answers.count("LockedOut")) == (AT_ONCE, 2 * AT_ONCE)


def test_a_card_that_has_expired_is_under_no_pin_before_its_row_is_gone_too(world: World, database: SqliteFile):
    alone = under(world, database)
    pin = alone.draw(ADA, TOKEN, expires=EXPIRES)
    assert alone.card(pin) == TOKEN
    world.pass_time(DAY_S)
    with pytest.raises(PinWrong):
        alone.card(pin)


@pytest.mark.usefixtures("quick")
def test_an_attempt_is_on_the_disk_before_it_is_compared(world: World, database: SqliteFile, monkeypatch):
    def unplugged(*_: object) -> None:
        raise KeyboardInterrupt

    alone = under(world, database)
    with monkeypatch.context() as patched:
        patched.setattr(PinAlone, "_stretched", unplugged)
        for _ in range(AT_ONCE):
            with pytest.raises(KeyboardInterrupt):
                alone.card("20000001")
    with pytest.raises(LockedOut):
        alone.card("20000001")


def test_a_wrong_pin_says_nothing_of_whether_it_was_ever_somebody_s(world: World, database: SqliteFile):
    alone, pins = under(world, database), Pins(database, KEY, os.urandom)
    revoked, expired = (alone.draw(card, TOKEN, expires=EXPIRES) for card in (ADA, CHEN))
    assert pins.forget(ADA)
    assert pins.expire(EXPIRES) == 1
    answers = set()
    for pin in (revoked, expired, "20000001"):
        with pytest.raises(ClaimError) as refused:
            alone.card(pin)
        answers.add((type(refused.value), str(refused.value)))
    assert len(answers) == 1


def test_a_stolen_store_without_the_device_s_key_says_nothing(world: World, database: SqliteFile):
    pin = under(world, database).draw(ADA, TOKEN, expires=EXPIRES)
    with pytest.raises(PinWrong):
        under(world, database, key=bytes(32)).card(pin)
    with sqlite3.connect(world.folder / "state.sqlite3") as stolen:
        (row,) = stolen.execute("SELECT * FROM pin_alone").fetchall()
    kept = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in row)
    for secret in (pin.encode(), TOKEN.encode(), TOKEN[4:40].encode(), ADA):
        assert secret not in kept
    (name, key), (other, _) = (under(world, database, key=k)._stretched(pin) for k in (KEY, bytes(32)))
    assert (name in kept, other in kept, key in kept) == (True, False, False), "with the key, a guess can be tried"


@pytest.mark.usefixtures("quick")
def test_a_door_holds_so_many_cards_under_pins_and_no_more(world: World, database: SqliteFile, monkeypatch):
    monkeypatch.setattr(room, "MOST_CARDS", 2)
    alone = under(world, database)
    for k in range(2):
        alone.draw(bytes([k]) * 16, TOKEN, expires=EXPIRES)
    assert alone.draw(bytes(16), TOKEN, expires=EXPIRES), "a new PIN for a card that lies there"
    with pytest.raises(InputError, match="2 cards lie under PINs"):
        alone.draw(bytes([9]) * 16, TOKEN, expires=EXPIRES)
