"""What a self-test says: one line a check, and whether the device may decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from edge.errors import EdgeError

SCHEMA = "edge/selftest/v1"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: what is checked, such as ``model detector``.
        run: does it; returns what was found, in a few words; raises `EdgeError` when it does not hold.
        needed: a device that fails it must not decide; otherwise it is a warning.
    """

    name: str
    run: Callable[[], str]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found. ``ok`` false and ``needed`` true makes the device unfit."""

    name: str
    ok: bool
    needed: bool
    what: str
    remedy: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All results, in the order in which they ran."""

    results: tuple[Result, ...]

    @property
    def fit(self) -> bool:
        return all(result.ok or not result.needed for result in self.results)

    @property
    def first_failed(self) -> Result | None:
        """The first needed check that failed."""
        return next((result for result in self.results if result.needed and not result.ok), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "fit": self.fit,
            "checks": [
                {
                    "name": r.name,
                    "ok": r.ok,
                    "needed": r.needed,
                    "what": r.what,
                    "remedy": r.remedy,
                    "ms": round(r.milliseconds, 1),
                }
                for r in self.results
            ],
            "error": None,
        }


def run(checks: Iterable[Check], *, tell: Callable[[Result], None] = lambda _: None) -> Report:
    """Run every check; one that fails does not stop the others.

    Args:
        tell: told about each result as it comes.
    """
    results = []
    for check in checks:
        started = time.perf_counter()
        try:
            what, remedy, ok = check.run(), "", True
        except EdgeError as error:
            what, remedy, ok = (f"{error.where}: {error.what}" if error.where else error.what), error.remedy, False
        except Exception as error:  # a check that breaks in a way nobody thought of is a failed check
            what, remedy, ok = f"the check itself broke ({type(error).__name__})", "please report it", False
        results.append(Result(check.name, ok, check.needed, what, remedy, 1e3 * (time.perf_counter() - started)))
        tell(results[-1])
    return Report(tuple(results))
