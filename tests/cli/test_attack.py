"""`edge attack`: a set that is recorded with consent, encrypted, measured and deleted; on people who do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.fictional import FictionalSource, OnePerson
from edge.testing.attack_set import AttackSet
from tests.cli.conftest import Desk, make_desk

PHRASE = "correct horse battery"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    (tmp_path / "desk").mkdir()
    made = make_desk(tmp_path / "desk")
    (tmp_path / "phrase").write_text(PHRASE)
    (tmp_path / "phrase").chmod(0o600)
    capsys.readouterr()
    return made


def record(desk: Desk, answers: list[str], monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    """``edge attack record`` with what somebody types."""
    left = iter(answers)

    def asked(prompt: str = "") -> str:
        print(prompt)
        return next(left)

    monkeypatch.setattr("click.termui.visible_prompt_func", asked)
    folder = desk.folder.parent
    line = ["attack", "record", str(folder / "set"), "--seconds", "1", "--config", str(desk.config)]
    return main([*line, "--passphrase-file", str(folder / "phrase"), *more])


def test_nobody_is_recorded_who_did_not_agree(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys):
    assert record(desk, ["n"], monkeypatch) == 0
    assert sorted(path.name for path in (desk.folder.parent / "set").iterdir()) == ["set.key"]
    assert "You can say no" in capsys.readouterr().out


def test_each_person_is_guided_through_species_and_lights_and_a_set_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys
):
    lights = ("--species", "print", "--light", "day", "--light", "night")
    assert record(desk, ["y", *[""] * 5], monkeypatch, *lights) == 0
    assert record(desk, ["y", *[""] * 2 + [""]], monkeypatch, "--species", "print") == 0
    names = AttackSet.open(desk.folder.parent / "set", PHRASE).names()
    first = ["bona_fide--1--1", "bona_fide--1--2", "enrol--1--1", "print--1--1", "print--1--2"]
    assert names == sorted([*first, "bona_fide--2--1", "enrol--2--1", "print--2--1"])
    told = capsys.readouterr().out
    assert "light: night: hold up a printed photograph" in told


def test_no_picture_lies_there_in_the_clear_and_a_changed_one_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    assert record(desk, ["y", "", "", ""], monkeypatch, "--species", "print") == 0
    folder = desk.folder.parent / "set"
    for file in folder.glob("*.frames"):
        assert b"\x89PNG\r\n" not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
    file = folder / "print--1--1.frames"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    phrase = ["--passphrase-file", str(folder.parent / "phrase")]
    assert main(["attack", "report", str(folder), "--out", str(folder.parent / "out"), *phrase]) == 3
    assert folder.is_dir(), "nothing is deleted before there is a report"


def recorded(folder: Path) -> None:
    """Ada, alive and as a print, as `edge attack record` would have kept her."""
    here = AttackSet.make(folder, PHRASE, random_bytes=lambda n: bytes(range(n)))
    for species, attack, variant, count in (("enrol", "", 1, 2), ("bona_fide", "", 0, 12), ("print", "print", 0, 12)):
        source = FictionalSource((OnePerson("ada", 9.0, walk_up=False, attack=attack, variant=variant),))
        source.open()
        here.keep(species, "1", [source.read(1.0) for _ in range(count)])


def test_the_report_is_the_lab_s_and_the_set_is_deleted_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "set"
    recorded(folder)
    (tmp_path / "phrase").write_text(PHRASE)
    (tmp_path / "phrase").chmod(0o600)
    inside = ["attack", "report", str(folder), "--out", str(folder / "out"), "--passphrase-file", "-"]
    assert main(inside) == 3, "a report inside of what is deleted would be deleted with it"
    (tmp_path / "link").symlink_to(folder)
    assert main([*inside[:2], str(tmp_path / "link"), "--out", str(tmp_path / "out"), *inside[-2:]]) == 3
    capsys.readouterr()
    line = ["attack", "report", str(folder), "--json", "--passphrase-file", str(tmp_path / "phrase")]
    assert main([*line, "--out", str(tmp_path / "first"), "--keep"]) == 0
    assert folder.is_dir()
    kept = json.loads(capsys.readouterr().out)
    assert main([*line, "--out", str(tmp_path / "out")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert not folder.exists()
    assert (tmp_path / "out" / "attack.html").is_file()
    assert [row["name"] for row in said["species"]] == ["print"]
    assert said == kept
    assert said["bona_fide"]["sessions"] == 1
