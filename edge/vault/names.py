"""One form for a person's name, however a keyboard, an editor or another program wrote it.

    >>> one_form("AYŞE IŞIK") == one_form("Ayşe Işık")
    True
    >>> one_form("O’Neill") == one_form("o'neill")
    True

Only what two keyboards write differently for one and the same name is made equal; accents and marks that tell names
apart stay. A form that joined more would erase somebody else's data.
"""

from __future__ import annotations

import unicodedata

#: What is typed for an apostrophe (O'Neill, Hawaiʻi, ג׳ורג׳): it becomes U+0027.
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u05f3\u2018\u2019\u201b\u2032\ua78c"
#: Minus and bullet in place of a hyphen; all of category Pd (U+2010, U+2011, dashes, maqaf) become U+002D as well.
_HYPHENS = "\u2043\u2212"
#: Turkish and Azeri have two letters i; upper and lower case mix them up on every other keyboard.
_DOTLESS = {"\u0130": "i", "\u0131": "i"}
#: Arabic keyboard -> the letter that a Persian or Urdu keyboard types in its place: yeh, alef maksura, kaf, heh.
_PERSIAN = {"\u064a": "\u06cc", "\u0649": "\u06cc", "\u0643": "\u06a9", "\u06c1": "\u0647", "\u06be": "\u0647"}
_SAME = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-"), **_DOTLESS, **_PERSIAN, "\u0640": None}
)
_DOT_ABOVE = "\u0307"


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
    text = unicodedata.normalize("NFD", text).replace("i" + _DOT_ABOVE, "i")
    return " ".join(unicodedata.normalize("NFKC", text).split())


def first_form(name: str) -> str:
    """The form that the first version hashed; names that it stored are looked for under it, too."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _sign(character: str) -> str:
    """A character's own form; empty for one that nobody sees."""
    category = unicodedata.category(character)
    if category == "Cf" or character == "\u034f" or "\ufe00" <= character <= "\ufe0f":
        return ""
    if category == "Pd":
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
