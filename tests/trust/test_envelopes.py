"""Signatures: what a trusted key signed counts, as what it was signed, and nothing else does."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import KeyringError, SignatureError
from edge.trust.envelopes import BUILD, PACK, ROLES, PublicKey, Signer, sign, trusted, verify

PHRASE = "four words are enough"
ANNA = Signer.generate("anna")
BEN = Signer.generate("ben")


def known(*signers: Signer) -> dict[str, PublicKey]:
    return {signer.public.key_id: signer.public for signer in signers}


def put(folder: Path, role: str, signer: Signer) -> Path:
    """The signer's public half, where root would put it."""
    place = folder / ROLES[role]
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{signer.name}.pem"
    file.write_bytes(signer.public.pem())
    return file


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_what_was_signed_comes_back_with_whose_key_it_was(payload: bytes):
    envelope = sign(payload, BUILD, ANNA)
    for form in (envelope, json.dumps(envelope).encode()):
        done = verify(form, BUILD, known(ANNA, BEN))
        assert (done.payload, done.name, done.key_id) == (payload, "anna", ANNA.public.key_id)


def test_verifying_does_not_alter_the_envelope():
    envelope = sign(b"x", BUILD, ANNA)
    before = json.dumps(envelope)
    verify(envelope, BUILD, known(ANNA))
    assert json.dumps(envelope) == before


