"""The settings of a door: its lock, and the switches that keep it in sight. Part of `edge.settings.model`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge.settings.kinds import Section, matching, valid


class InputSettings(Section):
    pin: Annotated[int, Field(ge=0, le=1023)]
    """Number of the line of door.chip; on a Raspberry Pi the BCM number, 0 to 27. The switch goes to ground."""
    at_rest: Literal["closed", "open"] = "closed"
    """The switch at rest: closed (a cut wire is told like the alarm), or open."""

    @property
    def active_high(self) -> bool:
        """Whether the line, which has a pull-up, is high when the switch is not at rest."""
        return self.at_rest == "closed"


class ContactSettings(InputSettings):
    held_s: Annotated[float, Field(ge=2, le=3600)] = 30.0
    """A door that stands open for so long after its lock holds again is told as held."""
    forced: bool = True
    """Whether a door that opens while its lock holds is told as forced; false where people leave by the handle."""


class ExitSettings(InputSettings):
    at_rest: Literal["closed", "open"] = "open"
    """The button at rest: open, or closed (a cut wire then lets the door be opened once, and no more)."""


class DoorSettings(Section):
    driver: Literal["log", "relay"] = "log"
    """What an accept does: write a line, or release a lock through a relay."""
    chip: Annotated[
        str, matching(r"^(/.*)?$", "the path of a GPIO chip, such as /dev/gpiochip0, or nothing on a Raspberry Pi")
    ] = ""
    """relay: device of the GPIO chip, such as /dev/gpiochip0; empty: the header of a Raspberry Pi."""
    pin: Annotated[int, Field(ge=0, le=1023)] = 17
    """relay: number of the chip's line; on a Raspberry Pi the BCM number, 0 to 27."""
    active_high: bool = True
    """relay: whether the relay is energised by a high level."""
    pulse_s: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    """relay: how long the lock is released."""
    without_power: Literal["locked", "released"] = "locked"
    """relay: what the lock is without power. locked: fail-secure, it opens only while the relay is energised. released:
    fail-safe, it holds only while the relay is energised, and cutting the power lets people in."""
    on_fault: Literal["locked"] = "locked"
    """What the door does when the program fails while there is power. Nothing else is built."""
    contact: ContactSettings | None = None
    """The switch that says whether the door stands open; null: none."""
    exit: ExitSettings | None = None
    """relay: the button inside that releases the lock for pulse_s, whatever the verifier does; null: none."""
    tamper: InputSettings | None = None
    """The switch that says whether the device's housing is open; null: none."""
    shows: Annotated[tuple[Literal["page", "sound"], ...], Field(max_length=2)] = ()
    """What can show the steps of a challenge to the person in front: page (a screen), sound; empty: nothing can."""
    unattended: bool = False
    """Whether this door is unattended."""

    @property
    def released_high(self) -> bool:
        """relay: whether the lock is released by a high level."""
        return self.active_high == (self.without_power == "locked")

    @model_validator(mode="after")
    def _lines(self) -> DoorSettings:
        pins = {"pin": self.pin} if self.driver == "relay" else {}
        inputs = {"contact": self.contact, "exit": self.exit, "tamper": self.tamper}
        pins |= {f"{name}.pin": one.pin for name, one in inputs.items() if one is not None}
        wrong = [
            f"{key}: a Raspberry Pi's header has GPIO 0 to 27"
            for key, pin in {"pin": self.pin, **pins}.items()
            if pin > 27 and not self.chip
        ]
        used: dict[int, str] = {}
        wrong += [
            f"{key}: it is the line of door.{used[p]}" for key, p in pins.items() if used.setdefault(p, key) != key
        ]
        if self.exit is not None and self.driver != "relay":
            wrong.append("exit: only a relay can be released by a button; write driver: relay")
        return valid(self, wrong)
