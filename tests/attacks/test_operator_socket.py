"""The operators' socket of a running door, by somebody who may connect to it: no message ends door or listening."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.service import OperatorSocket
from edge.service.wire import Line
from edge.testing import Site, site

CONSENT = {"subject": "x", "text_version": "1", "language": "en", "given": 1_793_500_000, "withdrawal": "x"}
NONSENSE: dict[str, Any] = {
    "a subject that is no text": {"act": "enrol", "arguments": {"consent": CONSENT | {"subject": 1}}},
    "pictures that are none": {"act": "enrol", "arguments": {"consent": CONSENT, "pictures": ["x"]}},
    "days without end": {"act": "opt_out", "arguments": {"days": 1e308}},
    "a serial that is a list": {"act": "revoke", "arguments": {"serial": [[]]}},
    "arguments of another act": {"act": "about", "arguments": {"consent": CONSENT | {"given": "now"}}},
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as here:
        yield here


def connected(here: Site) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(10)
    client.connect(str(here.device.settings.device.state_dir / "operator.sock"))
    return client


def served(here: Site, acts: OperatorSocket, message: bytes) -> bytes:
    """What comes back of a message, when the loop has looked after it."""
    stream = here.device.stream()
    with connected(here) as client:
        client.sendall(message)
        for _ in range(100):
            if acts.serve(stream):
                break
            time.sleep(0.01)
        try:
            return client.recv(65_536)
        except ConnectionError:
            return b""


ABOUT = json.dumps({"act": "about", "operator": "kim", "arguments": {}}).encode() + b"\n"


@pytest.mark.parametrize("name", NONSENSE)
def test_an_act_of_nonsense_ends_neither_the_door_nor_the_next_act(here: Site, name: str):
    more = {"operator": "kim", "issuer": here.issuer.key_id.hex()}
    with OperatorSocket(here.device) as acts:
        served(here, acts, json.dumps(NONSENSE[name] | more).encode() + b"\n")
        assert b"answer" in served(here, acts, ABOUT)
    assert here.device._vault.people() == 0


@pytest.mark.parametrize("message", [b"[" * 200_000 + b"\n", b"\xff\n", b"{}\n", b"7\n"])
def test_what_is_no_request_does_not_end_the_listening(here: Site, message: bytes):
    with OperatorSocket(here.device) as acts:
        served(here, acts, message)
        assert b"answer" in served(here, acts, ABOUT)


def test_whoever_answers_byte_by_byte_gets_no_more_time():
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            theirs.send(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(OSError, match="timed out"):
            Line(ours).receive(0.5)
    finally:
        stop.set()
        thread.join()
        theirs.close()
        ours.close()
    assert time.monotonic() - began < 10, "and not for as long as bytes come"
