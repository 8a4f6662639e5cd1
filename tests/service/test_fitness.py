"""The self-test of a device: each thing it checks is broken here, and its check is seen to fail."""

from __future__ import annotations

import base64
import json
import os
import re
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import edge.service.machine
from edge.cli import main
from edge.door import FakeChip
from edge.errors import Unfit
from edge.face import Chain, load_card
from edge.face.suspicion import PassiveLimits
from edge.fictional import FictionalSource, OnePerson
from edge.profile import current
from edge.selftest import FitnessReport, Level, run
from edge.service import Parts, device_checks
from edge.session.cell import Compared
from edge.session.confine import Walls
from edge.settings.model import FaceSettings
from edge.state import ClockGuard, state_database
from edge.state.database import SqliteFile
from edge.state.schema import STATE
from edge.trust import IssuerKey
from edge.types import Frame
from edge.vault.schema import VAULT
from tests.cells import cells

ASSETS = Path(__file__).resolve().parents[1] / "assets"
#: What every device's self-test looks at, in its order.
ALL = [
    "settings", "settings-advice", "alternative", "build", "isolated", "model-detector",
    "model-embedder", "model-passive", "liveness", "calibration", "known-person", "known-impostor",
    "known-attack", "look-time", "session-process", "session-walls", "model-times", "cryptography", "keys", "issuers",
    "development-keys", "state-folder", "clock", "clock-budget", "fan-out-guard",
    "sealing", "erasing", "vault", "journal", "settings-kept", "device", "policy", "policy-ahead", "retention",
    "renewals", "readers", "scanners", "door",
    "source", "camera", "camera-identity", "exposure", "focus", "flow", "temperature", "supply", "throttling", "memory",
]  # fmt: skip
WARNINGS = {
    "build",
    "settings-advice", "development-keys", "clock-budget", "fan-out-guard", "policy-ahead", "settings-kept",
    "isolated", "look-time", "session-walls", "model-times", "liveness", "scanners", "retention", "renewals",
    "exposure", "focus", "flow", "temperature", "supply", "throttling", "memory",
}  # fmt: skip
CAMERA = {"source", "camera", "camera-identity", "exposure", "focus", "flow"}


class Ed25519PrivateKeyOfZeros:
    """A library that signs without looking at the message."""

    @classmethod
    def from_private_bytes(cls, data: bytes) -> Ed25519PrivateKeyOfZeros:
        return cls()

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


