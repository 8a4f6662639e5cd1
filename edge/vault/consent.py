"""The consent receipt: without a complete one no enrolment takes place.

    subject: Ada Example, staff 1042        # who; kept only as a keyed hash
    text_version: "2026-11"                 # which text they agreed to
    language: fr                            # in which language they read it
    given: 2026-11-03T10:15:00Z             # when
    withdrawal: privacy@example.org         # how they take it back
    until: 2027-11-03                       # optional: from then on they do not agree any more
    guardian: Eve Example                   # for people under 18: who agrees for them; not kept

Texts are taken as they are written: what YAML or JSON would read as a number, a truth value or nothing (``00421``,
``2026.10``, ``Null``) is refused, to be put in quotes. A date without a time begins at midnight in the time zone of
the place, which the receipt names.

Nothing here is biometric, and the subject's name does not reach the store: the vault keeps a hash of it under a key of
this device, with which a person's cards can be found again by typing the same name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge.errors import ConsentMissing
from edge.settings.kinds import time_zone
from edge.settings.model import Schedule
from edge.settings.yaml_core import Document, load, parse

_FIELDS = {
    "subject": "who agrees: a name, or a personnel or customer number",
    "text_version": "the version of the text that they agreed to",
    "language": "the language they read it in, such as en or fr-CA",
    "given": "when they agreed, such as 2026-11-03 or 2026-11-03T10:15:00+01:00",
    "withdrawal": "how they withdraw: an address, a phone number, a place",
}
_OPTIONAL = {
    "until": "when their agreement ends by itself, such as 2027-11-03",
    "guardian": "who agrees for a person under 18: a name",
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_MAX = 200
_EARLY_S = 24 * 3600  # a receipt may be dated ahead by a time zone, not by more


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """Who agreed to what, when, and how they take it back. ``repr`` does not show who.

    Attributes:
        subject: as typed; stored as a keyed hash only. text_version, language, withdrawal: as in the module docstring.
        given: Unix seconds. until: when the agreement ends by itself, Unix seconds; None: with the card.
        zone: the time zone of the place; its dates are shown in it, and those without a time are meant in it.
        guardian: who agrees for a person under 18; empty for others. That someone did is kept, and not who.

    Raises:
        ConsentMissing: it is not complete. No incomplete receipt can exist.
    """

    subject: str = field(repr=False)
    text_version: str
    language: str
    given: int
    withdrawal: str
    until: int | None = None
    zone: str = "UTC"
    guardian: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        texts = {name: getattr(self, name) for name in _FIELDS if name != "given"}
        problems = _wrong(texts) + ([] if _plausible(self.given) else [f"given ({_FIELDS['given']})"])
        if self.until is not None and not (_plausible(self.until) and self.until > self.given):
            problems.append(f"until ({_OPTIONAL['until']}, and after `given`)")
        if problems:
            raise _missing(problems, "consent")

    @classmethod
    def read(cls, path: Path, zone: str = "UTC") -> ConsentReceipt:
        """From a YAML or JSON file. Raises `ConsentMissing` with everything that is missing."""
        return cls._from(load(path), str(path), zone)

    @classmethod
    def from_text(cls, text: str, where: str = "consent", zone: str = "UTC") -> ConsentReceipt:
        """From YAML or JSON text. Raises `ConsentMissing`."""
        return cls._from(parse(text, where), where, zone)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str = "consent", zone: str = "UTC") -> ConsentReceipt:
        """From answers that were already given (the interactive form).

        Raises:
            ConsentMissing: with everything that is missing or unusable, each with what belongs there.
        """
        texts = {name: _text(values.get(name)) for name in (*_FIELDS, *_OPTIONAL)}
        given, until = _moment(texts["given"], zone), _moment(texts["until"], zone)
        problems = _wrong({name: texts[name] for name in _FIELDS})
        problems += [f"{name} is not a key of a consent record" for name in values if name not in texts]
        problems += [
            f"{name} is not a date such as 2026-11-03"
            for name, moment in (("given", given), ("until", until))
            if texts[name] and moment is None
        ]
        if given is not None and until is not None and until <= given:
            problems.append("until lies before given")
        if problems or given is None:
            raise _missing(problems, where)
        words = (texts["subject"], texts["text_version"], texts["language"])
        return cls(*words, given, texts["withdrawal"], until, zone, texts["guardian"])

    def check(self, now_s: int) -> None:
        """Return when the receipt may be used at ``now_s``.

        Raises:
            ConsentMissing: it is dated in the future, or has ended.
        """
        if self.given > now_s + _EARLY_S:
            raise _missing(["given lies in the future"], "consent")
        if self.until is not None and self.until <= now_s:
            raise _missing(["until has passed"], "consent")

    def stored(self, operator: str, now_s: int) -> str:
        """What the vault keeps: JSON without the subject."""
        return json.dumps(
            {
                "text_version": self.text_version,
                "language": self.language,
                "given": self.given,
                "withdrawal": self.withdrawal,
                "operator": operator,
                "recorded": now_s,
                "zone": self.zone,
                **({} if self.until is None else {"until": self.until}),
                **({"guardian": True} if self.guardian else {}),
            },
            ensure_ascii=False,
            sort_keys=True,
        )

    @classmethod
    def _from(cls, loaded: tuple[Document | None, list[Any]], where: str, zone: str) -> ConsentReceipt:
        document, problems = loaded
        if document is None or problems:
            raise _missing([str(problem) for problem in problems] or ["it is empty"], where)
        texts = {name: value for name, value in document.data.items() if name in (*_FIELDS, *_OPTIONAL)}
        if unquoted := [_unquoted(document, name) for name, value in texts.items() if not isinstance(value, str)]:
            raise _missing(unquoted, where)
        if cut := document.cut_short(*((name,) for name in (*_FIELDS, *_OPTIONAL))):
            raise _missing([str(problem) for problem in cut], where)
        return cls.from_mapping(document.data, where, zone)


def subject_hash(subject: str, key: bytes) -> bytes:
    """32 bytes that name a person on this device only: the same for the same name, however it is typed.

    Args:
        subject: name or number, in any of its spellings (`one_form`). key: derived from the device key.
    """
    return hmac.new(
        key, b"edge/subject/v2/" + one_form(subject).encode("utf-8", "surrogatepass"), hashlib.sha256
    ).digest()


def earlier_subject_hash(subject: str, key: bytes) -> bytes:
    """The hash under which the first version of the product stored a name."""
    return hmac.new(
        key, b"edge/subject/v1/" + first_form(subject).encode("utf-8", "surrogatepass"), hashlib.sha256
    ).digest()


def zone_of(schedule: Schedule | None) -> str:
    """The time zone in which a place means its dates: of the door's hours (``claim.schedule``), else the machine's.

    Returns:
        A name of the time zone database; ``UTC`` where the machine names none.
    """
    if schedule is not None:
        return schedule.timezone
    linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]  # tzset(3), localtime(5)
    for name in (os.environ.get("TZ", "").removeprefix(":"), linked):
        with suppress(ValueError):  # no such zone
            if name:
                return time_zone(name.removeprefix("posix/").removeprefix("right/"))
    return "UTC"


def _unquoted(document: Document, name: str) -> str:
    """Why a value that YAML does not read as text is refused, and where it stands."""
    place, value = document.place((name,)), document.data[name]
    if isinstance(value, list | dict):
        what = "is a list or a section, not a text"
    elif value is None:
        what = "is empty; if the very word null or ~ is meant, put it in quotes"
    else:
        what = "would be read as a number or as yes or no, not as it is written: put it in quotes"
    belongs = _FIELDS.get(name) or _OPTIONAL[name]
    return f"{name} (line {place.line}, column {place.column}; {belongs}) {what}"


def _wrong(texts: Mapping[str, str]) -> list[str]:
    """What is missing or unusable in the fields that are text."""
    problems = [f"{name} ({_FIELDS[name]})" for name, text in texts.items() if not text or not text.strip()]
    problems += [f"{name} is longer than {_MAX} characters" for name, text in texts.items() if len(text) > _MAX]
    if texts["language"] and not _LANGUAGE.fullmatch(texts["language"]):
        problems.append("language is not a language tag such as en or fr-CA")
    return problems


def _plausible(moment: int) -> bool:
    return 0 < moment < 2**32


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _moment(text: str, zone: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 2**32 else None


def _missing(problems: list[str], where: str) -> ConsentMissing:
    return ConsentMissing(
        "the consent record is not complete: " + "; ".join(problems),
        where=where,
        remedy="fill it in together with the person; there is no enrolment without it",
    )


#: What is typed for an apostrophe (O'Neill, Hawaiʻi, ג׳ורג׳): it becomes U+0027.
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u05f3\u1fbd\u1fbf\u1ffd\u2018\u2019\u201b\u2032\ua78c"
#: Minus and bullet in place of a hyphen; all of category Pd (U+2010, U+2011, dashes, maqaf) become U+002D as well.
_HYPHENS = "\u02d7\u2043\u2212"
#: Turkish and Azeri have two letters i; upper and lower case mix them up on every other keyboard.
_DOTLESS = {"\u0130": "i", "\u0131": "i"}
#: The letter of an Arabic keyboard and the one that a Persian or Urdu keyboard types in its place: yeh, alef maksura,
#: kaf, heh, teh marbuta.
_PERSIAN = {
    "\u064a": "\u06cc",
    "\u0649": "\u06cc",
    "\u0643": "\u06a9",
    "\u06c1": "\u0647",
    "\u06be": "\u0647",
    "\u06c3": "\u0629",
}
_SAME = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-"), **_DOTLESS, **_PERSIAN, "\u0640": None}
)
#: An i, marks below it, and the dots above that its small letter has no second of.
_DOTTED = re.compile("i([\u0316-\u0333]*)\u0307+")
#: Two signs that stay two, and what another keyboard writes for both: yeh and heh with hamza; Romanian s and t, whose
#: comma was a cedilla until Windows Vista (no language has both).
_PAIRS = {
    "\u06cc\u0654": "\u0626", "\u06d5\u0654": "\u0647\u0654",
    "s\u0326": "s\u0327", "t\u0326": "t\u0327",
}  # fmt: skip
#: Signs that are not seen and not of category Cf (Unicode, Default_Ignorable_Code_Point): joiner, fillers of Hangul,
#: selectors of a glyph's variant, among them those of Japanese names.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def one_form(name: str) -> str:
    """The form of a name under which it is hashed.

    NFKC and case folding (Unicode 3.13, D147), after apostrophes, hyphens and letters that keyboards exchange are one;
    without invisible signs: direction marks, zero-width signs, soft hyphens, variation selectors. Digits of any
    script are 0 to 9. White space is one space between words.
    """
    # Apostrophes first: NFKC would turn an acute accent (U+00B4) into a space with a combining mark.
    text = unicodedata.normalize("NFKC", name.translate(_SAME)).translate(_SAME)
    text = "".join(_sign(character) for character in text).casefold()
    # "I" with a dot above, in two signs, is the Turkish capital; its small letter has no second dot.
    text = _DOTTED.sub(r"i\1", unicodedata.normalize("NFD", text)).translate(_SAME)
    for two, one in _PAIRS.items():
        text = text.replace(two, one)
    return " ".join(unicodedata.normalize("NFKC", text).split())


def first_form(name: str) -> str:
    """The form that the first version hashed; names that it stored are looked for under it, too."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _sign(character: str) -> str:
    """A character's own form; empty for an invisible one."""
    category = unicodedata.category(character)
    if category == "Cf" or _UNSEEN.match(character):
        return ""
    if category == "Pd":
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
