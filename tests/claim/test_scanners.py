"""Scanners on a serial line and scanners that type: read, unplugged, flooded, forbidden; the others go on."""

from __future__ import annotations

import os
import pty
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.claim import PREFIX, base45, open_readers
from edge.claim.attended import AGAIN_MAX_S, Attended
from edge.claim.keyboard import ENTER, EV_KEY, EVENT, KEYS, KeyboardReader, Typed
from edge.claim.serial import SerialReader
from edge.errors import ReaderError
from edge.settings.model import ClaimSettings
from edge.types.events import Faulted, Recovered

CODES = {signs[shift]: (code, bool(shift)) for code, signs in KEYS.items() for shift in (1, 0)}
SHIFT = 42


def keys(text: str) -> bytes:
    """The events of a scanner that types a text and Enter."""
    events = []
    for sign in text + "\n":
        code, shift = (ENTER, False) if sign == "\n" else CODES[sign]
        presses = [(SHIFT, 1)] if shift else []
        presses += [(code, 1), (code, 0)]
        presses += [(SHIFT, 0)] if shift else []
        for pressed, value in presses:
            events += [(0, 0, EV_KEY, pressed, value), (0, 0, 0, 0, 0)]
    return b"".join(EVENT.pack(*event) for event in events)


def until(reader, seconds: float = 10.0) -> str | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (text := reader.poll(None)) is not None:
            return text
        time.sleep(0.01)
    return None


@pytest.fixture
def typed():
    """A reader of recorded events, and where to record them."""
    ours, theirs = os.pipe()
    reader = KeyboardReader.following(ours)
    yield reader, theirs
    reader.close()


@pytest.fixture
def line():
    """A reader on a pty, and the scanner's end."""
    scanner, ours = pty.openpty()
    reader = SerialReader(Path(os.ttyname(ours)), 9600)
    yield reader, scanner, ours
    reader.close()
    for end in (scanner, ours):
        os.close(end)


def test_every_character_of_a_token_is_typed_and_read():
    text = PREFIX + base45.ALPHABET
    machine = Typed()
    said = b"".join(machine.feed(*event[2:]) for event in EVENT.iter_unpack(keys(text)))
    assert said == text.encode() + b"\n"


def test_a_scanner_that_types_is_read(typed):
    reader, scanner = typed
    os.write(scanner, keys("EV1:ABC123"))
    assert until(reader) == "EV1:ABC123"
    os.close(scanner)
    with pytest.raises(ReaderError, match="unplugged"):
        until(reader)


def test_keys_that_the_kernel_lost_make_no_token(typed):
    reader, scanner = typed
    events = [*EVENT.iter_unpack(keys("EV1:ABC123"))]
    events.insert(12, (0, 0, 0, 3, 0))  # SYN_DROPPED
    os.write(scanner, b"".join(EVENT.pack(*event) for event in events))
    os.write(scanner, keys("EV1:DEF456"))
    found = [until(reader), until(reader)]
    assert "EV1:DEF456" in found
    assert "EV1:ABC123" not in found
    os.close(scanner)


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535), st.integers(-(2**31), 2**31 - 1)), max_size=60))
def test_no_sequence_of_events_is_more_than_a_byte_each(events):
    machine = Typed()
    for kind, code, value in events:
        assert len(machine.feed(kind, code, value)) <= 2


def test_a_flood_of_keys_is_bounded_and_ends(typed):
    reader, scanner = typed
    flood = keys("A" * 2000)[:65536] * 20
    os.set_blocking(scanner, False)
    sent = 0
    end = time.monotonic() + 2
    while sent < len(flood) and time.monotonic() < end:
        try:
            sent += os.write(scanner, flood[sent : sent + 65536])
        except BlockingIOError:
            reader.poll(None)
    assert reader._lines._pending.__sizeof__() < 4096, "memory stays bounded"
    os.close(scanner)
    with pytest.raises(ReaderError, match="unplugged"):
        until(reader, 60)


def test_a_scanner_on_a_serial_line_is_read(line):
    reader, scanner, _ = line
    os.write(scanner, b"\x00\xff~\r\nEV1:ABC123\r\n~~\xfe\r\n")
    found = [until(reader), until(reader)]
    assert "EV1:ABC123" in found


