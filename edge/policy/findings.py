"""Why a build is refused: one finding a reason, each with its place and with what would satisfy it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.settings.problems import Problem


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One reason against a build.

    Args:
        where: ``file:line:column`` in the build file, or a path in the source tree.
        id: a stable name, such as ``capability/one_to_many_search``.
        what: what is wrong, without a full stop.
        satisfy: what would satisfy it.
        citation: the source of the rule, when it comes from one.
    """

    where: str
    id: str
    what: str
    satisfy: str = ""
    citation: str = ""

    @property
    def short(self) -> str:
        """Without the place and the source."""
        return f"{self.what}. {self.satisfy}" if self.satisfy else self.what

    def __str__(self) -> str:
        text = f"{self.where}: {self.id}: {self.what}"
        text += f" ({self.citation})" if self.citation else ""
        return f"{text}; {self.satisfy}" if self.satisfy else text


def from_problem(problem: Problem, kind: str = "build-file") -> Finding:
    """A problem of a YAML file as a finding."""
    where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    what = f"{problem.key}: {problem.what}" if problem.key else problem.what
    return Finding(where, kind, what, f"allowed: {problem.allowed}" if problem.allowed else "")
