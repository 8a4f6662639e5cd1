"""`edge verify` and `edge compare`: one JSON object in every case, and the exit codes."""

from __future__ import annotations

import json
import stat

import pytest

from edge.cli import main
from tests.cli.conftest import make_desk


def answer(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_the_right_person_is_accepted_from_the_configured_source(desk, capsys):
    token = desk.token("ada", capsys)
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 0
    got = answer(capsys)
    assert (got["outcome"], got["reason"]) == ("accept", "matching")
    assert got["schema"] == "edge/decision/v1"
    assert got["score"] >= got["threshold"]
    assert got["target_fmr"] == 1e-4
    assert got["frames_looked_at"] > 0
    assert got["timings_ms"]["session"] > 0
    assert got["error"] is None


def test_another_person_in_front_of_the_camera_is_rejected(desk, capsys):
    token = desk.token("chen", capsys)
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 1
    assert answer(capsys)["reason"] == "not_matching"


@pytest.mark.parametrize(("shown", "code", "reason"), [("fara", 0, "matching"), ("hana", 1, "not_matching")])
def test_a_picture_may_stand_for_the_camera_in_development(desk, capsys, shown, code, reason):
    token = desk.token("fara", capsys)
    command = ["verify", "--config", str(desk.config), "--token", str(token), "--image", desk.person(shown), "--json"]
    assert main(command) == code
    assert answer(capsys)["reason"] == reason


def test_five_rejects_lock_the_card_until_it_has_waited(desk, capsys):
    token = desk.token("chen", capsys)
    command = ["verify", "--config", str(desk.config), "--token", str(token), "--json"]
    reasons = []
    for _ in range(6):
        main(command)
        reasons.append(answer(capsys)["reason"])
    assert reasons == ["not_matching"] * 5 + ["locked_out"]


@pytest.mark.parametrize(
    ("content", "outcome", "reason"),
    [
        ("EV1:NONSENSE", "reject", "token_invalid"),
        ("hello", "reject", "token_invalid"),
        ("", "reject", "token_invalid"),
    ],
)
def test_what_is_no_token_is_refused_without_looking(desk, capsys, content, outcome, reason):
    file = desk.folder / "token"
    file.write_text(content)
    assert main(["verify", "--config", str(desk.config), "--token", str(file), "--json"]) == 1
    got = answer(capsys)
    assert (got["outcome"], got["reason"], got["frames_looked_at"]) == (outcome, reason, 0)


def test_a_revoked_card_is_refused_by_its_printed_serial(desk, capsys):
    enrolled = desk.enrol("ada", capsys)
    token = desk.folder / "ada.token"
    token.write_text(enrolled["token"])
    assert main(["revoke", enrolled["serial"], "--operator", "kim", "--config", str(desk.config)]) == 0
    capsys.readouterr()
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 1
    assert answer(capsys)["reason"] == "token_revoked"


@pytest.mark.parametrize("what", ["missing", "folder", "binary", "huge"])
def test_a_bad_token_file_is_one_object_with_the_remedy(desk, capsys, what):
    path = desk.folder / what
    if what == "folder":
        path.mkdir()
    elif what == "binary":
        path.write_bytes(bytes(range(256)))
    elif what == "huge":
        path.write_bytes(b"x" * 10_000_000)
    assert main(["verify", "--config", str(desk.config), "--token", str(path), "--json"]) == 3
    got = answer(capsys)
    assert (got["outcome"], got["reason"]) == ("no_decision", "error")
    assert set(got["error"]) >= {"what", "where", "remedy"}
    assert got["error"]["remedy"]


def test_a_card_s_picture_is_read_at_a_desk_and_never_on_a_device(desk, capsys, monkeypatch):
    card = desk.folder / "ada.png"
    desk.enrol("ada", capsys, "--card", str(card))
    command = ["verify", "--config", str(desk.config), "--token", str(card), "--json"]
    assert main(command) == 0
    assert answer(capsys)["reason"] == "matching"
    assert main([*command[:4], desk.person("ada", 0), "--json"]) == 3
    assert "no card's code on this picture" in answer(capsys)["error"]["what"]
    monkeypatch.setattr("edge.profile.BuildInfo.is_device", True)
    assert main(command) == 3
    assert "never a picture file" in answer(capsys)["error"]["what"]


@pytest.mark.parametrize(
    ("lang", "words"), [("fr", "ACCEPTÉ: le visage correspond"), ("de", "ANGENOMMEN: das Gesicht")]
)
def test_a_decision_is_told_in_the_language_that_is_asked_for(desk, capsys, lang, words):
    token = desk.token("ada", capsys)
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--lang", lang]) == 0
    assert words in capsys.readouterr().out


def test_a_token_that_an_editor_wrapped_and_marked_is_read(desk, capsys):
    text = desk.token("ada", capsys).read_text()
    file = desk.folder / "mailed.txt"
    lines = "\r\n".join(text[k : k + 76] for k in range(0, len(text), 76))
    file.write_bytes(f"\ufeff{lines}\r\n".encode("utf-16"))
    assert main(["verify", "--config", str(desk.config), "--token", str(file), "--json"]) == 0


def test_compare_says_which_direction_is_which(desk, capsys):
    assert main(["compare", desk.person("ada", 0), desk.person("ada", 1), "--config", str(desk.config)]) == 0
    assert ">= threshold" in capsys.readouterr().out
    assert main(["compare", desk.person("ada", 0), desk.person("hana", 1), "--config", str(desk.config)]) == 1
    assert "< threshold" in capsys.readouterr().out


def test_enrolment_hands_out_a_card_that_nobody_else_can_read(desk, capsys):
    card = desk.folder / "ada.png"
    answer_ = desk.enrol("ada", capsys, "--card", str(card))
    assert stat.S_IMODE(card.stat().st_mode) == 0o600
    assert "token" not in answer_
    assert answer_["card"] == str(card)
    kept = b"".join(p.read_bytes() for p in (desk.folder / "state").rglob("*") if p.is_file())
    assert b"EV1:" not in kept


def test_enrolment_asks_for_consent(desk, capsys):
    command = ["enrol", "--config", str(desk.config), "--operator", "kim", "--image", desk.person("ada", 1)]
    assert main(command) == 3
    assert "consent" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["state/ada.png", "ada.txt", "device.yaml"])
