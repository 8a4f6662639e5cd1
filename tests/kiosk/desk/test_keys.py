"""The keyboard on the screen: for fingers on a kiosk that has no other, and out of the way of whoever has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.messages import text
from edge.service.staff_process import operator_pages
from edge.settings.model import DeviceSettings, KioskSettings, Settings
from tests.kiosk.conftest import free_port, violations
from tests.kiosk.desk.test_screens import DRAWN, FLAWS
from tests.kiosk.desk.told import TOLD
from tests.kiosk.test_page import LANGUAGES

pytestmark = [pytest.mark.kiosk, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages, with no door behind them: what is drawn is told by the tests."""
    folder = tmp_path_factory.mktemp("pages")
    device = DeviceSettings(name="front-door", state_dir=folder, trust_dir=folder)
    kiosk = KioskSettings(port=free_port(), operator_port=free_port(), house="Hotel Meridian")
    with operator_pages(Settings(device=device, kiosk=kiosk, alternative="Please ring."), print) as address:
        yield address


@pytest.fixture
def page(chromium: Callable, url: str) -> Iterator[Any]:
    one = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce", has_touch=True)
    one.set_default_timeout(60_000)
    said: list[str] = []
    one.on("console", lambda message: "status of 4" in message.text or said.append(message.text))
    one.on("pageerror", lambda error: said.append(str(error)))
    one.goto(url)
    one.wait_for_selector("html[data-screen=sign-in]")
    yield one
    one.close()
    assert not said


def draw(page: Any, name: str, language: str = "en") -> None:
    page.evaluate(DRAWN, list(TOLD[name]))
    page.evaluate("(tag) => speak(tag)", language)


def tap(page: Any, sign: str) -> None:
    page.tap('[data-key="' + sign.replace('"', '\\"') + '"]')


def type_(page: Any, words: str) -> None:
    for sign in words:
        tap(page, {" ": "space", "@": "at", ".": "dot", "-": "dash"}.get(sign, sign))


def test_a_name_and_an_address_are_typed_with_a_finger(page: Any):
    draw(page, "form")
    assert page.is_hidden("#keys")
    page.tap("#f-subject")
    assert page.is_visible("#keys")
    assert page.get_attribute("#f-subject", "inputmode") == "none", "no second keyboard of the system's beside it"
    tap(page, "shift")
    type_(page, "ada o'neil")
    assert page.input_value("#f-subject") == "Ada o'neil"
    assert page.evaluate("document.activeElement.id") == "f-subject", "keys leave the field its place"
    page.evaluate("find('f-subject').setSelectionRange(3, 10)")
    tap(page, "back")
    assert page.input_value("#f-subject") == "Ada"
    page.evaluate("find('f-withdrawal').value = ''")
    tap(page, "done")
    assert page.evaluate("document.activeElement.id") == "f-withdrawal", "to the next field that is empty"
    type_(page, ["ada@post-", ".example"][0])
    tap(page, "page")
    type_(page, "2")
    tap(page, "page")
    type_(page, ".example")
    tap(page, "back")
    assert page.input_value("#f-withdrawal") == "ada@post-2.exampl"
    tap(page, "done")
    assert page.is_hidden("#keys")
    assert page.is_visible("#bar")


def test_each_language_has_its_letters_and_its_signs_are_within_reach(page: Any):
    wanted = {
        "en": "abcdefghijklmnopqrstuvwxyz",
        "fr": "abcdefghijklmnopqrstuvwxyzàâçèéêëîïôœùû'",
        "de": "abcdefghijklmnopqrstuvwxyzäöüß",
        "es": "abcdefghijklmnopqrstuvwxyzáéíñóúü",
        "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئ",
    }
    for language in LANGUAGES:
        draw(page, "form", language)
        page.tap("#f-subject")
        there = set(page.evaluate("[...find('keys').querySelectorAll('[data-key]')].map((key) => key.dataset.key)"))
        assert set(wanted[language]) <= there, set(wanted[language]) - there
        assert {"at", "dot", "dash", "space", "back"} <= there
        tap(page, "page")
        signs = set(page.evaluate("[...find('keys').querySelectorAll('[data-key]')].map((key) => key.dataset.key)"))
        ascii_signs = {chr(code) for code in range(33, 127) if not chr(code).isalpha()}
        assert ascii_signs <= signs, "a passphrase may have any of them"


def test_letters_of_another_language_are_one_key_away(page: Any):
    draw(page, "form", "de")
    page.tap("#f-subject")
    tap(page, "shift")
    type_(page, "ß")
    tap(page, "language")
    type_(page, "ñ")
    tap(page, "language")
    type_(page, "ش")
    assert page.input_value("#f-subject") == "ẞñش"
    assert page.is_disabled("[data-key=shift]"), "Arabic has no capitals"


def test_a_serial_has_the_sixteen_signs_of_a_serial(page: Any):
    draw(page, "present")
    page.tap("#f-serial")
    type_(page, "5f2c-09aa")
    assert page.input_value("#f-serial") == "5f2c-09aa"
    assert page.locator("[data-key=z]").count() == 0


def test_no_field_takes_more_than_it_may(page: Any):
    draw(page, "form")
    page.evaluate("find('f-subject').value = 'a'.repeat(200)")
    page.tap("#f-subject")
    type_(page, "b")
    assert page.input_value("#f-subject") == "a" * 200


def test_it_does_not_open_for_a_keyboard_or_a_mouse_unless_it_is_wanted_and_goes_when_somebody_types(page: Any):
    draw(page, "form")
    page.focus("#f-subject")
    page.keyboard.type("Ada")
    page.click("#f-subject")
    assert page.is_hidden("#keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == text("desk.keys")
    page.keyboard.press("Enter")
    assert page.is_visible("#keys")
    assert page.get_attribute(".with-keys button", "aria-expanded") == "true"
    page.focus("[data-key=b]")
    page.keyboard.press("Enter")
    assert page.input_value("#f-subject") == "Adab"
    page.focus("[data-key=shift]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.key") == "shift", "who walks over the keys keeps their place"
    page.focus("#f-subject")
    page.keyboard.type("x")
    assert page.is_hidden("#keys")
    assert page.input_value("#f-subject") == "Adabx"


def test_it_goes_with_the_screen_and_never_stands_before_the_operator_s_own_pad(page: Any):
    draw(page, "unlock")
    page.tap("#f-passphrase")
    assert page.is_visible("#keys")
    draw(page, "home")
    assert page.is_hidden("#keys")
    draw(page, "sign-in")
    page.tap("#token")
    assert page.is_hidden("#keys")


def test_it_fits_every_size_in_every_language_and_axe_finds_nothing(page: Any):
    for width, height in ((480, 800), (800, 480), (1024, 600)):
        page.set_viewport_size({"width": width, "height": height})
        for name, field in (("form", "#f-withdrawal"), ("unlock", "#f-passphrase"), ("present", "#f-serial")):
            for language in LANGUAGES if name == "form" else ("en",):
                draw(page, name, language)
                page.tap(field)
                where = f"{name}, {language}, {width}x{height}"
                assert page.evaluate(f"({FLAWS})()") == [], where
                field_box, keys = page.locator(field).bounding_box(), page.locator("#keys").bounding_box()
                assert field_box["y"] + field_box["height"] <= keys["y"], f"{where}: the field is seen above its keys"
                assert keys["y"] + keys["height"] <= height + 1, where
    page.set_viewport_size({"width": 480, "height": 800})
    for language in ("en", "ar"):
        draw(page, "form", language)
        page.tap("#f-subject")
        assert violations(page) == []
