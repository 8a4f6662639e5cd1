"""The page in Debian's chromium: every screen, language and size, with words, targets, sounds, keys and axe-core."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest

from edge.kiosk import Kiosk, Screen
from edge.messages import text
from edge.types import Reason
from tests.kiosk.conftest import ALTERNATIVE, show, violations

pytestmark = [pytest.mark.kiosk, pytest.mark.timeout(600)]
#: Upright and across; a larger one and a telephone's with the slow tests.
SIZES = [(480, 800), (800, 480), *(pytest.param(size, marks=pytest.mark.slow) for size in ((1024, 600), (390, 844)))]
LANGUAGES = ("en", "fr", "de", "es", "ar")
HELD = {"rest": "idle", "hold_s": 600.0}
SCREENS = {
    "starting": Screen("starting"),
    "idle": Screen("idle", rest="idle"),
    "reading": Screen("reading", rest="idle"),
    "pin": Screen("pin", **HELD),
    "look": Screen("look", rest="idle", advice=("uncover_face", "more_light"), deadline_s=8, of=3),
    "challenge": Screen("challenge", direction="right", done=1, of=3, deadline_s=600),
    "flash": Screen("flash", colour=(0, 90, 255), of=3),
    "welcome": Screen("welcome", **HELD),
    "not_verified": Screen("not_verified", **HELD),
    "again": Screen("again", advice=("uncover_face", "more_light"), reason="quality", **HELD),
    "refused": Screen("refused", reason="model_mismatch", **HELD),
    "other": Screen("other", **HELD),
    "wait": Screen("wait", reason="locked_out", wait_s=599, **HELD),
    "fault": Screen("fault", rest="fault"),
    "enrol": Screen("enrol", done=2, of=5, advice=("hold_still",), **HELD),
    "enrolled": Screen("enrolled", **HELD),
}

#: What a person cannot reach or read: cut off, too small to touch, or written over something else.
FLAWS = """() => {
  const flaws = [], seen = (node) => node.checkVisibility() && node.getClientRects().length;
  if (document.documentElement.scrollWidth > innerWidth) flaws.push("wider than the screen");
  if (document.body.scrollHeight > innerHeight + 1) flaws.push("higher than the screen");
  const shown = document.querySelector("dialog[open]") ?? document.body;
  const what = "button, h1, h2, #text, #house, #alternative, #notice, #scan, .picture > *, #code";
  const boxes = [...shown.querySelectorAll(what)]
    .filter((node) => seen(node) && (node.tagName !== "P" || node.textContent))
    .filter((node) => shown !== document.body || !node.closest("dialog"));
  for (const node of boxes) {
    const box = node.getBoundingClientRect(), name = node.id || node.tagName + "." + node.getAttribute("class");
    if (box.left < -1 || box.right > innerWidth + 1) flaws.push(name + " is cut off at a side");
    if (box.top < -1 || box.bottom > innerHeight + 1) flaws.push(name + " is cut off");
    if (node.tagName === "BUTTON" && Math.min(box.width, box.height) < 44) flaws.push(name + " is too small to touch");
    if (node.scrollWidth > node.clientWidth + 2 && node.clientWidth) flaws.push(name + " overflows");
    for (const other of boxes) {
      const there = other.getBoundingClientRect();
      if (other === node || node.contains(other) || other.contains(node)) continue;
      const across = box.left + 1 < there.right && there.left + 1 < box.right;
      if (across && box.top + 1 < there.bottom && there.top + 1 < box.bottom)
        flaws.push(name + " lies on " + (other.id || other.tagName));
    }
  }
  return flaws;
}"""


@pytest.fixture
def page(chromium, kiosk: Kiosk):
    """The page, loaded; whatever the browser complains of, and wherever it asks, is a failure."""
    one = chromium(viewport={"width": 480, "height": 800}, reduced_motion="reduce")
    one.set_default_timeout(120_000)  # a busy machine is no fault of the page
    said: list[str] = []
    one.on("console", lambda message: "net::ERR_" in message.text or said.append(message.text))
    one.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    one.on("request", lambda request: asked.append(request.url))
    show(kiosk, Screen("idle", time.monotonic_ns(), "idle"))
    one.goto(kiosk.url)
    one.wait_for_selector("#tongues li", state="attached")
    one.wait_for_selector("html[data-screen=idle]")
    yield one
    one.close()
    assert not said
    assert not [url for url in asked if not url.startswith(kiosk.url)], "a request has left the page's own address"


def draw(page, kiosk: Kiosk, name: str) -> None:
    show(kiosk, replace(SCREENS[name], at_ns=time.monotonic_ns()))
    page.wait_for_selector(f"html[data-screen={name}]")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_fits_every_size_in_every_language_with_the_other_way_one_touch_away(page, kiosk, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name in SCREENS:
        draw(page, kiosk, name)
        for language in LANGUAGES:
            assert page.evaluate(f"(tag) => {{ speak(tag); return ({FLAWS})(); }}", language) == [], (
                f"{name}, {language}"
            )
            assert page.inner_text("h1") == text(f"kiosk.{name}.{SCREENS[name].direction or 'title'}", language)
        page.click("#other")
        assert page.inner_text("#alternative") == ALTERNATIVE
        page.keyboard.press("Escape")
        page.click("#language")
        page.click("#tongues .other")
        assert page.inner_text("#alternative") == ALTERNATIVE, "from the sheet of languages, too"
        assert not page.is_visible("#tongues")
        page.keyboard.press("Escape")
    for language in LANGUAGES:
        page.evaluate("(tag) => { speak(tag); open(find('tongues')); }", language)
        assert page.evaluate(FLAWS) == [], f"languages, {language}, {size}"
        page.keyboard.press("Escape")
        page.evaluate("(tag) => speak(tag)", language)
        page.click("#privacy")
        assert page.inner_text("#notice") == text("kiosk.privacy.text", language, days=90)
        assert page.evaluate("document.getElementById('code').decode().then(() => true)")
        assert page.evaluate(FLAWS) == [], f"{language}, {size}"
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(tag, marks=pytest.mark.slow) for tag in LANGUAGES if tag != "en")]
)
def test_axe_finds_nothing_on_any_screen_or_sheet(page, kiosk, language):
    page.evaluate("(tag) => speak(tag)", language)
    for name in SCREENS:
        draw(page, kiosk, name)
        assert violations(page) == [], name
    for opener, sheet in (("#other", "#help"), ("#language", "#tongues")):
        page.click(opener)
        assert violations(page) == [], sheet
        page.click(f"{sheet} .close")


def test_the_keyboard_alone_is_enough(page, kiosk):
    draw(page, kiosk, "refused")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["sound", "language", "other", "privacy"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "other"


def test_a_language_is_chosen_by_its_own_name_for_one_visit(page, kiosk):
    page.click("#language")
    assert page.locator("#tongues li button").all_inner_texts() == [
        "English",
        "français",
        "Deutsch",
        "español",
        "العربية",
    ]
    page.click("#tongues li button[lang=ar]")
    assert page.inner_text("h1") == text("kiosk.idle.title", "ar")
    page.evaluate("state.touched -= VISIT_MS; draw()")
    assert page.inner_text("h1") == text("kiosk.idle.title", "en")


def test_a_screen_reader_is_told_each_change_once(page, kiosk):
    live = page.locator(".words")
    assert live.get_attribute("aria-live") == "assertive"
    page.evaluate(
        "window.told = 0; new MutationObserver((all) => { told += all.length; })"
        ".observe(document.querySelector('.words'), {childList: true, characterData: true, subtree: true})"
    )
    draw(page, kiosk, "wait")
    first = page.evaluate("told")
    assert first >= 1
    page.wait_for_timeout(1500)  # the clock goes on, outside of what is read aloud
    assert page.evaluate("told") == first


def test_nothing_moves_for_whoever_does_not_want_it(page, kiosk):
    for name in SCREENS:
        draw(page, kiosk, name)
        assert page.evaluate("document.getAnimations().length") == 0, name


@pytest.mark.parametrize("direction", ["left", "right", "up", "down", "ahead", "done"])
def test_a_step_is_an_arrow_with_words_in_either_direction_of_writing(page, kiosk, direction):
    step = Screen("challenge", time.monotonic_ns(), direction=direction, done=1, of=3, deadline_s=600)
    for language in ("en", "ar"):
        page.evaluate("(tag) => speak(tag)", language)
        show(kiosk, step)
        page.wait_for_selector(f"html[data-screen=challenge][data-direction={direction}]")
        assert page.inner_text("h1") == text(f"kiosk.challenge.{direction}", language)
        assert page.locator(".arrow").is_visible() == (direction not in ("ahead", "done"))
        turned = page.evaluate("new DOMMatrix(getComputedStyle(document.querySelector('.arrow')).transform).a")
        assert (turned == -1) == (direction == "left"), "left is left, also where one writes from the right"
        assert page.locator("#steps li.done").count() == 1


def test_a_colour_fills_the_screen_and_ends_with_it(page, kiosk):
    show(kiosk, Screen("flash", time.monotonic_ns(), "idle", colour=(0, 90, 255), of=3))
    page.wait_for_selector("html[data-screen=flash]")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(0, 90, 255)"
    draw(page, kiosk, "look")
    assert page.evaluate(ground) != "rgb(0, 90, 255)"


def test_sounds_say_when_and_are_silent_when_switched_off(page, kiosk):
    page.evaluate(
        "window.played = 0; const old = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (at) { played += 1; return old.call(this, at); }; 0"
    )
    draw(page, kiosk, "look")
    assert page.evaluate("played") == 1
    page.click("#sound")
    assert page.get_attribute("#sound", "aria-pressed") == "false"
    draw(page, kiosk, "welcome")
    assert page.evaluate("played") == 1


def test_a_wait_is_counted_down_and_ends(page, kiosk):
    show(kiosk, Screen("wait", time.monotonic_ns() - 60_000_000_000, "idle", 600.0, reason="locked_out", wait_s=600))
    page.wait_for_selector("html[data-screen=wait]")
    minutes, seconds = page.inner_text(".clock").split(":")
    assert 60 < 60 * int(minutes) + int(seconds) <= 540
    page.evaluate("state.since -= 600_000; draw()")
    assert page.get_attribute("html", "data-screen") == "idle"


def test_ten_reloads_in_mid_session_show_the_same_session(page, kiosk):
    show(kiosk, Screen("look", time.monotonic_ns(), "idle", deadline_s=600, of=3, done=1))
    for _ in range(10):
        page.reload()
        page.wait_for_selector("html[data-screen=look]")
    share = float(page.evaluate("document.documentElement.style.getPropertyValue('--share')"))
    assert 0 < share < 0.5


def test_a_device_that_says_nothing_is_told_and_the_page_finds_it_again(page, kiosk):
    """Stopped, since one that is killed is there again before the page has missed it."""
    kiosk._process.send_signal(signal.SIGSTOP)
    page.wait_for_selector("html[data-screen=fault]")
    page.click("#other")
    assert page.inner_text("#alternative") == ALTERNATIVE
    page.keyboard.press("Escape")
    kiosk._process.send_signal(signal.SIGCONT)
    page.wait_for_selector("html[data-screen=idle]")


def test_a_refusal_says_why_in_the_language_of_the_person(page, kiosk):
    page.evaluate("speak('fr')")
    for reason in set(Reason) - {Reason.MATCHING, Reason.NOT_MATCHING}:
        show(kiosk, Screen("refused", time.monotonic_ns(), reason=reason.value, **HELD))
        said = text(f"reason.{reason}", "fr")[1:]
        page.wait_for_function("(said) => document.getElementById('text').textContent.includes(said)", arg=said)
        assert said in str(page.text_content("#text"))
