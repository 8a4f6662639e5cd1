"""A whole device whose door is in sight: what its switches say is told, kept, and part of the self-test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.door import FakeChip
from edge.door.holders import dismiss
from edge.errors import DoorError
from edge.fictional import FictionalSource, OnePerson
from edge.selftest import Level, run
from edge.service import Device, Parts, device_checks
from edge.service.demo import Office
from edge.settings.model import (
    CameraSettings,
    ContactSettings,
    DeviceSettings,
    DoorSettings,
    ExitSettings,
    InputSettings,
    Settings,
)
from edge.trust import Keyring
from tests.door.bench import until

LOCK, CONTACT, BUTTON, TAMPER = 17, 27, 22, 23


class Site:
    """A device with a relay, a contact, a button and a switch at its housing, on a chip in a folder."""

    def __init__(self, folder: Path, **door: object) -> None:
        self.chip = FakeChip.make(folder / "chip")
        self.settings = Settings(
            device=DeviceSettings(state_dir=folder / "state", trust_dir=folder / "trust"),
            camera=CameraSettings(driver="v4l2", device="/dev/v4l/by-id/none"),
            door=DoorSettings(
                driver="relay",
                chip=self.chip.path,
                pin=LOCK,
                pulse_s=0.4,
                contact=ContactSettings(pin=CONTACT, held_s=2.0),
                exit=ExitSettings(pin=BUTTON),
                tamper=InputSettings(pin=TAMPER),
                **door,
            ),
            alternative="Ring the bell.",
        )
        keyring, self.issuer = Keyring.ephemeral(os.urandom)
        source = lambda: FictionalSource((OnePerson("ada", 600.0),))  # noqa: E731
        self.device = Device.open(self.settings, Parts(source=source, keyring=keyring, fast=True))

    def entries(self) -> list[dict[str, object]]:
        """What the journal holds of the door and the housing."""
        last = self.device._ledger.journal.last(50)
        return [dict(entry.fields) for entry in last if entry.kind in ("door", "tamper")]

    def wait(self, *changes: str) -> None:
        until(
            lambda: [one.get("change", one.get("open")) for one in self.entries()] == [*changes],
            10,
            f"{self.entries()}",
        )


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.device.close()
    dismiss(made.chip, LOCK)


def test_somebody_who_is_let_in_and_goes_through_leaves_their_way_in_the_journal(site):
    site.device._clock.confirm("kim")
    decision = site.device.verify(Office(site.device, site.issuer).enrol("ada"))
    site.device.act(decision)
    site.chip.put(CONTACT, True)
    site.wait("opened", "open", "locked")
    site.chip.put(CONTACT, False)
    site.wait("opened", "open", "locked", "closed")


def test_a_request_to_exit_is_journalled_and_whoever_then_opens_the_door_forced_nothing(site):
    _ = site.device._door
    site.chip.put(BUTTON, True)
    site.wait("exit", "locked")
    site.chip.put(BUTTON, False)
    site.chip.put(CONTACT, True)
    site.chip.put(CONTACT, False)
    site.wait("exit", "locked", "open", "closed")


def test_a_door_that_is_forced_and_stays_open_and_a_housing_that_is_opened_are_entries_once(site):
    _ = site.device._door
    site.chip.put(CONTACT, True)
    site.wait("open", "forced", "held")
    site.chip.put(TAMPER, True)
    site.wait("open", "forced", "held", True)
    assert site.entries()[0] == {"change": "open", "driver": "contact"}


def test_the_self_test_says_what_is_not_at_rest_as_a_warning_with_what_to_do(site):
    with device_checks(None, device=site.device) as found:
        (door,) = (check for check in found if check.name == "door")
        (contacts,) = (check for check in found if check.name == "contacts")
    assert door.run().endswith("reads back as locked; fail-secure, a button on GPIO 22 lets people out")
    assert contacts.run() == "contact at rest, tamper at rest"
    site.chip.put(CONTACT, True)
    report = run([contacts], Level.PERIODIC)
    assert report.fit, "a door that stands open is no reason to serve nobody"
    assert (report.results[0].ok, "wire of its contact is cut" in report.results[0].what) == (False, True)


def test_a_contact_that_cannot_be_had_is_told_when_the_door_is_opened_and_the_lock_holds(site):
    other = site.chip.input(CONTACT, active_high=True)
    with pytest.raises(DoorError, match="in use"):
        _ = site.device._door
    assert site.entries() == [{"change": "fault", "driver": "relay"}]
    assert site.chip.held(LOCK)
    assert not site.chip.energised(LOCK, active_high=True)
    os.close(other)
    assert site.device._door.name == "relay"


def test_a_fail_safe_door_says_so(tmp_path):
    made = Site(tmp_path, without_power="released")
    try:
        with device_checks(None, device=made.device) as found:
            (door,) = (check for check in found if check.name == "door")
        assert "fail-safe: released without power" in door.run()
    finally:
        made.device.close()
        dismiss(made.chip, LOCK)
