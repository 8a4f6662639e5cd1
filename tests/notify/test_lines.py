"""Lines for machines and for a terminal: whole, in order, and never waiting for a reader for ever."""

from __future__ import annotations

import dataclasses
import json
import os
import threading

import pytest

from edge.notify import JsonLines, Lines, Terminal, sentence
from edge.types import Advice, Decision, Outcome, Reason, acts
from edge.types import events as ev

REJECT = Decision(Outcome.REJECT, Reason.NOT_MATCHING, 1e-4, serial="ab" * 16, wait_s=45)


def test_a_line_longer_than_the_pipe_arrives_whole_while_it_is_read():
    read, write = os.pipe()
    text = "x" * 300_000
    got: list[bytes] = []

    def take() -> None:
        with os.fdopen(read, "rb") as stream:
            got.append(stream.read())

    reader = threading.Thread(target=take)
    reader.start()
    Lines(write).write(text)
    os.close(write)
    reader.join(30)
    assert got == [text.encode() + b"\n"]


def test_a_reader_that_takes_nothing_is_given_up():
    read, write = os.pipe()
    with pytest.raises(TimeoutError):
        Lines(write, stall_s=0.05).write("x" * 300_000)
    os.close(read)
    with pytest.raises(OSError):
        Lines(write, stall_s=0.05).write("x")
    os.close(write)


def test_an_event_is_one_object_a_line_with_both_times(capfd: pytest.CaptureFixture[str]):
    JsonLines(1)(ev.ClaimRefused(at_ns=7, decision=REJECT, reason=REJECT.reason, wait_s=45, alternative="Ring."))
    said = json.loads(capfd.readouterr().out)
    assert (said["schema"], said["event"], said["at_ns"]) == ("edge/event/v1", "claim.refused", 7)
    assert said["time"].endswith("+00:00")
    assert said["decision"]["serial"] == "ab" * 16
    assert (said["reason"], said["wait_s"], said["alternative"]) == ("not_matching", 45, "Ring.")


def test_every_event_can_be_told_to_a_machine():
    values = {
        "decision": REJECT,
        "reason": Reason.NO_FACE,
        "serial": b"\1" * 16,
        "issuer": b"\2" * 8,
        "replaces": b"\3" * 16,
        "advice": (Advice.LOOK_HERE,),
    }
    everything = {**vars(ev), **vars(acts)}.values()
    told = [cls for cls in everything if isinstance(cls, type) and issubclass(cls, ev.Event) and cls.kind]
    for cls in told:
        wanted = {field.name: values.get(field.name, 1) for field in dataclasses.fields(cls)}
        said = json.loads(json.dumps(cls(**wanted).as_json()))
        assert said["event"] == cls.kind
    assert len({cls.kind for cls in told}) == len(told) > 30, "each kind has a name of its own"


def test_a_terminal_is_told_the_wait_and_the_other_way_in(capfd: pytest.CaptureFixture[str]):
    tell = Terminal(1, 2)
    tell(ev.Ready(at_ns=0))
    tell(ev.Decided(at_ns=1, decision=REJECT, alternative="Please ask at the reception."))
    tell(ev.DoorFault(at_ns=2, driver="relay", what="the relay cannot be driven", where="GPIO 17", remedy="check it"))
    out, err = capfd.readouterr()
    assert out.splitlines() == [
        "ready",
        "REJECT: the face does not match the card. Wait 45 s. The other way in: Please ask at the reception.",
    ]
    assert err.splitlines() == ["fault: GPIO 17: the relay cannot be driven (check it)"]


def test_an_accept_needs_no_more_words():
    accept = Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4)
    assert sentence(accept, "Please ask at the reception.") == "ACCEPT: the face matches the card"