def test_the_signature_is_plain_ed25519_over_the_published_encoding():
    """The DSSE specification's pre-authentication encoding, written out: any other tool can check what we sign."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    envelope = sign(b"hello", BUILD, ANNA)
    encoded = b"DSSEv1 %d %b 5 hello" % (len(BUILD), BUILD.encode())
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    Ed25519PublicKey.from_public_bytes(ANNA.public.raw).verify(signature, encoded)


def test_a_signature_over_a_pack_does_not_count_for_a_build():
    with pytest.raises(SignatureError, match="something else"):
        verify(sign(b"x", PACK, ANNA), BUILD, known(ANNA))
    relabelled = sign(b"x", PACK, ANNA) | {"payloadType": BUILD}
    with pytest.raises(SignatureError, match="altered"):
        verify(relabelled, BUILD, known(ANNA))


def test_a_stranger_s_signature_does_not_count():
    with pytest.raises(SignatureError, match="not signed by a key that this device trusts"):
        verify(sign(b"x", BUILD, BEN), BUILD, known(ANNA))
    with pytest.raises(SignatureError):
        verify(sign(b"x", BUILD, ANNA), BUILD, {})


def test_a_stranger_who_uses_a_trusted_key_s_id_is_refused():
    envelope = sign(b"x", BUILD, BEN)
    envelope["signatures"][0]["keyid"] = ANNA.public.key_id
    with pytest.raises(SignatureError, match="altered"):
        verify(envelope, BUILD, known(ANNA))


@settings(deadline=None)
@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject):
    envelope = sign(b"one to one", BUILD, ANNA)
    target = data.draw(st.sampled_from(["payload", "sig"]))
    raw = bytearray(base64.b64decode(envelope["payload"] if target == "payload" else envelope["signatures"][0]["sig"]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    text = base64.b64encode(bytes(raw)).decode()
    if target == "payload":
        envelope["payload"] = text
    else:
        envelope["signatures"][0]["sig"] = text
    with pytest.raises(SignatureError):
        verify(envelope, BUILD, known(ANNA))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@settings(deadline=None)
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_envelope_is_a_typed_error(data: bytes):
    with pytest.raises(SignatureError):
        verify(data, BUILD, known(ANNA))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["payload", "payloadType", "signatures"]), JSON))
def test_a_damaged_envelope_is_a_typed_error(change: dict[str, object]):
    envelope = {**sign(b"x", BUILD, ANNA), **change}
    if change:
        with pytest.raises(SignatureError):
            verify(envelope, BUILD, known(ANNA))


def without_hint(envelope: dict[str, Any], change: str) -> dict[str, Any]:
    (one,) = envelope["signatures"]
    hints = {"absent": {}, "empty": {"keyid": ""}, "null": {"keyid": None}, "another's": {"keyid": BEN.public.key_id}}
    return {**envelope, "signatures": [{"sig": one["sig"], **hints[change]}]}


@pytest.mark.parametrize("change", ["absent", "empty", "null", "another's"])
def test_a_key_id_is_optional_and_only_a_hint(change: str):
    """DSSE, protocol.md: "KEYID: unauthenticated hint ... MUST NOT be used for security decisions"."""
    envelope = without_hint(sign(b"x", BUILD, ANNA), change)
    assert verify(envelope, BUILD, known(BEN, ANNA)).name == "anna"
    with pytest.raises(SignatureError):
        verify({**envelope, "payload": base64.b64encode(b"y").decode()}, BUILD, known(BEN, ANNA))
    with pytest.raises(SignatureError):
        verify(envelope, BUILD, known(BEN))


def test_one_trusted_signature_among_others_is_enough():
    anna, ben = (sign(b"x", BUILD, signer)["signatures"][0] for signer in (ANNA, BEN))
    junk = {
        "keyid": "another tool's",
        "sig": base64.b64encode(bytes(256)).decode(),
        "cert": "unknown fields are allowed",
    }
    envelope = {**sign(b"x", BUILD, ANNA), "signatures": [junk, ben, anna], "more": 1}
    assert verify(envelope, BUILD, known(ANNA)).name == "anna"
    with pytest.raises(SignatureError, match="not a signature envelope"):
        verify({**envelope, "signatures": [junk] * 17}, BUILD, known(ANNA))
    with pytest.raises(SignatureError, match="not a signature envelope"):
        verify({**envelope, "signatures": []}, BUILD, known(ANNA))


def test_base64_without_padding_is_read():
    envelope = sign(b"x", BUILD, ANNA)
    (one,) = envelope["signatures"]
    bare = {"payload": envelope["payload"].rstrip("="), "signatures": [one | {"sig": one["sig"].rstrip("=")}]}
    assert bare["payload"] != envelope["payload"]
    assert verify(envelope | bare, BUILD, known(ANNA)).name == "anna"


def test_both_alphabets_of_base64_are_read():
    envelope = sign(b"\xfb\xff\xfe" * 9, BUILD, ANNA)
    other = json.loads(
        json.dumps(envelope).replace("+", "-").replace("/vnd", "*").replace("/", "_").replace("*", "/vnd")
    )
    other["payloadType"] = BUILD
    assert "_" in other["payload"] or "-" in other["payload"]
    assert verify(other, BUILD, known(ANNA)).payload == b"\xfb\xff\xfe" * 9


def test_another_implementation_reads_ours_and_we_read_its_own():
    dsse = pytest.importorskip("securesystemslib.dsse")
    from securesystemslib.signer import CryptoSigner, SSlibKey

    private = Ed25519PrivateKey.from_private_bytes(ANNA.seed)
    public = SSlibKey.from_crypto(private.public_key(), ANNA.public.key_id)
    ours = dsse.Envelope.from_dict(json.loads(json.dumps(sign(b"x", BUILD, ANNA))))
    assert ours.verify([public], 1)
    theirs = dsse.Envelope(b"y", BUILD, {})
    theirs.sign(CryptoSigner(private, public))
    assert verify(theirs.to_dict(), BUILD, known(ANNA)).payload == b"y"


def test_an_envelope_without_bounds_is_not_read():
    with pytest.raises(SignatureError, match="not a signature envelope"):
        verify(b" " * (9 * 2**20), BUILD, known(ANNA))


# -- key files -------------------------------------------------------------------------------------------------------


def private(folder: Path, data: bytes) -> Path:
    file = folder / "anna.key"
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def test_a_private_half_is_locked_by_its_passphrase(tmp_path: Path):
    file = private(tmp_path, ANNA.locked(PHRASE))
    assert json.loads(file.read_bytes())["kdf"] == "argon2id"
    assert Signer.load(file, PHRASE).public.raw == ANNA.public.raw
    for wrong in ("", "four words are wrong"):
        with pytest.raises(KeyringError, match="wrong passphrase"):
            Signer.load(file, wrong)


def test_a_short_passphrase_is_refused():
    with pytest.raises(KeyringError, match="shorter than 12"):
        ANNA.locked("short")


def test_a_private_half_without_a_lock_is_refused(tmp_path: Path):
    plain = Ed25519PrivateKey.from_private_bytes(ANNA.seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(KeyringError):
        Signer.load(private(tmp_path, plain), PHRASE)


def test_a_private_half_that_others_can_read_is_refused(tmp_path: Path):
    file = private(tmp_path, ANNA.locked(PHRASE))
    file.chmod(0o640)
    with pytest.raises(KeyringError, match="others may access"):
        Signer.load(file, PHRASE)


def test_a_signer_shows_and_copies_no_secret():
    assert repr(ANNA) == f"Signer(key_id={ANNA.public.key_id})"
    with pytest.raises(TypeError):
        pickle.dumps(ANNA)


# -- whom a device trusts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(ROLES))
def test_a_key_is_trusted_in_the_role_of_its_folder_and_in_no_other(tmp_path: Path, role: str):
    put(tmp_path, role, ANNA)
    for other in ROLES:
        assert set(trusted(tmp_path, other)) == ({ANNA.public.key_id} if other == role else set())
    assert trusted(tmp_path, ROLES[role])[ANNA.public.key_id].name == "anna"


def test_without_a_folder_nobody_is_trusted(tmp_path: Path):
    assert not trusted(tmp_path / "absent", "builder")


def test_an_unknown_role_is_a_mistake_of_the_caller(tmp_path: Path):
    with pytest.raises(ValueError, match="no such role"):
        trusted(tmp_path, "issuer")


@pytest.mark.parametrize("place", [".", "builders", "builders/anna.pem"])
def test_a_place_that_others_can_write_is_refused_when_strict(tmp_path: Path, place: str):
    put(tmp_path, "builder", ANNA)
    (tmp_path / place).chmod(0o777)
    with pytest.raises(SignatureError, match="someone besides root"):
        trusted(tmp_path, "builder")
    assert trusted(tmp_path, "builder", strict=False)


def test_a_file_that_is_no_public_key_is_refused(tmp_path: Path):
    file = put(tmp_path, "builder", ANNA)
    elliptic = generate_private_key(SECP256R1()).public_key()
    for data in (
        b" ",
        b"hello",
        ANNA.locked(PHRASE),
        elliptic.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        b"x" * 20_000,
    ):
        file.write_bytes(data)
        with pytest.raises(SignatureError):
            trusted(tmp_path, "builder")


def test_a_link_is_not_followed(tmp_path: Path):
    file = put(tmp_path, "builder", ANNA)
    file.rename(tmp_path / "elsewhere.pem")
    file.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(SignatureError):
        trusted(tmp_path, "builder")


def test_too_many_keys_are_refused(tmp_path: Path):
    for number in range(65):
        put(tmp_path, "packs", Signer(ANNA.seed, f"k{number}"))
    with pytest.raises(SignatureError, match="more than 64"):
        trusted(tmp_path, "packs")


def test_the_policy_room_reads_the_cryptography_only_where_a_signature_is_made_or_checked():
    code = (
        "import sys, edge.policy, edge.trust.envelopes, edge.cli\n"
        "sys.exit(bool({'securesystemslib', 'cryptography', 'yaml', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
