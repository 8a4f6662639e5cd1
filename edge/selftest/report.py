"""What a self-test says: one line a check, and whether the device may decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.errors import EdgeError, place_of

SCHEMA = "edge/selftest/v1"


class Level(StrEnum):
    """When a check runs. The full set holds every check."""

    POWER_ON = "power-on"
    """Before the first claim; a few seconds, since a person may be waiting."""
    PERIODIC = "periodic"
    """Between claims, while the device runs: nothing that takes the camera or the door away from it."""
    FULL = "full"
    """For the installer, and on request."""


EVERY = frozenset(Level)
NOT_RUNNING = frozenset({Level.POWER_ON, Level.FULL})
"""Of a check that needs what a running device holds."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: what is checked, such as ``model detector``.
        proves: what is known once it has passed, in a sentence without a full stop.
        run: does it; returns the value that was found, in a few words; raises `EdgeError` when it does not hold.
        limit: what the value must be, where there is something to compare.
        needed: a device that fails it must not decide; otherwise it is a warning.
        levels: the self-tests that include it.
        begin: called before the first check of a level, for what takes its time by itself; neither waits nor raises.
    """

    name: str
    proves: str
    run: Callable[[], str]
    limit: str = ""
    needed: bool = True
    levels: frozenset[Level] = EVERY
    begin: Callable[[], object] = lambda: None

    @property
    def id(self) -> str:
        """The name as one word, for machines and the journal."""
        return self.name.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found.

    Attributes:
        what: the value, or what is wrong. remedy: what to do about it; empty when it passed.
        raised: class of the error and the way to it, without values; empty when it passed.
    """

    check: Check
    ok: bool
    what: str
    remedy: str
    milliseconds: float
    raised: str = ""

    @property
    def name(self) -> str:
        """As `Check.name`."""
        return self.check.name

    @property
    def needed(self) -> bool:
        """As `Check.needed`."""
        return self.check.needed

    @property
    def mark(self) -> str:
        """``ok``, ``FAIL`` (the device is unfit) or ``!`` (a warning)."""
        return "ok" if self.ok else "FAIL" if self.needed else "!"


@dataclass(frozen=True, slots=True)
class FitnessReport:
    """All results, in the order in which they ran."""

    results: tuple[Result, ...]
    level: Level = Level.FULL

    @property
    def fit(self) -> bool:
        """Whether every needed check passed. A report without a result proves nothing."""
        return bool(self.results) and all(result.ok or not result.needed for result in self.results)

    @property
    def warnings(self) -> int:
        """How many checks failed that are not needed."""
        return sum(not result.ok and not result.needed for result in self.results)

    @property
    def first_failed(self) -> Result | None:
        """The first needed check that failed."""
        return next((result for result in self.results if result.needed and not result.ok), None)

    def as_json(self) -> dict[str, Any]:
        """The answer of ``edge selftest --json``."""
        return {
            "schema": SCHEMA,
            "fit": self.fit,
            "level": self.level.value,
            "warnings": self.warnings,
            "checks": [
                {
                    "id": r.check.id,
                    "name": r.name,
                    "proves": r.check.proves,
                    "ok": r.ok,
                    "needed": r.needed,
                    "what": r.what,
                    "limit": r.check.limit,
                    "remedy": r.remedy,
                    "ms": round(r.milliseconds, 1),
                }
                for r in self.results
            ],
            "error": None,
        }


def run(
    checks: Iterable[Check], level: Level = Level.FULL, *, tell: Callable[[Result], None] = lambda _: None
) -> FitnessReport:
    """Run every check of a level; one that fails does not stop the others.

    What keeps several checks from looking is told by the first in full; those after it name it.

    Args:
        tell: told about each result as it comes.
    """
    results, causes = [], set[str]()
    wanted = [check for check in checks if level in check.levels]
    for check in wanted:
        check.begin()
    for check in wanted:
        started = time.perf_counter()
        remedy, ok, raised = "", False, ""
        try:
            what, ok = check.run(), True
        except EdgeError as error:
            what, remedy = error.what, error.remedy
            if str(error) in causes:
                what, remedy = f"not looked at: {what}", "fix what is reported above first"
            causes.add(str(error))
            what = f"{error.where}: {what}" if error.where else what
            raised = place_of(error, frames=3)
        except Exception as error:  # a check that breaks in a way that was not foreseen has not passed
            what, remedy = f"the check itself broke ({type(error).__name__})", "please report it"
            raised = place_of(error, frames=3)
        results.append(Result(check, ok, what, remedy, 1e3 * (time.perf_counter() - started), raised))
        tell(results[-1])
    return FitnessReport(tuple(results), level)
