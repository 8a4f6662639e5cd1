"""`deploy/THREATS.md`: every row cites a test that exists, and the rows that no room tests alone are tested here."""

from __future__ import annotations

import ast
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.claim import decode, encode
from edge.errors import EdgeError, KeyringError, SealBroken, SpentError, TokenInvalid, TokenRevoked
from edge.fictional import FictionalSource, OnePerson
from edge.service import Device, Parts
from edge.service.demo import Office
from edge.service.demo import settings as demo_settings
from edge.trust import IssuerKey, Keyring, TrustStore
from edge.types import Claim, Custody, Outcome, Reason, Token
from edge.vault import record_id
from edge.vault.seal import open_sealed
from tests.benchmarks import enumeration
from tests.cells import opened

ROOT = Path(__file__).resolve().parent.parent
THREATS = (ROOT / "deploy" / "THREATS.md").read_text(encoding="utf-8")
CITED = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", THREATS)))
ROWS = [line for line in THREATS.splitlines() if line.startswith("| ") and "`tests/" in line]


@pytest.mark.parametrize("cited", CITED)
def test_each_test_that_is_cited_exists(cited):
    name, function = cited.split("::")
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_cites_a_test_and_the_design_s_rows_are_there():
    tables = [line for line in THREATS.split("<!-- enumeration -->")[0].splitlines() if line.startswith("| ")]
    rows = [line for line in tables if not line.startswith(("| holds", "| tries"))]
    assert rows == ROWS
    assert all(re.search(r"`tests/[\w/]+\.py::\w+` \|$", row) for row in rows)
    for holds in (
        "the card alone",
        "a copied QR code",
        "the device alone",
        "card and device",
        "root on a running door",
    ):
        assert any(row.startswith(f"| {holds}") for row in rows), holds
    assert "RGB alone is a deterrent" in THREATS


def test_the_enumeration_time_is_the_measured_one():
    result = json.loads(enumeration.RESULT.read_text())
    assert enumeration.with_table(THREATS, result) == THREATS, (
        "run: python -m tests.benchmarks.enumeration --json … --write"
    )


@pytest.mark.usefixtures("full_cost")
def test_a_guess_costs_time_and_every_pin_can_be_tried():
    assert enumeration.measure(1) > 1
    text = enumeration.table({"guess_ms": 100.0, "date": "2026-11-22"})
    assert "| a PIN of 4 digits | 10,000 | 17 minutes | 10 seconds |" in text
    assert re.search(r"2\^256 \| \de\+\d\d years", text), "a card's secret is beyond all time"


# The rows that belong to no room alone ------------------------------------------------------------------------------


class House:
    """A device in the demo's manner, with ada in front of its camera, and an office that makes its cards."""

    def __init__(self, folder: Path, custody: Custody) -> None:
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        settings = demo_settings(folder)
        source = lambda: FictionalSource((OnePerson("ada", 60.0),))  # noqa: E731
        self.device = Device.open(settings, Parts(source=source, keyring=self.keyring, fast=True))
        self.custody = custody

    def card(self, name: str) -> str:
        """A card for one of the fictional people, in the house's custody."""
        device, office = self.device, Office(self.device, self.issuer)
        prepare = device._vault.prepare_enrolment
        device._vault.prepare_enrolment = lambda cell, terms, consent, by: prepare(
            cell, replace(terms, custody=self.custody), consent, by
        )
        try:
            return office.enrol(name)
        finally:
            device._vault.prepare_enrolment = prepare

    def claim(self, token: str) -> Claim:
        return decode(token, trust=self.keyring.trust, site_id=self.keyring.site_id, received_ns=0)

    def model(self) -> bytes:
        return bytes.fromhex(self.device._chain.model)


@pytest.fixture(params=[Custody.CARD, Custody.DEVICE])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, request.param)
    yield made
    made.device.close()


def stranger_s_key() -> bytes:
    return random.Random(5).randbytes(32)


