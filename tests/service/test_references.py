"""Another day, other spectacles: one more reference, by an operator's act and in no other way, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ClaimError, InputError, ModelError
from edge.face import Chain
from edge.face.match import compare
from edge.fictional import OnePerson
from edge.service import Operator
from edge.service.desk import enrolment_on
from edge.settings.model import DecisionSettings
from edge.types import Claim, Custody, Outcome, Probe, Template
from edge.vault import Issuance, Terms
from tests.service.test_loop import Bench
from tests.service.test_operator import OTHER_WAY, Hand, consent, kinds


def bench_of(folder: Path) -> Bench:
    return Bench(folder, (OnePerson("ada", 600.0, variant=1, walk_up=False),), alternative=OTHER_WAY)


def enrolled(bench: Bench, custody: Custody = Custody.DEVICE) -> str:
    device, now = bench.device, bench.device._clock.now().utc_s
    by = Issuance(bench.issuer, "kim", bytes.fromhex(device._chain.model), device._chain.dimension, now)
    terms = Terms(custody, ("default",), 1, now, now + 86_400)
    with device._cells._begin("enrolment") as cell, device.stream() as stream:
        replace(enrolment_on(device), want=3).from_stream(stream, cell)
        issued = device._vault.commit(device._vault.prepare_enrolment(cell, terms, consent(bench), by))
    assert issued.text is not None
    return issued.text


def claim_of(bench: Bench, token: str) -> Claim:
    return bench.device._admission.receive(token, 0)


def test_a_reference_is_added_in_the_session_that_matched_the_first_and_the_card_stays(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        token = enrolled(bench)
        alone = device.verify(token)
        assert (alone.outcome, alone.threshold) == (Outcome.ACCEPT, device._verifier.threshold)
        hand = Hand()
        answer = Operator(device, "kim").add_reference(token, issuer=bench.issuer, hand_over=hand)
        assert hand.cards == []
        assert answer["serial"] == claim_of(bench, token).serial_text
        assert device._vault.references(claim_of(bench, token)) == 2
        entry = device._ledger.journal.last(1)[0]
        assert (entry.kind, entry.fields["references"], entry.fields["operator"]) == ("reference_added", 2, "kim")
        both = device.verify(token)
        assert both.outcome is Outcome.ACCEPT
        assert both.threshold == device._verifier.threshold_of(device._chain, 2) > alone.threshold


def test_nobody_else_s_is_added(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        token = enrolled(bench)
        bench.script = (OnePerson("chen", 600.0, walk_up=False),)
        with pytest.raises(ClaimError, match="was not verified"):
            Operator(device, "kim").add_reference(token, issuer=bench.issuer, hand_over=Hand())
        bench.script = (OnePerson("ada", 1.2, variant=1, walk_up=False), OnePerson("chen", 600.0, walk_up=False))
        with pytest.raises(InputError, match="do not show the person who was verified"):
            Operator(device, "kim").add_reference(token, issuer=bench.issuer, hand_over=Hand())
        assert device._vault.references(claim_of(bench, token)) == 1
        assert "reference_added" not in kinds(bench)


def test_a_card_that_has_no_room_is_told_so_before_anybody_is_looked_at(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        token = enrolled(bench, Custody.CARD)
        bench.source = None  # there is no camera to be opened
        with pytest.raises(InputError, match="2 references do not fit this card"):
            Operator(device, "kim").add_reference(token, issuer=bench.issuer, hand_over=Hand())


def test_a_door_never_changes_a_template_by_itself(tmp_path: Path):
    """Self-filled galleries are poisoned by strangers: whatever a session sees, what is sealed stays as it was."""
    bench = bench_of(tmp_path)
    with bench.device as device:
        token = enrolled(bench)
        file = tmp_path / "vault.sqlite3"
        name = device._vault.store.holder(claim_of(bench, token).serial).record_id
        before, counted = device._vault.store.template(name), file.read_bytes()
        for who in ("ada", "chen", "ada"):
            bench.script = (OnePerson(who, 600.0, walk_up=False),)
            device.verify(token)
        assert device._vault.store.template(name) == before
        assert file.read_bytes() == counted


class Scores:
    """A chain whose impostor scores have a known tail, so that what a threshold lets through can be counted."""

    def threshold(self, fmr: float, looks: int = 1) -> float:
        from statistics import NormalDist

        if fmr / looks < 1e-5:
            raise ModelError("not supported", where="card")
        return float(NormalDist().inv_cdf(1 - fmr / looks) / np.sqrt(64))  # cosines of random vectors (64,) are normal


def test_several_references_together_stay_within_the_target(tmp_path: Path):
    """Random embeddings as impostors: with the target divided by the references, so many pass as with one reference."""
    target, rng, chain = 0.02, np.random.default_rng(7), Scores()
    passed = {}
    for references in (1, 3):
        threshold, count = chain.threshold(target / references), 0
        for _ in range(6000):
            held = rng.normal(0, 40, (references, 64)).clip(-127, 127).astype(np.int8)
            probe = Probe(rng.normal(0, 40, 64).clip(-127, 127).astype(np.int8), model="m", session="s")
            with Template(held, model="m", session="s") as template:
                count += compare(template, probe, "s") >= threshold
        passed[references] = count / 6000
    assert passed[1] == pytest.approx(target, rel=0.3)
    assert passed[3] == pytest.approx(target, rel=0.3)


def test_what_the_calibration_does_not_support_is_not_compared(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        strict = DecisionSettings(target_fmr=2.5e-5, looks=1)
        verifier = replace(device._verifier, settings=strict, chain=Scores())
        assert verifier.references_of(Scores(), 3) == 2
        stricter = replace(verifier, settings=DecisionSettings(target_fmr=1e-5, looks=1))
        assert stricter.references_of(Scores(), 3) == 1
        with pytest.raises(ModelError):
            verifier.threshold_of(Scores(), 3)


def test_the_shipped_calibration_supports_three_references_at_the_default_door(tmp_path: Path):
    from edge.settings.model import FaceSettings

    chain, usual = Chain.load(FaceSettings(threads=1)), DecisionSettings()
    limits = [chain.threshold(usual.target_fmr / references, usual.looks) for references in (1, 2, 3)]
    assert limits == sorted(limits)
