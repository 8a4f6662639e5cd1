"""The operator's pages over HTTP, on a door that runs: who is let in, what is refused, what is kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import KioskError
from edge.kiosk.desk.pages import FILES
from edge.messages import text
from edge.service.staff_process import operator_pages
from edge.settings.model import DeviceSettings, KioskSettings, Settings
from tests.kiosk.conftest import free_port
from tests.kiosk.desk.conftest import Browser, RunningDoor

pytestmark = [pytest.mark.timeout(600)]
CONSENT = {"subject": "Ada Example", "withdrawal": "privacy@example.org", "language": "fr", "agreed": True}
CHANGES = ["/do", "/cancel", "/answer", "/stay", "/unlock", "/sign-out"]


def enrolled(browser: Browser) -> dict:
    """Ada, in front of the door's camera; what the page is told at the end."""
    now = browser.do("enrol", "hand_over", "failed", **CONSENT)
    assert now["stage"] == "hand_over", now
    assert browser.ask("/code.svg")[0] == 200
    assert browser.ask("/answer", {"handed": True})[0] == 200
    return browser.until("done", "failed")


# -- who is let in


def test_without_a_sitting_there_are_the_page_s_files_and_nothing_else(door: RunningDoor):
    browser = Browser(door)
    for path in (*FILES, "/page.json"):
        assert browser.ask(path)[0] == 200
        policy = browser.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert browser.headers["cache-control"] == "no-store"
    assert browser.ask("/consent.json")[0] == browser.ask("/view")[0] == 401
    assert browser.ask("/code.svg")[0] == 404
    assert browser.state() == {"sitting": None, "wait_s": 0, "taken": False}
    before = door.sittings()
    for path in CHANGES:
        assert browser.ask(path, {"act": "health"})[0] == 401, path
    assert door.sittings() == before


def test_a_token_opens_a_sitting_that_only_this_browser_has(browser: Browser, door: RunningDoor):
    browser.sign_in()
    status, _ = browser.ask("/sign-in", {"token": door.token})
    cookie = browser.headers["set-cookie"].lower()
    assert status == 200
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    other = Browser(door)
    assert other.state() == {"sitting": None, "wait_s": 0, "taken": True}
    assert other.ask("/do", {"act": "health"})[0] == 401
    assert door.sittings()[-3:] == ["opened", "closed", "opened"], "the same person took it over"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
        {"X_Edge_Page": ""},
        {"X_Edge_Page": "guessed"},
    ],
)
def test_another_page_changes_nothing_though_it_has_the_cookie(browser: Browser, headers: dict[str, str]):
    browser.sign_in()
    before = browser.state()["now"]
    for path in CHANGES:
        assert browser.ask(path, {"act": "health"}, **headers)[0] in (401, 421), path
    assert browser.state()["now"] == before
    assert browser.state()["sitting"], "and nobody was signed out"


def test_a_link_on_the_people_s_page_leads_here_and_may_ask_nothing_else(door: RunningDoor):
    browser = Browser(door)
    walk = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"}
    assert browser.ask("/", **walk)[0] == 200
    assert browser.ask("/page.json", **walk)[0] == 421
    assert browser.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 421
    assert browser.ask("/", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="no-cors")[0] == 421


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"{" * 9000, b'{"a":"' + b"x" * 20_000 + b'"}', b"null"])
def test_nonsense_is_refused(browser: Browser, body: bytes):
    browser.sign_in()
    assert browser.ask("/do", body)[0] == 400
    assert browser.ask("/do", {"act": "health", "said": "abc"})[0] == 400
    assert browser.do("no such act")["stage"] == "failed"
    browser.put_away()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_other_method_is_taken(browser: Browser, method: str):
    browser.sign_in()
    assert browser.ask("/do", {"act": "health"}, method=method)[0] == 405


def test_wrong_tokens_wait_longer_and_longer_and_a_restart_does_not_help(fresh_door: RunningDoor):
    browser = Browser(fresh_door)
    for _ in range(2):
        assert browser.ask("/sign-in", {"token": "0000 0000 0000 0000"}) == (403, {"wait_s": 0})
    status, said = browser.ask("/sign-in", {"token": "0000"})
    assert status == 403
    assert 20 <= said["wait_s"] <= 30
    status, said = browser.ask("/sign-in", {"token": fresh_door.token})
    assert status == 429, "the right one has to wait, too"
    assert 0 < said["wait_s"] <= 30
    assert (fresh_door.folder / "state" / "operators.tries").read_text() == "3\n"
    for process in children(fresh_door, b"edge.service.staff"):
        os.kill(process, signal.SIGKILL)
    wait_until_served(browser)
    assert browser.state()["wait_s"] > 15, "it begins anew"
    assert fresh_door.sittings() == ["refused"]
    assert [entry["failures"] for entry in fresh_door.journal() if entry["kind"] == "sitting"] == [3]