class Subject:
    """A device in a folder, made by version 0.1.0; a test breaks something of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with tarfile.open(ASSETS / "version-0.1.0.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        self.folder, self.monkeypatch, self.parts = folder / "version-0.1.0", monkeypatch, Parts()
        self.config, self.state = self.folder / "device.yaml", self.folder / "state"
        self.state.chmod(0o700)  # which the archive's filter leaves to the umask
        (self.state / "issuer.passphrase").unlink()

    def set(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))

    def find(self, role: str, **changes: object) -> None:
        def finder(_settings: object) -> Callable[[str], object]:
            return lambda name: replace(load_card(name), **(changes if name == role else {}))

        self.monkeypatch.setattr("edge.service.fitness.model_finder", finder)

    def sql(self, kind: object, name: str, statement: str) -> None:
        with SqliteFile(self.state / name, kind) as database, database.write() as db:
            db.execute(statement)

    def run(self, *names: str, level: Level = Level.FULL) -> FitnessReport:
        with device_checks(self.config, parts=self.parts) as checks:
            return run([check for check in checks if not names or check.id in names], level)


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    return Subject(tmp_path, monkeypatch)


def altered(it: Subject) -> None:
    """A device build that somebody signed, and somebody changed: told on a log door, too."""
    found = replace(current(), profile="device", unsigned="x.py was altered after it was signed")
    it.parts = replace(it.parts, build=found)
    it.monkeypatch.setattr("edge.service.doorway.verified", lambda *_, **__: found)


def as_a_device(it: Subject) -> None:
    it.parts = replace(it.parts, build=replace(current(), profile="device"))


def no_device_key(it: Subject) -> None:
    (it.state / "device.key").unlink()


def no_issuer(it: Subject) -> None:
    for path in (it.folder / "trust" / "issuers").iterdir():
        path.unlink()


def another_issuer(it: Subject) -> None:
    no_issuer(it)
    IssuerKey.generate(os.urandom, "another site").public.save(it.folder / "trust")


def passphrase(it: Subject) -> None:
    (it.state / "issuer.passphrase").write_text("correct horse battery staple\n")


def full_disk(it: Subject) -> None:
    it.monkeypatch.setattr("edge.state.checks.MIN_FREE_BYTES", 2**62)


def root_s_file(it: Subject) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(it.state / "journal.head", 12345, 12345)


def far_from_the_time(it: Subject) -> None:
    with state_database(it.state) as database:
        ClockGuard(database, system_clock=lambda: time.time() + 9 * 365 * 86_400).confirm("kim, by mistake")
    it.monkeypatch.setitem(ClockGuard.__init__.__kwdefaults__, "synchronised", lambda: True)


def unsynchronised(it: Subject) -> None:
    it.monkeypatch.setitem(ClockGuard.__init__.__kwdefaults__, "synchronised", lambda: False)
    with state_database(it.state) as database:
        ClockGuard(database).confirm("kim")
    it.parts = replace(it.parts, system_clock=lambda: time.time() + 30 * 86_400)


def waiting(it: Subject) -> None:
    unsynchronised(it)
    with state_database(it.state) as database:
        ClockGuard(database, system_clock=it.parts.system_clock).confirm("kim")


def tripped(it: Subject) -> None:
    it.sql(STATE, "state.sqlite3", "INSERT OR REPLACE INTO guard VALUES (1, 2, 0, 1e9, 0)")


def damaged_state(it: Subject) -> None:
    (it.state / "state.sqlite3").write_bytes(b"junk" * 2000)


def altered_row(it: Subject) -> None:
    it.sql(VAULT, "vault.sqlite3", "UPDATE holder SET status = 'active'")


def altered_entry(it: Subject) -> None:
    path = it.state / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"not_matching"', b'"matching"', 1))


def weak_sealing(it: Subject) -> None:
    it.monkeypatch.setattr("edge.vault.checks._open", lambda scratch: np.zeros(128))


def answers(it: Subject, score: float) -> None:
    it.monkeypatch.setattr("edge.session.cells.ClosedCell.compare", lambda self, pixels: Compared(score > 0.5))


def everybody_alike(it: Subject) -> None:
    """A network whose output does not depend on the picture: whatever is wrong with it, models do end like that."""
    alike = cells(load_card("embedder").identity, lambda pixels: np.full(128, 7, np.int8))
    it.monkeypatch.setattr("edge.session.cells.Cells._begin", lambda self, session: alike(session))


def never_ends(it: Subject) -> None:
    it.monkeypatch.setattr("edge.session.cells.ClosedCell.close", lambda self: None)
    it.monkeypatch.setattr("edge.session.checks._MOMENTS", 2)


def open_walls(it: Subject) -> None:
    it.monkeypatch.setattr("edge.session.cells.ClosedCell.walls", Walls(seccomp=False, landlock=0))


def blind(it: Subject) -> None:
    it.monkeypatch.setattr("edge.face.passive.Passive.judge", lambda self, image, face: 0.0)


def limitless(it: Subject) -> None:
    """The network judges as it should, and its card's limits let everything through."""
    before = PassiveLimits

    def none(doubt: float, attack: float, judgements: int) -> PassiveLimits:
        return before(1.1, 1.2, judgements)

    it.monkeypatch.setattr("edge.face.passive.PassiveLimits", none)


def gateless(it: Subject) -> None:
    it.set("vault:", "liveness: {passive: 'off', active: 'off'}\nvault:")


