"""When a door asks for a challenge: as its settings say, or as follows from what it can show and who watches it."""

import pytest
from pydantic import ValidationError

from edge.errors import PolicyStops
from edge.service.declared import need_as_declared
from edge.settings.model import DoorSettings, LivenessSettings, Settings


def settings(active: str | None = None, **door: object) -> Settings:
    return Settings(liveness=LivenessSettings(active=active), door=DoorSettings(**door))


@pytest.mark.parametrize(
    ("active", "door", "asked"),
    [
        (None, {}, "off"),
        (None, {"unattended": True}, "off"),
        (None, {"shows": ["page"]}, "on_doubt"),
        (None, {"shows": ["sound"], "unattended": True}, "always"),
        ("off", {"shows": ["page"], "unattended": True}, "off"),
        ("always", {"shows": ["page", "sound"]}, "always"),
    ],
)
def test_what_a_door_asks_for(active, door, asked):
    assert settings(active, **door).challenge == asked


@pytest.mark.parametrize("active", ["on_doubt", "always"])
def test_a_door_that_can_show_nothing_asks_for_nothing(active):
    with pytest.raises(ValidationError, match="nothing at this door shows a challenge"):
        settings(active)


def test_colours_need_a_page():
    lit = LivenessSettings(flash="on")
    with pytest.raises(ValidationError, match="colours need a screen"):
        Settings(liveness=lit, door=DoorSettings(shows=["sound"]))
    assert Settings(liveness=lit, door=DoorSettings(shows=["page"])).liveness.flash == "on"


def test_a_build_for_doors_that_nobody_watches_refuses_to_ask_for_nothing():
    declared = {"deployment": {"unattended": True}}
    with pytest.raises(PolicyStops, match="nobody watches"):
        need_as_declared(settings(), declared)
    need_as_declared(settings(shows=["page"]), declared)
    need_as_declared(settings(), {"deployment": {"unattended": False}})
