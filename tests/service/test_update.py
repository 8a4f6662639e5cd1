"""An update brings another embedder: fifty people who are enrolled pass all the same, and are moved one by one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest

from edge.errors import ClaimError, Unfit
from edge.face import Card, load_card
from edge.face.match import average
from edge.fictional import FictionalSource, OnePerson
from edge.models.importing import examine_file, install
from edge.models.spec import ModelSpec
from edge.service import Device, Operator, Parts
from edge.service.demo import Office
from edge.service.fitness import device_checks
from edge.service.renewals import Made, Renewals
from edge.session.cell import Cell
from edge.settings.model import DeviceSettings, FaceSettings, Settings
from edge.trust import Keyring
from edge.trust.envelopes import MODEL, Signer, sign
from edge.types import Custody, Frame, Outcome, Reason
from edge.vault import ConsentReceipt, Issuance, Terms
from tests.cells import holding
from tests.face import surgery
from tests.face.conftest import PEOPLE
from tests.models.bring import spec_of
from tests.service.test_operator import Hand

DAY, NOW = 86_400, 1_800_000_000
COUNT = 50
LAST_DAY = datetime.fromtimestamp(NOW + 60 * DAY, UTC).date()


@cache
def filmed(name: str) -> tuple[Frame, ...]:
    """Four frames of a person who stands at the door; drawn once, since the same twelve come again and again."""
    source = FictionalSource((OnePerson(name, 60.0, walk_up=False),), fps=3.0)
    source.open()
    return tuple(source.read(1.0) for _ in range(4))


@dataclass
class Filmed:
    """A camera that shows them over and over."""

    frames: tuple[Frame, ...]
    name: str = "fictional"
    count: int = 0

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self, timeout_s: float) -> Frame:
        self.count += 1
        return replace(self.frames[self.count % 4], monotonic_ns=self.count * 200_000_000, sequence=self.count)


class Site:
    """A device whose software is changed between two starts, and the people who were enrolled before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, NOW
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        self.cards: list[tuple[str, str]] = []
        self.person = "ada"
        self.face = FaceSettings(threads=1)

    def start(self) -> Device:
        settings = Settings(
            device=DeviceSettings(state_dir=self.folder, trust_dir=self.folder / "trust"),
            face=self.face,
            alternative="Please ask at the reception.",
        )
        parts = Parts(source=self.source, keyring=self.keyring, system_clock=lambda: float(self.now), fast=True)
        device = Device.open(settings, parts)
        device._clock.confirm("kim")
        return device

    def source(self) -> Filmed:
        return Filmed(filmed(self.person))

    def enrol(self, device: Device, count: int) -> None:
        """Cards of both custodies for the fictional people, as one of them after the other came to the desk."""
        references = {name: self.reference(device, name) for name in PEOPLE}
        for number, (name, custody) in enumerate(
            zip(cycle(PEOPLE), cycle([Custody.CARD] * 3 + [Custody.DEVICE] * 2), strict=False)
        ):
            if number == count:
                return
            consent = ConsentReceipt(f"{name} {number} (does not exist)", "1", "en", NOW, "at the desk")
            by = Issuance(self.issuer, "kim", bytes.fromhex(device._chain.model), device._chain.dimension, NOW)
            terms = Terms(custody, ("default",), number, NOW, NOW + 300 * DAY)
            issued = device._vault.commit(device._vault.prepare_enrolment(references[name], terms, consent, by))
            assert issued.text is not None
            self.cards.append((name, issued.text))

    @staticmethod
    def reference(device: Device, name: str) -> Cell:
        """Of three frames of another picture of the person than the one who stands at the door."""
        source = FictionalSource((OnePerson(name, 60.0, variant=1, walk_up=False),), fps=3.0)
        source.open()
        looks = [device._chain.look(source.read(1.0)) for _ in range(3)]
        return holding(average([device._chain.embed(look, "s").consume("s") for look in looks]))

    def update(self) -> None:
        """A new embedder is imported, calibrated and signed; the settings name the one before for sixty days."""
        signer = Signer.generate("acme")
        pinned = self.folder / "trust" / "models" / "acme.pem"
        pinned.parent.mkdir(parents=True)
        pinned.write_bytes(signer.public.pem())
        path = self.folder / "new.tflite"
        path.write_bytes(surgery.floated(surgery.shipped()))
        imported = examine_file(path, ModelSpec.model_validate(spec_of()))
        shipped = load_card("embedder").raw["calibration"]
        measured = {key: value for key, value in shipped.items() if key != "arithmetic"}
        table = measured | {"sha256": imported.card.sha256}
        text = imported.text + "\n" + _yaml({"calibration": table})
        install(replace(imported, text=text), self.folder, sign=lambda card: sign(card, MODEL, signer))
        self.face = FaceSettings(threads=1, embedder="mine", previous_embedder="embedder", previous_until=LAST_DAY)

    def decide(self, device: Device, name: str, token: str) -> tuple[Outcome, Reason]:
        self.person = name
        decision = device.verify(token)
        return decision.outcome, decision.reason


def _yaml(value: dict) -> str:
    import yaml

    return yaml.safe_dump(value, sort_keys=False)


