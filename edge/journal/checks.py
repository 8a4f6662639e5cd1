"""The self-test's check of the journal."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import JournalBroken
from edge.journal.verify import ChainReport
from edge.selftest import Check


def checks(verify: Callable[[], ChainReport]) -> list[Check]:
    """What is checked. ``verify``: checks the whole chain, or raises."""
    return [Check("journal", "no entry was altered, left out, added or cut off", lambda: _chain(verify()))]


def _chain(report: ChainReport) -> str:
    if not report.ok:
        raise JournalBroken(
            report.problem, where="journal", remedy="keep the file and find out who changed it: edge journal verify"
        )
    return str(report)
