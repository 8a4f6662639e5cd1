"""What operators do: clear a lockout, revoke, confirm. Each is journalled by name."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from edge.cli import main
from edge.errors import StateError


def journal(desk, capsys) -> list[dict]:
    capsys.readouterr()
    assert main(["journal", "show", "--last", "20", "--config", str(desk.config), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["entries"]


def test_an_operator_clears_the_lockout_of_a_card(desk, capsys):
    answer = desk.enrol("chen", capsys)
    token = desk.folder / "chen.token"
    token.write_text(answer["token"])
    command = ["verify", "--config", str(desk.config), "--token", str(token), "--json"]
    for _ in range(6):
        main(command)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["reason"] == "locked_out"
    assert main(["reset", answer["serial"], "--operator", "kim", "--config", str(desk.config)]) == 0
    assert "5 rejects" in capsys.readouterr().out
    main(command)
    assert json.loads(capsys.readouterr().out)["reason"] == "not_matching"
    assert any(e["kind"] == "reset" and e["fields"]["operator"] == "kim" for e in journal(desk, capsys))


def test_a_damaged_state_locks_the_device_until_an_operator_begins_a_new_one(desk, capsys):
    token = desk.token("ada", capsys)
    command = ["verify", "--config", str(desk.config), "--token", str(token)]
    state = desk.folder / "state" / "state.sqlite3"
    for path in state.parent.glob("state.sqlite3*"):
        path.write_bytes(b"damage" * 1000)
    assert main(command) == 3
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["confirm", "state", "--operator", "kim", "--config", str(desk.config)]) == 0
    assert main(command) == 0
    assert list(state.parent.glob("state.sqlite3.damaged-*"))
    assert any(e["kind"] == "acknowledged" for e in journal(desk, capsys))


@pytest.mark.parametrize("statement", ["DROP TABLE clock", "DROP TABLE step", "ALTER TABLE clock DROP COLUMN hold"])
def test_a_state_that_lacks_what_every_command_needs_is_damaged_for_the_operator_too(desk, capsys, statement):
    token = desk.token("ada", capsys)
    command = ["verify", "--config", str(desk.config), "--token", str(token)]
    with closing(sqlite3.connect(desk.folder / "state" / "state.sqlite3")) as db:
        db.execute(statement)
    assert main(command) == 3
    assert "edge confirm state" in capsys.readouterr().err
    assert main(["confirm", "state", "--operator", "kim", "--config", str(desk.config)]) == 0
    assert main(command) == 0


def test_a_state_that_is_not_damaged_is_not_thrown_away(desk, capsys):
    assert main(["confirm", "state", "--operator", "kim", "--config", str(desk.config)]) == 3
    assert "not damaged" in capsys.readouterr().err


def test_a_full_disk_throws_no_state_away(desk, capsys, monkeypatch):
    def full(folder):
        raise StateError("the disk is full", where=str(folder), remedy="make room")

    desk.token("ada", capsys)
    monkeypatch.setattr("edge.state.state_database", full)
    state = desk.folder / "state"
    before = {path.name: path.read_bytes() for path in state.glob("state.sqlite3*")}
    assert main(["confirm", "state", "--operator", "kim", "--config", str(desk.config)]) == 3
    assert "the disk is full; make room" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in state.glob("state.sqlite3*")} == before


def test_an_operator_confirms_the_clock_and_the_journal_tells_from_what(desk, capsys):
    assert main(["confirm", "clock", "--operator", "kim", "--config", str(desk.config)]) == 0
    assert "UTC" in capsys.readouterr().out
    entry = next(e for e in journal(desk, capsys) if e["kind"] == "clock")
    assert entry["fields"]["operator"] == "kim"
    assert {"from", "to"} <= set(entry["fields"])


@pytest.mark.parametrize("command", [["revoke", "zzz"], ["reset", "12-34"]])
def test_a_serial_that_is_none_is_refused(desk, capsys, command):
    assert main([*command, "--operator", "kim", "--config", str(desk.config)]) == 3
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_self_test_tells_what_is_right_and_wrong(desk, capsys):
    assert main(["selftest", "--config", str(desk.config), "--json"]) == 0
    checks = {c["name"]: c["ok"] for c in json.loads(capsys.readouterr().out)["checks"]}
    for name in (
        "settings",
        "alternative",
        "fan-out guard",
        "model detector",
        "model embedder",
        "sealing",
        "calibration",
        "vault",
        "journal",
        "source",
    ):
        assert checks[name], name
    assert not checks["development keys"], "a desk's keys are a warning"


def test_the_self_test_diagnoses_a_device_without_keys(tmp_path, capsys):
    config = tmp_path / "device.yaml"
    config.write_text(
        "device: {state_dir: state, trust_dir: trust}\ncamera: {driver: fictional, pace: fast}\nalternative: the bell\n"
    )
    assert main(["selftest", "--config", str(config), "--json"]) == 4
    answer = json.loads(capsys.readouterr().out)
    assert answer["fit"] is False
    failed = {c["name"]: c for c in answer["checks"] if not c["ok"]}
    assert "edge keys init" in failed["keys"]["remedy"]
    assert "no issuer is trusted" in failed["issuers"]["what"]
    assert "not looked at" in failed["vault"]["what"]
    passed = {c["name"] for c in answer["checks"] if c["ok"]}
    assert {"model detector", "model embedder", "sealing", "source", "door"} <= passed, "all the others ran"
    (gates,) = (c["what"] for c in answer["checks"] if c["name"] == "liveness")
    assert gates.startswith("the passive network judges every look"), "what the settings ask for, not what did not open"
    assert not (tmp_path / "state").exists()


def test_a_camera_that_shows_a_still_with_noise_is_no_camera(desk, capsys, monkeypatch):
    from edge.fictional import FictionalSource, OnePerson

    def still(script=None, **named):
        return FictionalSource((OnePerson("ada", 9.0, still=True, noise_on_still=True),), **named)

    monkeypatch.setattr("edge.camera.stand_in.FictionalSource", still)
    assert main(["selftest", "--config", str(desk.config), "--json"]) == 4
    failed = [c["name"] for c in json.loads(capsys.readouterr().out)["checks"] if c["needed"] and not c["ok"]]
    assert failed == ["source"]


def test_an_unfit_device_does_not_run(desk, capsys):
    desk.enrol("ada", capsys)
    (desk.folder / "state" / "journal.jsonl").write_text("")
    assert main(["run", "--config", str(desk.config)]) == 4
    assert "journal" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["", "alternative: n/a\n", "alternative: '...'\n"])
def test_a_device_without_another_way_in_is_unfit_and_enrols_nobody(desk, capsys, line):
    text = desk.config.read_text().replace("alternative: Please ask at the reception.\n", line)
    desk.config.write_text(text)
    capsys.readouterr()
    assert main(["selftest", "--config", str(desk.config), "--json"]) == 4
    failed = [c for c in json.loads(capsys.readouterr().out)["checks"] if c["needed"] and not c["ok"]]
    assert [c["name"] for c in failed] == ["alternative"]
    assert "reception" in failed[0]["remedy"]
    assert main(["run", "--config", str(desk.config)]) == 4
    enrol = ["enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    assert main([*enrol, "--image", desk.person("ada"), "--card", str(desk.folder / "ada.token")]) == 4
    assert "no way in" in capsys.readouterr().err
    assert not (desk.folder / "ada.token").exists()


def test_an_operator_clears_the_fan_out_guard_of_the_door_by_name(desk, capsys):
    assert main(["reset", "--door", "--operator", "kim", "--config", str(desk.config)]) == 0
    assert "answers again" in capsys.readouterr().out
    assert any(e["kind"] == "fan_out_reset" and e["fields"]["operator"] == "kim" for e in journal(desk, capsys))
    for wrong in ([], ["--door", "00" * 16]):
        assert main(["reset", *wrong, "--operator", "kim", "--config", str(desk.config)]) == 3
