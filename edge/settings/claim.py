"""The settings of a claim: how somebody says who they are, and when. Part of `edge.settings.model`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from edge.settings.kinds import Group, Hours, Section, time_zone, valid

#: Characters of a reason that says anything.
_SENTENCE = 12


class Schedule(Section):
    timezone: Annotated[str, AfterValidator(time_zone)] = "UTC"
    """IANA time zone of the weekly hours, such as Europe/Paris."""
    mon: tuple[Hours, ...] = ()
    """Hours of Monday, such as ["07:00-19:00"]; empty: closed."""
    tue: tuple[Hours, ...] = ()
    """Hours of Tuesday."""
    wed: tuple[Hours, ...] = ()
    """Hours of Wednesday."""
    thu: tuple[Hours, ...] = ()
    """Hours of Thursday."""
    fri: tuple[Hours, ...] = ()
    """Hours of Friday."""
    sat: tuple[Hours, ...] = ()
    """Hours of Saturday."""
    sun: tuple[Hours, ...] = ()
    """Hours of Sunday."""


class ClaimSettings(Section):
    readers: Annotated[tuple[Literal["stdin", "qr", "keyboard", "serial"], ...], Field(min_length=1)] = ("stdin",)
    """How a person says who they are: a token on standard input, a QR code shown to the camera, a scanner that types
    (keyboard) or has a serial line."""
    keyboard: str = ""
    """keyboard: the stable path of the scanner, /dev/input/by-id/...-event-kbd; nothing else gets what it types."""
    serial: str = ""
    """serial: the stable path of the scanner, /dev/serial/by-id/..."""
    serial_rate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    """serial: bits per second."""
    pin: Literal["none", "with_card", "alone"] = "none"
    """A PIN beside the card: none, or with_card: typed after the card was read, set by an operator at each door. alone:
    in the place of the card, WEAKER than any card; needs pin_alone in build.yaml, pin_reason, vault.custody: device."""
    pin_reason: str = ""
    """alone: why nobody can carry a card here, in a sentence; it is shown wherever this mode is."""
    pin_s: Annotated[float, Field(ge=5, le=120)] = 20.0
    """How long the person may take to type it."""
    keypad: str = ""
    """The stable path of a keypad for the PIN, /dev/input/by-id/...-event-kbd; empty: it comes from a reader."""
    qr_tries_per_s: Annotated[float, Field(gt=0, le=5)] = 5.0
    """How often the idle stream is searched for a code."""
    group: Group = "default"
    """The door group of this device; a token opens it when it names the group."""
    clock_skew_s: Annotated[float, Field(ge=0, le=86400)] = 300.0
    """A card is accepted so many seconds early, since clocks differ; a door without a clock chip may need hours."""
    schedule: Schedule | None = None
    """Weekly hours outside of which every claim is refused; null: always."""

    @property
    def asks_pin(self) -> bool:
        """Whether a PIN is asked for beside the card."""
        return self.pin == "with_card"

    @model_validator(mode="after")
    def _scanners(self) -> ClaimSettings:
        paths = {"keyboard": self.keyboard, "serial": self.serial}
        named = [name for name, path in paths.items() if name in self.readers and not path]
        wrong = [f"{name}: the reader {name} needs the stable path of its scanner" for name in named]
        if self.keypad and self.pin == "none":
            wrong.append("keypad: no PIN is asked for here; write pin: with_card")
        if self.pin == "alone" and len(self.pin_reason.strip()) < _SENTENCE:
            wrong.append(
                "pin_reason: a PIN alone is weaker than any card; say in a sentence why nobody can carry one here"
            )
        if self.pin_reason and self.pin != "alone":
            wrong.append("pin_reason: no PIN stands for a card here; leave it out")
        return valid(self, wrong)
