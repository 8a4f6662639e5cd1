"""`edge keys`, as a person uses it: founding a site, joining it, rotating, replacing a dead device."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.cli.keys import command, open_issuer
from edge.errors import EdgeError, KeyringError, UsageError
from edge.journal import KEY_LABEL, Journal
from edge.journal.journal import last
from edge.state import peek
from edge.state.binding import KEY_LABEL as COUNTERS
from edge.trust import Cost, IssuerKey, IssuerPublic, Keyring, locked

EDGE = Path(__file__).resolve().parent.parent.parent / "edge"
PHRASE = "four words are enough"
COMMANDS = command.commands


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """New keys cost little here: what they cost outside is tested in `test_issuer`."""
    monkeypatch.setattr(locked, "Cost", lambda *given: Cost(*given) if given else Cost(1, 1, 8))


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


# -- an issuer later -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("issuer",), ("init", "--issuer")])
def test_a_door_becomes_a_place_of_enrolment_later(desk: Desk, words: tuple[str, ...]):
    desk.keys("init", "--unrecoverable")
    door = Keyring.load(desk.state, desk.trust)
    with pytest.raises(KeyringError, match="no such key file") as caught:
        open_issuer(desk.state, None, None)
    assert "`edge keys issuer`" in caught.value.remedy
    desk.keys(*words, "--name", "Reception", "--passphrase-file", "-", stdin=PHRASE)
    issuer = IssuerKey.load(desk.state / "issuer.key", PHRASE)
    after = Keyring.load(desk.state, desk.trust, strict=True)
    assert after.trust.issuers == {issuer.key_id: issuer.public}
    assert (after.device_key, after.site_key) == (door.device_key, door.site_key), "what is enrolled stays readable"
    with pytest.raises(KeyringError, match="already there"):
        desk.keys(*words, "--passphrase-file", "-", stdin=PHRASE)


def test_an_issuer_needs_a_device_with_keys(desk: Desk):
    with pytest.raises(KeyringError, match="no such key file") as caught:
        desk.keys("issuer", "--passphrase-file", "-", stdin=PHRASE)
    assert "`edge keys init`" in caught.value.remedy
    assert not desk.state.exists()


@pytest.mark.parametrize("words", [("issuer",), ("rotate", "issuer")])
def test_where_the_trust_folder_is_root_s_the_command_for_root_is_printed_and_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
):
    def refuse(*_: object) -> None:
        raise KeyringError("the folder of trusted keys cannot be made (Permission denied)")

    desk.keys(
        "init", "--unrecoverable", *(("--issuer", "--passphrase-file", "-") if len(words) > 1 else ()), stdin=PHRASE
    )
    monkeypatch.setattr(IssuerPublic, "save", refuse)
    told = desk.keys(*words, "--passphrase-file", "-", stdin=PHRASE).stdout
    issuer = IssuerKey.load(desk.state / "issuer.key", PHRASE)
    assert issuer.key_id not in Keyring.load(desk.state, desk.trust).trust.issuers
    (line,) = [line for line in told.splitlines() if "sudo install" in line]
    install = line.partition("sudo ")[2]
    assert install in desk.keys("show").stdout, "it is still told later"
    subprocess.run(shlex.split(install), check=True)
    assert issuer.key_id in Keyring.load(desk.state, desk.trust, strict=True).trust.issuers
    assert "not trusted here" not in desk.keys("show").stdout


def test_a_rotation_that_was_killed_between_two_files_can_be_repeated(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """There is an issuer key at every moment, and what was left behind is in nobody's way."""
    desk.keys("init", "--development")
    old = open_issuer(desk.state, None, None)

    def killed(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("edge.trust.ring.write_atomic", killed)
        with pytest.raises(KeyringError, match="cannot be written"):
            desk.keys("rotate", "issuer", "--passphrase-file", "-", stdin=PHRASE)
    assert open_issuer(desk.state, None, None).key_id == old.key_id
    desk.keys("rotate", "issuer", "--passphrase-file", "-", stdin=PHRASE)
    assert IssuerKey.load(desk.state / "issuer.key", PHRASE).key_id != old.key_id


# -- the journal -----------------------------------------------------------------------------------------------------


def journalled(desk: Desk) -> list[tuple[str, str, str]]:
    key = Keyring.load(desk.state, desk.trust).derive(KEY_LABEL)
    return [
        (str(e.fields["key"]), str(e.fields["change"]), str(e.fields["operator"]))
        for e in last(desk.state / "journal.jsonl", key, 99)
        if e.kind == "keys"
    ]


def test_what_changes_is_journalled_by_name_where_there_is_a_journal(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.keys("init", "--unrecoverable")
    assert not (desk.state / "journal.jsonl").exists(), "a device begins it with its first start"
    ring = Keyring.load(desk.state, desk.trust)
    with Journal(desk.state, ring.derive(KEY_LABEL), now=lambda: 1_800_000_000) as journal:
        journal.write("stopped", cause="signal")
    desk.keys("issuer", "--operator", "kim", "--passphrase-file", "-", stdin=PHRASE)
    monkeypatch.setenv("SUDO_USER", "ada")
    desk.keys("rotate", "issuer", "--passphrase-file", "-", stdin=PHRASE)
    assert journalled(desk) == [
        ("issuer", "made", "kim"),
        ("issuer", "trusted", "kim"),
        ("issuer", "rotated", "ada"),
        ("issuer", "trusted", "ada"),
        ("issuer", "retired", "ada"),
    ]
    written = peek(desk.state, ring.derive(COUNTERS)).closed["journal"]
    assert written == 7, "cutting these entries off is noticed"  # and one says that the journal is bound from here on


def test_a_restored_device_key_is_journalled_in_the_journal_that_was_put_there_first(
    desk: Desk, recovery: tuple[Path, Path], tmp_path: Path
):
    private, public = recovery
    desk.keys("init", "--recovery", public)
    ring = Keyring.load(desk.state, desk.trust)
    new = Desk(tmp_path / "new")
    with Journal(new.state, ring.derive(KEY_LABEL), now=lambda: 1_800_000_000) as journal:
        journal.write("stopped", cause="signal")
    new.keys(
        "recover", desk.state / "device.escrow", "--recovery-key", private, "--site", desk.state / "site.key",
        "--operator", "kim", "--passphrase-file", "-", stdin=PHRASE,
    )  # fmt: skip
    assert journalled(new) == [("device", "restored", "kim")]


# -- without a terminal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("signer", "--role", "builder", "--out", "keys"), ("recovery", "a.key", "a.pub")])
def test_without_a_terminal_the_way_out_is_told_and_nothing_is_echoed(tmp_path: Path, words: tuple[str, ...]):
    done = subprocess.run(
        [sys.executable, "-m", "edge", "keys", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EDGE.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # no controlling terminal either
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "edge: passphrase: there is no terminal to ask for the passphrase; "
        "give it with --passphrase-file FILE, or - for standard input"
    ]
    assert list(tmp_path.iterdir()) == []


# -- remedies --------------------------------------------------------------------------------------------------------


def test_every_keys_command_that_the_product_names_exists_with_its_options():
    named: set[str] = set()
    for path in EDGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= set(re.findall(r"edge keys [^`\n]*", node.value))
    assert len(named) > 8
    for text in named:
        name = text.split()[2].rstrip(",.;:")
        assert name in COMMANDS, text
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", text.split("  ")[0])) <= options | {"--help"}, text


class Person:
    """Somebody who does what each remedy says, and nothing else, until what they wanted is done."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder, self.told = desk, folder, list[str]()

    def complete(self, name: str) -> list[str]:
        """The command of a remedy with the arguments that its person knows."""
        public, phrase = self.folder / "recovery.pub", ["--passphrase-file", "-"]
        first = ["--recovery", str(public)] if public.exists() and not (self.desk.state / "device.key").exists() else []
        return {
            "init": ["init", *first],
            "init --issuer": ["init", "--issuer", *first, *phrase],
            "recovery": ["recovery", str(self.folder / "recovery.key"), str(public), *phrase],
            "rotate": ["rotate", "issuer", *phrase],
            "issuer": ["issuer", *phrase],
        }.get(name, [name])

    def do(self, name: str) -> None:
        """Try, follow the remedy, try again; the same refusal twice is a circle."""
        while (error := self.refused(self.complete(name))) is not None:
            if "issuer key is already there" in str(error):  # what was wanted is there
                return self.do("init") if "leave out --issuer" in error.remedy else None
            assert str(error) not in self.told, f"in a circle: {self.told}"
            self.told.append(str(error))
            if moved := re.search(r"move (.*) to another folder", error.remedy):
                for file in moved[1].split(" and "):
                    (self.desk.state / file).rename(self.folder / f"moved-{file}")
            following = re.findall(r"`edge keys (\w+)", error.remedy)
            assert following, f"{error} leads nowhere"
            if following[0] != name.split()[0]:
                self.do(following[0])

    def refused(self, words: list[str]) -> EdgeError | None:
        config = [] if words[0] == "recovery" else ["--config", str(self.desk.config)]
        done = CliRunner().invoke(command, [*words, *config], input=PHRASE)
        assert done.exception is None or isinstance(done.exception, EdgeError), (words, done.output)
        return done.exception


STATES: dict[str, tuple[tuple[str, ...], ...]] = {
    "a new device": (),
    "a door": (("init", "--unrecoverable"),),
    "a place of enrolment": (("init", "--unrecoverable", "--issuer", "--passphrase-file", "-"),),
    "a desk": (("init", "--development"),),
}


@pytest.mark.parametrize("lost", ["", "device.key", "site.key", "device.unrecoverable"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("wanted", ["show", "issuer", "init --issuer", "rotate"])
def test_whoever_follows_the_remedies_gets_there_and_in_no_circle(
    desk: Desk, tmp_path: Path, state: str, wanted: str, lost: str
):
    for words in STATES[state]:
        desk.keys(*words, stdin=PHRASE)
    if lost:
        (desk.state / lost).unlink(missing_ok=True)
    person = Person(desk, tmp_path)
    person.do(wanted)
    assert len(person.told) <= 5, person.told
    Keyring.load(desk.state, desk.trust)
    if wanted != "show":
        assert (
            IssuerKey.public_of(desk.state / "issuer.key").key_id in Keyring.load(desk.state, desk.trust).trust.issuers
        )
