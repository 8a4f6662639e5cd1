"""PDFs that a person is handed: in any script, read by the PDF's own text, tagged, and never a box for a letter."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from edge.errors import InputError
from edge.papers import paper as setting
from edge.papers.card import CardConsent, CardText, card_pdf, card_png
from edge.papers.paper import Paper, PaperSection, Sentences, as_pdf
from edge.types import Custody

pytest.importorskip("typst")
NOTO = pytest.mark.skipif(
    not all(Path("/usr/share/fonts", kind, "noto").is_dir() for kind in ("truetype", "opentype")),
    reason="apt install fonts-noto-core fonts-noto-cjk",
)
TOKEN = "EV1:" + "A1" * 240
CONSENT = CardConsent(1_793_500_000, "2026-11", "fr-CA", "privacy@example.org", "Kim Lee", "Ring the bell.")
CARD = CardText(
    TOKEN, "-".join(["a1b2"] * 8), 1, 1_800_000_000, "Meridian Works", consent=CONSENT, contact="Ring the bell."
)


def text_of(data: bytes) -> str:
    """What the PDF itself says, page by page, its line ends as spaces."""
    pages = list(pypdfium2.PdfDocument(data))
    said = " ".join(page.get_textpage().get_text_range() for page in pages)
    return " ".join(unicodedata.normalize("NFKC", said).replace("\ufffe", "").replace("\u00ad", "").split())


def picture(data: bytes, dpi: int = 300) -> np.ndarray:
    return pypdfium2.PdfDocument(data)[0].render(scale=dpi / 72).to_numpy()


@NOTO
@pytest.mark.parametrize("name", ["Nguyễn Thị Ánh", "王小明", "محمد بن علي", "יעל כהן", "Ελένη Ђорђевић", "สมชาย"])
def test_a_name_of_any_script_is_on_the_card_and_read_from_it(name: str):
    said = text_of(card_pdf(replace(CARD, holder=name)))
    assert unicodedata.normalize("NFKC", name) in said
    assert "?" not in said.split("CARTE")[1].split("VALABLE")[0]


@pytest.mark.parametrize("custody", list(Custody))
def test_the_page_is_a4_and_holds_the_code_of_the_card_at_its_size(custody: Custody):
    data = card_pdf(replace(CARD, custody=custody))
    assert len(pypdfium2.PdfDocument(data)) == 1
    shown = picture(data)
    assert [round(side / 300 * 25.4) for side in shown.shape[:2]] == [297, 210]
    (code,) = zxingcpp.read_barcodes(shown)
    assert (code.text, code.ec_level) == (TOKEN, "M")
    (on_picture,) = zxingcpp.read_barcodes(np.asarray(_png(replace(CARD, consent=None))))
    sides = [c.position.top_right.x - c.position.top_left.x for c in (code, on_picture)]
    assert sides[0] == pytest.approx(sides[1], abs=4), "pixels of 0.085 mm"


def _png(card: CardText) -> np.ndarray:
    import cv2

    return cv2.imdecode(np.frombuffer(card_png(card), np.uint8), cv2.IMREAD_COLOR)


def test_it_is_tagged_for_screen_readers_and_says_what_the_code_is():
    data = card_pdf(CARD)
    assert b"/StructTreeRoot" in data
    assert b"pdfuaid:part" in data
    assert b"/Subtype/Image" not in data, "the code is drawn, not a picture"
    document = pypdfium2.PdfDocument(data)
    assert document.get_metadata_value("Title") == "Carte d’accès"


def test_the_consent_receipt_is_printed_with_the_card_with_the_zone_of_its_dates():
    said = text_of(card_pdf(replace(CARD, consent=replace(CONSENT, until=1_803_900_000, zone="Pacific/Honolulu"))))
    for kept in ("texte 2026-11", "fr-CA", "Kim Lee", "privacy@example.org", "Ring the bell.", "Meridian Works"):
        assert kept in said, kept
    assert "2026-10-31 (Pacific/Honolulu)" in said
    assert "prend fin de lui-même le 2027-03-01 (Pacific/Honolulu)" in said
    assert "prend fin" not in text_of(card_pdf(CARD))
    assert "2026-11-01 (UTC)" in text_of(card_pdf(CARD))


@pytest.mark.parametrize(("tag", "words"), [("fr-CA", "Mode d’emploi"), ("de", "So geht es"), ("it", "How to use it")])
def test_page_and_card_speak_the_language_of_the_consent(tag: str, words: str):
    said = text_of(card_pdf(replace(CARD, consent=replace(CONSENT, language=tag))))
    assert words in said
    label = {"fr-CA": "VALABLE", "de": "GÜLTIGBIS", "it": "VALIDUNTIL"}[tag]
    assert label in said.replace(" ", ""), "a spaced label is read with gaps where the font is another"


@pytest.mark.parametrize("tag", ["en", "fr", "de", "es", pytest.param("ar", marks=NOTO)])
@pytest.mark.parametrize("custody", list(Custody))
def test_the_longest_record_fits_on_one_page(tag: str, custody: Custody):
    long = " ".join(["withdrawal"] * 18)
    consent = CardConsent(1, "v" * 60, tag, long, "o" * 32, long, until=2**31, zone="America/Argentina/Buenos_Aires")
    data = card_pdf(replace(CARD, consent=consent, custody=custody, issued_by="M" * 48, holder="W" * 60, contact=long))
    assert len(pypdfium2.PdfDocument(data)) == 1
    assert zxingcpp.read_barcodes(picture(data))[0].text == TOKEN


def test_a_character_without_a_glyph_is_no_box_but_a_refusal_that_names_it():
    with pytest.raises(InputError) as refused:
        card_pdf(replace(CARD, holder="Ada \U000f1234"))
    assert "U+F1234" in refused.value.what
    assert "tried last" in refused.value.what
    assert "fonts-noto" in refused.value.remedy


def test_signs_that_nobody_sees_are_no_reason_to_refuse_a_name():
    said = text_of(card_pdf(replace(CARD, holder="\u200fAda\u200e\u200b Exam\u200cple\u00ad\ufeff")))
    assert "Ada" in said


def test_the_fonts_are_those_of_the_declared_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(setting, "FONT_FOLDERS", (tmp_path,))
    setting._fonts.cache_clear()
    try:
        assert card_pdf(CARD).startswith(b"%PDF"), "Latin letters come with Typst"
        with pytest.raises(InputError, match="U\\+738B"):
            card_pdf(replace(CARD, holder="王小明"))
    finally:
        setting._fonts.cache_clear()


def test_without_typst_a_pdf_is_refused_before_anything_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from edge.papers.card import CARD_KINDS
    from edge.papers.files import check_new

    monkeypatch.setattr(setting, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"edge-verifier\[papers\]"):
        check_new(tmp_path / "a.pdf", CARD_KINDS, state_dir=tmp_path / "state")
    assert check_new(tmp_path / "a.png", CARD_KINDS, state_dir=tmp_path / "state") is card_png


def test_each_paper_begins_a_page_and_takes_text_for_text():
    paper = Paper("A #title[*x*]", "en", (PaperSection("", (Sentences("#panic() $x$ `raw` \\ <a> @b"),)),))
    data = as_pdf([paper, paper])
    assert len(pypdfium2.PdfDocument(data)) == 2
    assert "#panic() $x$ `raw` \\ <a> @b" in text_of(data)
