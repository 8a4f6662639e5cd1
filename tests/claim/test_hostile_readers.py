"""What a reader does when it is pulled out, flooded, forbidden, or shown codes that somebody made to disturb.

Each time: a typed error, one event and one entry in the journal, another try after a pause that grows, and a door that
stays locked. What people can hold before a camera opens nothing and keeps nobody else from being read.
"""

from __future__ import annotations

import io
import os
import pty
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from edge.claim import PREFIX, open_readers
from edge.claim.attended import AGAIN_MAX_S, Attended
from edge.claim.keyboard import ENTER, EV_KEY, EVENT, KeyboardReader
from edge.claim.layout import MAX_BYTES
from edge.claim.qr import _MOST, find_codes
from edge.claim.serial import SerialReader
from edge.errors import ReaderError
from edge.settings.model import ClaimSettings
from edge.testing import FakeDoor, site
from edge.types import Frame
from edge.types import events as ev
from tests.claim.test_readers import A, B, Idle, sheet
from tests.claim.test_scanners import Clock, keys, until

# -- scanners --------------------------------------------------------------------------------------------------------


@contextmanager
def scanner(path: Path) -> Iterator[int]:
    """A scanner on a serial line that is plugged in at a stable path; the descriptor is its own end."""
    own, ours = pty.openpty()
    path.symlink_to(os.ttyname(ours))
    try:
        yield own
    finally:
        path.unlink()
        os.close(ours)
        os.close(own)


def test_a_serial_scanner_that_is_unplugged_and_plugged_in_again_is_read_again(tmp_path: Path):
    path, told, clock = tmp_path / "usb-Scanner-if00", [], Clock()
    reader = Attended("serial", lambda: SerialReader(path, 9600), tell=told.append, now_ns=lambda: 1, clock=clock)
    with scanner(path) as own:
        assert reader.poll(None) is None
        os.write(own, b"EV1:ABC123\r\n")
        assert until(reader) == "EV1:ABC123"
    for _ in range(200):
        assert reader.poll(None) is None
        clock.now += 1.0
    assert [type(event) for event in told] == [ev.Faulted], "told once"
    with scanner(path) as own:
        clock.now += AGAIN_MAX_S
        assert reader.poll(None) is None
        os.write(own, b"EV1:DEF456\r\n")
        assert until(reader) == "EV1:DEF456"
        clock.now += AGAIN_MAX_S
        assert reader.poll(None) is None
    assert [type(event) for event in told] == [ev.Faulted, ev.Recovered]
    reader.close()


def test_a_serial_line_that_never_stops_is_bounded_and_the_next_card_is_read(tmp_path: Path):
    with scanner(tmp_path / "line") as own:
        reader = SerialReader(tmp_path / "line", 115200)
        os.set_blocking(own, False)
        sent, largest = 0, 0
        while sent < 500_000:
            try:
                sent += os.write(own, b"x" * 4096)
            except BlockingIOError:
                assert reader.poll(None) is None
                largest = max(largest, len(reader._lines._pending))
        assert largest <= 4096
        card, found = b"\nEV1:ABC123\n", None
        while card or found is None:  # the line is still full
            found = reader.poll(None) or found
            try:
                card = card[os.write(own, card) :] if card else card
            except BlockingIOError:
                continue
        assert found == "EV1:ABC123"
        reader.close()


def test_garbage_from_a_keyboard_is_no_token_and_the_next_card_is_read():
    ours, theirs = os.pipe()
    reader, dice = KeyboardReader.following(ours), random.Random(4)
    for _ in range(500):
        os.write(theirs, EVENT.pack(0, 0, dice.randrange(6), dice.randrange(300), dice.randrange(-2, 3)))
    for pressed in (42, 54):  # whatever shift was left pressed
        os.write(theirs, EVENT.pack(0, 0, EV_KEY, pressed, 0))
    os.write(theirs, EVENT.pack(0, 0, EV_KEY, ENTER, 1))
    os.write(theirs, keys("EV1:ABC123"))
    found = [until(reader, 1.0) for _ in range(30)]
    assert "EV1:ABC123" in found
    assert not any(text and text.startswith(PREFIX) for text in found if text != "EV1:ABC123")
    os.close(theirs)
    reader.close()


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A device that this user may not open."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "device")
        path.touch(mode=0o000)
        path.chmod(0o000)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield path
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.parametrize(
    ("make", "group"), [(lambda p: SerialReader(p, 9600), "dialout"), (KeyboardReader, "input")], ids=["serial", "keys"]
)
def test_a_scanner_that_this_user_may_not_open_is_told_with_the_group_that_may(
    forbidden: Path, make: Callable[[Path], object], group: str
):
    with pytest.raises(ReaderError, match=rf"may not open it.*SupplementaryGroups={group}"):
        make(forbidden)


