"""The issuer's key in a process of its own: opened by a passphrase, signs what was ordered, ends with its input."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edge.claim import TOKEN_DOMAIN
from edge.claim.layout import pack
from edge.errors import KeyringError
from edge.service.staff_signer import SignerChild
from edge.trust import IssuerKey
from edge.types import Custody, Token
from edge.vault.record import RECORD_DOMAIN

PASSPHRASE = "people who do not exist"


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, IssuerKey]:
    issuer, path = IssuerKey.generate(os.urandom), tmp_path / "issuer.key"
    issuer.save(path, PASSPHRASE, random_bytes=os.urandom)
    return path, issuer


def card(key_id: bytes, credential: int = 0) -> bytes:
    return pack(Token(Custody.DEVICE, bytes(16), bytes(16), credential, ("default",), 1, 2, bytes(32)), key_id)


def test_it_signs_the_card_that_was_ordered_once_and_nothing_else(key):
    path, issuer = key
    typed = bytearray(PASSPHRASE.encode())
    with SignerChild.open(path, typed) as signer:
        assert typed == bytes(len(PASSPHRASE)), "the passphrase was overwritten"
        assert signer.key_id == issuer.key_id
        with pytest.raises(KeyringError, match="nothing is ordered"):
            signer.sign(card(issuer.key_id), TOKEN_DOMAIN)
        signer.order("enrol", {"credential": 0, "groups": []})
        with pytest.raises(KeyringError, match="not ordered"):
            signer.sign(card(issuer.key_id, 7), TOKEN_DOMAIN)
        signature = signer.sign(card(issuer.key_id), TOKEN_DOMAIN)
        assert issuer.public.is_signed(card(issuer.key_id), signature, TOKEN_DOMAIN)
        with pytest.raises(KeyringError, match="not ordered"):
            signer.sign(card(issuer.key_id), TOKEN_DOMAIN)
        assert len(signer.sign(b"a record", RECORD_DOMAIN)) == 64
        with pytest.raises(KeyringError, match="not ordered"):
            signer.sign(b"anything", b"edge/build/v1")


@pytest.mark.parametrize("typed", ["people who do exist", "", "\n", PASSPHRASE + "\n{}"])
def test_a_wrong_passphrase_opens_nothing(key, typed: str):
    with pytest.raises(KeyringError, match="passphrase"):
        SignerChild.open(key[0], bytearray(typed.encode()))


def test_it_ends_with_its_input_and_leaves_no_core(key):
    signer = SignerChild.open(key[0], bytearray(PASSPHRASE.encode()))
    process = signer._process
    limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core file size")) == ["0", "0"]
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert PASSPHRASE.encode() not in command
    signer.close()
    assert process.returncode == 0
    with pytest.raises(KeyringError, match="not open any more"):
        signer.sign(b"", TOKEN_DOMAIN)


def test_it_ends_when_whoever_started_it_is_killed(key):
    signer = SignerChild.open(key[0], bytearray(PASSPHRASE.encode()))
    signer._process.stdin.close()  # as the kernel does for a process that is gone
    until = time.monotonic() + 20
    while signer._process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert signer._process.returncode == 0
