"""The PIN that is typed on the page: the one thing that can be sent to it, and only where the settings ask for it."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from edge.errors import SettingsError
from edge.kiosk import Kiosk, PinPad, Screen, page_of
from edge.messages import text
from edge.settings import load_settings
from edge.state.pins import SHAPE
from tests.kiosk.conftest import ALTERNATIVE, serving, settings, show, violations
from tests.kiosk.test_page import FLAWS, LANGUAGES

pytestmark = [pytest.mark.timeout(600)]
PIN = "402916"
ASKED = Screen("pin", rest="idle", hold_s=600.0)


@pytest.fixture(scope="module")
def asking() -> Iterator[Kiosk]:
    """A page on which a PIN can be typed."""
    wanted = settings(pin_pad=True)
    with Kiosk(wanted.kiosk, page_of(wanted)) as one:
        yield serving(one)


def post(kiosk: Kiosk, said: Any, **headers: str) -> int:
    """What a request is answered that is the page's own but for ``headers``."""
    host = kiosk.url.removeprefix("http://").rstrip("/")
    given = {"Content-Type": "application/json", "Origin": f"http://{host}"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    one = http.client.HTTPConnection(host, timeout=60)
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    one.request("POST", "/pin", body, {name: value for name, value in given.items() if value})
    return one.getresponse().status


def ask(kiosk: Kiosk) -> None:
    """Have the page's process know that a PIN is asked for, and forget what was typed before."""
    kiosk.pin_pad.poll(None)
    at_ns = time.monotonic_ns()
    show(kiosk, replace(ASKED, at_ns=at_ns))
    until = time.monotonic() + 60
    while kiosk._told.at_ns != at_ns and time.monotonic() < until:
        time.sleep(0.01)
    assert post(kiosk, b"") == 400, "the process has read its input up to here"


# -- who may send what


def test_a_page_whose_settings_ask_for_none_takes_nothing(kiosk: Kiosk):
    show(kiosk, replace(ASKED, at_ns=time.monotonic_ns()))
    assert kiosk.pin_pad is None
    assert post(kiosk, {"pin": PIN}) == 404
    assert len(kiosk._process.args) == 4, "its process has no pipe either"


def test_settings_that_ask_for_no_pin_have_no_pad(tmp_path):
    config = tmp_path / "device.yaml"
    config.write_text("kiosk:\n  pin_pad: true\n")
    with pytest.raises(SettingsError, match=r"kiosk\.pin_pad: no PIN is asked for here"):
        load_settings(config)


def test_a_pin_is_taken_once_each_time_that_one_is_asked_for(asking: Kiosk, capfd: pytest.CaptureFixture[str]):
    ask(asking)
    assert post(asking, {"pin": PIN}) == 204
    assert post(asking, {"pin": "1111"}) == 409
    assert asking.pin_pad.poll(None) == PIN
    assert asking.pin_pad.poll(None) is None
    ask(asking)
    assert post(asking, {"pin": PIN}) == 204
    assert asking.pin_pad.poll(None) == PIN
    assert PIN not in "".join(capfd.readouterr()), "and it is in no log"


@pytest.mark.parametrize("name", ["starting", "idle", "reading", "look", "refused", "wait", "fault"])
def test_on_no_other_screen_can_anything_be_sent(asking: Kiosk, name: str):
    ask(asking)
    show(asking, Screen(name, time.monotonic_ns(), "idle"))
    until = time.monotonic() + 60
    while asking._told.name != name and time.monotonic() < until:
        time.sleep(0.01)
    until = time.monotonic() + 60
    while (status := post(asking, {"pin": PIN})) == 204 and time.monotonic() < until:
        ask(asking)  # its process had not read so far yet
        show(asking, Screen(name, time.monotonic_ns(), "idle"))
    assert status == 409
    assert asking.pin_pad.poll(None) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_no_other_page_types_for_a_person(asking: Kiosk, headers: dict[str, str]):
    ask(asking)
    assert post(asking, {"pin": PIN}, **headers) == 421
    assert asking.pin_pad.poll(None) is None
    assert post(asking, {"pin": PIN}) == 204, "nor uses up the one that the person types"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"402916",
        b"{" * 60,
        b'{"pin": "402916"}' + b" " * 64,
        {"pin": ""},
        {"pin": "123"},
        {"pin": "1234567890123"},
        {"pin": "12a4"},
        {"pin": "١٢٣٤"},
        {"pin": "1234\n"},
        {"pin": None},
        {"pin": [1234]},
        {"pin": "EV1:6BF"},
        {"pin": "1234", "token": "EV1:"},
    ],
)
def test_what_is_no_pin_is_refused_and_no_claim_can_be_made(asking: Kiosk, body: Any):
    ask(asking)
    assert post(asking, body) == 400
    assert asking.pin_pad.poll(None) is None


