"""The store: whose it is, that it was not put back, and that templates are read by key and in no other way."""

from __future__ import annotations

import ast
import re
import shutil
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from edge.errors import StateError, VaultError
from edge.types import Custody
from edge.vault import schema

EDGE = Path(schema.__file__).resolve().parents[1]
NOW = 1_790_000_000


def edit(device, sql: str, *values: object) -> None:
    """Change the stopped device's vault with another program."""
    with sqlite3.connect(device.folder / "vault.sqlite3") as db:
        db.execute(sql, values)
    db.close()


def save(device, target: Path) -> None:
    device.stop()
    shutil.copytree(device.folder, target)
    device.start()


def put_back(device, source: Path, pattern: str) -> None:
    for path in source.glob(pattern):
        shutil.copy2(path, device.folder / path.name)


def test_file_and_log_are_the_owner_s_alone(device):
    device.enrol(Custody.DEVICE)
    files = [path for path in device.folder.iterdir() if path.name.startswith("vault")]
    assert len(files) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert stat.S_IMODE(device.folder.stat().st_mode) == 0o700


def test_deleted_content_is_overwritten_and_commits_are_synced(device):
    assert schema.VAULT.secure_delete  # asked for: some builds of SQLite have it on by default, others do not
    file = device.vault.store._file
    assert file.read("PRAGMA secure_delete") == [(1,)]
    assert file.read("PRAGMA synchronous") == [(2,)]
    assert file.read("PRAGMA journal_mode") == [("wal",)]


def test_every_statement_on_templates_searches_by_the_primary_key(device):
    for sql, count in ((schema.READ_TEMPLATE, 1), (schema.DELETE_TEMPLATE, 1)):
        plan = [row[3] for row in device.vault.store._file.read(f"EXPLAIN QUERY PLAN {sql}", (b"",) * count)]
        assert plan == ["SEARCH template USING PRIMARY KEY (record_id=?)"], plan
    assert schema.WRITE_TEMPLATE.startswith("INSERT OR REPLACE INTO template (record_id, sealed)")


def test_no_other_statement_of_the_product_touches_templates():
    known = {schema.READ_TEMPLATE, schema.WRITE_TEMPLATE, schema.DELETE_TEMPLATE}
    sql = re.compile(r"\b(select|insert|update|delete|replace|from|join|into|pragma)\b[^.]*\btemplate\b", re.I | re.S)
    found = set()
    for path in EDGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                text = node.value
                if sql.search(text) and re.match(r"\s*(select|insert|update|delete|replace|with|pragma)\b", text, re.I):
                    found.add(text)
    assert found == known


def test_the_search_above_would_find_a_scan():
    """The pattern itself: what it must catch, and what it must leave alone."""
    sql = re.compile(r"\b(select|insert|update|delete|replace|from|join|into|pragma)\b[^.]*\btemplate\b", re.I | re.S)
    assert sql.search("SELECT count(*) FROM template")
    assert sql.search("SELECT * FROM holder JOIN template USING (record_id)")
    assert not sql.search("SELECT mac FROM holder WHERE card_serial = ?")


