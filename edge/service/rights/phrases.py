"""The sentences of the papers, side by side in every language they speak.

    say("done.template_deleted", "fr")
    language_of("fr-CA")                # "fr"; a language that nobody has written yet becomes "en"

A sentence stands beside its translations, so that whoever changes one sees the others. Dates are written as ISO 8601,
which is read the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from edge.service.rights.sentences import SENTENCES

LANGUAGES = ("en", "fr", "de")
"""The languages of the papers, in the order of each row of `SENTENCES`."""

NAMES: Mapping[str, str] = MappingProxyType({"en": "English", "fr": "français", "de": "Deutsch"})


def language_of(tag: str) -> str:
    """The language of a paper for somebody who reads ``tag`` (such as ``fr-CA``); ``en`` when there is none."""
    primary = tag.split("-")[0].casefold()
    return primary if primary in LANGUAGES else "en"


def say(name: str, language: str, /, **values: str) -> str:
    """A sentence in a language.

    Args:
        name: a key of `SENTENCES`. language: of `LANGUAGES`. values: what stands in its braces.

    Raises:
        KeyError, ValueError: no such sentence or language (a programming error).
    """
    return SENTENCES[name][LANGUAGES.index(language)].format(**values)


def day(seconds: int) -> str:
    """``2026-11-03``, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def moment(seconds: int) -> str:
    """``2026-11-03 10:15 UTC``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
