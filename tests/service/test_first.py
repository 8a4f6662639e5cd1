"""`edge init`: ten answers become two files that the product accepts, and what is missing is said."""

from __future__ import annotations

from itertools import product

import pytest

from edge.build.buildfile import load_build
from edge.cli import main
from edge.errors import InputError
from edge.service.first import QUESTIONS, build_yaml, checked, device_yaml
from edge.settings import load_settings

GIVEN = {"house": 'Café "Ö" & Söhne', "alternative": "Ring: the reception – #2 opens.", "place": "FR, DE"}


def both(tmp_path, **given):
    answers = checked({**GIVEN, **given})
    (tmp_path / "device.yaml").write_text(device_yaml(answers), encoding="utf-8")
    (tmp_path / "build.yaml").write_text(build_yaml(answers), encoding="utf-8")
    build, findings = load_build(tmp_path / "build.yaml")
    assert build is not None, [str(finding) for finding in findings]
    return load_settings(tmp_path / "device.yaml"), build


def test_there_are_ten_questions_and_one_has_no_default():
    assert len(QUESTIONS) == 10
    assert [one.name for one in QUESTIONS if not one.default] == ["alternative"]


def test_every_combination_of_parts_is_accepted_by_the_product(tmp_path):
    cameras, readers = ("pi", "/dev/v4l/by-id/usb-Cam-video-index0"), ("qr", "keyboard /dev/input/by-id/x", "stdin")
    for camera, reader, lock, screen in product(cameras, readers, ("relay", "log"), ("none", "ar")):
        settings, build = both(tmp_path, camera=camera, reader=reader, lock=lock, screen=screen)
        assert (settings.door.driver, settings.claim.readers) == (lock, (reader.split()[0],))
        assert (settings.kiosk is not None) == build.capabilities["local_page"] == (screen != "none")
        assert build.capabilities["keyboard_reader"] == reader.startswith("keyboard")


def test_what_was_said_is_what_is_read(tmp_path):
    settings, build = both(tmp_path, screen="fr")
    assert settings.alternative == GIVEN["alternative"]
    assert settings.kiosk is not None
    assert (settings.kiosk.house, settings.kiosk.language) == (GIVEN["house"], "fr")
    assert build.deployment is not None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"alternative": " "}, "is no answer to"),
        ({"alternative": "Ring", "lock": "magnet"}, "one of: relay, log"),
        ({"alternative": "Ring", "colour": "red"}, "nobody asked for 'colour'"),
    ],
)
def test_an_answer_that_is_not_possible_is_told_with_what_is(given, told):
    with pytest.raises(InputError, match=told):
        checked(given)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("house: Room #5", "house: '#5' is read as a comment"),
        ("house: 0042", "house: this is not read as it is written, allowed: text in quotes"),
        ("house: A\nhouse: B", "answers.yaml:3:1: house"),
        ('place: ","', "place: ','"),
        ("place: de", "place: 'de' is no place such as FR"),
        ("place: FR, XX", "place: 'XX' is no place: ISO 3166-1 has no country XX"),
        ("lock: relay", "lock: people who do not exist open no real lock"),
    ],
)
def test_answers_that_make_no_valid_file_are_refused_before_one_is_written(tmp_path, capsys, line: str, said: str):
    file = tmp_path / "answers.yaml"
    file.write_text(f"alternative: Ring the bell.\n{line}\n")
    assert main(["init", str(tmp_path / "door"), "--answers", str(file)]) == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / "door").exists()


def test_the_command_writes_both_once_and_says_what_is_missing(tmp_path, capsys):
    file, folder = tmp_path / "answers.yaml", tmp_path / "door"
    file.write_text("alternative: Ring the bell.\nplace: FR\nscreen: fr\n")
    assert main(["init", str(folder), "--answers", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Still missing in build.yaml" in said
    assert "edge policy check" in said
    assert "no record of the kind dpia" in said
    assert "https://" not in said, "the sources are told by that command"
    assert max(map(len, said.splitlines())) < 300
    for step in ("edge keys recovery", "edge keys init --recovery", "edge build sign", "deploy/install --wheel"):
        assert step in said
    assert main(["init", str(folder), "--answers", str(file)]) == 3
    assert "it is there already" in capsys.readouterr().err
