"""The operator's pages in Debian's chromium: every screen, language and size, axe-core, and a whole enrolment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.messages import text
from tests.kiosk.conftest import violations
from tests.kiosk.desk.conftest import RunningDoor
from tests.kiosk.desk.told import TOLD
from tests.kiosk.test_page import LANGUAGES, SIZES

pytestmark = [pytest.mark.kiosk, pytest.mark.timeout(900)]

#: What an operator cannot reach or read: cut off at a side, too small to touch, or a bar that covers what is above it.
FLAWS = """() => {
  const flaws = [], main = find("main"), seen = (node) => node.checkVisibility() && node.getClientRects().length;
  if (root.scrollWidth > innerWidth) flaws.push("wider than the screen");
  if (main.scrollWidth > main.clientWidth + 1) flaws.push("what is in the middle is wider than it");
  const shown = document.querySelector("dialog[open]") ?? document.body;
  for (const node of shown.querySelectorAll("button, a, input, h1, h2, .text, dd, .about, .name, img, .the-card")) {
    if (!seen(node) || node.closest("template") || (shown === document.body && node.closest("dialog"))) continue;
    const box = node.getBoundingClientRect(), name = node.id || node.className || node.tagName;
    if (box.left < -1 || box.right > innerWidth + 1) flaws.push(name + " is cut off at a side");
    const touched = node.matches("button, input:not([type=radio])");
    if (touched && Math.min(box.width, box.height) < 44) flaws.push(name + " is too small to touch");
    if (node.matches("button") && node.scrollWidth > node.clientWidth + 2) flaws.push(name + " overflows");
  }
  const bar = find("bar").getBoundingClientRect();
  if (bar.bottom > innerHeight + 1) flaws.push("the bar is cut off");
  if (main.clientHeight < 150) flaws.push("no room is left in the middle: " + main.clientHeight);
  return flaws;
}"""


#: The page as it is when the process tells this and nothing else.
DRAWN = """([told, route]) => {
  stream?.close();
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  Object.assign(state, { route, told, drawn: "", heard: performance.now() + 1e9 });
  draw();
}"""


@pytest.fixture
def page(chromium: Callable, door: RunningDoor) -> Iterator[Any]:
    """The pages, loaded; whatever the browser complains of, and wherever it asks, is a failure."""
    one = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce", locale="en-GB")
    one.set_default_timeout(60_000)  # a busy machine is no fault of the page
    said, asked = [], []
    one.on("console", lambda message: "status of 4" in message.text or said.append(message.text))
    one.on("pageerror", lambda error: said.append(str(error)))
    one.on("request", lambda request: asked.append(request.url))
    one.goto(door.url)
    one.wait_for_selector("#tongues li", state="attached")
    one.wait_for_selector("html[data-screen=sign-in]")
    yield one
    one.close()
    assert not said
    assert not [url for url in asked if not url.startswith(door.url)], "a request has left the page's own address"


def tell(page: Any, name: str) -> None:
    """Draw a screen from what the process would tell; it tells nothing else meanwhile."""
    told, route = TOLD[name]
    page.evaluate(DRAWN, [told, route])


def without_pictures(page: Any) -> None:
    """The code of a card and the camera's view, in the place of which something else is given."""
    svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'/>"
    page.route("**/code.svg*", lambda route: route.fulfill(body=svg, content_type="image/svg+xml"))
    page.route("**/view?*", lambda route: route.fulfill(body=svg, content_type="image/svg+xml"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_fits_every_size_in_every_language(page: Any, size: tuple[int, int]):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    without_pictures(page)
    for name in TOLD:
        for language in LANGUAGES:
            tell(page, name)
            flaws = page.evaluate(f"(tag) => {{ speak(tag); return ({FLAWS})(); }}", language)
            assert flaws == [], f"{name}, {language}"


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(tag, marks=pytest.mark.slow) for tag in LANGUAGES if tag != "en")]
)
def test_axe_finds_nothing_on_any_screen(page: Any, language: str):
    without_pictures(page)
    told = []
    for name in TOLD:
        tell(page, name)
        page.evaluate("(tag) => speak(tag)", language)
        told += [f"{name}: {one}" for one in violations(page)]
    assert told == [], "\n\n".join(told)


def screen(page: Any, name: str) -> None:
    page.wait_for_selector(f"html[data-screen={name}]")


