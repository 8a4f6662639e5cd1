"""Trust folders: one reader for every role; who may change them is checked all the way up, and links lead nowhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edge.errors import KeyringError, SignatureError
from edge.trust import IssuerKey, Keyring, SiteKey, TrustStore, save_device_key
from edge.trust.envelopes import Signer, trusted
from edge.trust.folder import trusted_files

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can own the folder of a device build")
STRANGER = 4242


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A trust folder with one key of two roles, owned by this user."""
    folder = tmp_path / "etc" / "trust"
    IssuerKey.generate(os.urandom, "Reception").public.save(folder)
    (folder / "builders").mkdir()
    (folder / "builders" / "acme.pem").write_bytes(Signer.generate("acme").public.pem())
    return folder


def load(trust: Path, strict: object) -> tuple[int, int]:
    """How many issuers and builders count."""
    return len(TrustStore.load(trust, strict=strict).issuers), len(trusted(trust, "builder", strict=strict))


@pytest.mark.parametrize("strict", [False, True, pytest.param("root", marks=ROOT_ONLY)])
def test_what_was_put_there_counts_however_it_is_read(trust: Path, strict: object):
    assert load(trust, strict) == (1, 1)
    assert TrustStore.load(trust, strict=strict).warnings == ()


def test_root_s_umask_does_not_keep_the_service_from_reading_whom_it_trusts(tmp_path: Path):
    before = os.umask(0o077)
    try:
        file = IssuerKey.generate(os.urandom).public.save(tmp_path / "trust")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (file.parent.parent, file.parent, file)] == [0o755, 0o755, 0o644]


@pytest.mark.parametrize("name", ["._acme", ".acme", "._"])
@pytest.mark.parametrize("content", [b"", b"\0\5\26\7\0\2\0\0Mac OS X", b"junk"])
def test_hidden_files_as_other_systems_leave_them_are_no_keys(trust: Path, name: str, content: bytes):
    (trust / "issuers" / f"{name}.pub").write_bytes(content)
    (trust / "builders" / f"{name}.pem").write_bytes(content)
    assert load(trust, True) == (1, 1)


def test_an_empty_file_is_no_key_and_is_told(trust: Path):
    for path in (trust / "issuers" / "x.pub", trust / "builders" / "x.pem"):
        path.touch()
    assert load(trust, True) == (1, 1)
    (warning,) = TrustStore.load(trust, strict=True).warnings
    assert "x.pub: empty" in warning


def test_a_file_as_a_windows_editor_saves_it_is_read(trust: Path):
    for path in (*trust.glob("issuers/*"), *trust.glob("builders/*")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(trust, True) == (1, 1)
    assert next(iter(TrustStore.load(trust, strict=True).issuers.values())).comment == "Reception"


@pytest.mark.parametrize("place", [".", "..", "issuers"])
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_folder_that_others_can_write_is_refused_with_a_remedy_that_works_and_elsewhere_told(
    trust: Path, place: str, mode: int
):
    (trust / place).chmod(mode)
    if place == ".." and mode == 0o1777:
        assert load(trust, True) == (1, 1), "in a folder like /tmp nobody can take away what root owns"
        return
    with pytest.raises(KeyringError, match="could change which keys") as caught:
        load(trust, True)
    assert str((trust / place).resolve()) in TrustStore.load(trust, strict=False).warnings[0]
    if place == "..":
        assert "below others that belong to root" in caught.value.remedy
    else:
        subprocess.run(caught.value.remedy.removeprefix("sudo ").split(), check=True)
        assert load(trust, True) == (1, 1)


@ROOT_ONLY
@pytest.mark.parametrize("place", ["..", ".", "issuers", "builders", "builders/acme.pem"])
def test_on_a_device_build_everything_on_the_way_belongs_to_root(trust: Path, place: str):
    os.chown(trust / place, STRANGER, STRANGER)
    with pytest.raises((KeyringError, SignatureError), match="belongs to another user") as caught:
        load(trust, "root")
    if place != "..":
        subprocess.run(caught.value.remedy.removeprefix("sudo ").split(), check=True)
        assert load(trust, "root") == (1, 1)


@ROOT_ONLY
def test_the_service_s_own_user_cannot_decide_whom_a_device_build_trusts(trust: Path):
    """What is enough on a desk, a folder of one's own, is what an intruder in the service has."""
    for path in (trust.parent, trust, trust / "issuers", *trust.glob("issuers/*"), trust / "builders"):
        os.chown(path, STRANGER, STRANGER)
    for folder in trust.parents:
        if folder.name.startswith(("test_", "popen-", "pytest-")):  # pytest's own
            folder.chmod(0o755)
    child = os.fork()
    if not child:
        os.setresgid(STRANGER, STRANGER, STRANGER)
        os.setresuid(STRANGER, STRANGER, STRANGER)
        try:
            TrustStore.load(trust, strict=True)
            TrustStore.load(trust, strict="root")
        except KeyringError as error:
            os._exit(0 if "belongs to another user" in error.what else 2)
        finally:  # else this child goes on with the suite
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@ROOT_ONLY
@pytest.mark.parametrize("place", ["..", ".", "issuers", "builders", "builders/acme.pem"])
def test_on_a_device_build_no_link_leads_to_the_keys(trust: Path, place: str):
    real = trust if place == "." else (trust / place).resolve()
    moved = real.with_name("moved")
    real.rename(moved)
    real.symlink_to(moved)
    with pytest.raises((KeyringError, SignatureError), match="link"):
        load(trust, "root")


@pytest.mark.parametrize("place", ["issuers", "builders/acme.pem"])
def test_nowhere_is_a_key_or_the_folder_of_a_role_a_link(trust: Path, place: str):
    moved = (trust / place).with_name("moved")
    (trust / place).rename(moved)
    (trust / place).symlink_to(moved)
    with pytest.raises((KeyringError, SignatureError), match="link"):
        load(trust, True)


def test_too_many_keys_are_a_mistake(trust: Path):
    for number in range(64):
        (trust / "issuers" / f"{number}.pub").write_bytes(IssuerKey.generate(os.urandom).public.line())
    with pytest.raises(KeyringError, match="more than 64"):
        load(trust, False)


@ROOT_ONLY
def test_a_keyring_passes_on_how_strict_it_is(trust: Path, tmp_path: Path):
    SiteKey.generate(os.urandom).save(tmp_path / "site.key")
    save_device_key(os.urandom(32), tmp_path / "device.key")
    assert Keyring.load(tmp_path, trust, strict="root").trust.issuers
    os.chown(trust, STRANGER, STRANGER)
    with pytest.raises(KeyringError, match="belongs to another user"):
        Keyring.load(tmp_path, trust, strict="root")


def test_without_a_folder_nobody_is_trusted_by_anyone(tmp_path: Path):
    assert trusted_files(tmp_path / "no", "issuers", ".pub", strict="root", kind=KeyringError) == ([], ())
