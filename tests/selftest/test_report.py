"""How checks add up: every one runs, a needed one that fails makes the device unfit, a broken check is a failed one."""

from __future__ import annotations

from edge.errors import CameraError
from edge.selftest import Check, Level, run


def good() -> str:
    return "fine"


def bad() -> str:
    raise CameraError("no frames", where="/dev/video9", remedy="plug it in")


def broken() -> str:
    raise ZeroDivisionError("a secret")


def test_all_checks_run_and_one_needed_failure_makes_the_device_unfit():
    seen = []
    report = run([Check("a", "a holds", bad), Check("b", "b holds", good)], tell=seen.append)
    assert [r.name for r in seen] == ["a", "b"]
    assert not report.fit
    assert report.results[0].what == "/dev/video9: no frames"
    assert report.results[0].remedy == "plug it in"


def test_a_check_that_is_not_needed_only_warns():
    assert run([Check("a", "a holds", bad, needed=False), Check("b", "b holds", good)]).fit


def test_a_check_that_breaks_is_a_failed_check_and_tells_no_content():
    report = run([Check("a", "a holds", broken)])
    assert not report.fit
    assert "secret" not in str(report.as_json())


def test_the_json_has_one_entry_a_check():
    answer = run([Check("a", "a holds", good), Check("b", "b holds", bad)]).as_json()
    assert answer["fit"] is False
    assert [c["ok"] for c in answer["checks"]] == [True, False]
    assert answer["warnings"] == 0
    assert answer["checks"][1] == {
        "id": "b",
        "name": "b",
        "proves": "b holds",
        "ok": False,
        "needed": True,
        "what": "/dev/video9: no frames",
        "limit": "",
        "remedy": "plug it in",
        "ms": answer["checks"][1]["ms"],
    }


def test_a_level_runs_its_own_checks_and_the_full_one_runs_all():
    checks = [Check("a", "a holds", good), Check("long way", "b holds", good, levels=frozenset({Level.FULL}))]
    assert [r.check.id for r in run(checks, Level.FULL).results] == ["a", "long-way"]
    assert [r.check.id for r in run(checks, Level.PERIODIC).results] == ["a"]
    assert run(checks, Level.POWER_ON).as_json()["level"] == "power-on"


def test_warnings_are_counted_and_do_not_make_unfit():
    report = run([Check("a", "a holds", good), Check("b", "b holds", bad, needed=False)])
    assert (report.fit, report.warnings, [r.mark for r in report.results]) == (True, 1, ["ok", "!"])


def test_one_cause_that_keeps_several_checks_from_looking_is_told_once_in_full():
    first, second, other = run([Check("a", "a", bad), Check("b", "b", bad), Check("c", "c", broken)]).results
    assert (first.what, first.remedy) == ("/dev/video9: no frames", "plug it in")
    assert (second.what, second.remedy) == ("/dev/video9: not looked at: no frames", "fix what is reported above first")
    assert not other.ok


def test_a_report_in_which_nothing_ran_proves_nothing():
    assert not run([]).fit