def test_before_an_operator_has_a_token_none_is_wrong(fresh_door: RunningDoor):
    from edge.trust import operators

    browser, state = Browser(fresh_door), fresh_door.folder / "state"
    operators.remove(state, "kim")
    for _ in range(5):
        status, said = browser.ask("/sign-in", {"token": "0000"})
        assert (status, said["what"]) == (503, "no operator has a token")
    assert (state / "operators.tries").read_text() == "0\n"
    assert browser.ask("/sign-in", {"token": operators.add(state, "sam", random_bytes=os.urandom)})[0] == 200


def test_one_operator_at_a_time_and_a_removed_token_opens_nothing(browser: Browser, door: RunningDoor):
    from edge.trust import operators

    state = door.folder / "state"
    other = operators.add(state, "sam", random_bytes=os.urandom)
    browser.sign_in()
    second = Browser(door)
    assert second.ask("/sign-in", {"token": other})[0] == 409
    browser.ask("/sign-out", {})
    assert second.ask("/sign-in", {"token": other})[0] == 200
    assert second.state()["sitting"]["operator"] == "sam"
    assert second.ask("/sign-out", {})[0] == 200
    operators.remove(state, "sam")
    assert second.ask("/sign-in", {"token": other})[0] == 403


# -- what is done


def test_a_person_is_enrolled_and_nothing_is_kept_before_the_card_is_theirs(browser: Browser, door: RunningDoor):
    browser.sign_in()
    assert browser.state()["about"]["issuer"] == "closed"
    assert browser.do("enrol", **CONSENT)["what"] == "the issuer's key is not open"
    browser.put_away()
    browser.unlock()
    assert browser.state()["about"]["issuer"] == "open"
    texts = browser.ask("/consent.json")[1]
    assert set(texts) == {"en", "fr", "de", "es", "ar"}
    assert "128" in texts["fr"][0]
    now = browser.do("enrol", "hand_over", "failed", **CONSENT)
    assert now["card"]["language"] == "fr"
    assert "EV1:" not in str(now)
    assert "code" not in now["card"]
    assert not [entry for entry in door.journal() if entry["kind"] == "enrolled"]
    assert browser.ask("/answer", {"handed": True})[0] == 200
    assert browser.state()["now"]["stage"] == "hand_over", "no page has shown the code yet"
    assert Browser(door).ask("/code.svg")[0] == 404, "another browser is not given it"
    status, code = browser.ask("/code.svg")
    assert (status, code[:4]) == (200, b"<svg")
    assert browser.ask("/answer", {"handed": True})[0] == 200
    done = browser.until("done", "failed")
    assert door.journal()[-1]["kind"] == "enrolled"
    assert door.journal()[-1]["operator"] == "kim"
    assert done["answer"]["serial"].replace("-", "") == door.journal()[-1]["serial"]
    assert browser.ask("/code.svg")[0] == 404, "it is shown once"
    browser.put_away()


@pytest.mark.parametrize("way", ["no", "cancel", "sign out", "killed"])
def test_nobody_is_enrolled_whose_card_was_not_handed_over(browser: Browser, door: RunningDoor, way: str):
    browser.sign_in().unlock()
    before = browser.do("health")["answer"]["cards"], enrolments(door)
    browser.put_away()
    browser.do("enrol", "hand_over", **CONSENT)
    browser.ask("/code.svg")
    match way:
        case "no":
            browser.ask("/answer", {"handed": False})
            assert browser.until("failed")["what"].startswith("the card was not handed over")
        case "cancel":
            browser.put_away()
            assert browser.state()["now"] == {}
        case "sign out":
            browser.ask("/sign-out", {})
        case "killed":
            for process in children(door, b"edge.service.staff"):
                os.kill(process, signal.SIGKILL)
            wait_until_served(browser)
    again = Browser(door).sign_in()
    assert "cards" in again.do("health")["answer"], "the door goes on"
    assert (again.state()["now"]["answer"]["cards"], enrolments(door)) == before
    again.ask("/sign-out", {})


def enrolments(door: RunningDoor) -> int:
    return [entry["kind"] for entry in door.journal()].count("enrolled")


@pytest.mark.parametrize("wrong", [{"agreed": False}, {"agreed": "yes"}, {"subject": ""}, {"withdrawal": " "}])
def test_without_consent_no_frame_is_looked_at(browser: Browser, wrong: dict):
    browser.sign_in().unlock()
    now = browser.do("enrol", **(CONSENT | wrong))
    assert now["stage"] == "failed"
    assert "have" not in now, "no capture has begun"
    browser.put_away()