def scanner(it: Subject, path: str) -> None:
    it.set("vault:", f"claim: {{readers: [stdin, serial], serial: {path}}}\nvault:")


def forbidden(it: Subject) -> None:
    """There, and not this user's to read; root may read everything, so the kernel's answer is ours here."""
    scanner(it, "/dev/null")
    it.monkeypatch.setattr("edge.claim.checks.os.access", lambda path, mode: False)


def another_camera(it: Subject) -> None:
    it.set("pace: fast", "pace: fast\n  identity: 1bcf:2c99:SN0042")


def traces_left(it: Subject) -> None:
    it.monkeypatch.setattr("edge.vault.store.Store.scrub", lambda self, values: (True, self.traces(values) + 2))


def weak_cipher(it: Subject) -> None:
    it.monkeypatch.setattr("edge.trust.checks.Ed25519PrivateKey", Ed25519PrivateKeyOfZeros)


def kept_too_long(it: Subject) -> None:
    it.parts = replace(it.parts, system_clock=lambda: time.time() + 10 * 365 * 86_400)
    it.monkeypatch.setitem(ClockGuard.__init__.__kwdefaults__, "synchronised", lambda: True)


def started_with_others(it: Subject) -> None:
    main(["run", "--config", str(it.config), "--skip-selftest"])
    it.set("Please ask at the reception.", "Please ring the bell.")


def machine(it: Subject, path: str, content: str) -> None:
    """The machine's own files lie in a folder of the test."""
    place = it.folder / "root" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)
    checks = edge.service.machine.checks(it.folder / "root")
    it.monkeypatch.setattr("edge.service.fitness.of_machine", lambda: checks)


def frozen() -> Callable[[Frame], np.ndarray]:
    """After a quarter of a second the picture stays as it is."""
    seen: list[np.ndarray] = []

    def change(frame: Frame) -> np.ndarray:
        seen.append(frame.image)
        return seen[min(len(seen), 4) - 1]

    return change


def shown(it: Subject, *, fast: bool = True, **changes: object) -> None:
    """The camera delivers other frames than it should."""

    class Changed(FictionalSource):
        def read(self, timeout_s: float) -> Frame:
            frame = super().read(timeout_s)
            made = {name: change(frame) if callable(change) else change for name, change in changes.items()}
            return replace(frame, **made)

    it.parts = replace(it.parts, source=lambda: Changed((OnePerson("ada", 60.0),), real=not fast), fast=fast)


