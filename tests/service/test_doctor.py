"""`edge doctor`: what is attached against what the settings name; nothing is opened."""

from __future__ import annotations

import json

import pytest

from edge.cli import main
from edge.service.doctor import KINDS, fits, look
from edge.settings.model import CameraSettings, ClaimSettings, DoorSettings, KioskSettings, Settings

CAMERA = "dev/v4l/by-id/usb-Cam-video-index0"
SCANNER = "dev/input/by-id/usb-Scanner-event-kbd"


@pytest.fixture
def machine(tmp_path):
    """A tree with a camera, a scanner, a GPIO chip, and one of two connectors in use."""
    for name in (CAMERA, SCANNER, "dev/gpiochip0"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for connector, status in (("card1-HDMI-A-1", "connected"), ("card1-HDMI-A-2", "disconnected")):
        (tmp_path / "sys/class/drm" / connector).mkdir(parents=True)
        (tmp_path / "sys/class/drm" / connector / "status").write_text(status + "\n")
    return tmp_path


def settings(**more) -> Settings:
    return Settings(camera=CameraSettings(driver="v4l2", device="/" + CAMERA), alternative="Ring.", **more)


def states(lines) -> dict[str, str]:
    return {line.what: line.state for line in lines}


def test_what_the_settings_name_and_what_else_there_is(machine):
    claim = ClaimSettings(readers=("keyboard",), keyboard="/" + SCANNER)
    lines = look(settings(claim=claim, kiosk=KioskSettings()), machine)
    assert states(lines) == {
        "/" + CAMERA: "used",
        "/" + SCANNER: "used",
        "no serial": "none",
        "/dev/gpiochip0": "found",
        "/sys/class/drm/card1-HDMI-A-1": "found",
    }
    assert fits(lines)


def test_what_is_named_and_not_there_is_told_with_what_is(machine):
    claim = ClaimSettings(readers=("keyboard",), keyboard="/dev/input/by-id/usb-Other-event-kbd")
    (missing,) = [line for line in look(settings(claim=claim), machine) if line.state == "missing"]
    assert missing.what == "/dev/input/by-id/usb-Other-event-kbd"
    assert missing.remedy == "write one of those found into claim.keyboard, or plug it in"
    assert not fits(look(settings(claim=claim), machine))


def test_a_keypad_for_pins_is_looked_for_beside_the_scanner(machine):
    keypad = "dev/input/by-id/usb-Keypad-event-kbd"
    claim = ClaimSettings(pin="with_card", keypad="/" + keypad)
    assert states(look(settings(claim=claim), machine))["/" + keypad] == "missing"
    (machine / keypad).touch()
    lines = look(settings(claim=claim), machine)
    assert (states(lines)["/" + keypad], states(lines)["/" + SCANNER]) == ("used", "found")
    assert fits(lines)


def test_a_path_that_is_there_and_not_listed_is_taken_as_it_is(machine):
    (machine / "dev/video9").touch()
    lines = look(Settings(camera=CameraSettings(driver="v4l2", device="/dev/video9"), alternative="Ring."), machine)
    assert states(lines)["/dev/video9"] == "used"
    assert fits(lines)


def test_a_bare_machine_is_told_what_to_plug_in(tmp_path):
    lines = look(None, tmp_path)
    assert [line.kind for line in lines] == list(KINDS)
    assert all(line.state == "none" and line.remedy for line in lines)
    relay = look(settings(door=DoorSettings(driver="relay")), tmp_path)
    assert not fits(relay)


@pytest.mark.parametrize("json_wanted", [True, False])
def test_the_command_exits_with_4_when_something_is_missing(tmp_path, capsys, json_wanted):
    file = tmp_path / "device.yaml"
    file.write_text(
        "version: edge/settings/v1\ncamera: {driver: v4l2, device: /dev/v4l/by-id/none}\nalternative: Ring.\n"
    )
    assert main(["doctor", "--config", str(file), *(["--json"] if json_wanted else [])]) == 4
    said = capsys.readouterr().out
    if json_wanted:
        answer = json.loads(said)
        assert answer["schema"] == "edge/doctor/v1"
        assert not answer["fits"]
    else:
        assert "missing  camera    /dev/v4l/by-id/none" in said
