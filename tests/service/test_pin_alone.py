"""A door at which a PIN stands for the card: one claim of one person, said wherever it appears, and off by default."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest

from edge.build.contents import contents
from edge.claim.checks import checks
from edge.claim.keyboard import KeyboardReader
from edge.claim.qr import QrReader
from edge.errors import LockedOut, NotInThisBuild, PolicyStops, SettingsError, StateError, Unfit, UsageError
from edge.fictional import OnePerson
from edge.kiosk import Kiosk, page_of
from edge.notify import Terminal
from edge.service import Device, Loop, Operator
from edge.service.declared import need_as_declared
from edge.service.doctor import look
from edge.service.rights import about, claim_of
from edge.service.under_pin import opened
from edge.settings import load_settings, warnings
from edge.settings.model import ClaimSettings, Settings, VaultSettings
from edge.testing import FakeDoor, site
from edge.types import Frame, Outcome, Reason
from edge.types import events as ev
from tests.claim.test_hostile_readers import sheet
from tests.claim.test_scanners import keys
from tests.kiosk.conftest import serving
from tests.kiosk.conftest import settings as page_settings
from tests.kiosk.test_pin_pad import post

ROOT = Path(__file__).resolve().parents[2]
REASON = "Surgeons have no pockets."
ALONE = ClaimSettings(pin="alone", pin_reason=REASON)
STREAMS = "claim: {pin: alone, pin_reason: Surgeons have no pockets.}\nvault: {custody: device}\n"


@pytest.fixture
def here(tmp_path: Path):
    with site(tmp_path, claim=ALONE, vault=VaultSettings(custody="device")) as one:
        one.device._clock.confirm("test")
        yield one


def entries(here) -> list[tuple[str, dict]]:
    return [(entry.kind, dict(entry.fields)) for entry in here.device._ledger.journal.last(50)]


def test_a_pin_is_one_claim_of_one_person_and_each_use_is_told(here):
    token, operator = here.enrol("ada"), Operator(here.device, "kim")
    drawn = operator.do("draw_pin", token=token)
    pin, serial = drawn["pin"], drawn["serial"].replace("-", "")
    decision = here.device.verify(pin)
    assert (decision.outcome, decision.serial) == (Outcome.ACCEPT, serial)
    kinds = [kind for kind, _ in entries(here)]
    assert kinds[-2:] == ["pin_alone", "decision"]
    assert dict(entries(here))["pin_drawn"] == {"serial": serial, "operator": "kim"}
    told = [event for event in here.events if isinstance(event, ev.ClaimUnderPin)]
    assert [event.serial for event in told] == [serial]
    assert here.device.verify(token).outcome is Outcome.ACCEPT, "the card itself is one still"
    assert [kind for kind, _ in entries(here)].count("pin_alone") == 1, "and is told as a card"
    here.script = (OnePerson("chen", 600.0),)
    stranger = here.device.verify(pin)
    assert (stranger.outcome, stranger.reason, stranger.serial) == (Outcome.REJECT, Reason.NOT_MATCHING, serial)
    said = repr(entries(here)) + json.dumps([event.as_json() for event in here.events])
    assert pin not in said
    assert token not in said


def test_a_wrong_pin_looks_at_nobody_and_one_of_a_revoked_card_is_as_wrong(here):
    token, operator = here.enrol("ada"), Operator(here.device, "kim")
    drawn = operator.draw_pin(token)
    operator.revoke(drawn["serial"])
    answers = [here.device.decide(pin, lambda: pytest.fail("a camera")) for pin in (drawn["pin"], "20406081")]
    assert {(one.outcome, one.reason, one.serial, one.looks) for one in answers} == {
        (Outcome.REJECT, Reason.PIN_WRONG, "", 0)
    }
    for number in range(8):
        here.device.decide(f"2040607{number}", lambda: pytest.fail("a camera"))
    waits = here.device.decide("20406099", lambda: pytest.fail("a camera"))
    assert waits.reason is Reason.LOCKED_OUT
    assert waits.wait_s > 0, "and the person is told for how long"


def test_where_nobody_asked_for_it_digits_are_no_claim_and_none_is_drawn(tmp_path: Path):
    with site(tmp_path) as one:
        token = one.enrol("ada")
        assert one.device.decide("40291672", lambda: pytest.fail("a camera")).reason is Reason.TOKEN_INVALID
        assert opened(one.device) is None
        with pytest.raises(UsageError, match="no PIN stands for a card"):
            Operator(one.device, "kim").draw_pin(token)


def test_it_needs_a_reason_and_templates_that_are_kept_at_the_door(tmp_path: Path):
    config = tmp_path / "device.yaml"
    for text, wrong in (
        ("claim: {pin: alone}\nvault: {custody: device}\n", "say in a sentence why"),
        (f"claim: {{pin: alone, pin_reason: {REASON}}}\n", "no template may"),
        (f"claim: {{pin_reason: {REASON}}}\n", "no PIN stands for a card here"),
        ("kiosk: {pin_pad: true}\n", "no PIN is asked for"),
    ):
        config.write_text(text)
        with pytest.raises(SettingsError, match=wrong):
            load_settings(config)


def test_it_is_marked_in_the_check_of_the_settings_in_the_self_test_and_on_the_page(tmp_path: Path):
    config = tmp_path / "device.yaml"
    config.write_text(STREAMS)
    assert any("weaker than any card" in str(warning) for warning in warnings(config))
    (check,) = [check for check in checks(ALONE) if check.name == "pin alone"]
    with pytest.raises(Unfit, match=f"weaker than any card: {REASON}"):
        check.run()
    assert not check.needed
    assert "pin alone" not in [check.name for check in checks(ClaimSettings())]
    page = page_of(load_settings(config))
    assert page["pin_alone"]
    assert "protects less" in page["words"]["en"]["kiosk.idle.pin"]
    assert "protects less" in page["words"]["en"]["kiosk.privacy.text"]
    (line,) = [line for line in look(load_settings(config), tmp_path) if line.kind == "pin"]
    assert (line.state, REASON in line.what, "less than a card" in line.remedy) == ("weak", True, True)
    assert not [line for line in look(Settings(), tmp_path) if line.kind == "pin"]
    assert not page_of(Settings())["pin_alone"]


def test_a_build_that_does_not_declare_it_holds_no_line_of_it(monkeypatch, here):
    from edge.profile import of

    name = "edge/state/pin_alone.py"
    assert not any(name.endswith(one) or one.endswith(name) for one in contents(ROOT, "device", of("device")).files)
    asked = contents(ROOT, "device", of("device") | {"pin_alone": True}).files
    assert any(one.endswith("state/pin_alone.py") for one in asked)
    with pytest.raises(PolicyStops, match="declares pin_alone: false"):
        need_as_declared(here.device.settings, {"capabilities": of("device")})
    monkeypatch.setitem(sys.modules, "edge.state.pin_alone", None)
    with pytest.raises(NotInThisBuild, match="takes no PIN in the place of a card"):
        opened(here.device)


# -- attacked


WRONG = "20406080"


def guess(here, *pins: str) -> list[Reason]:
    return [here.device.decide(pin, lambda: pytest.fail("a camera was asked for")).reason for pin in pins]


def guesses(count: int) -> list[str]:
    return [f"{20406080 + k}" for k in range(count)]


def test_a_new_card_ends_the_pin_of_the_old_one_also_when_the_plug_was_pulled_in_between(here):
    token, operator = here.enrol("ada"), Operator(here.device, "kim")
    pin, cards = operator.draw_pin(token)["pin"], []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Operator, "_answer", lambda self, card: pytest.skip("not reached") if card is None else {})
        operator.reissue(token, issuer=here.issuer, hand_over=lambda issued, _: cards.append(issued.text) or list)
    assert guess(here, pin) == [Reason.PIN_WRONG], "and says nothing of a card that was replaced"
    assert here.device.verify(operator.draw_pin(cards[0])["pin"]).outcome is Outcome.ACCEPT


def test_an_operator_ends_the_wait_that_somebody_who_guessed_has_left_behind_by_name(here):
    pin, operator = Operator(here.device, "kim").draw_pin(here.enrol("ada"))["pin"], Operator(here.device, "lee")
    assert guess(here, *guesses(11)) == [Reason.PIN_WRONG] * 10 + [Reason.LOCKED_OUT]
    assert guess(here, pin) == [Reason.LOCKED_OUT], "whoever guesses makes the others wait"
    assert 590 < operator.health()["pin_wait_s"] <= 600, "and the operator's page says so"
    operator.reset_door()
    assert operator.health()["pin_wait_s"] == 0
    assert here.device.verify(pin).outcome is Outcome.ACCEPT
    assert ("fan_out_reset", "lee") in [(kind, fields.get("operator")) for kind, fields in entries(here)]


def test_what_is_too_short_or_too_long_for_a_pin_costs_nobody_a_try(here):
    pin = Operator(here.device, "kim").draw_pin(here.enrol("ada"))["pin"]
    assert set(guess(here, *(str(10**6 + k) for k in range(20)), *(str(10**9 + k) for k in range(20)))) == {
        Reason.PIN_WRONG
    }
    assert here.device.verify(pin).outcome is Outcome.ACCEPT


def test_a_count_that_is_taken_out_of_the_file_ends_the_device_and_gives_no_further_try(tmp_path: Path):
    with site(tmp_path, claim=ALONE, vault=VaultSettings(custody="device")) as here:
        guess(here, *guesses(10))
        settings, parts = here.device.settings, here.device._parts
    for sql in ("DELETE FROM pin_tries", "UPDATE pin_tries SET level = 0"):
        with sqlite3.connect(settings.device.state_dir / "state.sqlite3") as file:
            kept = file.execute("SELECT * FROM pin_tries").fetchone()
            file.execute(sql)
        with pytest.raises(StateError, match="it was edited"):
            Device.open(settings, parts)
        with sqlite3.connect(settings.device.state_dir / "state.sqlite3") as file:
            file.execute("INSERT OR REPLACE INTO pin_tries VALUES (?, ?, ?)", kept)
    with Device.open(settings, parts) as again:
        assert again.decide(WRONG, lambda: pytest.fail("a camera")).reason is Reason.LOCKED_OUT


def test_a_right_pin_that_is_refused_before_anybody_is_looked_at_fills_no_journal(here, monkeypatch):
    """Whoever knows one can type it for ever, and a right one costs no try."""

    def waits(serial: bytes) -> None:
        raise LockedOut("too many attempts at this card", where="card", wait_s=30.0)

    pin = Operator(here.device, "kim").draw_pin(here.enrol("ada"))["pin"]
    monkeypatch.setattr(here.device._limits, "check", waits)
    before = here.device._ledger.journal.sequence
    assert {here.device.verify(pin).reason for _ in range(100)} == {Reason.LOCKED_OUT}
    assert here.device._ledger.journal.sequence - before <= 70
    assert not [event for event in here.events if isinstance(event, ev.ClaimUnderPin)]


def test_the_person_is_told_that_their_card_lies_under_a_pin(here):
    token = here.enrol("ada")
    claim = claim_of(here.device, token)
    assert about(here.device, claim).as_json()["counters"]["pin_alone"] is False
    Operator(here.device, "kim").draw_pin(token)
    assert about(here.device, claim).as_json()["counters"]["pin_alone"] is True


def test_a_terminal_says_that_a_decision_rests_on_a_pin(capfd):
    Terminal(1, 2)(ev.ClaimUnderPin(at_ns=1, serial="00" * 16))
    assert "weaker than any card" in capfd.readouterr().out


def test_digits_in_a_code_are_no_pin_and_those_of_a_keypad_are(here):
    """The camera's reader gives tokens only; a reader that types is what people type PINs on."""
    pin = Operator(here.device, "kim").draw_pin(here.enrol("ada"))["pin"]
    reader = QrReader(tries_per_s=5, clock=time.monotonic)
    assert reader.poll(Frame(sheet(pin)[..., None].repeat(3, 2), 0, 1, "test")) is None
    ours, keypad = os.pipe()
    typed = KeyboardReader.following(ours)
    os.write(keypad, keys(pin))
    stop = threading.Event()
    here.device.observe(lambda event: stop.set() if isinstance(event, ev.Decided) else None, name="stop")
    Loop(here.device, [typed]).run(stop)
    os.close(keypad)
    typed.close()
    assert [kind for kind, _ in entries(here) if kind in ("pin_alone", "decision")] == ["pin_alone", "decision"]


