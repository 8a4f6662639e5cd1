"""Sessions of several looks: what is calibrated is what a door does look by look, and the target holds for others."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.training.calibrate import Alike
from models.training.looks import HeldOut
from models.training.sessions import Rule, Seen, choice, curve_of, genuine, hardest, impostors, sides_of

RULES = [Rule("best", 0.0), Rule("mean", 0.0), Rule("mean", 0.06)]
NOBODY = np.zeros((0, 2), np.int64)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def people(count: int, seed: int, looks: int = 3) -> Seen:
    """Templates, and sessions whose looks share half of what is wrong with them."""
    random = np.random.default_rng(seed)
    who = random.standard_normal((count, 32))
    day, own = random.standard_normal((count, 1, 32)), random.standard_normal((count, looks, 32))
    return Seen(unit(who), unit(who[:, None] + 0.5 * day + 0.5 * own))


@pytest.mark.parametrize("rule", RULES)
def test_one_number_says_whether_a_door_accepts_look_by_look(rule: Rule):
    seen, last = people(40, 1), 0.2
    numbers = rule.sessions(seen.templates, seen.looks)
    asked = [last + more for more in rule.asked(3)]
    for one in range(40):
        for other in range(40):
            scores = [float(seen.templates[one] @ look) for look in seen.looks[other]]
            if rule.name == "mean":
                means = [unit(seen.looks[other, : k + 1].sum(0)) for k in range(3)]
                scores = [float(seen.templates[one] @ mean) for mean in means]
            accepted = any(score >= wanted for score, wanted in zip(scores, asked, strict=True))
            assert accepted == (numbers[one, other] >= last) or abs(numbers[one, other] - last) < 1e-6


@pytest.mark.parametrize("rule", RULES)
def test_the_calibrated_target_holds_for_other_people_and_is_not_wasted(rule: Rule):
    seen, others = people(700, 1), people(700, 2)
    rows = np.arange(700)
    curve = curve_of(impostors(seen, rule, 3, rows, NOBODY, 0.15), 100, 1)
    last = curve.meets(1e-3)
    strange = rule.sessions(others.templates, others.looks)[~np.eye(700, dtype=bool)]
    assert 0.3e-3 < np.mean(strange >= last) < 1.15e-3
    assert curve.at(last)[0] <= 1e-3
    assert math.isnan(curve.meets(1e-6)), "700 people do not carry it"


def test_pairs_that_may_be_one_person_and_oneself_are_no_impostors():
    seen = people(20, 3)
    seen.looks[4] = seen.looks[7] = seen.templates[7]
    tail = impostors(seen, RULES[0], 3, np.arange(20), np.array([[7, 4]]), 0.9)
    assert tail.total == 20 * 19 - 2
    assert not len(tail.pairs.score)


def test_a_genuine_session_stands_before_the_other_photograph():
    seen = people(6, 4)
    found = genuine(seen, RULES[1], 3, np.array([[0, 1], [2, 3]]))
    every = RULES[1].sessions(seen.templates, seen.looks)
    assert found == pytest.approx([every[0, 1], every[2, 3], every[1, 0], every[3, 2]], abs=1e-6)


def test_a_target_that_one_set_does_not_carry_has_no_threshold():
    rows = np.arange(400)
    large = curve_of(impostors(people(400, 1), RULES[0], 1, rows, NOBODY, 0.15), 20, 1)
    small = curve_of(impostors(people(400, 1), RULES[0], 1, rows[:30], NOBODY, 0.15), 20, 1)
    assert math.isnan(hardest({"one": large, "other": small}, 1e-3))
    assert not math.isnan(hardest({"one": large}, 1e-3))


def test_the_pictures_of_one_person_stand_on_one_side(tmp_path, monkeypatch):
    monkeypatch.setattr("models.training.sessions.WORK", tmp_path)
    names = [f"ff_{n:06d}.jpg" for n in range(200)]
    pairs = [(names[n], names[n + 100]) for n in range(50)]
    (tmp_path / "same-person.csv").write_text("".join(f"{a},{b},{0.5 + 0.002 * n}\n" for n, (a, b) in enumerate(pairs)))
    held = HeldOut(np.zeros((200, 1, 1, 3), np.uint8), np.zeros((200, 5, 2), np.float32), names, np.arange(200))
    first, second = sides_of(held, Alike({"aaf": NOBODY, "ff": NOBODY}, {}), 1)
    one, other = (set(side.sets["ff"].tolist()) for side in (first, second))
    assert one | other == set(range(200))
    assert not one & other
    assert all((n in one) == (n + 100 in one) for n in range(50))
    assert len(first.pairs) + len(second.pairs) == 25  # whom the teacher is sure of
    assert first.person.max() == len(first.pairs) - 1


def test_the_rule_with_the_fewest_refused_at_the_smallest_target_is_chosen():
    def row(rule: str, target: float, fnmr: float, looks: int = 3) -> dict:
        return {"rule": rule, "ease": 0.0, "looks": looks, "target_fmr": target, "fnmr": fnmr}

    rows = [row("best", 1e-3, 0.1), row("mean", 1e-3, 0.2), row("best", 1e-4, 0.4), row("mean", 1e-4, 0.3)]
    rows += [row("mean", 1e-5, math.nan), row("divided", 1e-4, 0.0), row("best", 1e-4, 0.0, looks=5)]
    assert choice(rows) == Rule("mean", 0.0)