def test_a_card_in_hand_is_reissued_reset_revoked_and_erased(browser: Browser, door: RunningDoor):
    browser.sign_in().unlock()
    serial = enrolled(browser)["answer"]["serial"]
    browser.put_away()
    assert browser.do("take", serial="not a serial")["stage"] == "failed"
    browser.put_away()
    assert browser.do("take", serial=serial)["stage"] == "done"
    browser.put_away()
    assert browser.state()["about"]["card"] == {"serial": serial}
    assert browser.do("reissue")["what"] == "there is no card in hand", "a serial alone is no card"
    browser.put_away()
    for act in ("reset", "revoke", "erase"):
        now = browser.do(act, language="en")
        assert now["stage"] == "done", act
        browser.put_away()
    receipt = now["answer"]
    assert (receipt["serial"], receipt["language"]) == (serial, "fr"), "in the language of the person's consent"
    assert receipt["paper"]["title"] == text("erasure.title", "fr")
    assert browser.state()["about"]["card"] is None
    kinds = [entry["kind"] for entry in door.journal() if entry.get("serial") == serial.replace("-", "")]
    assert kinds == ["enrolled", "reset", "revoked", "erased"]


def test_a_card_without_a_face_needs_no_camera(browser: Browser, door: RunningDoor):
    browser.sign_in().unlock()
    now = browser.do("opt_out", "hand_over", "failed", language="ar")
    assert now["stage"] == "hand_over"
    browser.ask("/code.svg")
    browser.ask("/answer", {"handed": True})
    browser.until("done")
    assert door.journal()[-1]["kind"] == "opted_out"
    browser.put_away()


def presented(browser: Browser, door: RunningDoor) -> dict:
    """A card of ada's, made elsewhere and held to the reader; what the page is told then."""
    from edge.cli import main

    card, consent = door.folder / "ada.token", door.folder / "consent.yaml"
    enrol = ["enrol", "--operator", "kim", "--consent", str(consent), "--card", str(card)]
    card.unlink(missing_ok=True)
    assert main([*enrol, "--config", str(door.folder / "device.yaml")]) == 0
    browser.sign_in().unlock()
    assert browser.ask("/do", {"act": "card"})[0] == 200
    browser.until("running")
    time.sleep(0.5)
    door.present(card.read_text().strip())
    assert browser.until("done", "failed")["stage"] == "done"
    told = browser.state()
    browser.put_away()
    return told


def test_a_presented_card_is_taken_in_hand_and_its_text_stays_here(browser: Browser, door: RunningDoor):
    told = presented(browser, door)
    assert (told["about"]["card"]["custody"], told["about"]["card"]["status"]) == ("card", "active")
    assert "EV1:" not in str(told)
    now = browser.do("add_reference")
    assert now["what"].startswith("2 references do not fit this card"), "told, and the card stays in hand"
    browser.put_away()
    assert browser.do("reissue", "hand_over", "failed")["stage"] == "hand_over"
    browser.ask("/code.svg")
    browser.ask("/answer", {"handed": True})
    assert browser.until("done", "failed")["stage"] == "done"
    assert door.journal()[-1]["kind"] == "reissued"
    browser.put_away()


def test_a_further_reference_is_added_to_a_card_in_hand(keeping_door: RunningDoor):
    browser = Browser(keeping_door)
    presented(browser, keeping_door)
    now = browser.do("add_reference")
    assert (now["stage"], now["have"]) == ("done", now["want"]), now
    assert keeping_door.journal()[-1]["kind"] == "reference_added"


def test_a_pin_is_drawn_for_a_card_in_hand_shown_once_and_opens_like_it(pin_door: RunningDoor):
    browser = Browser(pin_door)
    serial = presented(browser, pin_door)["about"]["card"]["serial"]
    drawn = browser.do("draw_pin")["answer"]
    assert (drawn["serial"], len(drawn["pin"])) == (serial, 8)
    browser.put_away()
    assert drawn["pin"] not in str(browser.state()), "once"
    pin_door.present(drawn["pin"])
    until = time.monotonic() + 120
    while time.monotonic() < until:
        entries = pin_door.journal()
        since = [entry["kind"] for entry in entries].index("pin_drawn")
        if "decision" in [entry["kind"] for entry in entries[since:]]:
            break
        time.sleep(0.1)
    drew, told, decided = entries[since : since + 3]
    assert (drew["operator"], told["kind"], decided["outcome"]) == ("kim", "pin_alone", "accept")
    assert drew["serial"] == told["serial"] == decided["serial"] == serial.replace("-", "")
    assert drawn["pin"] not in str(pin_door.journal())


