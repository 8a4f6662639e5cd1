"""What people in front of a device, holders and papers are told, in their language.

    text("reason.matching", "fr-CA")            # "le visage correspond à la carte"
    text("wait.seconds", "de", count=45)        # "warten Sie 45 s"

The words are gettext catalogues beside this file: ``en.po`` gives each message its name and English words, the others
translate those words. Translators open a ``.po`` with any editor for it; the ``.mo`` beside it is what is read here,
made by `tests/messages/catalogues.py`. A message that a language lacks is said in English. Errors, self-test and logs
are English and stand where they are raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from types import MappingProxyType

from edge import _resources

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "fr": "français", "de": "Deutsch", "es": "español", "ar": "العربية"}
)
"""The languages, and what each calls itself."""
RIGHT_TO_LEFT = frozenset({"ar"})


def text(name: str, language: str = "en", /, **values: object) -> str:
    """A message.

    Args:
        name: of the message, as in ``en.po``. language: a tag such as ``fr-CA``; English when there are no words in it.
        values: what stands in its braces.

    Raises:
        KeyError: no such message, or a value is missing (mistakes in a program).
    """
    english = _catalogue("en").gettext(name)
    if english == name:
        raise KeyError(name)
    return translated(name, english, language, **values)


def named(beginnings: tuple[str, ...], language: str = "en", /, **values: object) -> dict[str, str]:
    """Every message whose name has one of these beginnings, by name; see `text`."""
    names = [name for name in _catalogue("en")._catalog if name.startswith(beginnings)]
    return {name: text(name, language, **values) for name in names}


def translated(name: str, english: str, language: str, /, **values: object) -> str:
    """Words whose English stands in the program; those words where the language has no others.

    Args:
        name: the context in the catalogues. english: the words. language, values: as of `text`.
    """
    primary = _primary(language)
    said = _catalogue(primary).pgettext(name, english) if primary in LANGUAGES and primary != "en" else english
    if primary in RIGHT_TO_LEFT:  # else a date among Arabic words is shown as 20-11-2026 (Unicode TR 9, W2 and L2)
        values = {key: f"\u2068{value}\u2069" for key, value in values.items()}
    return said.format(**values)


def language_of(tag: str) -> str:
    """The language of a paper for a reader of ``tag``: one of `LANGUAGES`."""
    primary = _primary(tag)
    return primary if primary in LANGUAGES else "en"


def waiting(seconds: int, language: str = "en") -> str:
    """A wait with its length: ``wait 45 s``, ``wait 12 min``; empty for none."""
    if seconds <= 0:
        return ""
    if seconds < 120:
        return text("wait.seconds", language, count=seconds)
    return text("wait.minutes", language, count=-(-seconds // 60))


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].casefold()


class _Catalogue(GNUTranslations):
    _catalog: Mapping[str, str]  # its messages, which the library's own description leaves out


@cache
def _catalogue(language: str) -> _Catalogue:
    with _resources.path("messages", f"{language}.mo").open("rb") as file:
        return _Catalogue(file)
