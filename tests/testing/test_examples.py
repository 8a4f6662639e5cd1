"""The examples under deploy/examples run as they stand, on a device in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PEOPLE, ROOT, Desk, make_desk

EXAMPLES = ROOT / "deploy" / "examples"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = make_desk(tmp_path)
    capsys.readouterr()
    return made


def run(name: str, *arguments: object, stdin: str = "") -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_card_is_verified_and_the_door_acts(desk: Desk, capsys: pytest.CaptureFixture[str]):
    assert run("verify.py", desk.config, desk.token("ada", capsys)).split()[:2] == ["accept", "matching"]


def test_a_person_is_enrolled_and_a_card_that_is_there_is_never_replaced(desk: Desk):
    card = desk.folder / "ada.token"
    passphrase = (desk.folder / "state" / "issuer.passphrase").read_text().strip()
    said = run("enrol.py", desk.config, desk.consent, card, passphrase)
    assert said.split()[-1] == "operator.enrolled"
    assert run("verify.py", desk.config, card).startswith("accept")
    again = [sys.executable, str(EXAMPLES / "enrol.py"), str(desk.config), str(desk.consent), str(card), passphrase]
    done = subprocess.run(again, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)
    assert "NotHandedOver" in done.stderr
    assert '"enrolled"' not in (desk.folder / "state" / "journal.jsonl").read_text().splitlines()[-1]


def test_a_camera_of_one_s_own_is_twenty_lines(desk: Desk, capsys: pytest.CaptureFixture[str]):
    """What it shows is a photograph, and the passive network says so: accepted only where nothing asks."""
    token = desk.token("ada", capsys)
    assert run("own_camera.py", desk.config, token, PEOPLE / "ada-0.jpg").strip() == "no_decision"
    desk.config.write_text(desk.config.read_text() + "\nliveness: {passive: off}\n")
    assert run("own_camera.py", desk.config, token, PEOPLE / "ada-0.jpg").strip() == "accept"


def test_a_door_of_one_s_own_is_twenty_lines(desk: Desk, capsys: pytest.CaptureFixture[str]):
    lines = run("own_door.py", desk.config, desk.token("ada", capsys)).splitlines()
    assert lines == ["turnstile: locked", "turnstile: one turn for credential 0", "turnstile: locked"]


def test_events_are_followed_while_claims_are_served(desk: Desk, capsys: pytest.CaptureFixture[str]):
    token = desk.token("ada", capsys).read_text()
    kinds = [line.split()[1] for line in run("listen.py", desk.config, stdin=token + "\n").splitlines()]
    assert kinds[0] == "device.starting"
    assert "session.decided" in kinds
    assert kinds[-1] == "device.stopped"


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_fits_on_a_screen(example: Path):
    lines = [line for line in example.read_text().splitlines() if line.strip()]
    assert len(lines) <= 34