def test_at_a_door_without_it_no_pin_is_drawn(browser: Browser, door: RunningDoor):
    presented(browser, door)
    now = browser.do("draw_pin")
    assert (now["stage"], now["what"]) == ("failed", "at this door no PIN stands for a card")
    browser.put_away()


def test_the_camera_is_looked_through_in_a_journalled_sitting_and_no_longer(browser: Browser, door: RunningDoor):
    browser.sign_in()
    now = browser.do("view", "view")
    until = time.monotonic() + 30
    while now.get("face") is None and time.monotonic() < until:
        now = browser.until("view")
    assert 0 < now["focus"] <= 1
    assert 0 < now["exposure"] < 1
    assert 0 < now["distance"] < 1
    assert (now["size"], door.sittings()[-1]) == ([640, 480], "camera")
    browser.put_away()
    until = time.monotonic() + 30  # the door notices with its next frame
    while door.sittings()[-1] != "camera_closed" and time.monotonic() < until:
        time.sleep(0.05)
    assert door.sittings()[-1] == "camera_closed"
    assert browser.ask("/view")[1] == b"", "nothing of it is kept"


def test_health_decisions_and_selftest_name_nobody(browser: Browser, door: RunningDoor):
    browser.sign_in()
    door.present("EV1:NONSENSE")
    until = time.monotonic() + 30
    while "decision" not in [entry["kind"] for entry in door.journal()] and time.monotonic() < until:
        time.sleep(0.05)
    health = browser.do("health")["answer"]
    assert (health["camera"], health["door"], health["confirmed"]) == ("fictional", "log", True)
    browser.put_away()
    decisions = browser.do("decisions")["answer"]["decisions"]
    assert set(decisions[0]) == {"at", "outcome", "reason", "serial", "looks"}
    browser.put_away()
    report = browser.do("selftest")["answer"]
    assert len(report["checks"]) > 20
    assert door.journal()[-1]["kind"] == "selftest"
    browser.put_away()
    assert "Ada" not in str([health, decisions, report])


# -- what is left


def test_wrong_passphrases_end_the_sitting(browser: Browser):
    browser.sign_in()
    for _ in range(5):
        assert browser.ask("/unlock", {"passphrase": "not this one"})[0] == 403
    assert browser.state()["sitting"] is None
    browser.cookie = ""


def test_the_issuer_s_key_is_open_for_one_sitting(browser: Browser, door: RunningDoor):
    browser.sign_in().unlock()
    assert len(children(door, b"edge.vault.signing")) == 1
    browser.ask("/sign-out", {})
    until = time.monotonic() + 20
    while children(door, b"edge.vault.signing") and time.monotonic() < until:
        time.sleep(0.05)
    assert not children(door, b"edge.vault.signing")
    browser.sign_in()
    assert browser.state()["about"]["issuer"] == "closed"


def test_the_pages_process_holds_no_camera_store_or_model(door: RunningDoor):
    (process,) = children(door, b"edge.service.staff")
    mapped = Path(f"/proc/{process}/maps").read_text()
    assert "cv2" not in mapped
    assert "tflite" not in mapped
    assert "litert" not in mapped


def test_each_fall_of_the_pages_process_is_told_and_that_it_lived_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("edge.service.staff_process._LIVED_S", 2.0)
    device = DeviceSettings(name="front-door", state_dir=tmp_path, trust_dir=tmp_path)
    kiosk = KioskSettings(port=free_port(), operator_port=free_port(), house="Hotel Meridian")
    told: list[KioskError | int] = []
    others = set(below(os.getpid(), b"edge.service.staff"))

    def mine() -> set[int]:
        return set(below(os.getpid(), b"edge.service.staff")) - others

    with operator_pages(Settings(device=device, kiosk=kiosk, alternative="Ring."), told.append, recovered=told.append):
        for number in (1, 2):
            until_true(mine)
            os.kill(mine().pop(), signal.SIGKILL)
            until_true(lambda count=2 * number: len(told) == count)
    assert [type(one) for one in told] == [KioskError, int, KioskError, int]
    assert told[1] == told[3] == 1, "fell once"


def until_true(holds: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def children(door: RunningDoor, module: bytes) -> list[int]:
    """The processes of a module below a door's."""
    return below(door.process.pid, module)


def below(process: int, module: bytes) -> list[int]:
    """The processes of a module below another."""
    found, inside = [], {process}
    for entry in sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
        try:
            parent = int(Path(f"/proc/{entry}/stat").read_text().rsplit(") ")[-1].split()[1])
            command = Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:
            continue
        if parent in inside:
            inside.add(entry)
            found += [entry] if module in command.split(b"\0") else []
    return found


def wait_until_served(browser: Browser) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if browser.ask("/page.json")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the pages are not served again")