def sign_in(page: Any, door: RunningDoor) -> None:
    page.fill("#token", door.token)
    page.keyboard.press("Enter")
    screen(page, "home")


def test_from_the_token_to_the_card_with_a_reload_on_the_way(page: Any, door: RunningDoor):
    page.fill("#token", "1234 1234 1234 1234")
    page.keyboard.press("Enter")
    page.wait_for_function("(said) => find('hint').textContent === said", arg=text("desk.sign_in.wrong"))
    sign_in(page, door)
    page.click("[data-tile=enrol]")
    screen(page, "unlock")
    page.fill("input[name=passphrase]", door.passphrase)
    page.keyboard.press("Enter")
    screen(page, "form")
    assert page.input_value("input[name=subject]") == ""
    page.fill("input[name=subject]", "Ada Example")
    page.fill("input[name=withdrawal]", "privacy@example.org")
    page.check("#l-de", force=True)
    page.keyboard.press("Enter")
    screen(page, "consent")
    assert page.inner_text(".letter h1") == text("desk.consent.title", "de"), "in the language of the person"
    assert page.get_attribute(".letter", "lang") == "de"
    page.click("#bar .pair button:first-child")
    screen(page, "declined")
    page.click("#bar button:first-child")
    page.click("[data-tile=enrol]")
    screen(page, "form")
    assert page.input_value("input[name=withdrawal]") in ("", "privacy@example.org")
    page.fill("input[name=subject]", "Ada Example")
    page.fill("input[name=withdrawal]", "privacy@example.org")
    page.keyboard.press("Enter")
    screen(page, "consent")
    page.click("#bar .pair button:last-child")
    page.reload()
    screen(page, "hand")
    page.reload()
    screen(page, "hand")
    page.wait_for_selector("#handed:not([disabled])")
    assert page.evaluate("document.querySelector('.the-card .code').naturalWidth") > 0
    assert "EV1:" not in page.content()
    page.click("#handed")
    screen(page, "made")
    assert door.journal()[-1]["kind"] == "enrolled"
    page.click("#bar button")
    screen(page, "home")
    page.click("#out")
    screen(page, "sign-in")
    assert page.evaluate("document.cookie") == "", "no script sees the cookie"


def test_a_sitting_that_ends_takes_everything_off_the_screen(page: Any, door: RunningDoor):
    sign_in(page, door)
    page.click("[data-tile=decisions]")
    screen(page, "decisions")
    page.context.clear_cookies()
    page.reload()
    screen(page, "sign-in")
    assert page.locator(".rows").count() == 0


def test_the_keyboard_alone_signs_in_and_reads_the_journal(page: Any, door: RunningDoor):
    page.focus("#token")
    page.keyboard.type(door.token)
    page.keyboard.press("Enter")
    screen(page, "home")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.tile ?? document.activeElement.id"))
    assert {"enrol", "card", "decisions", "health", "selftest", "view"} <= set(reached)
    page.focus("[data-tile=decisions]")
    page.keyboard.press("Enter")
    screen(page, "decisions")
    assert page.evaluate("document.activeElement.tagName") == "H1", "a screen reader is told the new screen"
    page.click("#out")
    screen(page, "sign-in")


def test_the_keypad_is_enough(page: Any, door: RunningDoor):
    for digit in door.token.replace(" ", ""):
        page.click(f".key:text-is('{digit}')")
    page.click(".key.main")
    screen(page, "home")
    assert page.locator("[data-tile]").count() >= 6, "and everything that an operator does is one touch away"
    page.click("#out")
    screen(page, "sign-in")


def test_the_door_s_page_leads_here_from_a_quiet_corner(chromium: Callable, door: RunningDoor):
    page = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{door.people}/")
    page.wait_for_selector("#operators:not([hidden])")
    assert page.get_attribute("#operators", "aria-label") == text("desk.kiosk")
    page.click("#operators")
    page.wait_for_selector("html[data-screen=sign-in]")
    page.click("#bar button")
    page.wait_for_selector("html[data-screen=idle]")
    page.close()


def test_nothing_moves_for_whoever_does_not_want_it(page: Any):
    for name in TOLD:
        tell(page, name)
        assert page.evaluate("document.getAnimations().length") == 0, name


def test_what_is_told_is_json_as_the_process_tells_it():
    assert json.loads(json.dumps(TOLD))
