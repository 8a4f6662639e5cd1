"""One form for a person's name, however a keyboard, an editor or another program wrote it.

    >>> one_form("AYŞE IŞIK") == one_form("Ayşe Işık")
    True
    >>> one_form("O’Neill") == one_form("o'neill")
    True

Only what two keyboards write differently for one and the same name is made equal; accents and marks that tell names
apart stay. A form that joined more would erase somebody else's data.
"""

from __future__ import annotations

import re
import unicodedata

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
    without signs that nobody sees: direction marks, zero-width signs, soft hyphens, variation selectors. Digits of any
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
    """A character's own form; empty for one that nobody sees."""
    category = unicodedata.category(character)
    if category == "Cf" or _UNSEEN.match(character):
        return ""
    if category == "Pd":
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