def test_a_restart_finds_everything_in_order(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.stop()
    device.start()
    device.vault.store.check()
    assert len(device.opens(claim)) == 128


def test_the_vault_of_another_device_is_refused_with_a_remedy(device, other_device):
    device.enrol(Custody.DEVICE)
    for each in (device, other_device):
        each.stop()
    shutil.copy2(device.folder / "vault.sqlite3", other_device.folder / "vault.sqlite3")
    with pytest.raises(VaultError, match="another device") as refused:
        other_device.start()
    assert refused.value.remedy
    device.start()


def test_an_older_vault_put_back_is_noticed(device, tmp_path):
    claim = device.claim(device.enrol(Custody.CARD))
    save(device, tmp_path / "backup")
    device.vault.revoke(claim.serial, "olga", now_s=NOW)
    device.stop()
    put_back(device, tmp_path / "backup", "vault*")
    with pytest.raises(VaultError, match="older vault was put back"):
        device.start()
    device.start(acknowledged=True)  # and only by an operator's word
    device.stop()
    device.start()
    device.vault.store.check()


def test_an_older_vault_with_a_forged_counter_is_noticed(device, tmp_path):
    device.enrol(Custody.CARD)
    save(device, tmp_path / "backup")
    device.enrol(Custody.CARD)
    device.stop()
    put_back(device, tmp_path / "backup", "vault*")
    edit(device, "UPDATE ledger SET counter = counter + 1")
    with pytest.raises(VaultError, match="altered"):
        device.start()
    put_back(device, tmp_path / "backup", "vault*")
    device.start(acknowledged=True)


def test_a_vault_that_is_missing_is_noticed(device):
    device.enrol(Custody.CARD)
    device.stop()
    for path in device.folder.glob("vault*"):
        path.unlink()
    with pytest.raises(VaultError, match="missing"):
        device.start()
    with pytest.raises(VaultError, match="missing"):
        device.start()
    device.start(acknowledged=True)


def test_a_state_that_is_missing_is_noticed(device):
    device.enrol(Custody.CARD)
    device.stop()
    for path in device.folder.glob("state*"):
        path.unlink()
    with pytest.raises(StateError, match="older state"):
        device.start()
    device.start(acknowledged=True)


def test_a_failed_change_leaves_neither_rows_nor_a_count(device, monkeypatch):
    device.enrol(Custody.CARD)
    before = device.binding.known("vault")
    monkeypatch.setattr("edge.vault.ledger.Ledger.mac", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        device.enrol(Custody.CARD)
    monkeypatch.undo()
    device.vault.store.check()
    assert device.binding.known("vault") == before
    assert len(device.vault.due(2**32)) == 1
    device.stop()
    device.start()  # what was announced and not made is no difference


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE holder SET status = 'active', changed = 0",
        "UPDATE holder SET expires = expires + 1",
        "UPDATE holder SET receipt = ''",
        "UPDATE holder SET expires = 'text'",
        "UPDATE holder SET status = 'unheard of'",
        "UPDATE holder SET mac = 'text'",
        "UPDATE holder SET record_id = NULL",
    ],
)
def test_an_edited_row_is_noticed_before_it_counts(device, sql):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.vault.revoke(claim.serial, "olga", now_s=NOW)
    device.stop()
    edit(device, sql)
    device.start()
    with pytest.raises(VaultError):
        device.opens(claim)
    with pytest.raises(VaultError):
        device.vault.store.check()


@pytest.mark.parametrize("column", ["device", "counter", "total", "mac"])
def test_an_edited_ledger_is_noticed_at_the_start(device, column):
    device.enrol(Custody.DEVICE)
    device.stop()
    edit(device, f"UPDATE ledger SET {column} = 'x'")
    with pytest.raises(VaultError):
        device.start()


def test_a_row_put_back_is_noticed_by_the_check(device):
    """Each row's MAC is genuine, but the revocation is gone: only the ledger's sum shows it."""
    claim = device.claim(device.enrol(Custody.CARD))
    device.stop()
    with sqlite3.connect(device.folder / "vault.sqlite3") as db:
        row = db.execute("SELECT * FROM holder").fetchone()
    db.close()
    device.start()
    device.vault.revoke(claim.serial, "olga", now_s=NOW)
    device.stop()
    edit(device, f"INSERT OR REPLACE INTO holder VALUES ({', '.join('?' * len(row))})", *row)
    device.start()
    with pytest.raises(VaultError, match="put back"):
        device.vault.store.check()


@pytest.mark.parametrize("content", [b"", b"junk", b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_vault_is_a_typed_error_and_is_kept(device, content):
    device.enrol(Custody.DEVICE)
    device.stop()
    path = device.folder / "vault.sqlite3"
    path.write_bytes(content)
    with pytest.raises((VaultError, StateError)):
        device.start()
    assert content in path.read_bytes()


def test_threads_share_the_store(device):
    claims = [device.claim(device.enrol(Custody.DEVICE)) for _ in range(4)]
    failures: list[BaseException] = []

    def work(claim) -> None:
        try:
            for _ in range(20):
                device.opens(claim)
            device.vault.revoke(claim.serial, "olga", now_s=NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(claim,)) for claim in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    device.vault.store.check()