def alarm(it: Subject) -> None:
    machine(it, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
    machine(it, "sys/class/hwmon/hwmon1/name", "rpi_volt")


def cooled(it: Subject) -> None:
    for name, text in (("type", "cpufreq-cpu0"), ("max_state", "4"), ("cur_state", "2")):
        machine(it, f"sys/class/thermal/cooling_device0/{name}", text)


def energised(it: Subject) -> None:
    """A relay whose line is not at the level that was set."""
    chip = FakeChip.make(it.folder / "chip")
    camera = "camera: {driver: v4l2, device: /dev/none}\n"
    it.set("camera:\n  driver: fictional\n  pace: fast\n", f"{camera}door: {{driver: relay, chip: {chip.path}}}\n")
    it.monkeypatch.setattr("edge.door.relay.active", lambda line: True)


def unreadable(it: Subject) -> None:
    energised(it)
    it.monkeypatch.setattr("edge.door.relay.active", lambda line: os.pread(-1, 1, 0))


THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
RELAY = (
    "camera:\n  driver: fictional\n  pace: fast\n",
    "camera: {driver: v4l2, device: /dev/none}\ndoor: {driver: relay}\n",
)


def relay(it: Subject) -> None:
    it.set(*RELAY)


BROKEN = [
    ("settings", lambda it: it.set("fictional", "fictitious"), "camera.driver"),
    ("settings-advice", lambda it: it.set("ask at the reception.", "ask at room #5"), "is read as a comment"),
    ("alternative", lambda it: it.set("Please ask at the reception.", "n/a"), "no way in"),
    ("build", relay, "no device build"),
    ("build", altered, "x.py was altered after it was signed"),
    ("isolated", as_a_device, "was not started isolated"),
    ("model-detector", lambda it: it.find("detector", sha256="0" * 64), "SHA-256"),
    ("model-embedder", lambda it: it.find("embedder", golden={"x": 1}), ""),
    ("model-passive", lambda it: it.find("passive", sha256="0" * 64), "SHA-256"),
    ("calibration", lambda it: it.set("vault:", "decision: {target_fmr: 1e-6, looks: 10}\nvault:"), ""),
    ("keys", no_device_key, "device.key"),
    ("issuers", no_issuer, "no issuer is trusted"),
    ("issuers", another_issuer, "is not trusted"),
    ("development-keys", passphrase, "passphrase"),
    ("state-folder", full_disk, "MiB are free"),
    ("state-folder", root_s_file, "another user"),
    ("clock", far_from_the_time, "days ahead of the system clock"),
    ("clock-budget", unsynchronised, "has not been confirmed"),
    ("clock-budget", waiting, "nothing is deleted for 24.0 hours more"),
    ("fan-out-guard", tripped, "level 2"),
    ("sealing", weak_sealing, "opened to something else"),
    ("vault", altered_row, "altered"),
    ("vault", lambda it: (it.state / "vault.sqlite3").unlink(), "missing"),
    ("journal", altered_entry, "entry 4"),
    ("device", damaged_state, "damaged"),
    ("settings-kept", started_with_others, "have changed since the last start"),
    ("known-person", lambda it: answers(it, 0.0), "rejected, and accepted was to come"),
    ("known-person", lambda it: it.set("vault:", "face: {min_height: 0.9}\nvault:"), "only 0 of 2 good frames"),
    ("known-impostor", lambda it: answers(it, 1.0), "accepted, and rejected was to come"),
    ("known-impostor", everybody_alike, "accepted, and rejected was to come"),
    ("known-attack", blind, "accepted, and suspected was to come"),
    ("known-attack", limitless, "accepted, and suspected was to come"),
    ("liveness", gateless, "a photograph, held up with its card, passes here"),
    ("model-times", lambda it: it.monkeypatch.setattr("edge.service.speed.FAR", 0.0), "ms (at most 0)"),
    ("look-time", lambda it: it.monkeypatch.setattr("edge.service.known_answers.MOST_MS", 0.0), "a look takes"),
    ("session-process", never_ends, "is still there after its session"),
    ("session-walls", open_walls, "no seccomp, no Landlock"),
    ("cryptography", weak_cipher, "Ed25519 (RFC 8032, 7.1)"),
    ("erasing", traces_left, "2 traces of an erased record"),
    ("retention", kept_too_long, "should have gone by now"),
    ("readers", lambda it: it.monkeypatch.setattr("edge.claim.checks._stdin", lambda: False), "input is closed"),
    ("scanners", lambda it: scanner(it, "/dev/serial/none"), "claim.serial: /dev/serial/none: it is not there"),
    ("scanners", lambda it: scanner(it, str(it.config)), "this is no device"),
    ("scanners", forbidden, "this user may not open it"),
    ("door", lambda it: it.set(*RELAY), "only the log door"),
    ("door", energised, "reads back as released"),
    ("door", unreadable, "cannot be read back"),
    ("source", lambda it: it.set(*RELAY), "/dev/none"),
    ("source", lambda it: shown(it, image=lambda frame: np.zeros_like(frame.image)), "nothing in them"),
    ("camera", lambda it: shown(it, image=lambda frame: frame.image[:240].copy()), "frames of 640 x 240"),
    ("camera", lambda it: shown(it, monotonic_ns=lambda frame: frame.monotonic_ns * 5), "frames a second where 15"),
    ("camera-identity", another_camera, "no camera that says which it is, and '1bcf:2c99:SN0042' is declared"),
    ("exposure", lambda it: shown(it, image=lambda frame: frame.image // 64), "the picture is black"),
    ("exposure", lambda it: shown(it, image=lambda frame: np.full_like(frame.image, 255)), "is over exposed"),
    ("focus", lambda it: shown(it, image=lambda frame: cv2.GaussianBlur(frame.image, (0, 0), 12)), "is blurred"),
    ("focus", lambda it: shown(it, image=lambda frame: frame.image // 64), "nothing can be seen"),
    ("flow", lambda it: shown(it, image=frozen()), "the picture is frozen"),
    ("flow", lambda it: shown(it, fast=False, monotonic_ns=lambda frame: frame.monotonic_ns + 5 * 10**9), "s ahead"),
    ("temperature", lambda it: machine(it, "sys/class/thermal/thermal_zone0/temp", "84567"), "85 degrees"),
    ("supply", lambda it: machine(it, THROTTLED, "50000"), "under-voltage since the start"),
    ("supply", lambda it: machine(it, THROTTLED, "1"), "under-voltage"),
    ("supply", lambda it: alarm(it), "under-voltage"),
    ("throttling", lambda it: machine(it, THROTTLED, "80000"), "the soft temperature limit holds since the start"),
    ("throttling", lambda it: machine(it, THROTTLED, "6"), "the processor's rate is capped, throttled"),
    ("throttling", lambda it: cooled(it), "slowed down for its heat, step 2 of 4"),
    ("memory", lambda it: machine(it, "proc/meminfo", "MemTotal: 400000 kB\nMemAvailable:   90000 kB\n"), "87 MB"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "break_it", "told"), BROKEN, ids=[f"{name}-{k}" for k, (name, *_) in enumerate(BROKEN)]
)
def test_each_thing_that_is_broken_is_seen(
    subject: Subject, name: str, break_it: Callable[[Subject], object], told: str
):
    break_it(subject)
    (result,) = subject.run(name).results
    assert not result.ok
    assert told in result.what
    assert result.remedy
    assert result.needed == (name not in WARNINGS or break_it is relay), "what makes a device unfit"


def test_every_check_is_broken_here_or_said_where():
    elsewhere = {
        "policy": "tests/service/test_policy.py",
        "policy-ahead": "tests/service/test_policy.py",
        "renewals": "tests/service/test_update.py",
    }
    assert {name for name, *_ in BROKEN} == set(ALL) - set(elsewhere)


def test_what_is_whole_passes_and_every_check_ran(subject: Subject):
    report = subject.run()
    assert [result.check.id for result in report.results] == ALL
    assert [result.what for result in report.results if not result.ok] == []
    assert report.fit
    assert report.warnings == 0
    assert all(result.check.proves and result.what and result.check.limit for result in report.results)


@pytest.mark.parametrize("break_it", [no_device_key, damaged_state, altered_row, altered_entry])
def test_every_check_runs_whatever_else_is_broken(subject: Subject, break_it: Callable[[Subject], object]):
    break_it(subject)
    report = subject.run(*(name for name in ALL if name not in CAMERA))
    assert [result.check.id for result in report.results] == [name for name in ALL if name not in CAMERA]
    assert not report.fit
    passed = {result.check.id for result in report.results if result.ok}
    assert {"model-embedder", "known-person", "known-impostor", "sealing", "issuers", "door", "state-folder"} <= passed
    told = [result.what for result in report.results if not result.ok]
    assert len([what for what in told if "not looked at" not in what]) <= 2, "one cause is told once"


def test_a_new_device_that_does_not_open_has_no_vault_yet_and_not_somebody_else_s(subject: Subject, monkeypatch):
    for name in ("vault.sqlite3", "state.sqlite3", "journal.jsonl", "journal.head", "device.counters"):
        (subject.state / name).unlink(missing_ok=True)

    def refused(*_: object, **__: object) -> None:
        raise Unfit("something else", where="elsewhere", remedy="mend it")

    monkeypatch.setattr("edge.service.fitness.Device.open", refused)
    results = {result.check.id: result for result in subject.run("vault", "device").results}
    assert results["vault"].ok, results["vault"].what
    assert not results["device"].ok


def test_nothing_is_made_where_there_is_no_device(subject: Subject):
    subject.set("state_dir: state", "state_dir: none")
    assert not subject.run("keys", "state-folder", "vault", "journal", "clock").fit
    assert not (subject.folder / "none").exists()


def test_a_machine_without_cpuinfo_is_told_the_cause(subject: Subject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.face.runner.outside_delegate", lambda interpreter: 60)
    monkeypatch.setattr("edge.face.runner._CPUINFO", Path("/nonexistent/cpuinfo"))
    (result,) = subject.run("model-embedder").results
    assert "there is no /nonexistent/cpuinfo" in result.what
    assert "ProcSubset" in result.remedy
    assert "ReLU6" not in result.remedy
    monkeypatch.setattr("edge.face.runner._CPUINFO", Path("/proc/self"))
    (result,) = subject.run("model-embedder").results
    assert "ReLU6" in result.remedy


def test_while_it_runs_neither_camera_nor_door_is_taken_away(subject: Subject):
    ran = {result.check.id for result in subject.run(level=Level.PERIODIC).results}
    assert set(ALL) - ran == CAMERA | {"door"}
    assert {result.check.id for result in subject.run(level=Level.POWER_ON).results} == set(ALL)


def test_the_command_counts_warnings_and_writes_a_sheet(subject: Subject, capsys):
    passphrase(subject)
    sheet = subject.folder / "sheet.html"
    command = ["selftest", "--config", str(subject.config), "--level", "periodic"]
    assert main([*command, "--json", "--sheet", str(sheet)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["fit"], answer["warnings"], answer["level"]) == (True, 1, "periodic")
    page = sheet.read_text()
    assert "Self-test of desk" in page
    assert "This device is fit to decide." in page
    assert page.count("<tr>") == len(answer["checks"]) + 1
    assert main([*command, "--sheet", str(sheet)]) == 3, "a sheet that is there is kept"
    assert "<img" not in page
    no_issuer(subject)
    assert main([*command, "--sheet", str(subject.folder / "b.html")]) == 4
    assert "NOT fit" in (subject.folder / "b.html").read_text()
    assert main([*command, "--sheet", str(subject.folder / "none" / "b.html")]) == 3


def test_the_sheet_shows_what_the_camera_saw_only_when_somebody_asks_for_it(subject: Subject):
    sheet = subject.folder / "sheet.html"
    command = ["selftest", "--config", str(subject.config), "--with-view"]
    assert main(command) == 3, "there is no page to show it in"
    assert main([*command, "--sheet", str(sheet), "--level", "periodic"]) == 3, "nobody looks through the camera"
    assert main([*command, "--sheet", str(sheet), "--level", "power-on"]) == 0
    assert sheet.stat().st_mode & 0o777 == 0o600
    (coded,) = re.findall(r'src="data:image/png;base64,([^"]+)"', sheet.read_text())
    view = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), 1)
    assert view.shape == (240, 320, 3)


def test_nobody_s_face_is_in_what_the_sheet_shows(subject: Subject):
    chain, views = Chain.load(FaceSettings(), load_card), list[Frame]()
    shown(subject)
    with device_checks(subject.config, parts=subject.parts, view=views.append) as checks:
        run([check for check in checks if check.id == "source"], Level.FULL)
    (view,) = views
    assert not chain.look(view, gate=False).faces
    assert (view.image == 128).all(2).sum() > 1000, "there was one"


def test_other_people_s_text_is_no_markup_on_the_sheet(subject: Subject):
    subject.set("Please ask at the reception.", "'<script>alert(1)</script> at the reception'")
    sheet = subject.folder / "sheet.html"
    main(["selftest", "--config", str(subject.config), "--level", "periodic", "--sheet", str(sheet)])
    assert "&lt;script&gt;" in sheet.read_text()
    assert "<script>" not in sheet.read_text()
