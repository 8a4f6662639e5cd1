"""The issuer's private half opens with its passphrase only; doors believe the public halves in their trust folder."""

from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import KeyringError
from edge.trust import Cost, IssuerKey, IssuerPublic, TrustStore
from edge.trust.keyfile import write_key
from edge.trust.locked import unlock

QUICK = Cost(iterations=1, lanes=1, memory_kib=8)
PHRASE = "four words are enough"
KIND = "edge-issuer-key-v1"


@pytest.fixture(scope="module")
def issuer() -> IssuerKey:
    return IssuerKey.generate(random.Random(4).randbytes, "Reception, 2026")


@pytest.mark.usefixtures("full_cost")
def test_the_default_cost_is_rfc_9106_s_second_recommendation(tmp_path: Path, issuer: IssuerKey):
    issuer.save(tmp_path / "issuer.key", PHRASE, random_bytes=os.urandom)
    head = json.loads((tmp_path / "issuer.key").read_bytes())
    assert (head["kdf"], head["iterations"], head["lanes"], head["memory_kib"]) == ("argon2id", 3, 4, 64 * 1024)
    assert (tmp_path / "issuer.key").stat().st_mode & 0o777 == 0o600
    again = IssuerKey.load(tmp_path / "issuer.key", PHRASE)
    assert (again.seed, again.comment) == (issuer.seed, issuer.comment)


def test_a_wrong_passphrase_does_not_open_it(tmp_path: Path, issuer: IssuerKey):
    issuer.save(tmp_path / "issuer.key", PHRASE, random_bytes=os.urandom, cost=QUICK)
    for wrong in (PHRASE + " ", PHRASE.upper(), ""):
        with pytest.raises(KeyringError, match="wrong passphrase") as caught:
            IssuerKey.load(tmp_path / "issuer.key", wrong)
        assert not wrong or wrong not in str(caught.value)


def test_a_short_passphrase_is_refused_before_a_file_exists(tmp_path: Path, issuer: IssuerKey):
    with pytest.raises(KeyringError, match="shorter than 12"):
        issuer.save(tmp_path / "issuer.key", "elevenchars", random_bytes=os.urandom, cost=QUICK)
    assert list(tmp_path.iterdir()) == []


def test_every_part_of_a_locked_file_is_authenticated(issuer: IssuerKey):
    data = issuer.locked(PHRASE, cost=QUICK)
    head = json.loads(data)
    changes = {"public": "QUJD", "comment": "another", "iterations": 2, "memory_kib": 16, "salt": "A" * 22 + "=="}
    for key, value in changes.items():
        with pytest.raises(KeyringError):
            unlock(json.dumps({**head, key: value}).encode(), PHRASE, kind=KIND, where="f")
    with pytest.raises(KeyringError):
        unlock(data, PHRASE, kind="edge-recovery-key-v1", where="f")


@pytest.mark.parametrize(
    "change",
    [{"memory_kib": 2**31}, {"iterations": 10**9}, {"lanes": 0}, {"memory_kib": 8, "lanes": 4}, {"lanes": True}],
)
def test_a_forged_cost_cannot_exhaust_the_machine(issuer: IssuerKey, change: dict[str, int]):
    data = issuer.locked(PHRASE, cost=QUICK)
    with pytest.raises(KeyringError):
        unlock(json.dumps({**json.loads(data), **change}).encode(), PHRASE, kind=KIND, where="f")


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_other_file_is_a_keyring_error(data: bytes):
    with pytest.raises(KeyringError):
        unlock(data, PHRASE, kind=KIND, where="f")


