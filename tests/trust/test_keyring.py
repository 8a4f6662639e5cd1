"""A device's keys: made once, complete or not at all, readable for their owner only, never shown."""

from __future__ import annotations

import copy
import os
import pickle
import random
from pathlib import Path

import pytest

from edge.errors import KeyringError
from edge.trust import (
    DEVICE_FILE,
    ESCROW_FILE,
    SITE_FILE,
    IssuerKey,
    Keyring,
    RecoveryKey,
    SiteKey,
    derive,
    init,
    load_device_key,
)
from edge.trust.first import FILE as NEW
from edge.trust.keyfile import read_key, to_base64, write_key
from edge.trust.ring import has_keys

DICE = random.Random(1).randbytes


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_a_new_device_has_a_key_a_site_and_an_escrow(state: Path, tmp_path: Path):
    recovery = RecoveryKey.generate(DICE)
    init(state, recovery=recovery.public, site=None, random_bytes=DICE)
    site = SiteKey.load(state / SITE_FILE)
    ring = Keyring.load(state, tmp_path / "trust", strict=True)
    assert (ring.site_id, ring.site_key) == (site.site_id, site.key)
    assert modes(state) == {DEVICE_FILE: 0o600, SITE_FILE: 0o600, ESCROW_FILE: 0o600, NEW: 0o600}
    assert state.stat().st_mode & 0o777 == 0o700
    assert recovery.open_escrow((state / ESCROW_FILE).read_bytes(), site.site_id) == ring.device_key


def test_a_second_device_joins_the_site_with_a_key_of_its_own(state: Path, tmp_path: Path):
    init(state, recovery=None, site=None, random_bytes=os.urandom)
    site = SiteKey.load(state / SITE_FILE)
    init(tmp_path / "other", recovery=None, site=SiteKey.load(state / SITE_FILE), random_bytes=os.urandom)
    first, second = (Keyring.load(folder, tmp_path) for folder in (state, tmp_path / "other"))
    assert first.site_id == second.site_id == site.site_id
    assert first.device_key != second.device_key
    assert first.device_id != second.device_id


def test_keys_are_never_overwritten(state: Path):
    init(state, recovery=None, site=None, random_bytes=os.urandom)
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    with pytest.raises(KeyringError, match="has keys already"):
        init(state, recovery=None, site=None, random_bytes=os.urandom)
    with pytest.raises(KeyringError, match="never overwritten"):
        write_key(state / DEVICE_FILE, b"other")
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyringError, match="No space left"):
        write_key(tmp_path / "a.key", b"secret")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o777])
def test_a_key_that_others_can_reach_is_refused(state: Path, tmp_path: Path, mode: int):
    init(state, recovery=None, site=None, random_bytes=os.urandom)
    (state / DEVICE_FILE).chmod(mode)
    with pytest.raises(KeyringError, match="others may access"):
        Keyring.load(state, tmp_path)


