"""From a bare Debian, deploy/ and a signed wheel to a unit that opens a door: `pytest -m pi tests/pi/test_door.py`.

The door is a machine of its own (`make_guest.sh`): an issuer here hands out a card, an installer there runs
`deploy/install` and makes the door's keys as deploy/OPERATING.md says; then the card's code and its holder come before
the camera, and the level of the relay's line is read back. About 15 minutes on two busy cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.build.attest import sign_wheel
from edge.fictional import FictionalSource, Nobody, OnePerson, ShowCode
from edge.trust.envelopes import Signer
from tests.installed import OFFICE, build
from tests.pi.guest import Guest, cases

pytestmark = [pytest.mark.pi, pytest.mark.timeout(7200)]
DOOR = """\
version: edge/settings/v1
device: {name: door-2, state_dir: /var/lib/edge, trust_dir: /etc/edge/trust}
camera: {driver: v4l2, device: /dev/video42, fourcc: MJPG, width: 640, height: 480, fps: 3}
claim: {readers: [qr]}
door:
  {driver: relay, chip: /dev/gpiochip0, pin: 17, active_high: false, pulse_s: 2,
   contact: {pin: 27, at_rest: open, held_s: 2}, exit: {pin: 22}, tamper: {pin: 23, at_rest: open}}
decision: {deadline_s: 60}
alternative: Ring the bell; the reception opens from 7 to 20.
"""
DESK = """\
version: edge/settings/v1
device: {name: desk, state_dir: state, trust_dir: trust}
camera: {driver: fictional, pace: fast, person: ada}
alternative: Ring the bell.
"""
CONSENT = "subject: Ada\ntext_version: '1'\nlanguage: en\ngiven: 2026-11-01\nwithdrawal: delete it\n"


def edge(folder: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "edge", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def issued(folder: Path) -> str:
    """A place of enrolment in a folder: the text of ada's card."""
    (folder / "device.yaml").write_text(DESK)
    (folder / "consent.yaml").write_text(CONSENT)
    (folder / "phrase").write_text("a desk far away from the door\n")
    (folder / "phrase").chmod(0o600)
    edge(folder, "keys", "recovery", "recovery.key", "recovery.pub", "--passphrase-file", "phrase")
    keys = ["--recovery", "recovery.pub", "--issuer", "--passphrase-file", "phrase", "--config", "device.yaml"]
    edge(folder, "keys", "init", *keys)
    card = ["--operator", "kim", "--consent", "consent.yaml", "--passphrase-file", "phrase", "--card", "ada.token"]
    edge(folder, "enrol", *card, "--config", "device.yaml")
    return (folder / "ada.token").read_text().strip()


def draw(folder: Path, token: str) -> None:
    """What the door's camera sees again and again: nobody, the card's code, its holder."""
    scenes = (Nobody(2.0), ShowCode(token, 2.5, size=0.9, tilt=6.0), OnePerson("ada", 7.0, walk_up=False))
    source = FictionalSource(scenes, seed=1)
    source.open()
    for name in ("frames", "dark"):
        (folder / name).mkdir()
    rng = np.random.default_rng(1)
    for number in range(170):
        image = source.read(1.0).image
        dark = np.clip(image * 0.12 + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "frames" / f"{number:03}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        cv2.imwrite(str(folder / "dark" / f"{number:03}.jpg"), dark, [cv2.IMWRITE_JPEG_QUALITY, 90])


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened in the guest, by case."""
    folder, desk = tmp_path_factory.mktemp("guest"), tmp_path_factory.mktemp("desk")
    draw(folder, issued(desk))
    anna = Signer.generate("anna")
    for name in ("issuers", "builders"):
        (folder / name).mkdir()
    (folder / "builders" / "anna.pem").write_bytes(anna.public.pem())
    for file in (desk / "trust" / "issuers").iterdir():
        (folder / "issuers" / file.name).write_bytes(file.read_bytes())
    for name, file in (("recovery.pub", desk / "recovery.pub"), ("site.key", desk / "state" / "site.key")):
        (folder / name).write_bytes(file.read_bytes())
    (folder / "device.yaml").write_text(DOOR)
    sign_wheel(build(folder, OFFICE), anna)
    log = Guest().run("guest_door.sh", folder)
    print(log[-20_000:])
    found = cases(log)
    assert "end" in found, log[-4000:]
    return {name: rows[0] for name, rows in found.items()}


def test_an_installer_reaches_a_fit_device_and_a_running_unit(said):
    assert said["rehearsed"]["code"] == 0
    assert said["installed"]["code"] == 4, "keys are made by hand"
    assert "edge keys init" in said["installed"]["out"]
    assert said["keys"]["code"] == 0, said["keys"]
    assert said["again"]["code"] == 0, said["again"]["out"] + said["again"]["err"]
    assert "is fit to decide" in said["again"]["out"]
    assert said["ready"]["told"]
    assert (said["ready"]["ActiveState"], said["ready"]["NRestarts"]) == ("active", "0")


def test_a_code_and_its_holder_open_the_relay_for_one_pulse(said):
    case = said["accepted"]
    assert case["told"], case["lines"]
    assert case["spans"], "the line's own level says that it was energised, and let go; for how long: test_relay.py"
    assert case["NRestarts"] == "0"


def test_a_killed_main_process_comes_back_and_opens_again(said):
    assert said["killed"]["ready"]
    assert said["accepted again"]["told"]
    assert said["accepted again"]["spans"]


def test_whoever_wants_out_gets_out_while_it_runs_hangs_or_is_stopped(said):
    for case in ("let out", "let out of a hang", "let out when it is stopped"):
        assert said[case]["spans"], case


def test_what_the_door_s_contact_and_its_housing_say_is_in_the_journal(said):
    told = [entry["fields"] for entry in json.loads(said["journal"]["out"])["entries"]]
    doors = [one["change"] for one in told if "change" in one]
    begins = doors.index("forced")
    assert doors[begins - 1 : begins + 3] == ["open", "forced", "held", "closed"]
    assert doors.count("exit") == 2, "the third was when nobody was there to write it"
    assert [one["open"] for one in told if "open" in one] == [True, False]


@pytest.mark.parametrize("trouble", ["silent", "torn"])
def test_a_camera_in_trouble_is_told_once_and_the_door_opens_afterwards(said, trouble):
    case = said[trouble]
    assert case["told"], case["lines"]
    assert case["accepted"], case["lines"]
    assert case["ActiveState"] == "active"


def test_a_dark_hall_at_seven_frames_a_second_neither_opens_nor_ends_it(said):
    assert not any("ACCEPT" in line for line in said["dark"]["lines"])
    assert said["dark"]["ActiveState"] == "active"
    assert said["dark"]["NRestarts"] == "1", "the kill was the only one"


def test_a_stop_leaves_the_line_held_and_the_unit_as_hard_as_it_says(said):
    case = said["stopped"]
    assert (case["ActiveState"], case["Result"], case["guards"], case["level"]) == ("inactive", "success", 1, "1")
    overall = next(line for line in said["security"]["out"].splitlines() if "Overall exposure level" in line)
    assert float(overall.split(":")[1].split()[0]) <= 1.5
    assert said["verify"]["code"] == 0, said["verify"]["err"]
