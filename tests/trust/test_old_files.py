"""Keys, trust folders and signatures as the version before wrote them (`tests/assets/keys-v1`) are read as ever."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from edge.cli._signer import open_signer, passphrase
from edge.errors import KeyringError
from edge.trust import IssuerKey, Keyring, RecoveryKey, RecoveryPublic
from edge.trust.envelopes import BUILD, Signer, sign, trusted, verify

PHRASE = "four words are enough"
UMLAUTS = "Schlüssel für Größe 42"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The old files, with the modes that git does not keep."""
    folder = shutil.copytree(Path(__file__).parent.parent / "assets" / "keys-v1", tmp_path / "old")
    for path in folder.rglob("*.key"):
        path.chmod(0o600)
    return folder


def test_a_device_goes_on_with_its_keys_and_the_issuer_with_its_own(old: Path):
    ring = Keyring.load(old / "state", old / "trust", strict=True)
    issuer = IssuerKey.load(old / "state" / "issuer.key", PHRASE)
    assert set(ring.trust.issuers) == {issuer.key_id}
    assert issuer.comment == "Reception"
    ring.trust.verify(issuer.key_id, b"m", issuer.sign(b"m", b"label"), b"label")


def test_the_recovery_key_still_opens_the_escrow(old: Path):
    recovery = RecoveryKey.load(old / "recovery.key", PHRASE)
    ring = Keyring.load(old / "state", old / "trust")
    assert recovery.open_escrow((old / "state" / "device.escrow").read_bytes(), ring.site_id) == ring.device_key
    assert RecoveryPublic.load(old / "recovery.pub") == recovery.public


def test_a_signer_s_pem_still_signs_and_what_it_signed_still_counts(old: Path):
    keys = trusted(old / "trust", "builder")
    assert verify((old / "build.dsse.json").read_bytes(), BUILD, keys).name == "acme"
    signer = Signer.load(old / "signer" / "acme.key", PHRASE)
    assert verify(sign(b"new", BUILD, signer), BUILD, keys).payload == b"new"
    with pytest.raises(KeyringError, match="wrong passphrase"):
        Signer.load(old / "signer" / "acme.key", "four words are wrong")


def test_the_commands_open_it_with_a_byte_order_mark_before_it_too(old: Path, tmp_path: Path):
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")
    phrase.chmod(0o600)
    key = old / "signer" / "acme.key"
    before = open_signer(key, phrase).public
    key.write_bytes(b"\xef\xbb\xbf" + key.read_bytes().replace(b"\n", b"\r\n"))
    assert open_signer(key, phrase).public == before


@pytest.mark.parametrize("made_with", ["nfc", "nfd", "bom", "lat1"])
@pytest.mark.parametrize("written_as", ["NFC", "NFD"])
def test_a_passphrase_that_was_taken_as_it_came_opens_in_its_one_form(
    old: Path, tmp_path: Path, made_with: str, written_as: str
):
    phrase = tmp_path / "phrase"
    phrase.write_text(unicodedata.normalize(written_as, UMLAUTS) + "\n", encoding="utf-8")
    phrase.chmod(0o600)
    read = passphrase(phrase, "", confirm=False)
    assert IssuerKey.load(old / "phrases" / f"issuer-{made_with}.key", read).comment == made_with
    assert Signer.load(old / "phrases" / f"signer-{made_with}.key", read).name == f"signer-{made_with}"
    for name, kind in (("issuer", IssuerKey), ("signer", Signer)):
        with pytest.raises(KeyringError, match="wrong passphrase"):
            kind.load(old / "phrases" / f"{name}-{made_with}.key", read + "!")