def test_root_makes_no_keys_in_the_service_s_folder_which_its_user_could_not_read(state: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    state.mkdir(mode=0o700)
    os.chown(state, 65534, 65534)
    with pytest.raises(KeyringError, match="belongs to another user") as told:
        init(state, recovery=None, site=None, random_bytes=DICE)
    assert "run it as the owner" in told.value.remedy
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_keys_that_were_taken_out_come_as_credentials_of_systemd_s(state: Path, tmp_path: Path, monkeypatch, mode: int):
    """systemd gives root's files: mode 0400, or 0440 where a list of access names the service's user."""
    if os.geteuid() != 0:
        pytest.skip("needs root: credentials are root's")
    init(state, recovery=None, site=None, random_bytes=DICE)
    before = Keyring.load(state, tmp_path / "trust")
    credentials = tmp_path / "edge-verifier.service"
    credentials.mkdir()
    for name in (DEVICE_FILE, SITE_FILE):
        (credentials / name).write_bytes((state / name).read_bytes())
        (credentials / name).chmod(mode)
        (state / name).unlink()
    with pytest.raises(KeyringError, match="no such key file") as told:
        Keyring.load(state, tmp_path / "trust")
    assert "credential, which systemd gives to the service alone" in told.value.remedy, "and not: make new keys"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    found = Keyring.load(state, tmp_path / "trust")
    assert (found.device_key, found.site_key) == (before.device_key, before.site_key)
    assert has_keys(state)
    (credentials / DEVICE_FILE).chmod(0o444)
    with pytest.raises(KeyringError, match="others may access"):
        Keyring.load(state, tmp_path / "trust")


def test_a_link_a_folder_a_pipe_and_a_giant_are_refused(tmp_path: Path):
    real = tmp_path / "real"
    write_key(real, b"x")
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    write_key(tmp_path / "giant", bytes(20_000))
    for name in ("link", "pipe", "folder", "giant", "missing"):
        with pytest.raises(KeyringError):
            read_key(tmp_path / name)
    assert read_key(real) == b"x"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_user_s_key_file_is_refused(tmp_path: Path):
    write_key(tmp_path / "a.key", b"x")
    os.chown(tmp_path / "a.key", 12345, 12345)
    with pytest.raises(KeyringError, match="another user"):
        read_key(tmp_path / "a.key")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"edge-device-v1",
        b"edge-device-v1 !!!!",
        b"edge-device-v1 QUJD",
        b"edge-site-v1 aa bb",
        b"a\nb",
    ],
)
def test_a_damaged_key_file_is_named_and_not_quoted(tmp_path: Path, content: bytes):
    write_key(tmp_path / DEVICE_FILE, content)
    with pytest.raises(KeyringError) as caught:
        load_device_key(tmp_path / DEVICE_FILE)
    assert DEVICE_FILE in str(caught.value)
    assert "QUJD" not in str(caught.value)


def test_an_escrow_opens_for_its_recovery_key_and_site_only(state: Path, tmp_path: Path):
    recovery, other = RecoveryKey.generate(DICE), RecoveryKey.generate(DICE)
    init(state, recovery=recovery.public, site=None, random_bytes=os.urandom)
    site = SiteKey.load(state / SITE_FILE)
    escrow = (state / ESCROW_FILE).read_bytes()
    body = bytearray(escrow)
    body[40] = ord("A") if body[40] != ord("A") else ord("B")
    for key, line, where in (
        (other, escrow, site.site_id),
        (recovery, escrow, bytes(16)),
        (recovery, body, site.site_id),
    ):
        with pytest.raises(KeyringError):
            key.open_escrow(bytes(line), where)


def test_no_escrow_is_made_for_a_point_that_gives_everyone_the_same_key():
    recovery = RecoveryKey.generate(DICE)
    broken = type(recovery.public)(bytes(32))
    from edge.trust import seal_escrow

    with pytest.raises(KeyringError, match="not usable"):
        seal_escrow(bytes(32), broken, bytes(16), DICE)


def test_no_key_is_printed_pickled_or_copied():
    ring, issuer = Keyring.ephemeral(os.urandom)
    recovery, site = RecoveryKey.generate(os.urandom), SiteKey.generate(os.urandom)
    secrets = [ring.device_key, ring.site_key, issuer.seed, recovery.seed, site.key]
    for holder in (ring, issuer, recovery, site):
        for text in (repr(holder), str(holder), f"{holder}"):
            assert not any(s.hex()[:8] in text or repr(s)[2:12] in text or to_base64(s)[:8] in text for s in secrets)
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                take(holder)


def test_each_job_has_its_own_subkey():
    ring, _ = Keyring.ephemeral(os.urandom)
    keys = {ring.derive("a"), ring.derive("b"), ring.device_key, derive(ring.device_key, "a", salt=bytes(32))[:32]}
    assert len(keys) >= 3
    assert ring.derive("a") == ring.derive(b"a") == derive(ring.device_key, "a")
    assert len(ring.derive("a", 64)) == 64


def test_hkdf_is_rfc_5869_s():
    """Test case 1 of RFC 5869, appendix A."""
    okm = derive(b"\x0b" * 22, bytes(range(0xF0, 0xFA)), length=42, salt=bytes(range(13)))
    assert okm.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_the_ephemeral_keyring_trusts_its_issuer_and_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    ring, issuer = Keyring.ephemeral(os.urandom)
    ring.trust.verify(issuer.key_id, b"m", issuer.sign(b"m", b"label"), b"label")
    assert list(tmp_path.iterdir()) == []
    assert IssuerKey.generate(os.urandom).key_id not in ring.trust.issuers
