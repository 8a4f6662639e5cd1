"""The self-test's checks of the settings."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import Unfit
from edge.selftest import Check
from edge.settings.problems import Problem

_NO_WAY_IN = frozenset({"none", "n/a", "nil", "null", "todo", "tbd", "tba", "xxx", "no alternative", "not available"})


def checks(problems: Sequence[str], warnings: Sequence[Problem] = (), alternative: str | None = None) -> list[Check]:
    """What is checked of a settings file.

    Args:
        problems: of `edge.settings.check`; with any, nothing else can be said. warnings: of `edge.settings.warnings`.
        alternative: the way in without one's face.
    """
    found = [Check("settings", "the settings are valid", lambda: _none(problems, "valid"), limit="no mistake")]
    if problems:
        return found
    return [
        *found,
        Check(
            "settings advice",
            "nothing in the settings looks like a mistake",
            lambda: _none([str(warning) for warning in warnings], "nothing to advise"),
            limit="nothing",
            needed=False,
        ),
        Check(
            "alternative",
            "there is a way in for people who cannot or do not want to use their face",
            lambda: need_alternative(alternative),
            limit="a reception, a badge, a phone number",
        ),
    ]


def need_alternative(text: str | None) -> str:
    """There is a way in without a face check: otherwise consent is not free.

    Raises:
        Unfit: the settings name none.
    """
    words = " ".join((text or "").strip(" .!-_?").split()).casefold()
    if len(words) < 3 or words in _NO_WAY_IN:
        raise Unfit(
            "the settings name no way in for people who cannot or do not want to use their face",
            where="alternative",
            remedy="set `alternative:` to what people can do here: the reception, a badge, a phone number",
        )
    return f"the other way in: {' '.join((text or '').split())}"


def _none(problems: Sequence[str], fine: str) -> str:
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise Unfit(f"{problems[0]}{more}", where="settings", remedy="run `edge config check`")
    return fine
