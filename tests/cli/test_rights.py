"""What a person may ask of a device, by its commands: show me everything, delete it, and say what was done."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.service import open_device
from edge.types import Custody
from edge.vault import record_id
from tests.cells import opened
from tests.cli.conftest import Desk, make_desk

BOTH = pytest.mark.parametrize("custody", ["card", "device"])


def desk_of(folder, capsys, custody: str, more: str = "") -> Desk:
    made = make_desk(folder, f"vault: {{custody: {custody}{more}}}\n")
    capsys.readouterr()
    return made


def run(desk: Desk, capsys, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main([*arguments, "--config", str(desk.config)]) == code, capsys.readouterr()
    return capsys.readouterr().out


def asked(desk: Desk, capsys, *arguments: str) -> dict:
    return json.loads(run(desk, capsys, *arguments, "--json"))


@BOTH
def test_the_report_shows_everything_that_is_kept_and_says_where_the_template_is(tmp_path, capsys, custody):
    desk = desk_of(tmp_path, capsys, custody)
    token = str(desk.token("ada", capsys))
    run(desk, capsys, "verify", "--token", token)
    found = asked(desk, capsys, "subject", "report", "--token", token)
    assert found["card"]["custody"] == found["template"]["where"] == custody
    assert found["template"]["numbers"] == 128
    assert found["row"]["consent"]["withdrawal"] == "privacy@example.org"
    assert found["row"]["consent"]["operator"] == "kim"
    assert [entry["kind"] for entry in found["journal"]] == ["enrolled", "decision"]
    assert found["alternative"] == "Please ask at the reception."
    assert found["deleted"]["at"] == found["card"]["expires"]
    text = run(desk, capsys, "subject", "report", "--token", token)
    for words in (
        "privacy@example.org",
        "kim",
        "2026-11",
        "biometric data",
        "accepted",
        "Please ask at the reception.",
    ):
        assert words in text, words
    assert ("not on this device" in text) is (custody == "card")


@BOTH
def test_no_report_holds_a_byte_of_the_template_the_secret_or_the_name(tmp_path, capsys, custody):
    desk = desk_of(tmp_path, capsys, custody)
    token = str(desk.token("ada", capsys))
    with open_device(desk.config) as device:
        claim = device._admission.receive(Path(token).read_text().strip(), 0)
        model = bytes.fromhex(device._chain.model)
        with opened(device._vault, claim, model) as template:
            vector = template.read("s").copy()
        sealed = claim.sealed.ciphertext if claim.sealed else device._vault.store.template(record_id(claim.secret))
    out = desk.folder / "ada.html"
    texts = [run(desk, capsys, "subject", "report", "--token", token, *more) for more in ([], ["--json"])]
    run(desk, capsys, "subject", "report", "--token", token, "--out", str(out))
    texts.append(out.read_text())
    for text in texts:
        assert "Ada" not in text
        for secret in (claim.secret, vector.astype(np.int8).tobytes()[:16], sealed[-16:]):
            assert secret.hex() not in text
        assert ", ".join(map(str, vector[:4])) not in text
        assert Path(token).read_text().strip() not in text


@pytest.mark.parametrize(
    ("consent", "chosen", "title"),
    [
        ("fr-CA", [], "Ce que cet appareil conserve à votre sujet"),
        ("de", [], "Was dieses Gerät über Sie speichert"),
        ("it", [], "What this device keeps about you"),
        ("fr-CA", ["--lang", "de"], "Was dieses Gerät über Sie speichert"),
    ],
)
def test_papers_speak_the_language_of_the_consent_unless_another_is_asked_for(desk, capsys, consent, chosen, title):
    desk.consent.write_text(desk.consent.read_text().replace("language: en", f"language: {consent}"))
    token = str(desk.token("ada", capsys))
    assert title in run(desk, capsys, "subject", "report", "--token", token, *chosen)
    receipt = run(desk, capsys, "erase", "--token", token, "--operator", "kim", *chosen)
    assert {"Ce": "Attestation", "Was": "Bescheinigung", "What": "Receipt"}[title.split()[0]] in receipt


def test_at_a_door_where_nobody_was_enrolled_nothing_is_kept_but_counters_and_journal(tmp_path, capsys):
    desk = desk_of(tmp_path, capsys, "card")
    token = str(desk.token("chen", capsys))
    for path in (desk.folder / "state").glob("vault.sqlite3*"):
        path.unlink()
    run(desk, capsys, "confirm", "vault", "--operator", "kim")  # another door of the site: same keys, empty vault
    main(["verify", "--token", token, "--config", str(desk.config)])
    found = asked(desk, capsys, "subject", "report", "--token", token)
    assert found["row"] is found["deleted"] is None
    assert found["counters"]["rejects_in_a_row"] == 1
    text = run(desk, capsys, "subject", "report", "--token", token)
    assert "No consent receipt is kept here" in text
    assert "not on this device" in text
    (erased,) = asked(desk, capsys, "erase", "--token", token, "--operator", "kim")["erased"]
    assert erased["done"] == ["counters_deleted"]
    assert {"working_card", "other_doors", "journal"} <= set(erased["may_remain"])
    assert asked(desk, capsys, "subject", "report", "--token", token)["counters"]["rejects_in_a_row"] == 0


@pytest.mark.parametrize(
    ("custody", "way"), [("card", "--token"), ("device", "--token"), ("device", "--serial"), ("card", "--subject")]
)
def test_erasure_by_card_serial_or_name_deletes_and_says_so(tmp_path, capsys, custody, way):
    desk = desk_of(tmp_path, capsys, custody)
    answer = desk.enrol("ada", capsys)
    token = desk.folder / "ada.token"
    token.write_text(answer["token"])
    named = {"--token": str(token), "--serial": answer["serial"], "--subject": "ada  EXAMPLE"}[way]
    receipt = desk.folder / "erased.html"
    given = asked(desk, capsys, "erase", way, named, "--operator", "kim", "--receipt", str(receipt))
    (erased,) = given["erased"]
    assert erased["serial"] == answer["serial"]
    assert erased["secure_delete"] is True
    assert erased["log_emptied"] is True
    assert erased["traces_found"] == 0
    assert erased["template_deleted"] is (custody == "device")
    assert erased["refused_until"] == answer["expires"]
    assert "flash" in erased["may_remain"]
    assert ("card" in erased["may_remain"]) is (custody == "card")
    page = receipt.read_text()
    assert answer["serial"] in page
    assert "secure_delete is on" in page
    assert stat.S_IMODE(receipt.stat().st_mode) == 0o600
    content = b"".join(path.read_bytes() for path in (desk.folder / "state").glob("vault.sqlite3*"))
    assert b"privacy@example.org" not in content
    refused = main(["verify", "--token", str(token), "--config", str(desk.config), "--json"])
    assert refused == 1
    kinds = [e["kind"] for e in asked(desk, capsys, "journal", "show")["entries"]]
    assert "erased" in kinds


def test_all_cards_of_a_person_go_with_their_name(desk, capsys):
    for _ in range(2):
        desk.enrol("ada", capsys)
    text = run(desk, capsys, "erase", "--subject", "Ada Example", "--operator", "kim")
    assert text.count("Receipt of an erasure") == 2
    assert main(["erase", "--subject", "Ada Example", "--operator", "kim", "--config", str(desk.config)]) == 3
    assert "no card of a person of this name" in capsys.readouterr().err


def test_one_of_two_cards_is_erased_and_the_receipt_says_that_the_other_stays(desk, capsys):
    first, second = (desk.enrol("ada", capsys)["serial"] for _ in range(2))
    (erased,) = asked(desk, capsys, "erase", "--serial", first, "--operator", "kim")["erased"]
    assert erased["other_cards"] == 1
    assert {"consent_of_card_deleted", "card_searched_and_not_found"} <= set(erased["done"])
    assert not {"consent_and_name_deleted", "searched_and_not_found"} & set(erased["done"])
    assert erased["traces_found"] == 0
    assert "other_cards" in erased["may_remain"]
    (last,) = asked(desk, capsys, "erase", "--serial", second, "--operator", "kim")["erased"]
    assert {"consent_and_name_deleted", "searched_and_not_found"} <= set(last["done"])
    assert "other_cards" not in last["may_remain"]


def test_all_cards_at_once_leave_none_and_both_receipts_say_so(desk, capsys):
    for _ in range(2):
        desk.enrol("ada", capsys)
    both = asked(desk, capsys, "erase", "--subject", "Ada Example", "--operator", "kim")["erased"]
    assert [receipt["other_cards"] for receipt in both] == [0, 0]
    assert all("searched_and_not_found" in receipt["done"] for receipt in both)


@BOTH
def test_receipt_and_report_say_the_same_of_the_card_after_an_erasure(tmp_path, capsys, custody):
    desk = desk_of(tmp_path, capsys, custody)
    token = str(desk.token("ada", capsys))
    receipt = run(desk, capsys, "erase", "--token", token, "--operator", "kim")
    found = asked(desk, capsys, "subject", "report", "--token", token)
    text = " ".join(run(desk, capsys, "subject", "report", "--token", token).split())
    on_card = custody == "card"
    assert ("On the card itself: the sealed numbers" in receipt) is on_card
    assert (found["template"] is not None) is on_card
    assert ("still on your card, sealed" in text) is on_card
    assert ("None are kept any more, neither here nor on this card" in text) is not on_card


def test_a_name_is_found_as_another_keyboard_writes_it(desk, capsys):
    desk.consent.write_text(desk.consent.read_text().replace("Ada Example", '"Ayşe O’Işık"'))
    serial = desk.enrol("ada", capsys)["serial"]
    (erased,) = asked(desk, capsys, "erase", "--subject", "AYŞE O'IŞIK", "--operator", "kim")["erased"]
    assert erased["serial"] == serial


def test_a_name_that_the_first_version_stored_is_still_found(desk, capsys, monkeypatch):
    from edge.vault import consent, vault

    with monkeypatch.context() as earlier:
        earlier.setattr(vault, "subject_hash", consent.earlier_subject_hash)
        desk.enrol("ada", capsys)
    assert len(asked(desk, capsys, "erase", "--subject", "ada example", "--operator", "kim")["erased"]) == 1


@pytest.mark.parametrize("suffix", [".html", ".txt", ".pdf"])
def test_papers_are_written_as_page_text_or_pdf(desk, capsys, suffix):
    token, receipt, report = str(desk.token("ada", capsys)), desk.folder / f"e{suffix}", desk.folder / f"r{suffix}"
    run(desk, capsys, "subject", "report", "--token", token, "--lang", "de", "--out", str(report))
    run(desk, capsys, "erase", "--token", token, "--operator", "kim", "--receipt", str(receipt))
    for path in (receipt, report):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes()[:4] == {".html": b"<!do", ".pdf": b"%PDF"}.get(suffix, path.read_bytes()[:4])
    if suffix != ".pdf":
        assert "Was dieses Gerät über Sie speichert" in report.read_text(encoding="utf-8")


def test_the_cards_that_a_device_knows_are_listed_without_names(desk, capsys):
    first, second = (desk.enrol("ada", capsys)["serial"] for _ in range(2))
    run(desk, capsys, "erase", "--serial", first, "--operator", "kim")
    main(["revoke", "ab" * 16, "--operator", "kim", "--config", str(desk.config)])
    answer = asked(desk, capsys, "vault", "cards")
    rows = {row["serial"]: row for row in answer["cards"]}
    assert {serial: row["status"] for serial, row in rows.items()} == {
        first: "erased",
        second: "active",
        "-".join(["abab"] * 8): "revoked",
    }
    assert rows[second]["custody"] == "card"
    assert rows[second]["goes"] == rows[second]["expires"] > rows[second]["enrolled"]
    assert rows["-".join(["abab"] * 8)]["expires"] is None
    text = run(desk, capsys, "vault", "cards")
    assert second in text
    assert "Cards known here: 3" in text
    assert "Ada" not in text + json.dumps(answer)


def test_a_second_erasure_finds_nothing_more_and_the_card_stays_refused(desk, capsys):
    token = str(desk.token("ada", capsys))
    run(desk, capsys, "erase", "--token", token, "--operator", "kim")
    (again,) = asked(desk, capsys, "erase", "--token", token, "--operator", "kim")["erased"]
    assert again["done"] == ["nothing_was_kept", "card_refused"]
    found = asked(desk, capsys, "subject", "report", "--token", token)
    assert found["row"]["status"] == "erased"
    assert found["row"]["consent"] is None


def test_a_wrong_call_erases_nothing(desk, capsys, monkeypatch):
    monkeypatch.chdir(desk.folder)
    serial = desk.enrol("ada", capsys)["serial"]
    config = ["--config", str(desk.config)]
    for wrong in (
        [],
        ["--serial", serial, "--subject", "Ada Example"],
        ["--serial", "zz"],
        ["--token", "nowhere.token"],
        ["--serial", serial, "--receipt", "receipt.docx"],
        ["--serial", serial, "--receipt", "state/receipt.html"],
        ["--serial", serial, "--receipt", "device.yaml"],
        ["--serial", serial, "--receipt", "no/such/folder.txt"],
    ):
        capsys.readouterr()
        assert main(["erase", *wrong, "--operator", "kim", *config]) == 3, wrong
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["erase", "--serial", serial, *config]) == 3, "an operator is needed"
    assert main(["erase", "--serial", serial, "--operator", " ", *config]) == 3
    with open_device(desk.config) as device:
        assert len(device._vault.cards_of("Ada Example")) == 1


def test_due_shows_what_goes_when_and_by_which_rule(tmp_path, capsys):
    desk = desk_of(tmp_path, capsys, "device", ", days: 100, keep_days: 30")
    answer = desk.enrol("ada", capsys)
    found = asked(desk, capsys, "vault", "due")
    (row,) = found["rows"]
    assert (row["serial"], row["at"], row["goes"]) == (answer["serial"], answer["expires"], "everything")
    assert answer["expires"] - answer["not_before"] == 30 * 86_400, "the card was shortened to what may be kept"
    assert (found["keep_days"], found["keep_days_by"]) == (30, "settings")
    assert found["journal"]["days"] == 90
    assert asked(desk, capsys, "vault", "due", "--days", "29")["rows"] == []
    desk.config.write_text(desk.config.read_text().replace("keep_days: 30", "keep_days: 10"))
    (row,) = asked(desk, capsys, "vault", "due")["rows"]
    assert (row["at"], row["rule"]) == (answer["not_before"] + 10 * 86_400, "vault.keep_days")
    text = run(desk, capsys, "vault", "due")
    assert answer["serial"] in text
    assert "at most 10 days" in text


def test_expire_lets_go_what_is_due_and_nothing_else(desk, capsys, monkeypatch):
    desk.enrol("ada", capsys)
    assert asked(desk, capsys, "vault", "expire")["rows"] == []
    from edge.cli.keys import open_issuer
    from edge.service import demo

    with open_device(desk.config) as device:
        issuer = open_issuer(device.settings.device.state_dir, None, None)
        demo.Office(device, issuer).enrol("chen", expired=True)
    (row,) = asked(desk, capsys, "vault", "expire")["rows"]
    assert row["rule"] == "the card ends"
    with open_device(desk.config) as device:
        assert len(device._vault.cards_of("Ada Example")) == 1
        assert {h.custody for h in device._vault.cards_of("Ada Example")} == {Custody.CARD}
