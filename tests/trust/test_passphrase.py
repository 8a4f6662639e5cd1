"""One passphrase, however a keyboard, an editor or an operating system writes it down (RFC 8265, OpaqueString)."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli._signer import passphrase
from edge.errors import KeyringError
from edge.trust import Cost, IssuerKey
from edge.trust.locked import check_passphrase, opaque, unlock

QUICK = Cost(iterations=1, lanes=1, memory_kib=8)
PHRASE = "Schlüssel für Größe 42"
NFC, NFD = (unicodedata.normalize(form, PHRASE) for form in ("NFC", "NFD"))


def in_file(folder: Path, data: bytes) -> Path:
    file = folder / "phrase"
    file.write_bytes(data)
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    "data",
    [
        NFC.encode() + b"\n",
        NFD.encode() + b"\n",
        b"\xef\xbb\xbf" + NFC.encode() + b"\r\n",
        b"\xef\xbb\xbf" + NFD.encode(),
        NFC.replace(" ", "\u00a0").encode() + b"\n",
        NFC.replace(" ", "\u3000").encode() + b"\nand a second line\n",
    ],
    ids=["nfc", "nfd", "bom-crlf", "bom-nfd", "no-break-space", "ideographic-space"],
)
@pytest.mark.parametrize("made_with", [NFC, NFD], ids=["made-nfc", "made-nfd"])
def test_a_key_made_on_one_machine_opens_on_another(tmp_path: Path, data: bytes, made_with: str):
    key = IssuerKey.generate(os.urandom, "Reception")
    key.save(tmp_path / "issuer.key", made_with, random_bytes=os.urandom, cost=QUICK)
    read = passphrase(in_file(tmp_path, data), "", confirm=False)
    assert IssuerKey.load(tmp_path / "issuer.key", read).seed == key.seed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PHRASE.encode("latin-1"), "not UTF-8 text"),
        (PHRASE.encode("cp437"), "not UTF-8 text"),
        (PHRASE.encode("utf-16"), "UTF-16"),
        (b"\n", "no passphrase in it"),
        (b"\xef\xbb\xbf\r\n", "no passphrase in it"),
    ],
)
def test_another_encoding_or_nothing_is_told_and_the_passphrase_is_not(tmp_path: Path, data: bytes, words: str):
    with pytest.raises(KeyringError, match=words) as caught:
        passphrase(in_file(tmp_path, data), "", confirm=False)
    assert "Schl" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("ｅｄｇｅ", "ｅｄｇｅ"),  # width is not mapped
        ("Ⅳ ﬁ ²", "Ⅳ ﬁ ²"),  # nor are compatibility signs
        ("GROSS groß", "GROSS groß"),  # nor case
        ("\u212b", "\u00e5".upper()),  # the Angstrom sign is the letter, canonically
        ("a\u1680b\u2003c", "a b c"),
        (" a  b ", " a  b "),  # spaces stay where they are
    ],
)
def test_the_form_is_rfc_8265_s(given_: str, expected: str):
    assert opaque(given_) == expected


@given(st.text(min_size=12, max_size=40))
def test_the_form_is_final_and_all_canonical_spellings_have_the_same_one(text: str):
    assert opaque(opaque(text)) == opaque(text)
    assert opaque(unicodedata.normalize("NFD", text)) == opaque(text)


@pytest.mark.parametrize("sign", ["\t", "\x00", "\u200b", "\ufeff", "\u202e", "\ue000", "\udce9", "\u0378"])
def test_a_new_passphrase_holds_no_sign_that_another_machine_may_lose(sign: str):
    with pytest.raises(KeyringError, match=rf"character 13 .*U\+{ord(sign):04X}"):
        check_passphrase("twelve signs" + sign)


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u200e", "\u2060", "\u00ad"])
@pytest.mark.parametrize("place", [0, 5, len(NFC)])
def test_a_sign_that_nobody_sees_in_a_passphrase_file_is_told_with_its_place(tmp_path: Path, sign: str, place: int):
    """An editor or a copied page leaves it there; the key was made without it."""
    if (sign, place) == ("\ufeff", 0):
        place = 1  # first of all it is a byte order mark, and read as such
    IssuerKey(bytes(32)).save(tmp_path / "issuer.key", NFC, random_bytes=os.urandom, cost=QUICK)
    read = passphrase(in_file(tmp_path, (NFC[:place] + sign + NFC[place:] + "\n").encode()), "", confirm=False)
    with pytest.raises(KeyringError, match=rf"character {place + 1} .*U\+{ord(sign):04X}"):
        IssuerKey.load(tmp_path / "issuer.key", read)


def test_what_persian_and_indic_keyboards_need_is_allowed():
    assert check_passphrase("می\u200cخواهم در را باز کنم")


def test_a_short_passphrase_is_counted_as_people_count_it():
    with pytest.raises(KeyringError, match="shorter than 12"):
        check_passphrase(unicodedata.normalize("NFD", "üüüüüüü"))
    assert check_passphrase(unicodedata.normalize("NFD", "ü" * 12)) == "ü" * 12


def test_a_wrong_passphrase_for_a_new_file_is_tried_once(monkeypatch: pytest.MonkeyPatch):
    """The forms of earlier versions are no second chance for whoever guesses at a new file."""
    from edge.trust import locked

    data = IssuerKey(bytes(32)).locked(PHRASE, cost=QUICK)
    tries: list[bytes] = []
    stretch = locked._stretch
    monkeypatch.setattr(locked, "_stretch", lambda phrase, *more: (tries.append(phrase), stretch(phrase, *more))[1])
    with pytest.raises(KeyringError, match="wrong passphrase"):
        unlock(data, "Schlüssel für Größe 43", kind=IssuerKey.KIND, where="f")
    assert len(tries) == 1
    with pytest.raises(KeyringError, match="wrong passphrase"):  # nor can the mark be taken out
        unlock(
            json.dumps({k: v for k, v in json.loads(data).items() if k != "passphrase"}).encode(),
            PHRASE,
            kind=IssuerKey.KIND,
            where="f",
        )
