"""What an auditor's copy of `edge prove` takes for known: packages, start-up lines, and places that were reviewed.

A row of ``reviewed.txt`` says: in this file, in this function, patterns of these kinds were looked at, and this is the
digest of what was seen. A pattern without a row is found; so is a function that has changed since.
Rows without a digest stand for functions that make or measure pictures and never see a template; their shape, the kinds
of patterns, is what was reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from edge import _resources
from edge.prove.model import Evidence, Level
from edge.prove.source import MODULE, Module, Use, digest, words

#: Distributions that may be installed beside it.
PACKAGES = words("packages")

#: Begins the reason of a place that this product would rather not have.
EXCEPTION = "EXCEPTION:"


@dataclass(frozen=True, slots=True)
class Row:
    """One reviewed place.

    Attributes:
        check: whose row it is. file, function: the place. kinds: of patterns.
        digest: of the function, '' where its shape is what counts. why: it may stand there.
    """

    check: str
    file: str
    function: str
    kinds: frozenset[str]
    digest: str
    why: str


@cache
def reviewed() -> tuple[Row, ...]:
    """Every row of ``reviewed.txt``, which explains itself."""
    found, check, why = list[Row](), "", ""
    for line in _resources.path("proof", "reviewed.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            check, _, why = line[1:].partition("] ")
        elif line and not line.startswith("#"):
            kinds, seen, file, function = line.split(" | ")
            found.append(Row(check, file, function, frozenset(kinds.split(", ")), seen.replace("-", ""), why))
    return tuple(found)


def rows(check: str) -> dict[tuple[str, str], Row]:
    """The reviewed places of one check, by file and function."""
    return {(row.file, row.function): row for row in reviewed() if row.check == check}


def judge(check: str, module: Module, uses: Iterable[Use], sentence: str) -> list[Evidence]:
    """The uses that nobody has looked at.

    Args:
        check: whose rows count. module: where the uses stand. uses: every use. sentence: what to say of one.
    """
    known = rows(check)
    findings: list[Evidence] = []
    changed: set[str] = set()
    shown: set[str] = set()
    for use in uses:
        row = known.get((module.file, use.function))
        where = f"{module.file}:{use.line}"
        if row is None or use.kind not in row.kinds:
            findings.append(Evidence(where, f"{sentence}: {use.what} [{use.kind}, in {use.function}]"))
        elif row.digest and use.function not in changed and not _unchanged(module, use.function, row.digest):
            changed.add(use.function)
            findings.append(Evidence(where, f"{use.function} is not what was reviewed in the auditor's copy"))
        elif row.why.startswith(EXCEPTION) and use.function not in shown:
            shown.add(use.function)
            findings.append(Evidence(where, f"{use.function} {row.why.removeprefix(EXCEPTION).strip()}", Level.WARNING))
    return findings


def _unchanged(module: Module, function: str, wanted: str) -> bool:
    definitions = module.functions.get(function, [])
    return function == MODULE or (bool(definitions) and all(digest(d) == wanted for d in definitions))
