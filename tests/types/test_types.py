"""The types that carry the flow: closed enumerations, frozen data, secrets that do not show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge import errors, types
from edge.types import Claim, Custody, Decision, Frame, Outcome, Probe, Quality, Reason


def test_every_data_type_is_frozen_and_has_slots():
    for name in types.__all__:
        kind = getattr(types, name)
        if dataclasses.is_dataclass(kind):
            assert kind.__dataclass_params__.frozen, name
            assert "__slots__" in vars(kind), name


def test_every_claim_error_has_a_reason_of_the_closed_enumeration():
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.ClaimError):
            assert Reason(kind.reason)


def test_every_error_says_what_where_and_the_remedy():
    error = errors.TokenExpired("it expired", where="token", remedy="get a new card")
    assert str(error) == "token: it expired; get a new card"
    assert error.as_json() == {
        "kind": "TokenExpired",
        "what": "it expired",
        "where": "token",
        "remedy": "get a new card",
    }


def test_exit_codes_are_those_of_the_issue():
    codes = {k.exit_code for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.EdgeError)}
    assert codes <= {1, 2, 3, 4}


def test_a_claim_shows_neither_its_secret_nor_its_template():
    secret = b"very secret bytes of thirty-two!"
    claim = Claim(Custody.CARD, b"s" * 16, b"\x01" * 16, 7, ("default",), 0, 1, secret)
    assert "secret" not in repr(claim)
    assert claim.serial_text == "0101-0101-0101-0101-0101-0101-0101-0101"


def test_frames_and_decisions_show_no_picture():
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 1, 2, "replay")
    assert "array" not in repr(frame)
    assert (frame.width, frame.height) == (6, 4)
    assert Decision(Outcome.REJECT, Reason.QUALITY, 1e-4).score is None


def test_quality_is_acceptable_exactly_without_advice():
    values = dict.fromkeys((f.name for f in dataclasses.fields(Quality) if f.name != "advice"), 0.5)
    assert Quality(**values, advice=()).acceptable
    assert not Quality(**values, advice=(types.Advice.LOOK_HERE,)).acceptable


def test_a_probe_copies_what_it_is_given_and_gives_it_once():
    data = np.arange(128, dtype=np.int8)
    probe = Probe(data, model="m", session="s")
    data[:] = 0
    assert probe.consume("s").any()
    with pytest.raises(errors.SpentError):
        probe.consume("s")


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.int8), np.zeros(4, np.float32)])
def test_an_embedding_is_one_dimensional_int8(bad):
    with pytest.raises(ValueError, match="int8"):
        Probe(bad, model="m", session="s")
