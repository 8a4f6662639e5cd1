"""The trials: no stored template opens without its card, and the controls show that the trials would notice."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from edge.prove import Live, Severity, live, stores
from edge.prove.live import live_on_copy, live_on_own, try_out
from edge.state import SqliteFile, state_database
from edge.state.binding import KEY_LABEL, Binding
from edge.trust import IssuerKey, Keyring, save_device_key
from edge.types import Custody
from edge.vault import ConsentReceipt, Issuance, Terms, Vault
from tests.cells import holding

NOW, MODEL = 1_793_700_000, bytes(range(32))
CONSENT = ConsentReceipt("Ada Example", "2026-11", "en", NOW - 100, "privacy@example.org")


@dataclass
class Door:
    """A device with people in its store, as a device keeps them."""

    folder: Path
    keyring: Keyring
    issuer: IssuerKey
    state: SqliteFile
    vault: Vault

    def enrol(self, custody: Custody = Custody.DEVICE) -> None:
        draft = self.vault.prepare_enrolment(
            holding(np.random.default_rng(1).integers(-127, 128, 128)),
            Terms(custody, ("default",), 7, NOW, NOW + 86_400),
            CONSENT,
            Issuance(self.issuer, "olga", MODEL, 128, NOW, np.random.default_rng().bytes),
        )
        self.vault.commit(draft)

    def copy(self, to: Path) -> Path:
        shutil.copytree(self.folder, to)
        return to


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    keyring, issuer = Keyring.ephemeral(np.random.default_rng().bytes)
    folder = tmp_path / "state"
    state = state_database(folder)
    binding = Binding(folder, keyring.derive(KEY_LABEL))
    vault = Vault.at(folder, keyring, state, binding)
    save_device_key(keyring.device_key, folder / "device.key")
    yield Door(folder, keyring, issuer, state, vault)
    vault.close()
    state.close()
    binding.close()


def trial(found: Live, name: str):
    return next(t for t in found.trials if t.id == name)


def test_no_record_of_a_store_made_here_opens_without_its_card_and_each_opens_with_it():
    found = live_on_own(60)
    assert (found.holds, found.void, found.findings) == (True, False, ())
    for name in ("plain", "no key", "device key", "other cards"):
        assert (trial(found, name).records, trial(found, name).opened) == (60, 0)
    assert trial(found, "right card").opened == 60
    assert trial(found, "other cards").attempts == 60 * 59
    assert "Every card met every other record" in trial(found, "other cards").said


def test_in_a_large_store_the_report_says_how_few_of_the_pairs_were_tried():
    found = live_on_own(550)
    others = trial(found, "other cards")
    assert others.attempts == 550 * 5
    assert "2,750 of 301,950 pairs were tried" in others.said
    assert "The others were not tried" in others.said
    assert "550 different record ids" in trial(found, "right card").said


def test_a_store_sealed_with_the_device_key_alone_is_seen_to_be_open_in_full():
    found = live_on_own(5)
    control = trial(found, "control weak")
    assert (control.opened, control.records, control.control) == (20, 20, True)
    with stores.weak(30, np.random.default_rng(3).bytes) as store:
        weak = try_out(store)
    assert trial(weak, "device key").opened == 30
    assert not weak.holds


def test_a_trial_that_cannot_open_anything_makes_the_examination_void(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "opens", lambda *_: False)
    found = live_on_own(5)
    assert found.void
    assert not found.holds


def test_a_store_that_is_not_sealed_is_seen_to_be_readable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "looks_sealed", lambda _: True)
    assert live_on_own(5).void, "the control must fail when the test for plain records is blind"


def test_a_copy_of_a_device_is_tried_with_the_device_s_own_key_and_never_written(door: Door, tmp_path: Path):
    for _ in range(3):
        door.enrol()
    door.enrol(Custody.CARD)
    copy = door.copy(tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    found = live_on_copy(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()} == before
    assert found.holds
    assert trial(found, "no key").records == 3
    assert trial(found, "device key").opened == 0
    assert "cards are not on the device" in trial(found, "other cards").said
    assert (trial(found, "right card").opened, trial(found, "right card").records) == (1, 1)
    assert all(finding.level is Severity.WARNING for finding in found.findings)


def test_without_the_device_s_key_the_report_says_what_was_not_tried(door: Door, tmp_path: Path):
    door.enrol()
    copy = door.copy(tmp_path / "copy")
    (copy / "device.key").unlink()
    found = live_on_copy(copy)
    assert "device key" not in {t.id for t in found.trials}
    assert any("nothing was tried with it" in finding.what for finding in found.findings)


def spoil(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "vault.sqlite3") as db:
        db.execute(sql, values)
    db.close()


@pytest.mark.parametrize(
    ("sql", "values", "words"),
    [
        ("INSERT INTO template VALUES (?, ?)", (b"hidden", b"x" * 300), "no card of the readable table names"),
        ("CREATE TABLE gallery (face BLOB)", (), "a table that this product does not have"),
        ("UPDATE template SET sealed = ?", (b"x" * 300,), "no sealed templates"),
        ("UPDATE template SET sealed = ?", (b"short",), "no sealed templates"),
    ],
)
def test_what_is_hidden_in_a_store_is_found(door: Door, tmp_path: Path, sql: str, values: tuple, words: str):
    door.enrol()
    copy = door.copy(tmp_path / "copy")
    spoil(copy, sql, *values)
    found = live_on_copy(copy)
    assert not found.holds
    assert any(words in finding.what for finding in found.findings)


def test_many_records_leave_nothing_over_and_a_hidden_one_among_many_is_found():
    with stores.made(2000, np.random.default_rng(5).bytes, lambda _: None) as store:
        names = [name for name, _ in store.pairs()]
        assert store.left_over(names[:-1])
        assert not store.left_over(names)


def test_what_is_no_store_is_bad_input(tmp_path: Path):
    with pytest.raises(InputError, match="no store"):
        live_on_copy(tmp_path)
    (tmp_path / "vault.sqlite3").write_bytes(b"not a database at all" * 99)
    with pytest.raises(InputError, match="no database"):
        live_on_copy(tmp_path)
    sqlite3.connect(tmp_path / "other.sqlite3").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(InputError, match="not a store of this product"):
        live_on_copy(tmp_path / "other.sqlite3")


def test_the_time_that_trying_every_code_takes_is_said_for_weak_modes_and_for_those_that_are_not_built():
    text = " ".join(live_on_own(2).enumeration)
    assert "only in a build that declares pin_alone" in text
    assert "a PIN of 4 digits" in text
    assert "32 bits" in text
