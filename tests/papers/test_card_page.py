"""The page below a card: in the holder's language, with the consent they gave, and room for the longest of records."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from edge.papers import page
from edge.papers.page import CardConsent, below
from edge.papers.words import LANGUAGES, WORDS, words
from edge.types import Custody

CONSENT = CardConsent(1_793_500_000, "2026-11", "fr-CA", "privacy@example.org", "Kim Lee", "Ring the bell.")


def lines(monkeypatch: pytest.MonkeyPatch, consent: CardConsent | None, custody: Custody = Custody.CARD) -> list[str]:
    """What is written, line by line, and that it all lies above the rule that shows the scale."""
    written: list[str] = []
    genuine = page.write

    def write(text: str, **where):
        assert where["y"] < 273 or where["size"] < 3, "above the scale"
        written.append(text)
        return genuine(text, **where)

    monkeypatch.setattr(page, "write", write)
    below(
        serial="-".join(["a1b2"] * 8),
        first=1,
        last=1_800_000_000,
        issued_by="Meridian Works",
        custody=custody,
        consent=consent,
        left=22,
        top=91,
    )
    return written


def test_the_consent_receipt_is_printed_with_the_card(monkeypatch):
    text = " ".join(lines(monkeypatch, CONSENT))
    for kept in ("2026-11-01", "texte 2026-11", "fr-CA", "Kim Lee", "privacy@example.org", "Ring the bell."):
        assert kept in text, kept
    assert "prend fin" not in text
    assert "prend fin de lui-même le 2027-03-01" in " ".join(lines(monkeypatch, replace(CONSENT, until=1_803_900_000)))


@pytest.mark.parametrize(
    ("tag", "heading"), [("fr-CA", "Mode d’emploi"), ("de", "So geht es"), ("it", "How to use it")]
)
def test_the_page_speaks_the_language_of_the_consent(monkeypatch, tag, heading):
    assert heading in lines(monkeypatch, replace(CONSENT, language=tag))


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("custody", list(Custody))
def test_the_longest_record_fits_on_the_page(monkeypatch, tag, custody):
    long = " ".join(["withdrawal"] * 18)
    lines(monkeypatch, CardConsent(1, "v" * 60, tag, long, "o" * 32, long, until=2**31), custody)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_every_word_is_there_in_every_language_with_the_same_values(name):
    assert len(WORDS[name]) == len(LANGUAGES)
    assert len({frozenset(b for _, b, _, _ in string.Formatter().parse(text) if b) for text in WORDS[name]}) == 1
    assert words("valid", "xx", first="a", last="b") == "valid a to b (UTC)"
