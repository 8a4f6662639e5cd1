"""A seal opens with its token's secret and the right key, and with nothing else."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelMismatch, SealBroken, SpentError
from edge.face.match import compare
from edge.types import Claim, Custody, Probe, SealedTemplate
from edge.types.rotation import Rotation, quantised
from edge.vault import Header, record_id
from edge.vault.seal import open_sealed, seal
from tests.vault.conftest import same

ASSETS = Path(__file__).parent.parent / "assets"

KEY, SECRET, MODEL, SERIAL = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96)), bytes(range(16))
EXPIRES = 1_800_000_000


def header(custody: Custody = Custody.CARD, dimension: int = 128) -> Header:
    ident = SERIAL if custody is Custody.CARD else record_id(SECRET)
    return Header(custody, ident, MODEL, dimension, 1_790_000_000, EXPIRES)


def claim(custody: Custody = Custody.CARD, **fields: object) -> Claim:
    base = Claim(custody, bytes(16), SERIAL, 1, ("default",), 0, EXPIRES, SECRET)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def vector() -> np.ndarray:
    return np.random.default_rng(5).integers(-127, 128, 128).astype(np.int8)


def sealed_as(custody: Custody, vector: np.ndarray):
    return seal(
        vector, secret=SECRET, key=KEY, header=header(custody, len(vector)), random_bytes=random.Random(1).randbytes
    )


@pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])
def test_what_was_sealed_opens_for_its_claim(custody: Custody, vector: np.ndarray):
    template = open_sealed(sealed_as(custody, vector), claim(custody), KEY, model_digest=MODEL, session="s")
    assert same(template.unrotated("s"), vector)
    assert template.model == MODEL.hex()
    with pytest.raises(SpentError):
        template.read("another session")


@pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])
def test_the_seal_is_the_one_of_the_design(custody: Custody, vector: np.ndarray):
    """HKDF-SHA256(secret || K, salt, "edge/template/v1/" + custody), ChaCha20-Poly1305, zero nonce, AAD = header.

    Sealed is what a rotation by that key makes of the vector.
    """
    sealed = sealed_as(custody, vector)
    info = f"edge/template/v1/{custody.value}".encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=sealed.salt, info=info).derive(SECRET + KEY)
    rotated = ChaCha20Poly1305(key).decrypt(bytes(12), sealed.ciphertext, sealed.header)
    turn = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"edge/rotation/v1").derive(key)
    assert rotated == quantised(Rotation(turn, 128).turn(vector)).tobytes()
    assert record_id(SECRET) == HKDF(algorithm=SHA256(), length=32, salt=None, info=b"edge/record/v1").derive(SECRET)


def test_every_seal_draws_a_new_salt_and_so_a_new_key(vector: np.ndarray):
    draws = random.Random(4).randbytes
    seals = [seal(vector, secret=SECRET, key=KEY, header=header(), random_bytes=draws) for _ in range(20)]
    assert len({s.salt for s in seals}) == len({s.ciphertext for s in seals}) == 20


@pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])
def test_an_altered_byte_anywhere_opens_nothing(custody: Custody, vector: np.ndarray, flips):
    sealed, asked = sealed_as(custody, vector), claim(custody)
    tried = 0
    for part in ("header", "salt", "ciphertext"):
        for altered in flips(getattr(sealed, part)):
            tried += 1
            with pytest.raises(SealBroken):
                open_sealed(replace(sealed, **{part: altered}), asked, KEY, model_digest=MODEL, session="s")
    assert tried > len(sealed.header) + len(sealed.salt) + len(sealed.ciphertext)


@pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])
def test_another_secret_serial_key_date_or_custody_opens_nothing(custody: Custody, vector: np.ndarray):
    sealed = sealed_as(custody, vector)
    other = Custody.DEVICE if custody is Custody.CARD else Custody.CARD
    wrong = [(claim(custody, secret=bytes(32)), KEY), (claim(custody), bytes(32)), (claim(other), KEY)]
    wrong.append((claim(custody, expires=EXPIRES + 1), KEY))
    if custody is Custody.CARD:  # in device custody the signature of the record binds the serial
        wrong.append((claim(custody, serial=bytes(16)), KEY))
    for asked, key in wrong:
        with pytest.raises(SealBroken):
            open_sealed(sealed, asked, key, model_digest=MODEL, session="s")


def test_a_card_s_seal_does_not_open_as_a_device_s_even_with_the_same_key(vector: np.ndarray):
    """The custody is part of the key, not only of the header."""
    sealed = sealed_as(Custody.CARD, vector)
    relabelled = replace(sealed, header=header(Custody.DEVICE).pack())
    with pytest.raises(SealBroken):
        open_sealed(relabelled, claim(Custody.DEVICE), KEY, model_digest=MODEL, session="s")


@pytest.mark.parametrize("part", ["header", "salt", "ciphertext"])
def test_truncated_and_empty_parts_open_nothing(part: str, vector: np.ndarray):
    sealed = sealed_as(Custody.CARD, vector)
    whole = getattr(sealed, part)
    for cut in (b"", whole[:1], whole[:-1], whole + b"\0"):
        with pytest.raises(SealBroken):
            open_sealed(replace(sealed, **{part: cut}), claim(), KEY, model_digest=MODEL, session="s")


def test_another_embedder_is_told_apart_from_a_broken_seal(vector: np.ndarray):
    with pytest.raises(ModelMismatch) as refused:
        open_sealed(sealed_as(Custody.CARD, vector), claim(), KEY, model_digest=bytes(32), session="s")
    assert "--renew" in refused.value.remedy


def test_the_wrong_key_does_not_tell_which_embedder_it_was(vector: np.ndarray):
    with pytest.raises(SealBroken):
        open_sealed(sealed_as(Custody.CARD, vector), claim(), bytes(32), model_digest=bytes(32), session="s")


def test_only_an_int8_vector_of_the_header_s_dimension_is_sealed(vector: np.ndarray):
    for wrong in (vector[:64], vector.astype(np.float32), vector.reshape(2, 64)):
        with pytest.raises(ValueError):
            seal(wrong, secret=SECRET, key=KEY, header=header(), random_bytes=bytes)


@pytest.mark.parametrize("custody", ["card", "device"])
def test_a_template_of_the_version_before_still_opens_as_it_was(custody: str):
    """Header version 1, not rotated; made by commit 69f7f9b."""
    old = {k: bytes.fromhex(v) for k, v in json.loads((ASSETS / "templates-v1.json").read_text())[custody].items()}
    asked = Claim(Custody(custody), bytes(16), old["serial"], 1, ("default",), 0, EXPIRES, old["secret"])
    sealed = SealedTemplate(old["header"], old["salt"], old["ciphertext"])
    with open_sealed(sealed, asked, old["key"], model_digest=old["model"], session="s") as template:
        assert template.read("s").tobytes() == template.unrotated("s").astype(np.int8).tobytes() == old["vector"]
        probe = Probe(np.frombuffer(old["vector"], np.int8), model=template.model, session="s")
        assert compare(template, probe, "s") == pytest.approx(1.0)


def test_new_templates_are_of_the_new_version_only(vector: np.ndarray):
    with pytest.raises(ValueError, match="version"):
        seal(
            vector, secret=SECRET, key=KEY, header=replace(header(), version=1), random_bytes=random.Random(1).randbytes
        )


def test_a_header_fits_a_token():
    assert len(header(Custody.CARD).pack()) == 60
    assert len(header(Custody.DEVICE).pack()) == 76


@given(st.binary(max_size=120))
def test_the_header_parser_raises_value_error_and_nothing_else(data: bytes):
    try:
        parsed = Header.parse(data)
    except ValueError:
        return
    assert parsed.pack() == data


@given(
    st.sampled_from([Custody.CARD, Custody.DEVICE]),
    st.binary(min_size=32, max_size=32),
    st.integers(1, 4096),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
def test_a_header_reads_as_it_was_written(custody: Custody, random32: bytes, dimension: int, made: int, expires: int):
    ident = random32[:16] if custody is Custody.CARD else random32
    written = Header(custody, ident, random32, dimension, made, expires)
    assert Header.parse(written.pack()) == written


def test_no_repr_shows_a_secret(vector: np.ndarray):
    sealed = sealed_as(Custody.CARD, vector)
    assert sealed.salt.hex() not in repr(sealed)
    assert repr(sealed.salt) not in repr(sealed)
    assert repr(SECRET) not in repr(claim())
