"""How checks add up: every one runs, a needed one that fails makes the device unfit, a broken check is a failed one."""

from __future__ import annotations

from edge.errors import CameraError
from edge.selftest import Check, run


def good() -> str:
    return "fine"


def bad() -> str:
    raise CameraError("no frames", where="/dev/video9", remedy="plug it in")


def broken() -> str:
    raise ZeroDivisionError("a secret")


def test_all_checks_run_and_one_needed_failure_makes_the_device_unfit():
    seen = []
    report = run([Check("a", bad), Check("b", good)], tell=seen.append)
    assert [r.name for r in seen] == ["a", "b"]
    assert not report.fit
    assert report.results[0].what == "/dev/video9: no frames"
    assert report.results[0].remedy == "plug it in"


def test_a_check_that_is_not_needed_only_warns():
    assert run([Check("a", bad, needed=False), Check("b", good)]).fit


def test_a_check_that_breaks_is_a_failed_check_and_tells_no_content():
    report = run([Check("a", broken)])
    assert not report.fit
    assert "secret" not in str(report.as_json())


def test_the_json_has_one_entry_a_check():
    answer = run([Check("a", good), Check("b", bad)]).as_json()
    assert answer["fit"] is False
    assert [c["ok"] for c in answer["checks"]] == [True, False]