@given(
    st.dictionaries(
        st.sampled_from(["comment", "kdf", "iterations", "lanes", "memory_kib", "salt", "sealed", "public"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2) | st.floats(),
        min_size=1,
    )
)
@settings(max_examples=150)
def test_wrong_fields_are_a_keyring_error(changes: dict[str, object]):
    data = IssuerKey(bytes(32)).locked(PHRASE, random_bytes=bytes, cost=QUICK)
    if {**json.loads(data), **changes} == json.loads(data):
        return
    with pytest.raises(KeyringError):
        unlock(json.dumps({**json.loads(data), **changes}).encode(), PHRASE, kind=KIND, where="f")


def test_the_key_id_is_the_beginning_of_a_hash_of_the_public_key(issuer: IssuerKey):
    assert issuer.key_id == hashlib.sha256(issuer.public.raw).digest()[:8]


def test_ed25519_is_rfc_8032_s():
    """Test 1 of RFC 8032, section 7.1: the public key of a known seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert IssuerKey(seed).public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_signature_says_one_thing_only(issuer: IssuerKey):
    signature = issuer.sign(b"message", b"edge/token/v1")
    trust = TrustStore.of(issuer)
    trust.verify(issuer.key_id, b"message", signature, b"edge/token/v1")
    stranger = IssuerKey.generate(os.urandom)
    wrong = [
        (issuer.key_id, b"message!", signature, b"edge/token/v1"),
        (issuer.key_id, b"message", signature, b"edge/token/v2"),
        (issuer.key_id, b"1message", signature, b"edge/token/v"),
        (issuer.key_id, b"message", bytes(64), b"edge/token/v1"),
        (issuer.key_id, b"message", b"", b"edge/token/v1"),
        (stranger.key_id, b"message", signature, b"edge/token/v1"),
        (stranger.key_id, b"message", stranger.sign(b"message", b"edge/token/v1"), b"edge/token/v1"),
        (b"", b"message", signature, b"edge/token/v1"),
    ]
    said = set()
    for arguments in wrong:
        with pytest.raises(KeyringError) as caught:
            trust.verify(*arguments)
        said.add(str(caught.value))
    assert len(said) == 1


def test_a_label_is_never_empty(issuer: IssuerKey):
    with pytest.raises(ValueError, match="label"):
        issuer.sign(b"message", b"")


def test_the_trust_folder_gives_back_what_was_put_there(tmp_path: Path, issuer: IssuerKey):
    path = issuer.public.save(tmp_path)
    assert path.read_text().split(" ", 2)[0::2] == ["edge-issuer-v1", "Reception, 2026\n"]
    trust = TrustStore.load(tmp_path, strict=True)
    assert dict(trust.issuers) == {issuer.key_id: issuer.public}
    assert trust.warnings == ()
    path.unlink()
    assert not TrustStore.load(tmp_path, strict=True).issuers


def test_a_folder_without_issuers_trusts_nobody(tmp_path: Path):
    assert not TrustStore.load(tmp_path / "nowhere", strict=True).issuers


@pytest.mark.parametrize("which", ["folder", "issuers", "file"])
def test_trust_that_others_could_change_is_refused_at_a_door_and_warned_of_elsewhere(
    tmp_path: Path, issuer: IssuerKey, which: str
):
    file = issuer.public.save(tmp_path)
    exposed = {"folder": tmp_path, "issuers": tmp_path / "issuers", "file": file}[which]
    exposed.chmod(0o777 if exposed.is_dir() else 0o664)
    with pytest.raises(KeyringError, match="could change which keys"):
        TrustStore.load(tmp_path, strict=True)
    loose = TrustStore.load(tmp_path, strict=False)
    assert loose.issuers
    assert str(exposed) in loose.warnings[0]


@pytest.mark.parametrize(
    "content", [b" ", b"ssh-ed25519 AAAA me", b"edge-issuer-v1 AAAA", b"edge-issuer-v1\n", bytes(20_000)]
)
def test_a_broken_public_file_stops_the_door_and_is_named(tmp_path: Path, issuer: IssuerKey, content: bytes):
    issuer.public.save(tmp_path)
    write_key(tmp_path / "issuers" / "broken.pub", content, mode=0o644)
    with pytest.raises(KeyringError, match=r"broken\.pub"):
        TrustStore.load(tmp_path, strict=False)


def test_a_comment_cannot_forge_a_line(tmp_path: Path):
    key = IssuerKey.generate(os.urandom, "one\nedge-issuer-v1 two\x1b[31m" + "x" * 100)
    assert "\n" not in key.comment
    assert "\x1b" not in key.comment
    assert IssuerPublic.load(key.public.save(tmp_path)) == key.public
