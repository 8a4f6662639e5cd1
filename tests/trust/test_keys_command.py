"""`edge keys`, as a person uses it: founding a site, joining it, rotating, replacing a dead device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.cli.keys import command, open_issuer
from edge.errors import EdgeError, KeyringError, UsageError
from edge.trust import IssuerKey, Keyring

PHRASE = "four words are enough"


class Desk:
    """One machine with its own settings file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.state, self.trust = folder, folder / "state", folder / "trust"
        self.config = folder / "device.yaml"
        self.config.write_text(
            f"version: edge/settings/v1\ndevice:\n  state_dir: {self.state}\n  trust_dir: {self.trust}\n"
        )

    def keys(self, *arguments: object, stdin: str = "") -> Result:
        words = [str(word) for word in arguments]
        result = CliRunner().invoke(command, [*words, "--config", str(self.config)], input=stdin)
        if isinstance(result.exception, EdgeError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


@pytest.fixture
def recovery(tmp_path: Path) -> tuple[Path, Path]:
    private, public = tmp_path / "recovery.key", tmp_path / "recovery.pub"
    done = CliRunner().invoke(command, ["recovery", str(private), str(public), "--passphrase-file", "-"], input=PHRASE)
    assert done.exit_code == 0, done.output
    return private, public


def test_one_line_makes_a_desk_that_can_enrol_and_says_what_it_is(desk: Desk):
    shown = desk.keys("init", "--development")
    assert "development keys" in shown.stderr
    issuer = open_issuer(desk.state, None, None)
    assert set(Keyring.load(desk.state, desk.trust, strict=True).trust.issuers) == {issuer.key_id}
    assert all(path.stat().st_mode & 0o077 == 0 for path in desk.state.glob("*.key"))
    assert "development keys" in desk.keys("show").output


def test_what_happens_when_the_device_dies_must_be_said(desk: Desk, recovery: tuple[Path, Path]):
    for words in ((), ("--unrecoverable", "--development"), ("--unrecoverable", "--recovery", recovery[1])):
        with pytest.raises(UsageError, match="exactly one"):
            desk.keys("init", *words)
    assert not desk.state.exists()


def test_a_site_is_founded_joined_and_a_dead_device_replaced(desk: Desk, recovery: tuple[Path, Path], tmp_path: Path):
    private, public = recovery
    desk.keys("init", "--recovery", public, "--issuer", "--name", "Reception", "--passphrase-file", "-", stdin=PHRASE)
    door = Desk(tmp_path / "door")
    door.keys("init", "--recovery", public, "--site", desk.state / "site.key")
    first, second = (Keyring.load(place.state, place.trust) for place in (desk, door))
    assert first.site_id == second.site_id
    assert first.site_key == second.site_key
    assert not second.trust.issuers
    new = Desk(tmp_path / "new")
    escrow = door.state / "device.escrow"
    new.keys(
        "recover", escrow, "--recovery-key", private, "--site", desk.state / "site.key", "--passphrase-file", "-",
        stdin=PHRASE,
    )  # fmt: skip
    assert Keyring.load(new.state, new.trust).device_key == second.device_key


def test_nothing_is_overwritten_and_a_short_passphrase_leaves_no_file(desk: Desk):
    with pytest.raises(KeyringError, match="shorter than"):
        desk.keys("init", "--unrecoverable", "--issuer", "--passphrase-file", "-", stdin="short\n")
    assert not desk.state.exists()
    desk.keys("init", "--development")
    before = {path.name: path.read_bytes() for path in desk.state.iterdir()}
    for words in (("--development",), ("--unrecoverable",)):
        with pytest.raises(KeyringError):
            desk.keys("init", *words)
    assert {path.name: path.read_bytes() for path in desk.state.iterdir()} == before


def test_after_a_rotation_both_issuers_are_trusted_and_the_new_key_signs(desk: Desk):
    desk.keys("init", "--development")
    old = open_issuer(desk.state, None, None)
    desk.keys("rotate", "issuer", "--passphrase-file", "-", stdin=PHRASE)
    new = IssuerKey.load(desk.state / "issuer.key", PHRASE)
    assert set(Keyring.load(desk.state, desk.trust).trust.issuers) == {old.key_id, new.key_id}
    assert (desk.state / f"issuer-{old.key_id.hex()}.retired.key").exists()
    (desk.trust / "issuers" / f"{old.key_id.hex()}.pub").unlink()
    assert set(Keyring.load(desk.state, desk.trust).trust.issuers) == {new.key_id}


@pytest.mark.parametrize("which", ["device", "site"])
def test_a_key_under_sealed_templates_is_not_rotated_and_the_message_says_why(desk: Desk, which: str):
    desk.keys("init", "--development")
    with pytest.raises(UsageError, match="does not have the secrets") as caught:
        desk.keys("rotate", which)
    assert "enrol people again" in caught.value.remedy


def test_show_tells_ids_and_trust_and_no_secret(desk: Desk):
    desk.keys("init", "--development")
    ring = Keyring.load(desk.state, desk.trust)
    shown = desk.keys("show").output + desk.keys("show", "--json").output
    found = json.loads(desk.keys("show", "--json").output)
    assert found["site"] == ring.site_id.hex()
    assert [entry["key_id"] for entry in found["trusted"]] == [key_id.hex() for key_id in ring.trust.issuers]
    for secret in (ring.device_key, ring.site_key, open_issuer(desk.state, None, None).seed):
        assert secret.hex()[:12] not in shown
    assert (desk.state / "issuer.passphrase").read_text().strip() not in shown


def test_a_wrong_passphrase_and_a_missing_issuer_are_told(desk: Desk, tmp_path: Path):
    with pytest.raises(KeyringError, match="no such key file"):
        open_issuer(desk.state, None, None)
    desk.keys("init", "--development")
    wrong = tmp_path / "wrong"
    wrong.write_text("not the passphrase\n")
    wrong.chmod(0o600)
    with pytest.raises(KeyringError, match="wrong passphrase"):
        open_issuer(desk.state, None, wrong)
    wrong.chmod(0o644)
    with pytest.raises(KeyringError, match="others may access"):
        open_issuer(desk.state, None, wrong)
