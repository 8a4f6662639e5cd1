"""The running device: claims from standard input and from a code in view, and a clean end whenever it is asked for."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edge.claim import open_readers
from edge.errors import SourceEnded
from edge.fictional import FictionalSource, Nobody, OnePerson, ShowCode
from edge.service import Device, Loop, Parts
from edge.service import demo as demo_module
from edge.settings.model import CameraSettings, ClaimSettings, DeviceSettings, Settings
from edge.trust import Keyring
from edge.types import Outcome, Reason
from edge.types.events import DoorOpened, Event
from tests.door.bench import relay


class Bench:
    """A device whose camera shows a script, and whose claims come from a pipe."""

    def __init__(
        self, folder: Path, script, *, readers=("stdin",), fast=True, door=None, width=640, height=480, alternative=None
    ):
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        self.script, self.fast = script, fast
        camera = CameraSettings(driver="fictional", pace="fast" if fast else "real", width=width, height=height)
        self.settings = Settings(
            device=DeviceSettings(state_dir=folder, trust_dir=folder / "trust"),
            camera=camera,
            claim=ClaimSettings(readers=readers),
            alternative=alternative,
        )
        parts = Parts(source=self.source, keyring=self.keyring, fast=fast, door=door)
        self.device = Device.open(self.settings, parts)
        self.events: list[Event] = []
        self.stop = threading.Event()

    def source(self) -> FictionalSource:
        camera = self.settings.camera
        return FictionalSource(self.script, real=not self.fast, width=camera.width, height=camera.height)

    def token(self, name: str) -> str:
        return demo_module.Office(self.device, self.issuer).enrol(name)

    def run(self, stdin: bytes = b"", tell=None) -> list[Event]:
        readers = open_readers(self.settings.claim, stdin=io.BytesIO(stdin), clock=time.monotonic)
        with self.device:
            self.device.observe(tell or self.events.append)
            Loop(self.device, readers).run(self.stop)
        return self.events

    def decisions(self) -> list[tuple[Outcome, Reason]]:
        decisions = [e.decision for e in self.events if e.kind in ("session.decided", "claim.refused")]
        return [(decision.outcome, decision.reason) for decision in decisions]


def test_tokens_on_standard_input_are_decided_one_after_the_other_until_it_ends(tmp_path):
    bench = Bench(tmp_path, (OnePerson("ada", 60.0),))
    lines = bench.token("ada") + "\nEV1:NONSENSE\n" + bench.token("chen") + "\n"
    bench.run(lines.encode())
    assert bench.decisions() == [
        (Outcome.ACCEPT, Reason.MATCHING),
        (Outcome.REJECT, Reason.TOKEN_INVALID),
        (Outcome.REJECT, Reason.NOT_MATCHING),
    ]
    kinds = [event.kind for event in bench.events]
    assert (kinds[0], kinds[1], kinds[-1]) == ("device.starting", "device.ready", "device.stopped")


def test_a_code_held_into_view_is_a_claim(tmp_path):
    bench = Bench(tmp_path, (), readers=("qr",), width=1280, height=960)
    token = bench.token("ada")
    bench.script = (Nobody(0.5), ShowCode(token, 2.0, size=0.9, tilt=8.0), OnePerson("ada", 6.0))
    bench.run()
    assert bench.decisions()[0] == (Outcome.ACCEPT, Reason.MATCHING)


class Hour:
    """An hour of replay, 15 frames a second, of somebody who stands there and claims nothing."""

    name = "replay"

    def __init__(self) -> None:
        source = FictionalSource((OnePerson("ada", 9.0, walk_up=False),))
        source.open()
        self.frames = [source.read(1.0) for _ in range(4)]
        self.count = 0

    def open(self) -> None:
        pass

    def read(self, timeout_s: float):
        self.count += 1
        if self.count > 3600 * 15:
            raise SourceEnded("the hour is over", where="replay")
        stamp = self.count * 1_000_000_000 // 15
        return replace(self.frames[self.count % 4], monotonic_ns=stamp, sequence=self.count)

    def close(self) -> None:
        pass


def test_neither_detector_nor_embedder_runs_in_an_idle_hour_with_somebody_in_view(tmp_path):
    bench = Bench(tmp_path, (), readers=("qr",))
    hour, calls = Hour(), []
    bench.source = lambda: hour
    bench.device._parts = replace(bench.device._parts, source=lambda: hour)
    chain = bench.device._chain
    assert chain.look(hour.frames[0]).face is not None, "a detector that ran would find this face"
    chain.detector.detect = lambda image: calls.append("detect") or []
    chain.embedder.embed = lambda crop: calls.append("embed")
    bench.run()
    assert hour.count > 54_000
    assert bench.events[-1].kind == "device.stopped"
    assert calls == []


def test_every_decision_is_in_the_journal_and_its_chain_holds(tmp_path):
    bench = Bench(tmp_path, (OnePerson("ada", 60.0),))
    token = bench.token("ada")
    journal = bench.device._ledger.journal
    bench.run((token + "\n").encode())
    from edge.journal import KEY_LABEL, Journal

    with Journal(tmp_path, bench.keyring.derive(KEY_LABEL), now=lambda: 0) as again:
        assert again.verify().ok
        kinds = [entry.kind for entry in again.last(10)]
    assert kinds == ["started", "decision", "door", "door", "stopped"]
    assert token not in journal.path.read_text()


def test_a_stop_in_mid_capture_ends_the_session_as_interrupted_within_two_seconds(tmp_path):
    bench = Bench(tmp_path, (Nobody(60.0),), fast=False)
    token = bench.token("ada")
    threading.Timer(1.0, bench.stop.set).start()
    started = time.monotonic()
    bench.run((token + "\n").encode())
    assert time.monotonic() - started < 3.0
    assert bench.decisions() == [(Outcome.NO_DECISION, Reason.INTERRUPTED)]


def test_a_stop_with_the_relay_energised_leaves_it_locked(tmp_path):
    energised = []
    with relay(tmp_path / "chip", pulse_s=30.0) as (wire, door):
        bench = Bench(tmp_path, (OnePerson("ada", 60.0),), door=door)
        token = bench.token("ada")

        def tell(event: Event) -> None:
            bench.events.append(event)
            if isinstance(event, DoorOpened):
                energised.append(wire.energised)
                bench.stop.set()

        bench.run((token + "\n").encode(), tell)
        assert energised == [True], "the lock is released by an accept"
        assert not wire.energised, "and locked again when the loop ends"


def test_a_reject_does_not_release_the_lock(tmp_path):
    with relay(tmp_path / "chip", pulse_s=30.0) as (wire, door):
        bench = Bench(tmp_path, (OnePerson("ada", 60.0),), door=door)
        states = []
        bench.run((bench.token("chen") + "\n").encode(), lambda e: states.append(wire.energised))
        assert not any(states)


@pytest.mark.parametrize("moment", ["idle", "capture", "enrolment"])
def test_sigterm_ends_the_command_cleanly_within_two_seconds(tmp_path, moment):
    from tests.cli.conftest import make_desk

    desk = make_desk(tmp_path)
    desk.config.write_text(desk.config.read_text().replace("pace: fast", "pace: real"))
    edge = [sys.executable, "-m", "edge"]
    if moment == "enrolment":
        command = [*edge, "enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    else:
        command = [*edge, "run", "--config", str(desk.config), "--skip-selftest"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    if moment == "enrolment":
        assert "[....." in process.stderr.readline()
    else:
        assert process.stdout.readline().strip() == "ready"
    if moment == "capture":
        from edge.cli.keys import open_issuer  # a genuine claim, so that the camera really looks

        process.stdin.write(_token(desk, open_issuer(tmp_path / "state", None, None)) + "\n")
        process.stdin.flush()
        time.sleep(0.7)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    took = time.monotonic() - started
    assert took < 2.0, f"{took:.1f} s"
    assert "Traceback" not in err
    assert process.returncode == (2 if moment == "enrolment" else 0)
    if moment == "capture":
        assert "stopped" in out


def _token(desk, issuer) -> str:
    """A card of the desk's own site for somebody who does not come."""
    from edge.service import open_device

    with open_device(desk.config) as device:
        return demo_module.Office(device, issuer).enrol("lena")


def test_the_journal_of_a_run_tells_how_it_ended(tmp_path):
    from tests.cli.conftest import make_desk

    desk = make_desk(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "edge", "run", "--config", str(desk.config), "--skip-selftest", "--json"],
        input="EV1:NONSENSE\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["event"] for e in events] == [
        "device.starting",
        "device.ready",
        "claim.presented",
        "claim.refused",
        "device.stopped",
    ]
    assert all(event["schema"] == "edge/event/v1" and event["time"] for event in events)
    refused = events[3]
    assert (refused["reason"], refused["decision"]["reason"]) == ("token_invalid", "token_invalid")
    assert refused["alternative"] == "Please ask at the reception."