def test_a_card_alone_opens_nothing_and_its_claim_still_needs_the_face(house):
    token = house.card("chen")
    claim = house.claim(token)
    if claim.sealed is not None:
        for key in (stranger_s_key(), bytes(32), claim.secret):
            with pytest.raises(SealBroken):
                open_sealed(claim.sealed, claim, key, model_digest=house.model(), session="s")
    assert (house.device.verify(token).outcome, house.device.verify(house.card("ada")).outcome) == (
        Outcome.REJECT,
        Outcome.ACCEPT,
    )


def test_a_copied_code_is_the_card_until_its_serial_is_revoked(house):
    token = house.card("ada")
    copy = str(token)
    assert house.device.verify(copy).outcome is Outcome.ACCEPT
    house.device._vault.revoke(house.claim(token).serial, "kim", now_s=house.device._clock.now().utc_s)
    decision = house.device.verify(copy)
    assert (decision.reason, decision.frames_looked_at) == (Reason.TOKEN_REVOKED, 0)


def test_a_device_alone_opens_no_template_and_makes_no_card(house):
    """Its disk and all of its keys, and no card: not one template of those that are on it opens."""
    claims = [house.claim(house.card(name)) for name in ("ada", "chen", "dara")]
    store, ring = house.device._vault.store, house.keyring
    for claim in claims:
        guessed = replace(claim, secret=stranger_s_key())
        record = store.template(record_id(claim.secret))
        assert (record is not None) is (house.custody is Custody.DEVICE)
        assert store.template(record_id(guessed.secret)) is None, "not even its place is known"
        with pytest.raises(EdgeError):
            opened(house.device._vault, guessed, house.model())
    body = Token(Custody.CARD, ring.site_id, bytes(16), 1, ("default",), 1, 2**32 - 1, bytes(32), claims[0].sealed)
    with pytest.raises((EdgeError, ValueError, AttributeError)):
        house.claim(encode(replace(body, custody=Custody.DEVICE, sealed=None), IssuerKey.generate(os.urandom)))
    assert not hasattr(ring, "issuer"), "a door holds public halves of issuers only"


def test_root_on_a_running_door_sees_what_is_presented_and_nothing_else(house):
    """By its nature: whoever is in the process during a session reads that session's template, and no other one."""
    presented, absent = house.claim(house.card("ada")), house.claim(house.card("chen"))
    with opened(house.device._vault, presented, house.model(), "now") as template:
        assert np.any(template.read("now")), "this is what root can see"
    with pytest.raises(SpentError):
        template.read("now")
    everything = [house.keyring.device_key, house.keyring.site_key]
    for key in everything:
        unknown = replace(absent, secret=presented.secret)
        sealed = absent.sealed
        if sealed is not None:
            with pytest.raises(SealBroken):
                open_sealed(sealed, unknown, key, model_digest=house.model(), session="now")
    with pytest.raises(EdgeError):
        opened(house.device._vault, replace(absent, secret=presented.secret), house.model(), "now")


def test_the_site_key_makes_no_card(house):
    genuine = house.claim(house.card("ada"))
    body = Token(
        Custody.DEVICE, house.keyring.site_id, bytes(16), 1, ("default",), 1, 2**32 - 1, house.keyring.site_key
    )
    forged = encode(body, IssuerKey.generate(random.Random(6).randbytes))
    with pytest.raises(TokenInvalid):
        house.claim(forged)
    assert house.device.verify(forged).reason is Reason.TOKEN_INVALID
    assert genuine.secret != house.keyring.site_key


def test_the_issuer_s_key_is_everything_until_it_is_no_longer_trusted(house):
    """Somebody with it makes a card for their own face, and the door opens; taken out of the trust, it is nothing."""
    token = house.card("ada")
    assert house.device.verify(token).outcome is Outcome.ACCEPT
    nobody = TrustStore({})
    with pytest.raises((TokenInvalid, KeyringError)):
        decode(token, trust=nobody, site_id=house.keyring.site_id, received_ns=0)


def test_a_revoked_card_is_an_error_of_its_own(house):
    claim = house.claim(house.card("ada"))
    house.device._vault.revoke(claim.serial, "kim", now_s=1)
    with pytest.raises(TokenRevoked):
        opened(house.device._vault, claim, house.model())
