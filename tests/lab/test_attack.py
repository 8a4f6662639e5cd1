"""`edge lab attack`: whole sessions of fictional people, alive and as prints, with the real models."""

import json

import cv2
import pytest

from edge.cli import main
from edge.errors import InputError
from edge.fictional import FictionalSource, OnePerson
from edge.lab.attack import AttackPlan, measure_attacks

PEOPLE = ("ada", "lena")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two people, one session of each kind."""
    root = tmp_path_factory.mktemp("pad")
    for name in PEOPLE:
        for kind, attack in (("enrol", ""), ("bona_fide", ""), ("print", "print")):
            variant = int(kind == "enrol")
            source = FictionalSource((OnePerson(name, 9.0, walk_up=False, attack=attack, variant=variant),))
            source.open()
            into = root / kind / name / ("" if kind == "enrol" else "1")
            into.mkdir(parents=True)
            for k in range(2 if kind == "enrol" else 12):
                cv2.imwrite(str(into / f"{k}.png"), source.read(1.0).image)
    return root


def test_prints_are_held_back_and_the_living_pass(folder, tmp_path):
    report = measure_attacks(AttackPlan(folder, tmp_path))
    (species,) = report["species"]
    assert (species["name"], species["people"], species["sessions"]) == ("print", 2, 2)
    assert species["apcer"]["people"] == species["iapar"]["people"] == 0
    assert species["apcer"]["high"] == pytest.approx(0.842, abs=1e-3)  # two people show little
    assert report["bona_fide"]["bpcer"]["people"] == 0
    assert "print" in (tmp_path / "attack.html").read_text()


def test_the_curves_agree_with_the_card_s_limit_and_lead_from_everybody_refused_to_everybody_passed(folder, tmp_path):
    report = measure_attacks(AttackPlan(folder, tmp_path))
    curves = report["curves"]
    live, attack = curves["bona_fide"], curves["species"]["print"]
    at = curves["limits"].index(round(curves["card"], 2))
    assert (live["always"][at], attack["ever"][at]) == (1.0, 0.0)
    for passed in (live, attack):
        for shares in passed.values():
            assert shares[0] == 0.0
            assert shares == sorted(shares)
    assert "BPCER" in (tmp_path / "attack.html").read_text()


def test_people_alive_are_told_apart_by_their_labels(folder, tmp_path, capsys):
    (folder / "people.csv").write_text("\ufeffperson,group,camera\nada,one,\nlena,two,w1\n", encoding="utf-8")
    try:
        report = measure_attacks(AttackPlan(folder, tmp_path))
        (folder / "people.csv").write_text("person,group\nada,one\n")
        with pytest.raises(InputError, match="1 of the people alive have no row, such as lena"):
            measure_attacks(AttackPlan(folder, tmp_path))
        (folder / "people.csv").write_text("name\nada\n")
        with pytest.raises(InputError, match="no column is called person"):
            measure_attacks(AttackPlan(folder, tmp_path))
    finally:
        (folder / "people.csv").unlink()
    by = report["bona_fide"]["by"]
    assert {column: {value: row["people"] for value, row in groups.items()} for column, groups in by.items()} == {
        "group": {"one": 1, "two": 1},
        "camera": {"not said": 1, "w1": 1},
    }
    assert "not said" in (tmp_path / "attack.html").read_text()


def test_without_the_network_a_print_passes(folder, tmp_path):
    report = measure_attacks(AttackPlan(folder, tmp_path, passive=False))
    assert report["curves"] is None
    assert report["species"][0]["iapar"]["people"] == 2


def test_a_claim_that_the_people_cannot_carry_is_refused_before_anything_is_played(folder, tmp_path):
    with pytest.raises(InputError, match="2 people of the species print cannot show") as refused:
        measure_attacks(AttackPlan(folder, tmp_path, claim=0.07))
    assert "42 people" in refused.value.remedy
    with pytest.raises(InputError) as refused:
        measure_attacks(AttackPlan(folder, tmp_path, claim=0.07, two_sided=True))
    assert "51 people" in refused.value.remedy


def test_the_command(folder, tmp_path, capsys):
    arguments = ["lab", "attack", "--images", str(folder), "--out", str(tmp_path / "out"), "--no-passive", "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "edge/lab/attack/v1"


def test_a_folder_without_living_people_or_attacks_is_told(tmp_path):
    with pytest.raises(InputError, match="missing"):
        measure_attacks(AttackPlan(tmp_path, tmp_path))