# -- the door's side believes the page's process nothing


def typed(asked: bool, *sent: bytes) -> list[str]:
    pad = PinPad(lambda: asked)
    try:
        for part in sent:
            os.write(pad.far_end, part)
        found = [pad.poll(None) for _ in range(1 + sum(map(len, sent)) // 64 + len(sent))]
    finally:
        pad.close()
        pad.close()
    return [one for one in found if one is not None]


def test_the_door_takes_pins_and_drops_everything_else():
    assert typed(True, b"402916\n") == [PIN]
    assert typed(True, b"4029", b"16\n") == [PIN]
    assert typed(True, b"402916\n", b"402917\n") == [PIN], "one at a time"
    assert typed(True, b"EV1:6BFOXN*TS0BI$ZD\n", b"\n", b"\xff\x00\n", b"12\n", b"402916") == []
    assert typed(True, b"1" * 60_000) == [], "a flood without a line"
    assert typed(False, b"402916\n") == [], "none was asked for"
    pad = PinPad(lambda: True)
    os.write(pad.far_end, b"x\n" * 30_000 + b"402916\n")
    assert pad.poll(None) == PIN, "rubbish delays nobody"
    pad.close()


def test_nobody_waits_for_the_page_to_present_a_card_unless_a_pin_stands_for_one():
    for alone in (False, True):
        pad = PinPad(lambda: True, alone)
        assert (pad.name, pad.ended, pad.poll(None)) == ("page", not alone, None)
        pad.close()


def test_what_was_typed_before_somebody_else_s_turn_is_dropped():
    pad = PinPad(lambda: True, alone=True)
    os.write(pad.far_end, b"402916\n50")
    pad.forget()
    os.write(pad.far_end, b"550182\n")
    assert (pad.poll(None), pad.poll(None)) == ("550182", None)
    pad.close()
    pad.forget()


@pytest.mark.parametrize("said", ["123", "1234", "123456789012", "1234567890123", "12 4", "١٢٣٤", "", "12.4"])
def test_both_sides_and_the_store_mean_the_same_by_a_pin(said: str):
    from edge.kiosk import pin_pad, server

    here = bool(SHAPE.fullmatch(said))
    assert bool(server.PIN.fullmatch(said)) == here
    assert bool(pin_pad._PIN.fullmatch(said.encode())) == here


# -- in front of the person


@pytest.fixture
def page(chromium, asking: Kiosk):
    one = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce")
    one.set_default_timeout(120_000)
    said: list[str] = []
    one.on("console", lambda message: said.append(message.text))
    one.on("pageerror", lambda error: said.append(str(error)))
    one.goto(asking.url)
    one.wait_for_selector("#tongues li", state="attached")
    ask(asking)
    one.wait_for_selector("html[data-screen=pin][data-pad]")
    yield one
    one.close()
    assert not said


def until_typed(kiosk: Kiosk) -> str | None:
    until = time.monotonic() + 60
    while (found := kiosk.pin_pad.poll(None)) is None and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.mark.kiosk
def test_it_is_typed_with_a_finger_shown_as_dots_and_gone_when_it_was_sent(page, asking: Kiosk):
    assert page.is_disabled("#enter")
    for digit in PIN + "7":
        page.click(f".key:text-is('{digit}')")
    page.click("#delete")
    assert page.input_value("#pin") == PIN
    assert page.get_attribute("#pin", "type") == "password"
    assert PIN not in page.content()
    page.click("#enter")
    assert until_typed(asking) == PIN
    page.wait_for_function("() => find('pin').value === ''")
    assert page.inner_text("h1") == text("kiosk.starting.title"), "and the person is told to wait a moment"
    assert page.is_disabled("#enter")
    assert page.is_disabled(".key:text-is('1')")


@pytest.mark.kiosk
def test_a_keyboard_alone_is_enough_and_types_digits_only(page, asking: Kiosk):
    assert page.evaluate("document.activeElement.id") == "pin", "nothing has to be found first"
    page.keyboard.press("Enter")
    page.keyboard.type("4a0-2")
    page.keyboard.press("Enter")
    page.keyboard.type("916")
    assert page.input_value("#pin") == PIN
    assert asking.pin_pad.poll(None) is None, "three digits are none"
    page.keyboard.press("Enter")
    assert until_typed(asking) == PIN


@pytest.mark.kiosk
def test_what_was_typed_goes_with_the_screen_and_is_asked_anew_for_the_next_card(page, asking: Kiosk):
    page.keyboard.type("4029")
    ask(asking)
    page.wait_for_function("() => find('pin').value === ''")
    page.keyboard.type("4029")
    page.evaluate("state.since -= 600_000; draw()")
    assert page.get_attribute("html", "data-screen") == "idle", "the time is over"
    assert page.input_value("#pin") == ""
    assert page.is_hidden("#keypad")
    assert float(page.evaluate("root.style.getPropertyValue('--share')")) == 0


@pytest.mark.kiosk
def test_it_fits_every_size_in_every_language_with_the_other_way_one_touch_away(page, asking: Kiosk):
    for width, height in ((480, 800), (800, 480), (1024, 600), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for language in LANGUAGES:
            page.evaluate("(tag) => speak(tag)", language)
            assert page.evaluate(f"({FLAWS})()") == [], f"{language}, {width}x{height}"
            assert page.inner_text("#text") == text("kiosk.pin.pad", language)
            assert page.get_attribute("#pin", "aria-label") == text("kiosk.pin.title", language)
            assert page.get_attribute("#enter", "aria-label") == text("kiosk.pin.enter", language)
    for language in ("en", "ar"):
        page.evaluate("(tag) => speak(tag)", language)
        assert violations(page) == []
    page.click("#other")
    assert page.inner_text("#alternative") == ALTERNATIVE


# -- in the place of a card


@pytest.fixture(scope="module")
def standing_for_cards() -> Iterator[Kiosk]:
    """A page on which a PIN stands for a card."""
    wanted = settings(alone=True, pin_pad=True)
    with Kiosk(wanted.kiosk, page_of(wanted)) as one:
        yield serving(one)


@pytest.fixture
def alone(chromium, standing_for_cards: Kiosk):
    one = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce")
    one.set_default_timeout(120_000)
    show(standing_for_cards, Screen("idle", time.monotonic_ns(), "idle"))
    one.goto(standing_for_cards.url)
    one.wait_for_selector("html[data-screen=idle][data-pad]")
    yield one
    one.close()


@pytest.mark.kiosk
def test_it_is_typed_while_nobody_is_served_and_the_page_says_that_it_protects_less(alone, standing_for_cards: Kiosk):
    for width, height in ((480, 800), (800, 480), (1024, 600), (390, 844)):
        alone.set_viewport_size({"width": width, "height": height})
        for language in LANGUAGES:
            alone.evaluate("(tag) => speak(tag)", language)
            assert alone.evaluate(f"({FLAWS})()") == [], f"{language}, {width}x{height}"
            assert alone.inner_text("h1") == text("kiosk.pin.title", language)
            assert text("kiosk.idle.pin", language) in alone.inner_text("#text")
            assert text("kiosk.idle.pin", language) in alone.text_content("#notice")
    assert violations(alone) == []
    alone.evaluate("speak('en')")
    for digit in "40291672":
        alone.click(f".key:text-is('{digit}')")
    alone.click("#enter")
    assert until_typed(standing_for_cards) == "40291672"
    assert alone.inner_text("h1") == text("kiosk.starting.title")
    alone.evaluate("pad.sent -= AGAIN_MS; draw()")
    assert alone.inner_text("h1") == text("kiosk.pin.title"), "should the door not have taken it, it can be typed again"


@pytest.mark.kiosk
def test_what_somebody_began_to_type_goes_when_they_have_left_and_closes_nothing(alone, standing_for_cards: Kiosk):
    alone.click(".key:text-is('4')")
    alone.click("#other")
    show(standing_for_cards, Screen("again", time.monotonic_ns(), "idle", 0.4, reason="pin_wrong"))
    alone.wait_for_selector("html[data-screen=again]", state="attached")
    alone.wait_for_selector("html[data-screen=idle]", state="attached")
    assert alone.inner_text("#alternative") == ALTERNATIVE, "who reads the other way in reads on"
    alone.keyboard.press("Escape")
    alone.click(".key:text-is('4')")
    alone.evaluate("state.touched -= LEFT_MS + 1; draw()")
    assert alone.input_value("#pin") == ""
