"""Answers of gates become one: AND, an attack before a retry."""

from edge.types import Advice, Attack, Pass, Reason, Retry, Species, both

RETRY = Retry(Reason.QUALITY, (Advice.HOLD_STILL,))
ATTACK = Attack(Species.INJECTED)


def test_gates_pass_only_together():
    assert both() == both(Pass(), Pass()) == Pass()
    assert both(Pass(), RETRY) == both(RETRY, Pass()) == RETRY


def test_an_attack_outweighs_a_retry_and_the_first_of_a_kind_is_told():
    assert both(RETRY, ATTACK, Attack(Species.REPLAYED)) == ATTACK
    assert both(Pass(), RETRY, Retry(Reason.NO_FACE)) == RETRY
