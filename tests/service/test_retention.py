"""Retention on a whole device: by itself, by the strictest rule, and also after weeks without power."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from edge.errors import ClockUnconfirmed, StateError, TokenNotYetValid
from edge.fictional import Nobody
from edge.profile import BuildInfo
from edge.service import Device, Loop, Parts
from edge.service.demo import Office
from edge.service.housekeeping import Retention, retention
from edge.settings.model import ClaimSettings, DeviceSettings, JournalSettings, Settings, VaultSettings
from edge.state import ClockGuard
from edge.trust import Keyring
from edge.types import Outcome, Reason

NOW, DAY = 1_800_000_000, 86_400
BUILD = BuildInfo("device", "1")


class World:
    """A device whose clocks a test moves; it is opened anew for every start."""

    def __init__(self, folder, keep_days=None, custody="device", build=BUILD):
        self.system, self.uptime, self.synchronised = float(NOW), 1000.0, False
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        self.settings = Settings(
            device=DeviceSettings(state_dir=folder, trust_dir=folder / "trust"),
            vault=VaultSettings(keep_days=keep_days, custody=custody),
        )
        self.parts = Parts(keyring=self.keyring, system_clock=lambda: self.system, build=build, fast=True)

    def start(self) -> Device:
        device = Device.open(self.settings, self.parts)
        clock: ClockGuard = device._clock
        clock._uptime, clock._synchronised = (lambda: self.uptime), (lambda: self.synchronised)
        return device

    def off(self, seconds: float) -> None:
        """Power off; a clock with a battery goes on, the uptime begins anew."""
        self.system, self.uptime = self.system + seconds, 30.0

    def on(self, seconds: float) -> None:
        self.system, self.uptime = self.system + seconds, self.uptime + seconds

    def run(self, seconds: float, device: Device) -> None:
        """The device runs, and its clock is asked on the way."""
        device._clock.now()
        self.on(seconds)


def kept(device: Device) -> int:
    return len(device._vault.due(2**32 - 2))


def kinds(device: Device) -> list[str]:
    return [entry.kind for entry in device._ledger.journal.last(50)]


@pytest.fixture
def world(tmp_path) -> World:
    made = World(tmp_path)
    with made.start() as device:
        device._housekeeping.visit()
        Office(device, made.issuer).enrol("ada")  # a card of one day
        device._ledger.journal.write("acknowledged", what="vault", operator="kim")
        assert kept(device) == 1
    return made


def test_what_expired_in_weeks_without_power_goes_once_the_time_is_confirmed(world):
    world.off(21 * DAY)
    with world.start() as device:
        for _ in range(5):
            assert not device._housekeeping.visit()
            world.on(60)
        assert kept(device) == 1, "nothing is deleted on a clock that nobody answers for"
        assert kinds(device).count("clock") == 1, "and the journal tells it, once"
        world.synchronised = True
        assert not device._housekeeping.visit(), "a step of weeks must hold for a day of running first"
        world.run(DAY - 120, device)
        assert not device._housekeeping.visit()
        world.run(180, device)
        assert device._housekeeping.visit()
        assert kept(device) == 0
        entry = next(e for e in device._ledger.journal.last(9) if e.kind == "expired")
        assert (entry.fields["what"], entry.fields["rule"]) == ("row", "card")


def test_an_operator_s_confirmation_is_enough(world):
    world.off(21 * DAY)
    with world.start() as device:
        device._housekeeping.visit()
        device._clock.confirm("kim")
        world.run(DAY + 60, device)
        assert device._housekeeping.visit()
        assert kept(device) == 0


def test_a_clock_that_is_moved_again_and_again_deletes_nothing(world):
    with world.start() as device:
        Office(device, world.issuer).enrol("bela")
        before = kept(device)
        for step in range(401):
            world.system += DAY - 1
            world.synchronised = step % 2 == 1
            assert device._housekeeping.visit() is False or step == 0
        assert kept(device) == before
        world.synchronised, world.system = True, NOW + 400.0
        device._clock.confirm("kim")
        world.run(DAY - 1000, device)
        assert kept(device) == before, "an operator has put it right, and nothing was lost"


def test_a_device_that_first_started_in_2036_is_put_right_by_an_operator(tmp_path):
    world = World(tmp_path)
    world.system = 2_090_000_000.0
    with world.start() as device:
        assert not device._clock.now().confirmed, "further from the build than any first start can be"
        with pytest.raises(StateError, match="has not been confirmed"):
            Office(device, world.issuer).enrol("ada")
        device._clock.confirm("by mistake")
        Office(device, world.issuer).enrol("ada")
        world.system = float(NOW)
        assert device._clock.now().behind_s > 9 * 365 * DAY
        assert device._clock.confirm("kim").utc_s == NOW
        Office(device, world.issuer).enrol("ada")


def test_old_journal_entries_go_after_weeks_without_power_too_and_the_chain_holds(world):
    world.off(91 * DAY)
    world.synchronised = True
    with world.start() as device:
        device._housekeeping.visit()
        assert "acknowledged" in kinds(device)
        world.run(DAY + 60, device)
        device._housekeeping.visit()
        assert "acknowledged" not in kinds(device)
        assert device._ledger.journal.verify().ok
        assert "expired" in kinds(device), "that something went is told for as long as everything else"


def test_a_clock_set_back_extends_nothing(world):
    with world.start() as device:
        world.on(DAY + 60)
        device._clock.now()
        world.system = NOW - 900 * DAY
        assert device._housekeeping.visit()
        assert kept(device) == 0


def test_the_house_is_kept_at_start_and_then_once_a_day(world):
    with world.start() as device:
        visits = []
        for _ in range(3 * 24):
            visits.append(device._housekeeping.visit())
            world.on(3600)
        assert visits.count(True) == 3
        assert visits[0]


def test_the_loop_keeps_the_house_by_itself(world):
    world.synchronised = True
    world.off(3 * DAY)
    device = world.start()
    world.run(DAY + 60, device)
    from edge.fictional import FictionalSource

    device._parts = replace(device._parts, source=lambda: FictionalSource((Nobody(0.5),)))
    with device:
        import threading

        Loop(device, []).run(threading.Event())
        assert kept(device) == 0
        assert "expired" in kinds(device)


def declared(**facts) -> dict:
    return {"deployment": facts}


def policy(**limits) -> dict:
    return {"policy": {"limits": {name: {"at_least": None, "at_most": most} for name, most in limits.items()}}}


@pytest.mark.parametrize(
    ("own", "statement", "verdict", "days", "by"),
    [
        (None, {}, {}, None, "card"),
        (400, {}, {}, 400, "settings"),
        (None, policy(retention_days=365), {}, 365, "policy"),
        (400, policy(retention_days=365), {}, 365, "policy"),
        (30, policy(retention_days=365), {}, 30, "settings"),
        (400, policy(retention_days=365) | declared(retention_days=100), {}, 100, "declared"),
        (400, policy(retention_days=365), {"retention_days": 90.0}, 90, "policy"),
        (400, policy(retention_days=None), {"retention_days": None}, 400, "settings"),
        (400, {"policy": "damaged", "deployment": [1]}, {}, 400, "settings"),
        (400, declared(retention_days="soon"), {}, 400, "settings"),
    ],
)
def test_the_smallest_of_settings_declaration_and_policy_counts(own, statement, verdict, days, by):
    found = retention(Settings(vault=VaultSettings(keep_days=own)), statement, verdict)
    assert (found.template_days, found.by["template"]) == (days, by)


def test_the_journal_s_days_are_the_smallest_too():
    settings = Settings(journal=JournalSettings(days=200))
    assert retention(settings, {}) == Retention(None, 200, {"template": "card", "journal": "settings"})
    assert retention(settings, policy(access_log_days=90)).journal_days == 90
    assert retention(settings, declared(access_log_days=7) | policy(access_log_days=90)).journal_days == 7


def test_a_policy_in_the_build_statement_shortens_what_the_device_keeps(tmp_path):
    build = BuildInfo("device", "1", statement=policy(retention_days=10, access_log_days=5))
    world = World(tmp_path, keep_days=300, build=build)
    with world.start() as device:
        assert device._vault.keep_days == 10
        assert device.retention.journal_days == 5


def test_a_short_journal_is_no_way_to_forget_what_a_card_has_failed_at(tmp_path):
    build = BuildInfo("device", "1", statement=policy(access_log_days=1))
    world, card = World(tmp_path, build=build), bytes(range(16))
    world.synchronised = True
    with world.start() as device:
        device._housekeeping.visit()
        device._limits.before_comparison(card)
        for _ in range(3):
            world.run(DAY, device)
            device._housekeeping.visit()
        assert device._limits.standing(card).rejects == 1
        for _ in range(30):
            world.run(DAY, device)
            device._housekeeping.visit()
        assert device._limits.standing(card).rejects == 0


def test_a_template_on_a_card_that_is_older_than_allowed_is_refused_at_any_door(tmp_path):
    world = World(tmp_path, custody="card")
    with world.start() as device:
        office = Office(device, world.issuer)
        token = office.enrol("ada")
        claim = device._admission.receive(token, 0)
        assert claim.sealed is not None
        device._vault.keep_days = 10
        world.on(DAY - 60)
        device._admission.receive(token, 0)
        device._vault.keep_days = 0
        decision = device.verify(token)
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.TOKEN_EXPIRED)
    assert decision.frames_looked_at == 0


def test_a_card_made_a_minute_ago_opens_a_door_whose_clock_is_a_minute_behind(tmp_path):
    world = World(tmp_path)
    with world.start() as device:
        token = Office(device, world.issuer).enrol("ada")
    for behind, settings, refused in ((60, {}, False), (3600, {}, True), (3600, {"clock_skew_s": 7200.0}, False)):
        door = World(tmp_path / f"{behind}{refused}")
        door.keyring, door.system = world.keyring, float(NOW - behind)
        door.parts = replace(door.parts, keyring=world.keyring)
        door.settings = door.settings.model_copy(update={"claim": ClaimSettings(**settings)})
        with door.start() as device:
            if refused:
                with pytest.raises(TokenNotYetValid):
                    device._admission.receive(token, 0)
            else:
                device._admission.receive(token, 0)


def test_an_unconfirmed_clock_refuses_a_card_by_the_clock_s_name_and_not_by_the_card_s(world):
    with world.start() as device:
        token = Office(device, world.issuer).enrol("bela")
        world.system += 30 * DAY
        with pytest.raises(ClockUnconfirmed):
            device._admission.receive(token, 0)