def test_a_card_goes_to_a_new_file_outside_the_state_folder(desk, capsys, where):
    command = ["enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    assert main([*command, "--image", desk.person("ada", 1), "--card", str(desk.folder / where)]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_enrolment_from_the_camera_gives_hints_and_a_card_that_opens(desk, capsys):
    command = ["enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    card = desk.folder / "ada.pdf"
    assert main([*command, "--card", str(card)]) == 0
    err = capsys.readouterr().err
    assert "step" in err
    assert "[#####]" in err
    assert card.read_bytes().startswith(b"%PDF")


def test_a_renewal_follows_a_verification_of_the_old_card(desk, capsys):
    token = desk.token("ada", capsys)
    command = ["enrol", "--config", str(desk.config), "--operator", "kim", "--renew", str(token), "--json"]
    assert main(command) == 0
    new = answer(capsys)
    assert new["token"].startswith("EV1:")
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 1
    assert answer(capsys)["reason"] == "token_revoked"
    token.write_text(new["token"])
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 0


def test_nothing_secret_is_in_the_journal_or_the_state(desk, capsys):
    token = desk.token("ada", capsys)
    main(["verify", "--config", str(desk.config), "--token", str(token), "--json"])
    text = token.read_text()
    for path in (desk.folder / "state").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert text.encode() not in data
            assert b"Ada Example" not in data
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.suffix == ".unrecoverable"


def test_device_custody_keeps_the_template_here_and_a_renewal_keeps_the_card(tmp_path, capsys):
    desk = make_desk(tmp_path, "vault: {custody: device}\n")
    token = desk.token("ada", capsys)
    assert len(token.read_text()) < 300, "no template on the card"
    command = ["verify", "--config", str(desk.config), "--token", str(token), "--json"]
    assert main(command) == 0
    capsys.readouterr()
    enrol = ["enrol", "--config", str(desk.config), "--operator", "kim", "--renew", str(token), "--json"]
    assert main(enrol) == 0
    assert "token" not in answer(capsys)
    assert main(command) == 0


def test_a_card_of_another_site_is_refused(desk, capsys, tmp_path_factory):
    other = make_desk(tmp_path_factory.mktemp("other"))
    token = other.token("ada", capsys)
    assert main(["verify", "--config", str(desk.config), "--token", str(token), "--json"]) == 1
    assert answer(capsys)["reason"] == "token_invalid"
