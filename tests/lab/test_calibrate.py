"""From impostor comparisons to a card's table: what it promises, what it refuses to promise, and for whom."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import InputError
from edge.face.card import load_card
from edge.lab import calibrate_table
from edge.lab.calibrate import CalibrationPlan, calibrate, write_calibration
from edge.lab.calibrate_table import TARGETS, curve_of
from edge.lab.pairing import Trials


def people(count: int, seed: int, pull: float = 0.0, noise: float = 0.0) -> Trials:
    """Random people; ``pull`` draws them together, as a group that the model tells apart less well."""
    rng = np.random.default_rng(seed)
    centre = np.zeros(32, np.float32)
    centre[0] = pull * np.sqrt(32)
    z = rng.standard_normal((count, 32)).astype(np.float32) + centre
    p = z + noise * rng.standard_normal(z.shape).astype(np.float32)
    z, p = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (z, p))
    names = tuple(f"{seed}-{i}" for i in range(count))
    number = np.arange(count)
    return Trials(z, p, number, number, names, tuple(f"{name}-b" for name in names))


PLAN = CalibrationPlan(rounds=40, fewest=200)


@pytest.fixture(scope="module")
def found():
    return calibrate({"a": people(1000, 1)}, PLAN)


def test_every_row_meets_its_target_with_its_bound(found):
    for row in found.thresholds:
        assert row["measured"] <= row["upper"] <= row["fmr"]


def test_thresholds_rise_as_rates_fall_and_stop_where_the_people_no_longer_carry_them(found):
    thresholds = [row["threshold"] for row in found.thresholds]
    assert thresholds == sorted(thresholds)
    smallest = found.thresholds[-1]["fmr"]
    assert 1e-6 < smallest <= 1e-4  # 10^6 comparisons, at least ten above the threshold
    assert calibrate({"a": people(200, 1)}, PLAN).thresholds[-1]["fmr"] > smallest


def test_the_measured_rate_is_that_of_fresh_people(found):
    fresh = curve_of(people(1500, 99), 10, 1)
    for row in found.thresholds[:4]:
        assert fresh.at(row["threshold"])[0] <= row["fmr"] * 1.15


def test_a_target_must_be_met_in_every_set_by_itself():
    easy, hard = people(600, 1), people(600, 2, pull=0.25)
    alone = calibrate({"easy": easy}, PLAN).thresholds
    both = calibrate({"easy": easy, "hard": hard}, PLAN).thresholds
    assert both[0]["threshold"] > alone[0]["threshold"]
    assert both[0]["measured hard"] == pytest.approx(both[0]["measured"], rel=0.05)
    assert both[0]["measured easy"] < both[0]["measured hard"]


def test_a_large_set_is_listed_in_two_parts_that_agree(monkeypatch):
    trials = people(1000, 3)
    whole = curve_of(trials, 30, 1)
    monkeypatch.setattr(calibrate_table, "_LISTED", 6000)
    parts = curve_of(trials, 30, 1)
    assert len(parts.tails) == 2
    assert all(len(tail.pairs.score) < 9000 for tail in parts.tails)
    for target in TARGETS[2:6]:
        assert parts.meets(target)["threshold"] == pytest.approx(whole.meets(target)["threshold"], abs=0.004)
    assert parts.meets(TARGETS[0])["threshold"] == pytest.approx(whole.meets(TARGETS[0])["threshold"], abs=0.02)


def grouped(sizes: dict[str, tuple[int, float]]) -> tuple[Trials, tuple[str, ...]]:
    parts = [people(count, 10 + k, pull) for k, (count, pull) in enumerate(sizes.values())]
    labels = tuple(name for name, (count, _) in sizes.items() for _ in range(count))
    number = np.arange(len(labels))
    z, p = (np.concatenate([getattr(part, side) for part in parts]) for side in ("templates", "probes"))
    return Trials(z, p, number, number), labels


SIZES = {"north": (400, 0.0), "south": (400, 0.3), "west": (60, 0.0)}


def test_groups_are_measured_within_themselves_and_small_ones_are_too_few():
    trials, labels = grouped(SIZES)
    found = calibrate({"a": trials}, PLAN, labels={"a": labels})
    rows = {row["name"]: row for row in found.groups}
    assert rows["west"] == {"name": "west", "people": 60, "fmr": "too few"}
    assert rows["south"]["fmr"] > 2 * rows["north"]["fmr"]
    assert rows["south"]["upper"] >= rows["south"]["fmr"]
    assert found.worst_group["name"] == "south"
    mean = np.sqrt(rows["south"]["fmr"] * rows["north"]["fmr"])
    assert found.worst_group["max_to_geometric_mean"] == pytest.approx(rows["south"]["fmr"] / mean, abs=0.01)


def test_a_card_can_be_decided_by_its_worst_group():
    trials, labels = grouped(SIZES)
    plan = CalibrationPlan(rounds=40, fewest=200, decide_by="worst-group")
    found = calibrate({"a": trials}, plan, labels={"a": labels})
    section = found.section(sha256="0" * 64, date="2026-11-22", command="x", sets={"a": "made up"})
    everybody = {row["fmr"]: row["threshold"] for row in found.thresholds}
    assert section["thresholds"][0]["threshold"] > everybody[section["thresholds"][0]["fmr"]]
    assert section["smallest_fmr"] == section["thresholds"][-1]["fmr"] >= found.thresholds[-1]["fmr"]
    with pytest.raises(InputError, match="no group of 200 people"):
        calibrate({"a": people(600, 1)}, plan)


def test_pairs_left_out_are_given_beside():
    trials = people(600, 4)
    from dataclasses import replace

    probes = trials.probes.copy()
    probes[:6] = trials.templates[6:12]  # six people stand there twice
    twice = np.array([[6 + k, k] for k in range(6)])
    row = calibrate({"a": replace(trials, probes=probes, left_out=twice)}, PLAN).thresholds[-1]
    assert row["with_left_out"] > row["measured"]


def test_false_non_matches_are_told_where_people_have_several_pictures():
    row = calibrate({"a": people(400, 5, noise=0.9)}, PLAN).thresholds
    assert 0 <= row[0]["fnmr"] <= row[-1]["fnmr"]
    assert row[-1]["fnmr"] > 0.01


def test_a_handful_of_people_is_refused():
    with pytest.raises(InputError, match="12 people carry no false match rate") as error:
        calibrate({"a": people(12, 1)}, PLAN)
    assert "pictures of more people" in error.value.remedy


def test_a_card_takes_the_calibration_of_its_own_file_only(found, tmp_path):
    source = load_card("embedder")
    card = tmp_path / "embedder.card.yaml"
    card.write_text((source.path.parent / "embedder.card.yaml").read_text())
    section = found.section(
        sha256=source.sha256, date="2026-11-22", command="x", sets={"a": "made up"}, arithmetic=source.arithmetic
    )
    assert write_calibration(card, section) == card
    written = load_card(card)
    assert written.calibration.smallest_fmr == found.thresholds[-1]["fmr"]
    assert written.raw["calibration"]["bound"]["confidence"] == 0.95
    assert {k: v for k, v in written.raw.items() if k != "calibration"} == {
        k: v for k, v in source.raw.items() if k != "calibration"
    }
    before = card.read_bytes()
    with pytest.raises(InputError, match="another model"):
        write_calibration(card, section | {"sha256": "0" * 64})
    assert card.read_bytes() == before


def test_a_set_of_usual_size_is_compared_once_and_only_its_highest_scores_are_listed():
    curve = curve_of(people(400, 6), 10, 1)
    assert len(curve.tails) == 1
    assert len(curve.tails[0].pairs.score) < 0.03 * curve.total
