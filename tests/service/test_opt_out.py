"""A card without a template: no camera, no session, no count; the other way in, at once, and a journal that says so."""

from __future__ import annotations

import threading

import pytest

from edge.claim import decode
from edge.claim.layout import pack, unpack
from edge.errors import ClaimError, NotHandedOver, Unfit
from edge.face import Detector
from edge.service import Loop, Operator
from edge.testing import FakeDoor, site
from edge.types import Custody, Outcome, Reason
from edge.types import events as ev
from edge.types.acts import OptedOut
from edge.vault.signing import Ordered


def opted_out(here, operator: str = "kim", **more) -> str:
    cards: list[str] = []

    def take(issued, consent):
        assert consent == {}
        cards.append(issued.text)
        return cards.clear

    Operator(here.device, operator).opt_out(issuer=here.issuer, hand_over=take, **more)
    return cards[0]


@pytest.fixture
def here(tmp_path):
    with site(tmp_path, door=FakeDoor()) as one:
        one.device._clock.confirm("test")
        yield one


def journal(here, kind: str) -> list[dict]:
    return [dict(entry.fields) for entry in here.device._ledger.journal.last(50) if entry.kind == kind]


def test_it_is_shown_the_other_way_without_a_look(here, monkeypatch):
    monkeypatch.setattr(Detector, "detect", lambda *_: pytest.fail("a frame was given to the detector"))
    token = opted_out(here, credential=12)
    decision = here.device.decide(token, lambda: pytest.fail("a camera was opened"))
    here.device.act(decision)
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.ALTERNATIVE)
    assert (decision.frames_looked_at, decision.looks, decision.wait_s) == (0, 0, 0)
    assert here.door.released == 0
    assert journal(here, "alternative") == [{"serial": decision.serial, "credential": 12}]
    assert journal(here, "decision") == [], "it is no failure, nor a decision about anybody"
    here.device.close()
    (told,) = [event for event in here.events if isinstance(event, ev.AlternativeChosen)]
    assert told.alternative == "Ring the bell."
    assert not [event for event in here.events if isinstance(event, ev.SessionOpened | ev.Decided | ev.ClaimRefused)]


def test_however_often_it_is_shown_it_never_waits_and_nobody_else_does(here):
    token, ada = opted_out(here), here.enrol("ada")
    answers = {here.device.decide(token, lambda: pytest.fail("a camera")).reason for _ in range(60)}
    assert answers == {Reason.ALTERNATIVE}
    assert here.device.verify(ada).outcome is Outcome.ACCEPT


def test_nothing_is_kept_of_it_and_it_is_revoked_by_its_printed_serial(here):
    token = opted_out(here)
    claim = here.device._admission.receive(token, 0)
    assert here.device._vault.store.holder(claim.serial) is None
    assert claim.sealed is None
    assert journal(here, "opted_out")[0]["operator"] == "kim"
    Operator(here.device, "kim").revoke(claim.serial_text)
    assert here.device.decide(token, lambda: pytest.fail("a camera")).reason is Reason.TOKEN_REVOKED


def test_another_door_s_group_and_another_site_are_refused_like_any_card(here, tmp_path):
    token = opted_out(here, groups=("lab",))
    assert here.device.decide(token, lambda: pytest.fail("a camera")).reason is Reason.WRONG_DOOR
    with site(tmp_path / "other") as there:
        assert there.device.decide(token, lambda: pytest.fail("a camera")).reason is Reason.TOKEN_INVALID


def test_it_cannot_be_renewed_or_reissued_into_a_face(here):
    token, operator = opted_out(here), Operator(here.device, "kim")
    order = {"issuer": here.issuer, "hand_over": lambda *_: pytest.fail("a card was handed over")}
    with pytest.raises(ClaimError, match="this card has no template"):
        operator.renew(token, override=True, **order)
    with pytest.raises(ClaimError, match="the card holds no template"):
        operator.reissue(token, **order)


def test_a_device_without_another_way_in_hands_out_none(tmp_path):
    with site(tmp_path, alternative=None) as here:
        here.device._clock.confirm("test")
        with pytest.raises(Unfit):
            opted_out(here)


def test_a_card_that_could_not_be_handed_over_is_not_told(here):
    def full(issued, consent):
        raise OSError(28, "No space left on device")

    with pytest.raises(NotHandedOver):
        Operator(here.device, "kim").opt_out(issuer=here.issuer, hand_over=full)
    here.device.close()
    assert not [event for event in here.events if isinstance(event, OptedOut)]


def test_a_template_cannot_hide_behind_it_nor_it_in_an_act_of_enrolment(here):
    token = opted_out(here)
    keyring = here.device._keyring
    claim = decode(token, trust=keyring.trust, site_id=keyring.site_id, received_ns=0)
    assert claim.custody is Custody.NONE
    body = pack(claim, claim.issuer)
    with pytest.raises(ValueError, match="left over"):
        unpack(body + b"\x00" * 40)
    assert Ordered("opt_out", {}).sign(here.issuer, body, b"edge/token/v1")
    with pytest.raises(Exception, match="not ordered"):
        Ordered("enrol", {}).sign(here.issuer, body, b"edge/token/v1")


class Once:
    """A reader that delivers one text, and then stops the loop."""

    name, ended = "once", False

    def __init__(self, text: str, stop: threading.Event) -> None:
        self._texts, self._stop = [text], stop

    def poll(self, frame):
        if self._texts:
            return self._texts.pop()
        self._stop.set()
        return None

    def close(self):
        pass


def test_the_loop_goes_on_after_it(here):
    stop = threading.Event()
    Loop(here.device, [Once(opted_out(here), stop)]).run(stop)
    assert here.door.released == 0