def test_a_pin_that_a_person_types_while_an_operator_waits_for_a_card_is_not_the_operator_s(here):
    class Two:
        name, ended = "two", False
        said = (WRONG, here.enrol("ada"))

        def poll(self, _frame):
            said, Two.said = Two.said[:1], Two.said[1:]
            return said[0] if said else None

    assert Operator(here.device, "kim", readers=[Two()]).card()["token"].startswith("EV1:")


def test_on_the_page_it_is_typed_while_nobody_is_served_counts_like_any_and_waits_for_nobody_s_turn(tmp_path: Path):
    """The page's own process; and what was typed while somebody else was looked at is nobody's."""
    page = page_settings(pin_pad=True).kiosk
    with site(tmp_path, door=FakeDoor(), claim=ALONE, vault=VaultSettings(custody="device"), kiosk=page) as here:
        pin, stop, answers = Operator(here.device, "kim").draw_pin(here.enrol("ada"))["pin"], threading.Event(), []
        with Kiosk(page, page_of(here.device.settings)) as kiosk:
            serving(kiosk)

            def next_one(event: ev.Event) -> None:
                match event:
                    case ev.SessionOpened():
                        os.write(kiosk.pin_pad.far_end, f"{pin}\n".encode())  # a page that does not ask whether it may
                        answers.append(post(kiosk, {"pin": WRONG}))
                    case ev.Ready():
                        threading.Thread(target=type_, args=(pin,)).start()
                    case ev.Decided():
                        threading.Thread(target=type_, args=(WRONG,)).start()
                    case ev.ClaimRefused():
                        stop.set()

            def type_(digits: str) -> None:
                until = time.monotonic() + 60
                while (status := post(kiosk, {"pin": digits})) == 409 and time.monotonic() < until:
                    time.sleep(0.02)
                answers.append(status)

            for name, observer in (("kiosk", kiosk), ("next", next_one)):
                here.device.observe(observer, name=name)
            Loop(here.device, [kiosk.pin_pad]).run(stop)
        here.device.close()
        ends = [event for event in here.events if isinstance(event, ev.Decided | ev.ClaimRefused)]
        assert [event.decision.reason for event in ends] == [Reason.MATCHING, Reason.PIN_WRONG]
        assert sorted(answers) == [204, 204, 409]
        assert here.door.released == 1
        assert [e.reader for e in here.events if isinstance(e, ev.ClaimPresented)] == ["page", "page"]