def standing(device: Device) -> Renewals:
    card, before = device._chain.embedder.card, device._overlap.chain
    previous = None if before is None else before.embedder.card
    return Renewals.of(device._vault, card, previous, device.settings.face.previous_until, device._clock.now().utc_s)


def told(device: Device) -> str:
    """What the self-test says of it; a warning, so that everybody else still gets in."""
    with device_checks(None, device=device) as checks:
        (check,) = (check for check in checks if check.id == "renewals")
    assert not check.needed
    try:
        return check.run()
    except Unfit as warning:
        return f"warns: {warning.what} -> {warning.remedy}"


@pytest.mark.timeout(600)
def test_fifty_people_pass_after_an_update_are_renewed_and_the_door_says_when_their_time_is_over(tmp_path: Path):
    site = Site(tmp_path)
    with site.start() as device:
        site.enrol(device, COUNT)
        assert standing(device).count(Made.CURRENT) == COUNT
        threshold = device._verifier.threshold
    site.update()
    site.now += DAY
    with site.start() as device:
        assert device._chain.model != device._overlap.chain.model
        passed = [site.decide(device, name, token) for name, token in site.cards]
        assert passed == [(Outcome.ACCEPT, Reason.MATCHING)] * COUNT
        assert device.verify(site.cards[COUNT - 1][1]).threshold == threshold, "at the previous embedder's own"
        assert site.decide(device, "fara", site.cards[0][1])[0] is Outcome.REJECT
        before = standing(device)
        assert (before.count(Made.PREVIOUS), before.count(Made.CURRENT), before.ended) == (COUNT, 0, False)
        assert len(before.as_json()["cards"]) == COUNT
        assert told(device) == f"{COUNT} cards of the previous embedder, 0 of this one"

        for number in (0, 3):  # one of each custody: each is verified with the old embedder and captured with the new
            name, token = site.cards[number]
            hand, site.person = Hand(), name
            Operator(device, "kim").renew(token, issuer=site.issuer, hand_over=hand)
            site.cards[number] = (name, next(iter(hand.cards), token))  # in device custody the card stays
        after = standing(device)
        assert (after.count(Made.PREVIOUS), after.count(Made.CURRENT)) == (COUNT - 2, 2)

    site.now = NOW + 40 * DAY
    with site.start() as device:
        assert told(device).startswith(f"warns: {COUNT - 2} cards are of the previous embedder, which is used until")
        assert "(21 days)" in told(device)

    site.now = NOW + 61 * DAY
    with site.start() as device:
        assert f"the overlap ended on {LAST_DAY}: {COUNT - 2} cards of the previous" in told(device)
        assert "edge enrol --renew" in told(device)
        assert standing(device).ended
        for number, (name, token) in enumerate(site.cards):
            renewed = number in (0, 3)
            wanted = (Outcome.ACCEPT, Reason.MATCHING) if renewed else (Outcome.REJECT, Reason.MODEL_MISMATCH)
            assert site.decide(device, name, token) == wanted, number
        with pytest.raises(ClaimError, match="was not verified: the card is older than the last update"):
            Operator(device, "kim").renew(site.cards[1][1], issuer=site.issuer, hand_over=Hand())


def test_templates_of_the_arithmetic_before_count_as_this_embedder_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    site = Site(tmp_path)
    with site.start() as device:
        site.enrol(device, 4)
    exact(monkeypatch)
    with site.start() as device:
        assert device._chain.embedder.card.arithmetic == 2
        for name, token in site.cards:
            assert site.decide(device, name, token) == (Outcome.ACCEPT, Reason.MATCHING)
        assert site.decide(device, "fara", site.cards[0][1])[0] is Outcome.REJECT
        assert (standing(device).count(Made.CURRENT), standing(device).due) == (4, [])
    # and so they do once that embedder is the one before
    site.update()
    with site.start() as device:
        for name, token in site.cards:
            assert site.decide(device, name, token) == (Outcome.ACCEPT, Reason.MATCHING)
        assert standing(device).count(Made.PREVIOUS) == 4


def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the build's embedder computes with arithmetic 2."""
    from edge.service import device as module

    find_of = module.model_finder

    def finder(settings: Settings):
        find = find_of(settings)

        def card(name: str) -> Card:
            found = find(name)
            return replace(found, arithmetic=2) if name == "embedder" else found

        return card

    monkeypatch.setattr(module, "model_finder", finder)


def test_a_row_that_names_no_embedder_is_told_as_not_known(tmp_path: Path):
    site = Site(tmp_path)
    with site.start() as device:
        Office(device, site.issuer).enrol("ada")
        (row,) = device._vault.store.expiring(2**32 - 1)
        with device._vault.store.change() as change:
            change.put(replace(row, model=None))  # as a version before wrote it
        device._vault.store.check()
        card = load_card("embedder")
        assert Renewals.of(device._vault, card, None, None, NOW).due == []
        overlap = Renewals.of(device._vault, card, load_card("detector"), date(2100, 1, 1), NOW)
        assert [made for _, made in overlap.due] == [Made.UNKNOWN]
        assert "of 1 card it is not known here" in overlap.check()