def test_a_scanner_that_is_missing_is_one_entry_in_the_journal_and_the_door_stays_locked(tmp_path: Path):
    with site(tmp_path, door=FakeDoor()) as here:
        settings = ClaimSettings(readers=("serial",), serial=str(tmp_path / "none"))
        (reader,) = open_readers(settings, stdin=io.BytesIO(), clock=(clock := Clock()), tell=here.device.tell)
        for _ in range(300):
            assert reader.poll(None) is None
            clock.now += 1.0
        faults = [entry for entry in here.device._ledger.journal.last(50) if entry.kind == "fault"]
        assert [entry.fields for entry in faults] == [{"error": "ReaderError", "room": "reader"}]
        assert here.door.released == 0


# -- codes -----------------------------------------------------------------------------------------------------------


def drawn(text: str, format_: zxingcpp.BarcodeFormat) -> np.ndarray:
    image = np.array(zxingcpp.create_barcode(text, format_).to_image(scale=4))
    return np.pad(image, 24, constant_values=255)


@pytest.mark.parametrize("name", ["Aztec", "DataMatrix", "PDF417", "Code128"])
def test_codes_of_other_formats_are_nothing_whatever_they_say(name: str):
    luma = drawn("EV1:AAAA", getattr(zxingcpp.BarcodeFormat, name))
    assert find_codes(luma) == []
    assert find_codes(luma, enlarge=True) == []


def test_the_largest_code_there_is_is_no_claim_and_neither_is_what_only_looks_like_one(tmp_path: Path):
    """Version 40 holds more than any token; whatever begins like one is refused by its size, unread."""
    texts = [PREFIX + "A" * 4000, "https://example.org/" + "A" * 2000, PREFIX + "A" * (2 * MAX_BYTES)]
    with site(tmp_path, door=FakeDoor()) as here:
        for text in texts:
            (found,) = find_codes(drawn(text, zxingcpp.BarcodeFormat.QRCode)) or [text]
            decision = here.device.decide(found, lambda: pytest.fail("a camera was asked for"))
            assert (decision.outcome.value, decision.reason.value) == ("reject", "token_invalid")
            here.device.act(decision)
        assert here.door.released == 0


def test_a_screen_of_a_thousand_codes_a_second_is_looked_at_five_times_a_second_and_fills_no_memory():
    idle = Idle()
    found, shows = [], [sheet(f"EV1:{number:04}") for number in range(40)]
    started = idle.clock.now
    for number in range(10_000):
        idle.clock.now += 1 / 1000
        frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, number, "test", luma=shows[number % 40])
        if text := idle.reader.poll(frame):
            found.append(text)
    assert len(found) <= 5 * (idle.clock.now - started) + 1
    assert len(idle.reader._known) <= _MOST + 1


def test_a_sticker_that_is_always_in_view_is_refused_once_and_keeps_nobody_out():
    idle = Idle()
    assert idle.show(2, B) == [B]
    assert idle.show(120, B) == [], "it is not claimed again as long as it hangs there"
    assert idle.show(1, A, B) == [A], "a card beside it is read"
    assert idle.show(1, B) + idle.show(3, B) + idle.show(1, A, B) == [A], "and so is the next one"


def test_two_codes_at_once_open_nothing_until_one_is_taken_away():
    idle = Idle()
    assert idle.show(30, A, B) == []
    assert idle.show(1, B) == [B]
