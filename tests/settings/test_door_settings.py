"""The settings of a door in sight: mistakes are told at the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.settings import load_settings

BEGIN = "version: edge/settings/v1\nalternative: ring the bell\ncamera: {driver: picamera2}\ndoor:\n  driver: relay\n"


def problems(folder: Path, door: str) -> list[str]:
    file = folder / "device.yaml"
    file.write_text(BEGIN + door)
    try:
        load_settings(file)
    except SettingsError as error:
        return [str(problem).removeprefix(f"{file}:") for problem in error.problems]
    return []


def test_a_door_with_everything_in_sight_is_valid(tmp_path):
    everything = (
        "  without_power: released\n  contact: {pin: 27, held_s: 20, forced: false}\n  exit: {pin: 22}\n"
        "  tamper: {pin: 23, at_rest: open}\n"
    )
    assert problems(tmp_path, everything) == []
    settings = load_settings(tmp_path / "device.yaml").door
    assert settings.contact is not None
    assert settings.exit is not None
    assert (settings.contact.active_high, settings.exit.active_high) == (True, False)
    assert (settings.active_high, settings.released_high) == (True, False), "the relay holds the lock"


@pytest.mark.parametrize(
    ("door", "told"),
    [
        ("  contact: {pin: 17}\n", "6:18: door.contact.pin: it is the line of door.pin"),
        ("  contact: {pin: 22}\n  exit: {pin: 22}\n", "7:15: door.exit.pin: it is the line of door.contact.pin"),
        ("  tamper: {pin: 40}\n", "6:17: door.tamper.pin: a Raspberry Pi's header has GPIO 0 to 27"),
        ("  contact: {}\n", "door.contact.pin"),
        ("  contact: {pin: 5, at_rest: shut}\n", "6:30: door.contact.at_rest"),
        ("  without_power: open\n", "6:18: door.without_power"),
        ("  exit: {pin: 22, held_s: 3}\n", "door.exit.held_s"),
    ],
)
def test_each_mistake_is_told_where_it_stands(tmp_path, door, told):
    (problem,) = problems(tmp_path, door)
    assert told in problem


def test_a_button_needs_a_relay_to_release(tmp_path):
    (tmp_path / "device.yaml").write_text(BEGIN.replace("relay", "log") + "  exit: {pin: 22}\n")
    with pytest.raises(SettingsError, match="only a relay can be released by a button"):
        load_settings(tmp_path / "device.yaml")
