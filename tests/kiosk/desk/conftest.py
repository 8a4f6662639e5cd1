"""A door that runs, with its operator's pages, an operator's token and the passphrase of its issuer's key."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge.trust import operators
from edge.trust.ring import PASSPHRASE_FILE
from tests.cli.conftest import make_desk
from tests.kiosk.conftest import free_port

ALTERNATIVE = "Please ask at the reception."


@dataclass
class RunningDoor:
    """A running door: where its pages are, what opens them, and its journal."""

    folder: Path
    port: int
    people: int
    token: str
    passphrase: str
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def journal(self) -> list[dict[str, Any]]:
        lines = (self.folder / "state" / "journal.jsonl").read_text().splitlines()
        return [{"kind": entry["kind"], **entry["fields"]} for entry in map(json.loads, lines)]

    def sittings(self) -> list[str]:
        return [entry["change"] for entry in self.journal() if entry["kind"] == "sitting"]

    def present(self, token: str) -> None:
        """Hold a card to the door's reader (its standard input)."""
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()


@dataclass
class Browser:
    """What a browser does, request by request: its cookie, and what its page was told."""

    door: RunningDoor
    cookie: str = ""
    page: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, said: Any = None, *, method: str = "", **headers: str) -> tuple[int, Any]:
        """A request as the page makes it; ``headers`` replace its own, an empty one leaves it out."""
        one = http.client.HTTPConnection(f"127.0.0.1:{self.door.port}", timeout=60)
        given = {"Cookie": f"edge-sitting={self.cookie}"} if self.cookie else {}
        if said is not None:
            given |= {"Content-Type": "application/json", "Origin": self.door.url.rstrip("/"), "X-Edge-Page": self.page}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = None if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
        given = {name: value for name, value in given.items() if value}
        one.request(method or ("GET" if said is None else "POST"), path, body, given)
        answer = one.getresponse()
        data, self.headers = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        one.close()
        if (cookie := self.headers.get("set-cookie", "")).startswith("edge-sitting="):
            self.cookie = cookie.split(";")[0].partition("=")[2]
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, data

    def state(self) -> dict[str, Any]:
        """The first thing that the stream tells."""
        one = http.client.HTTPConnection(f"127.0.0.1:{self.door.port}", timeout=60)
        one.request("GET", "/state", headers={"Cookie": f"edge-sitting={self.cookie}"})
        told = json.loads(one.getresponse().readline().removeprefix(b"data: "))
        one.close()
        if told["sitting"]:
            self.page = told["sitting"]["page"]
        return told

    def until(self, *stages: str, timeout_s: float = 90) -> dict[str, Any]:
        """What the act under way has come to, once it is at one of these stages."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            now = self.state()["now"]
            if now.get("stage", "") in stages:
                return now
            time.sleep(0.05)
        raise AssertionError(f"{now} never came to {stages}")

    def sign_in(self) -> Browser:
        status, said = self.ask("/sign-in", {"token": self.door.token})
        assert status == 200, said
        assert self.state()["sitting"]["operator"] == "kim"
        return self

    def unlock(self) -> Browser:
        status, said = self.ask("/unlock", {"passphrase": self.door.passphrase})
        assert status == 200, said
        return self

    def do(self, act: str, *stages: str, **said: Any) -> dict[str, Any]:
        """Begin an act, and give what it has come to."""
        status, why = self.ask("/do", {"act": act, "said": said})
        assert status == 200, why
        return self.until(*(stages or ("done", "failed")))

    def put_away(self) -> None:
        assert self.ask("/cancel", {})[0] == 200


def run(folder: Path, more: str = "", **kiosk: Any) -> Iterator[RunningDoor]:
    port, people = free_port(), free_port()
    lines = "".join(f"  {name}: {value}\n" for name, value in {"house": "Hotel Meridian", **kiosk}.items())
    desk = make_desk(folder, f"kiosk:\n  port: {people}\n  operator_port: {port}\n{lines}{more}")
    desk.config.write_text(desk.config.read_text().replace("pace: fast", "pace: real\n  person: ada"))
    token = operators.add(folder / "state", "kim", random_bytes=os.urandom)
    passphrase = (folder / "state" / PASSPHRASE_FILE).read_text().strip()
    command = [sys.executable, "-m", "edge", "run", "--config", str(desk.config), "--skip-selftest", "--json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "device.ready":
        pass
    here = RunningDoor(folder, port, people, token, passphrase, process)
    try:
        yield here
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDoor]:
    """One door for the tests of a file."""
    yield from run(tmp_path_factory.mktemp("door"))


@pytest.fixture
def fresh_door(tmp_path: Path) -> Iterator[RunningDoor]:
    """A door of its own, for a test that locks it out or ends it."""
    yield from run(tmp_path)


@pytest.fixture
def keeping_door(tmp_path: Path) -> Iterator[RunningDoor]:
    """A door that keeps templates itself, where more than one reference of a person fits."""
    yield from run(tmp_path, "vault: {custody: device}\n")


@pytest.fixture
def pin_door(tmp_path: Path) -> Iterator[RunningDoor]:
    """A door at which a PIN stands for a card."""
    claim = "claim: {pin: alone, pin_reason: Surgeons have no pockets.}\n"
    yield from run(tmp_path, f"vault: {{custody: device}}\n{claim}")


@pytest.fixture
def browser(door: RunningDoor) -> Iterator[Browser]:
    """A browser at the door's operator pages; its sitting ends with the test."""
    one = Browser(door)
    yield one
    if one.cookie and one.state()["sitting"]:
        one.ask("/sign-out", {})
