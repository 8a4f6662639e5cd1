"""Readers never block, never hold much, and deliver a token once."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import random
import tty
from collections.abc import Iterator

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from edge.claim import decode, encode, find_token, open_readers
from edge.claim.finding import tidy
from edge.claim.qr import QrReader, find_codes
from edge.claim.stdin import HELD_S, LONGEST, StdinReader
from edge.settings.model import ClaimSettings
from edge.trust import Keyring
from edge.types import Custody, Frame

RING, ISSUER = Keyring.ephemeral(random.Random(2).randbytes)


def everything(reader: StdinReader, polls: int = 10_000) -> list[str]:
    return [text for _ in range(polls) if not reader.ended and (text := reader.poll(None))]


@pytest.fixture
def pipe() -> Iterator[tuple[StdinReader, int]]:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as file:
        yield StdinReader(file), into
        with contextlib.suppress(OSError):
            os.close(into)


def test_an_idle_pipe_is_no_claim_and_no_wait(pipe: tuple[StdinReader, int]):
    reader, into = pipe
    assert [reader.poll(None) for _ in range(100)] == [None] * 100
    os.write(into, b"EV1:AB")
    assert reader.poll(None) is None
    os.write(into, b"CD\r\nEV1:X\n\n  \nEV1:Y")
    assert [reader.poll(None) for _ in range(4)] == ["EV1:ABCD", "EV1:X", None, None]
    os.close(into)
    assert everything(reader) == ["EV1:Y"]
    assert reader.ended


def test_a_terminal_is_read_and_its_end_is_an_end(capfd: pytest.CaptureFixture[str]):
    master, slave = pty.openpty()
    tty.setraw(slave)
    with os.fdopen(slave, "rb", buffering=0) as file:
        reader = StdinReader(file)
        assert reader.poll(None) is None
        os.write(master, b"EV1:ONE\rEV1:TWO\r")
        assert [reader.poll(None), reader.poll(None), reader.poll(None)] == ["EV1:ONE", None, None]
        os.close(master)
        assert everything(reader) == ["EV1:TWO"]
        assert reader.ended


def test_the_other_side_of_a_terminal_going_away_is_an_end():
    master, slave = pty.openpty()
    os.close(slave)
    with os.fdopen(master, "rb", buffering=0) as file:
        reader = StdinReader(file)
        assert everything(reader, 10) == []
        assert reader.ended


def test_a_file_in_memory_and_a_file_on_disk_are_read_to_their_end(tmp_path):
    (tmp_path / "t").write_bytes(b"a\nb")
    with (tmp_path / "t").open("rb") as file:
        assert everything(StdinReader(file)) == ["a", "b"]
    assert everything(StdinReader(io.BytesIO(b"a\nb"))) == ["a", "b"]


def test_an_over_long_line_is_dropped_whole_and_memory_stays_bounded():
    reader = StdinReader(io.BytesIO(b"x" * 5_000_000 + b"EV1:NOT\nEV1:YES\n" + b"y" * (LONGEST + 1) + b"\nEV1:TOO"))
    found, largest = [], 0
    while not reader.ended:
        if text := reader.poll(None):
            found.append(text)
        largest = max(largest, len(reader._pending))
    assert found == ["EV1:YES", "EV1:TOO"]
    assert largest <= 2 * LONGEST


AROUND = {
    "wedge": lambda text: f"]Q1{text}\r\n",
    "stx, etx": lambda text: f"\x02{text}\x03\n",
    "lower case": lambda text: text.lower() + "\n",
    "no line end": lambda text: text,
    "byte order mark": lambda text: f"\ufeff{text}\n",
    **{
        f"wrapped at {n}, {end!r}": lambda text, n=n, end=end: (
            end.join(text[k : k + n] for k in range(0, len(text), n)) + end
        )
        for n in (4, 60, 76, 200, 390, 391, 392)
        for end in ("\n", "\r", "\r\n")
    },
    "UTF-16": lambda text: f"{text[:80]}\r\n{text[80:]}\r\n".encode("utf-16"),
}


@pytest.mark.parametrize("how", AROUND)
@pytest.mark.parametrize("custody", list(Custody))
def test_a_token_comes_out_of_what_scanners_and_editors_put_around_it(make, how, custody):
    text = encode(make(custody), ISSUER)
    written = AROUND[how](text)
    data = written if isinstance(written, bytes) else written.encode()
    assert everything(StdinReader(io.BytesIO(data + b"\n\nhello\n"))) == [text, "hello"]
    assert find_token(data.decode("latin-1")) == text
    assert decode(data.decode("latin-1"), trust=RING.trust, site_id=RING.site_id, received_ns=0)


def test_a_whole_token_does_not_wait_and_a_wrapped_one_is_not_cut(make, pipe: tuple[StdinReader, int]):
    reader, into = pipe
    clock = reader._clock = Clock()
    text = encode(make(Custody.CARD), ISSUER)
    os.write(into, text.encode() + b"\r\n")
    assert reader.poll(None) == text
    for k in range(0, len(text), 80):
        os.write(into, text[k : k + 80].encode())
        assert reader.poll(None) is None
        os.write(into, b"\r\n")
        clock.now += 0.2
        found = reader.poll(None)
    assert found == text
    os.write(into, text[:80].encode() + b"\n")
    assert reader.poll(None) is None
    clock.now += HELD_S
    assert reader.poll(None) == text[:80].rstrip(), "what never went on is refused, not kept"


def test_closing_a_reader_leaves_the_file_open():
    file = io.BytesIO(b"a\n")
    reader = StdinReader(file)
    reader.close()
    assert not file.closed
    assert reader.poll(None) is None


@given(st.lists(st.binary(max_size=1500), max_size=8), st.integers(1, 700))
def test_any_bytes_in_any_pieces_give_the_same_lines(pieces: list[bytes], step: int):
    class Dribble(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(step, size or step))

    data = b"\n".join(pieces)
    found = everything(StdinReader(Dribble(data)))
    lines = data.replace(b"\r", b"\n").split(b"\n")
    expected = [line.decode("ascii", "replace") for line in lines if len(line) <= LONGEST]
    assert found == [line.strip() for line in expected if tidy(line).strip()]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def sheet(*texts: str) -> np.ndarray:
    """Codes side by side on white, 4 pixels a module."""
    cells = []
    for text in texts:
        code = 1 - np.array([list(row) for row in segno.make(text, error="m", micro=False).matrix], np.uint8)
        cells.append(np.pad(np.kron(code, np.ones((4, 4), np.uint8)) * 255, 24, constant_values=255))
    high = max((cell.shape[0] for cell in cells), default=200)
    padded = [np.pad(c, ((0, high - c.shape[0]), (0, 0)), constant_values=255) for c in cells]
    return np.hstack(padded) if padded else np.full((200, 200), 255, np.uint8)


class Idle:
    """A reader at 5 tries a second and the frames it is given."""

    def __init__(self) -> None:
        self.clock, self.sequence = Clock(), 0
        self.reader = QrReader(tries_per_s=5, clock=self.clock)

    def show(self, seconds: float, *texts: str) -> list[str]:
        luma, found = sheet(*texts), []
        for _ in range(round(seconds * 15)):
            self.clock.now += 1 / 15
            self.sequence += 1
            frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, self.sequence, "test", luma=luma)
            if text := self.reader.poll(frame):
                found.append(text)
        return found


A, B, C = "EV1:AAAA", "EV1:BBBB", "EV1:CCCC"


def test_a_code_that_stays_in_view_is_delivered_once():
    assert Idle().show(10, A) == [A]


def test_it_comes_again_after_it_was_away_for_two_seconds_but_not_after_one():
    idle = Idle()
    assert idle.show(1, A) == [A]
    assert idle.show(1) + idle.show(1, A) == []
    assert idle.show(2.5) + idle.show(1, A) == [A]


def test_another_code_counts_at_once_and_so_does_the_first_after_it():
    idle = Idle()
    assert idle.show(1, A) + idle.show(1, B) + idle.show(1, A) == [A, B, A]


def test_a_camera_of_a_frame_in_one_and_a_half_seconds_sees_that_a_code_went_away_too():
    idle = Idle()

    def show(*texts: str) -> list[str]:
        luma, found = sheet(*texts), []
        for turn in range(75):  # asked ten times a second, as the loop does
            idle.clock.now += 0.1
            idle.sequence += turn % 15 == 0
            frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, idle.sequence, "test", luma=luma)
            found += [text for text in [idle.reader.poll(frame)] if text]
        return found

    assert show(A) + show() + show(A) == [A, A]


def test_a_search_that_takes_one_and_a_half_seconds_is_looking_too(monkeypatch: pytest.MonkeyPatch):
    """So slow is a machine that is busy with something else; the card that was answered must count again there."""
    idle = Idle()

    def slow(luma: np.ndarray, enlarge: bool = False) -> list[str]:
        idle.clock.now += 1.5
        return find_codes(luma, enlarge=enlarge)

    monkeypatch.setattr("edge.claim.qr.find_codes", slow)
    assert idle.show(1, A) + idle.show(1) + idle.show(1, A) == [A, A]


def test_time_in_which_nobody_looked_is_not_absence():
    idle = Idle()
    assert idle.show(1, A) == [A]
    idle.clock.now += 60
    assert idle.show(1, A) == []


def test_two_cards_in_one_view_are_no_claim():
    idle = Idle()
    assert idle.show(1, A, B) == []
    assert idle.show(1, A) == [A]


def test_codes_that_come_together_are_known_and_a_card_that_comes_to_them_is_read():
    idle = Idle()
    assert idle.show(1, A, B) + idle.show(1, A, B, C) == [C]
    idle = Idle()
    assert idle.show(1, C) + idle.show(1, A, B, C) + idle.show(1, B, C) == [C, B], "A was taken away"
    idle = Idle()
    assert idle.show(1, A) + idle.show(3) + idle.show(1, A, C) == [A]
    assert idle.show(0.6, A) + idle.show(1, A, C) == [A, C], "alone it counts; the card only had to be shown again"


def test_only_tokens_come_out():
    idle = Idle()
    assert idle.show(1, "https://example.org/EV1:") + idle.show(1, "ev2:aaaa") + idle.show(1) == []
    assert idle.show(1, "https://example.org", A) == [A]


def test_a_picture_is_searched_at_most_so_often_and_each_frame_once(monkeypatch: pytest.MonkeyPatch):
    tries = []
    monkeypatch.setattr("edge.claim.qr.find_codes", lambda luma, enlarge=False: tries.append(enlarge) or [])
    idle = Idle()
    idle.show(4)
    assert 18 <= len(tries) <= 21
    assert set(tries) == {True, False}
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, idle.sequence, "test", luma=sheet())
    idle.clock.now += 10
    assert idle.reader.poll(frame) is None
    assert idle.reader.poll(None) is None
    assert len(tries) <= 21


def test_a_large_picture_is_never_enlarged(monkeypatch: pytest.MonkeyPatch):
    tries = []
    monkeypatch.setattr("edge.claim.qr.find_codes", lambda luma, enlarge=False: tries.append(enlarge) or [])
    clock = Clock()
    reader = QrReader(tries_per_s=5, clock=clock)
    for number in range(4):
        clock.now += 1
        reader.poll(Frame(np.zeros((720, 1280, 3), np.uint8), 0, number, "test"))
    assert tries == [False] * 4


def test_a_frame_without_a_luma_plane_is_read_from_its_image():
    image = np.repeat(sheet(A)[..., None], 3, axis=2)
    reader = QrReader(tries_per_s=5, clock=Clock())
    assert reader.poll(Frame(image, 0, 1, "test")) == A


def test_neither_the_token_nor_the_frame_is_kept():
    idle = Idle()
    idle.show(1, A)
    assert A not in repr(vars(idle.reader))
    assert not any(isinstance(value, np.ndarray | Frame) for value in vars(idle.reader).values())


@given(st.integers(1, 40), st.integers(1, 40), st.binary(min_size=1600, max_size=1600))
def test_noise_of_any_size_holds_no_code(height: int, width: int, data: bytes):
    luma = np.frombuffer(data, np.uint8)[: height * width].reshape(height, width)
    assert find_codes(luma) == []
    assert find_codes(luma, enlarge=True) == []


def test_the_settings_name_the_readers_in_order():
    stdin = io.BytesIO()
    readers = open_readers(ClaimSettings(readers=("qr", "stdin")), stdin=stdin, clock=Clock())
    assert [reader.name for reader in readers] == ["qr", "stdin"]
