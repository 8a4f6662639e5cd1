"""Where a card is read: printed at its true size, seen by a 66-degree lens, tilted, glossy, blurred, unevenly lit.

What decides is how many pixels of the frame a module gets: width / (2 tan 33 deg) x module / distance. A code is read
from about 1.8 pixels a module on, from 1.5 when the small frame is searched at twice its size. So a frame of 640 x 480
reads the card up to 15 cm, one of 1280 or more pixels across up to 25 cm.
`python -m tests.claim.test_card_in_view` prints the whole table.
"""

from __future__ import annotations

import dataclasses
import random

import cv2
import numpy as np
import pytest

from edge.claim import encode
from edge.claim.qr import QrReader
from edge.papers.card import WIDTH, CardText, card_png
from edge.trust import Keyring
from edge.types import Custody, Frame, SealedTemplate, Token
from tests.papers.card_lens import View, see, some_view

SMALL, HD, FULL = (640, 480), (1280, 720), (1920, 1080)


def print_card(groups: tuple[str, ...] = ("default",), custody: Custody = Custody.CARD) -> tuple[str, np.ndarray]:
    """A token and the face of its card, grey."""
    dice = random.Random(8)
    ring, issuer = Keyring.ephemeral(dice.randbytes)
    serial = dice.randbytes(16)
    sealed = SealedTemplate(b"\x01\x01" + serial + dice.randbytes(42), dice.randbytes(32), dice.randbytes(144))
    if custody is Custody.DEVICE:
        sealed = None
    token = encode(Token(custody, ring.site_id, serial, 1, groups, 1, 2, dice.randbytes(32), sealed), issuer)
    text = CardText(token, "-".join(["a1b2"] * 8), 1, 2, "Meridian Works")
    return token, cv2.imdecode(np.frombuffer(card_png(text), np.uint8), cv2.IMREAD_GRAYSCALE)


USUAL = print_card()
LARGEST = print_card(tuple(f"group-{k}" for k in range(7)))
DEVICE = print_card(custody=Custody.DEVICE)


def shown(card: tuple[str, np.ndarray], size: tuple[int, int], view: View, tries: int = 2, mm: float = WIDTH) -> bool:
    """Hold a card up for so many tries of the reader; only the noise changes between them."""
    token, face = card
    moments = iter(np.arange(0, 10, 0.125))  # asked for when a try begins, and when it ends
    reader = QrReader(tries_per_s=5, clock=moments.__next__)
    for number in range(tries):
        luma = see(face, mm, size, dataclasses.replace(view, seed=view.seed + number))
        frame = Frame(np.zeros((1, 1, 3), np.uint8), number, number, "test", luma=luma)
        if text := reader.poll(frame):
            assert text == token
            return True
    return False


@pytest.mark.parametrize(
    ("card", "size", "centimetres"),
    [
        (USUAL, SMALL, (10, 12, 15)),
        (LARGEST, SMALL, (10, 12)),
        (DEVICE, SMALL, (10, 15, 20)),
        (USUAL, HD, (12, 15, 20, 25)),
        (LARGEST, HD, (12, 15, 20, 25)),
        (LARGEST, FULL, (12, 25)),
    ],
    ids=["usual-640", "largest-640", "device-640", "usual-1280", "largest-1280", "largest-1920"],
)
def test_a_card_held_up_is_read_within_two_tries(card, size: tuple[int, int], centimetres: tuple[int, ...]):
    dice = np.random.default_rng(11)
    views = [some_view(dice, 10.0 * cm) for cm in centimetres for _ in range(4 if size == SMALL else 2)]
    missed = [view for view in views if not shown(card, size, view)]
    assert not missed


def test_a_small_frame_does_not_read_a_card_at_arm_s_length_and_the_guide_says_so():
    assert not any(shown(USUAL, SMALL, View(distance=cm * 10.0)) for cm in (22, 25, 40))


def test_a_card_in_any_rotation_is_read():
    assert all(shown(USUAL, SMALL, View(120, tilt=(0, 0, roll))) for roll in (45, 90, 135, 180, 270))


def test_a_card_printed_at_94_percent_to_fit_a_page_is_still_read():
    dice = np.random.default_rng(12)
    assert all(shown(USUAL, SMALL, some_view(dice, 120), mm=0.94 * WIDTH) for _ in range(4))


def test_a_lens_focused_too_far_away_does_not_read_it():
    """Module 3 (f/1.8, 4.74 mm) focused at 1 m, a card at 15 cm: a disc of 2.2 mm. It needs its autofocus."""
    assert shown(USUAL, HD, View(150, defocus=0.6))
    assert not shown(USUAL, HD, View(150, defocus=2.2))


def test_another_code_in_view_is_nothing(picture):
    import segno

    code = np.array([list(row) for row in segno.make("https://example.org/menu", micro=False).matrix], np.uint8)
    face = cv2.copyMakeBorder((1 - np.kron(code, np.ones((20, 20), np.uint8))) * 255, 80, 80, 80, 80, 0, value=255)
    grey = cv2.cvtColor(picture("fara"), cv2.COLOR_BGR2GRAY)
    assert not shown(("", face), SMALL, View(150))
    assert not shown(("", grey), SMALL, View(150))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_whole_table():
    table = measure(5)
    assert table[("usual", SMALL, 15)] >= 0.95
    assert table[("usual", HD, 25)] >= 0.95


def measure(count: int = 20) -> dict[tuple[str, tuple[int, int], int], float]:
    """Rate of cards read within two tries, by card, frame and distance in cm."""
    rates = {}
    for name, card in (("device", DEVICE), ("usual", USUAL), ("largest", LARGEST)):
        for size in (SMALL, HD, (1296, 972), FULL):
            for cm in (10, 12, 15, 18, 20, 25, 30):
                dice = np.random.default_rng(cm)
                rates[name, size, cm] = sum(shown(card, size, some_view(dice, 10.0 * cm)) for _ in range(count)) / count
    return rates


if __name__ == "__main__":
    for (name, size, cm), rate in measure().items():
        print(f"{name:8} {size[0]:4}x{size[1]:<4} {cm:3} cm  {rate:4.0%}")
