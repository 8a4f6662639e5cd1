"""A door at which a PIN stands for the card: one claim of one person, said wherever it appears, and off by default."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edge.build.contents import contents
from edge.claim.checks import checks
from edge.errors import NotInThisBuild, PolicyStops, SettingsError, Unfit, UsageError
from edge.fictional import OnePerson
from edge.kiosk import page_of
from edge.service import Operator
from edge.service.declared import need_as_declared
from edge.service.under_pin import opened
from edge.settings import load_settings, warnings
from edge.settings.model import ClaimSettings, Settings, VaultSettings
from edge.testing import site
from edge.types import Outcome, Reason
from edge.types import events as ev

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
        (STREAMS + "kiosk: {pin_pad: true}\n", "no PIN is asked for"),
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
