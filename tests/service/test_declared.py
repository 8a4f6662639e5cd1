"""Every fact that a deployer can declare: what a device does about it, on statements as the build hook writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.build.buildfile import load_build
from edge.build.judge import _plain
from edge.errors import PolicyStops
from edge.policy.facts import FACTS
from edge.service.declared import CHECKED, HELD, KEPT, need_as_declared, need_export
from edge.service.housekeeping import retention
from edge.settings.model import (
    CameraSettings,
    ClaimSettings,
    DoorSettings,
    JournalSettings,
    KioskSettings,
    LivenessSettings,
    Settings,
    VaultSettings,
)
from edge.vault import ConsentReceipt

ROOT = Path(__file__).resolve().parents[2]
CAMERA = CameraSettings(driver="v4l2", device="/dev/v4l/by-id/none")
CONSENT = ConsentReceipt("nobody", "1", "en", 1_793_500_000, "nowhere")
CHILD = ConsentReceipt("nobody", "1", "en", 1_793_500_000, "nowhere", guardian="somebody")


def statement(**changed: Any) -> dict[str, Any]:
    """The office's, as its build hook writes it, with other facts or capabilities."""
    build, findings = load_build(ROOT / "config" / "examples" / "build-office.yaml")
    assert build is not None, findings
    assert build.deployment is not None
    facts = dict(_plain(build.deployment)) | {name.replace("__", "."): value for name, value in changed.items()}
    capabilities = {name: facts.pop(name, value) for name, value in build.capabilities.items()}
    return {"deployment": facts, "capabilities": capabilities}


def settings(**changed: Any) -> Settings:
    values: dict[str, Any] = {"camera": CAMERA, "alternative": "Please ask at the reception."}
    return Settings(**values | changed)


def test_of_every_fact_it_is_said_what_a_device_does_about_it():
    assert HELD.keys() == {name for name, fact in FACTS.items() if fact.declared}


def test_a_device_that_is_as_declared_goes_on():
    assert need_as_declared(settings(), statement(), people=240, consent=CONSENT) is None
    assert need_as_declared(settings(), {}, people=10**6, consent=CHILD) is None


SHOWS = {"door": DoorSettings(shows=("page",))}
#: Fact -> (what is declared, of the settings, of the enrolment) that contradict each other, and where it is told.
CONTRADICTIONS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ("custody", {}, {"vault": VaultSettings(custody="device")}, {}, "vault.custody"),
    ("custody", {"custody": "device"}, {}, {}, "vault.custody"),
    ("unattended", {"unattended": True}, {}, {}, "liveness.active"),
    ("unattended", {"unattended": False}, {"door": DoorSettings(unattended=True)}, {}, "door.unattended"),
    ("purpose", {"purpose": ["account-verification"]}, {"door": DoorSettings(driver="relay")}, {}, "door.driver"),
    ("enrolment.source", {}, {"camera": CameraSettings(driver="replay", path=Path("x.avi"))}, {}, "camera.driver"),
    ("enrolment.source", {"enrolment__source": "photograph"}, {}, {}, "camera.driver"),
    ("enrolment.minors", {"enrolment__act": "by-others"}, {}, {"consent": CHILD}, "enrolment.minors"),
    ("enrolment.act", {"enrolment__minors": True}, {}, {"consent": CHILD}, "enrolment.act"),
    ("scale.people", {}, {}, {"people": 241}, "scale.people"),
    ("safeguards.alternative", {}, {"alternative": None}, {}, "alternative"),
]


@pytest.mark.parametrize(("fact", "declared", "told", "act", "where"), CONTRADICTIONS)
def test_what_contradicts_the_declaration_stops(fact: str, declared: Any, told: Any, act: Any, where: str):
    with pytest.raises(PolicyStops) as refused:
        need_as_declared(settings(**told), statement(**declared), **act)
    assert refused.value.where == where
    assert refused.value.remedy


def test_a_fact_that_is_checked_has_its_contradiction_here():
    assert {fact for fact, *_ in CONTRADICTIONS} | {"exports"} == {fact for fact, how in HELD.items() if how == CHECKED}


def test_a_child_whose_enrolment_is_declared_may_be_enrolled():
    declared = statement(enrolment__minors=True, enrolment__act="by-others")
    assert need_as_declared(settings(), declared, consent=CHILD) is None


@pytest.mark.parametrize(
    ("told", "capability"),
    [
        ({"kiosk": KioskSettings()}, "local_page"),
        ({"claim": ClaimSettings(readers=("keyboard",), keyboard="/dev/input/by-id/x")}, "keyboard_reader"),
        ({"claim": ClaimSettings(readers=("serial",), serial="/dev/serial/by-id/x")}, "serial_reader"),
    ],
)
def test_what_listens_is_what_the_build_declares(told: dict[str, Any], capability: str):
    with pytest.raises(PolicyStops, match=f"declares {capability}: false"):
        need_as_declared(settings(**told), statement())
    need_as_declared(settings(**told), statement(**{capability: True}))


def test_the_journal_leaves_a_device_only_where_its_exports_say_so():
    need_export({})
    need_export(statement(exports=["access-log"]))
    for exports in ([], ["time-keeping"]):
        with pytest.raises(PolicyStops, match="no access log leaves"):
            need_export(statement(exports=exports))


@pytest.mark.parametrize(
    ("fact", "own", "kept"),
    [
        ("retention_days", {"vault": VaultSettings(keep_days=1000)}, lambda days: days.template_days),
        ("access_log_days", {"journal": JournalSettings(days=1000)}, lambda days: days.journal_days),
    ],
)
def test_nothing_is_kept_longer_than_declared(fact: str, own: dict[str, Any], kept: Callable[[Any], int]):
    assert HELD[fact] == KEPT
    assert kept(retention(settings(**own), statement(**{fact: 30}))) == 30


def test_doors_that_nobody_watches_ask_for_a_challenge():
    always = settings(**SHOWS, liveness=LivenessSettings(active="always"))
    assert need_as_declared(always, statement(unattended=True)) is None


@pytest.mark.parametrize(
    "file", sorted((ROOT / "config" / "examples").glob("build-*.yaml")), ids=lambda file: file.stem
)
def test_every_example_can_be_met(file: Path):
    build, _ = load_build(file)
    assert build is not None
    facts = dict(_plain(build.deployment)) if build.deployment is not None else {}
    shows = {"liveness": LivenessSettings(active="always"), **SHOWS} if facts.get("unattended") else {}
    custody = VaultSettings(custody=facts.get("custody", "card"))
    need_as_declared(settings(vault=custody, **shows), {"deployment": facts, "capabilities": build.capabilities})
