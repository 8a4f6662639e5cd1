"""Retry limits: five wrong faces and the card waits, fifty and it rests a day; nothing shortens that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from edge.errors import ClaimError, LockedOut, StateError, UsageError
from edge.state import Limits, SqliteFile, state_database

CARD = bytes.fromhex("00112233445566778899aabbccddeeff")
OTHER = bytes(16)


def reject(limits: Limits, card: bytes = CARD) -> None:
    limits.check(card)
    limits.before_comparison(card)
    limits.rejected(card)


def test_four_rejects_in_a_row_do_not_delay(world, database: SqliteFile):
    limits = world.limits(database)
    for _ in range(4):
        reject(limits)
    limits.check(CARD)
    assert limits.standing(CARD).rejects == 4


def test_after_five_rejects_the_card_waits_thirty_seconds_and_after_every_further_one_again(world, database):
    limits = world.limits(database)
    for _ in range(5):
        reject(limits)
    for _ in range(3):
        with pytest.raises(LockedOut) as refused:
            limits.check(CARD)
        assert refused.value.wait_s == pytest.approx(30)
        assert refused.value.reason == "locked_out"
        world.pass_time(29.5)
        with pytest.raises(LockedOut):
            limits.before_comparison(CARD)
        world.pass_time(0.6)
        reject(limits)


def test_a_refused_claim_is_not_counted(world, database):
    limits = world.limits(database)
    for _ in range(5):
        reject(limits)
    with pytest.raises(LockedOut):
        limits.before_comparison(CARD)
    assert limits.standing(CARD).rejects == 5


def test_from_fifty_rejects_on_the_card_rests_a_day_after_each_unless_an_operator_resets_it(world, database):
    limits = world.limits(database, door_rejects=1000)
    for _ in range(50):
        reject(limits)
        world.pass_time(31)
    with pytest.raises(LockedOut) as refused:
        limits.check(CARD)
    assert 86_300 < refused.value.wait_s <= 86_400
    assert "operator" in refused.value.remedy
    world.pass_time(86_400)
    reject(limits)
    with pytest.raises(LockedOut, match="51 times"):
        limits.check(CARD)
    with pytest.raises(UsageError):
        limits.reset(CARD, "")
    assert limits.reset(CARD, "ada").disabled
    limits.check(CARD)
    assert limits.standing(CARD).rejects == 0


def test_a_new_card_begins_where_the_person_s_others_stand(world, database):
    limits = world.limits(database)
    for _ in range(5):
        reject(limits)
    limits.inherit(OTHER, [CARD])
    with pytest.raises(LockedOut) as refused:
        limits.check(OTHER)
    assert refused.value.wait_s == pytest.approx(30)
    assert limits.standing(OTHER).rejects == 5


def test_an_accept_clears_the_card(world, database):
    limits = world.limits(database)
    for _ in range(4):
        reject(limits)
    limits.before_comparison(CARD)
    limits.accepted(CARD)
    assert limits.standing(CARD).rejects == 0


def test_one_card_does_not_lock_another(world, database):
    limits = world.limits(database)
    for _ in range(5):
        reject(limits)
    limits.check(OTHER)


def test_the_door_delays_everybody_after_many_rejects_and_never_disables(world, database):
    limits = world.limits(database, door_rejects=20, door_wait_s=10, fan_out_cards=1000)
    for k in range(200):
        reject(limits, bytes([k]) + CARD[1:])
        world.pass_time(10.1 if k >= 19 else 0)
    reject(limits, OTHER)
    with pytest.raises(LockedOut) as refused:
        limits.check(CARD)
    assert refused.value.where == "door"
    assert refused.value.wait_s == pytest.approx(10)
    world.pass_time(10.1)
    limits.check(CARD)
    limits.accepted(CARD)
    reject(limits, OTHER)
    limits.check(CARD)


def test_only_a_reject_counts_and_five_sessions_without_a_decision_delay_five_seconds(world, database):
    limits = world.limits(database)
    for _ in range(5):
        limits.check(CARD)
        limits.no_decision(CARD)
    assert limits.standing(CARD).rejects == 0
    with pytest.raises(LockedOut) as refused:
        limits.check(CARD)
    assert refused.value.wait_s == pytest.approx(5)
    world.pass_time(5.1)
    limits.check(CARD)


def test_no_decision_takes_back_the_failure_of_its_own_session(world, database):
    limits = world.limits(database)
    reject(limits)
    limits.check(CARD)
    limits.before_comparison(CARD)
    assert limits.standing(CARD).rejects == 2
    limits.no_decision(CARD)
    assert limits.standing(CARD).rejects == 1


def test_no_decision_never_takes_back_the_failure_of_an_earlier_session(world, database):
    limits = world.limits(database)
    limits.check(CARD)
    limits.before_comparison(CARD)  # walked away: nobody reports an outcome
    limits.check(CARD)
    limits.no_decision(CARD)
    assert limits.standing(CARD).rejects == 1


def test_no_decision_does_not_undo_a_reset_by_an_operator_in_between(world, database):
    limits = world.limits(database)
    for _ in range(4):
        reject(limits)
    limits.before_comparison(CARD)
    world.limits(database).reset(CARD, "ada")
    limits.no_decision(CARD)
    assert limits.standing(CARD).rejects == 0


def test_a_rejection_in_between_ends_a_row_of_no_decisions(world, database):
    limits = world.limits(database)
    for _ in range(4):
        limits.no_decision(CARD)
    reject(limits)
    limits.no_decision(CARD)
    limits.check(CARD)


@pytest.mark.parametrize("moved_s", [-300 * 86_400, 300 * 86_400, 86_000])
def test_setting_the_clock_shortens_no_wait(world, database, moved_s):
    limits = world.limits(database)
    for _ in range(5):
        reject(limits)
    world.system += moved_s
    world.pass_time(29)
    with pytest.raises(LockedOut):
        limits.check(CARD)
    world.pass_time(2)
    limits.check(CARD)


def test_a_restart_shortens_no_wait(world):
    with state_database(world.folder) as database:
        limits = world.limits(database, card_wait_s=3600)
        for _ in range(5):
            reject(limits)
    world.reboot(off_s=10)
    with state_database(world.folder) as database:
        limits = world.limits(database, card_wait_s=3600)
        with pytest.raises(LockedOut) as refused:
            limits.check(CARD)
        assert refused.value.wait_s > 3500


def test_a_power_cut_between_the_write_and_the_comparison_counts_as_failing(world):
    """A process is killed where the comparison would begin; nothing is flushed, closed or cleaned up."""
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from edge.settings.model import LimitSettings
        from edge.state import ClockGuard, Limits, state_database
        database = state_database(Path({str(world.folder)!r}))
        limits = Limits(database, ClockGuard(database), LimitSettings(), bytes(range(32)))
        card = bytes.fromhex({CARD.hex()!r})
        limits.check(card)
        limits.before_comparison(card)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    root = Path(__file__).resolve().parents[2]
    for expected in range(1, 4):
        ended = subprocess.run([sys.executable, "-c", program], cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
        assert ended.returncode == -signal.SIGKILL
        with state_database(world.folder) as database:
            assert world.limits(database).standing(CARD).rejects == expected


def test_no_comparison_follows_when_the_failure_cannot_be_written(world, database):
    limits = world.limits(database)
    database.close()
    with pytest.raises(StateError):
        limits.before_comparison(CARD)


def test_serials_are_kept_as_keyed_hashes(world, database):
    limits = world.limits(database)
    reject(limits)
    database.checkpoint()
    content = database.path.read_bytes()
    assert CARD not in content
    assert CARD.hex().encode() not in content


def test_a_lockout_is_a_refused_claim(world, database):
    assert issubclass(LockedOut, ClaimError)