def test_a_serial_scanner_that_is_unplugged_is_an_error_and_not_the_end():
    scanner, ours = pty.openpty()
    reader = SerialReader(Path(os.ttyname(ours)), 9600)
    os.close(ours)
    os.close(scanner)
    with pytest.raises(ReaderError, match=r"unplugged.*plug it in again"):
        until(reader)
    reader.close()


@pytest.mark.parametrize("make", [lambda p: SerialReader(p, 9600), KeyboardReader])
def test_what_is_not_there_or_is_something_else_is_told_with_what_to_do(tmp_path, make):
    with pytest.raises(ReaderError, match=r"not there.*edge doctor"):
        make(tmp_path / "nothing")
    (tmp_path / "file").write_bytes(b"x" * 100)
    with pytest.raises(ReaderError, match=r"this is no .*ls -l /dev/"):
        make(tmp_path / "file")


def test_a_device_that_this_user_may_not_open_is_told_with_the_group():
    error = ReaderError.of(PermissionError(13, "Permission denied"), "/dev/input/event3", "input")
    assert "SupplementaryGroups=input" in error.remedy


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Flaky:
    """Works, fails, works again, as it is told."""

    name = "flaky"
    fault: Exception | None = None

    def poll(self, frame):
        if self.fault is not None:
            raise self.fault
        return "text"

    def close(self):
        if self.fault is not None:
            raise self.fault


def attended(reader: Flaky) -> tuple[Attended, list, Clock]:
    told, clock = [], Clock()

    def make() -> Flaky:
        if reader.fault is not None:
            raise reader.fault
        return reader

    return Attended("flaky", make, tell=told.append, now_ns=lambda: 1, clock=clock), told, clock


@pytest.mark.parametrize("fault", [ReaderError("gone"), OSError(19, "No such device"), RuntimeError(), ValueError("x")])
def test_a_reader_that_fails_is_told_once_tried_with_a_pause_and_told_when_it_works(fault):
    reader = Flaky()
    one, told, clock = attended(reader)
    assert one.poll(None) == "text"
    reader.fault = fault
    tries = 0
    for _ in range(1000):
        assert one.poll(None) is None
        clock.now += 0.1
        tries = one._failures
    assert 4 <= tries <= 12, "the pause grows"
    assert [type(event) for event in told] == [Faulted]
    assert (told[0].room, told[0].error) == ("reader", type(fault).__name__)
    reader.fault = None
    clock.now += AGAIN_MAX_S
    assert one.poll(None) == "text"
    assert [type(event) for event in told] == [Faulted], "it may be gone again at once"
    clock.now += AGAIN_MAX_S
    assert one.poll(None) == "text"
    assert [type(event) for event in told] == [Faulted, Recovered]
    assert told[1].count == tries


def test_one_that_opens_and_is_gone_by_the_second_poll_is_told_once_and_tried_with_growing_pauses():
    reader, opened = Flaky(), 0
    one, told, clock = attended(reader)
    for _ in range(3000):
        if one._reader is None:
            reader.fault = None
        opened += one.poll(None) is not None
        reader.fault = OSError(19, "No such device")
        clock.now += 0.1
    assert [type(event) for event in told] == [Faulted]
    assert 8 <= opened <= 15, "in five minutes"


def test_one_that_fails_ends_neither_the_loop_nor_the_others(tmp_path):
    from edge.service import Loop
    from edge.testing import FakeDoor, site
    from edge.types import Outcome, Reason
    from edge.types import events as ev

    with site(tmp_path, door=FakeDoor()) as here:
        card = here.enrol("ada")
        (tmp_path / "cards").write_text(card + "\n")
        settings = ClaimSettings(
            readers=("serial", "keyboard", "stdin"), serial=str(tmp_path / "none"), keyboard=str(tmp_path / "nor")
        )
        with (tmp_path / "cards").open("rb") as stdin:
            readers = open_readers(settings, stdin=stdin, clock=time.monotonic, tell=here.device.tell)
            stop = threading.Event()
            here.device.observe(lambda event: stop.set() if isinstance(event, ev.Decided) else None, name="stop")
            Loop(here.device, readers).run(stop)
        assert here.door.released == 1
        here.device.close()
        faults = [event for event in here.events if isinstance(event, ev.Faulted) and event.room == "reader"]
        assert len(faults) == 2
        (decided,) = [event.decision for event in here.events if isinstance(event, ev.Decided)]
        assert (decided.outcome, decided.reason) == (Outcome.ACCEPT, Reason.MATCHING)
