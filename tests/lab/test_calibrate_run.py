"""`edge lab calibrate`: an integrator's own pictures and model, from a folder to a calibrated card, by the command."""

from __future__ import annotations

import csv
import itertools
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.errors import InputError
from edge.face import Chain, load_card
from edge.face.calibration import threshold
from edge.face.match import average
from edge.lab.calibrate_run import _labels, left_out, trials_of
from edge.lab.extract import central_vector
from edge.lab.pairing import Trials, unit
from edge.lab.pictures import gather
from edge.settings.model import FaceSettings
from tests.conftest import PEOPLE
from tests.lab.crowd import NAMES, make_crowd


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(FaceSettings(threads=1))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory) -> Path:
    """One picture a person of 132: the eyes of one fictional person over the mouth of another."""
    folder = tmp_path_factory.mktemp("strangers")
    pictures = {name: cv2.resize(cv2.imread(str(PEOPLE / f"{name}-0.jpg")), (160, 160)) for name in NAMES}
    upper = np.clip((92 - np.arange(160)) / 24 + 0.5, 0, 1)[:, None, None]
    for a, b in itertools.permutations(NAMES, 2):
        cv2.imwrite(str(folder / f"{a}-{b}.png"), upper * pictures[a] + (1 - upper) * pictures[b])
    return folder


@pytest.fixture
def own_card(tmp_path) -> Path:
    """A model of one's own in a folder of its own, never calibrated."""
    import shutil

    import yaml

    source = load_card("embedder")
    shutil.copy(source.path, tmp_path / source.path.name)
    card = tmp_path / "mine.card.yaml"
    raw = {key: value for key, value in source.raw.items() if key not in ("calibration", "accuracy")}
    card.write_text(yaml.safe_dump(raw | {"name": "mine"}, sort_keys=False))
    return card


def test_a_folder_a_person_or_a_picture_a_person_from_folders_and_tars(tmp_path):
    make_crowd(tmp_path / "staff", each=2, people=3)
    cv2.imwrite(str(tmp_path / "staff" / "zoe.png"), np.zeros((20, 20, 3), np.uint8))
    (tmp_path / "staff" / "list.txt").write_text("no picture")
    with tarfile.open(tmp_path / "staff.tar", "w") as tar:
        tar.add(tmp_path / "staff", arcname=".")
    found = gather([tmp_path / "staff"]).people
    assert list(found) == ["Ada", "Bela", "Chen", "zoe.png"]
    packed = gather([tmp_path / "staff.tar"]).people
    assert {p: [x.name for x in xs] for p, xs in packed.items()} == {p: [x.name for x in xs] for p, xs in found.items()}
    assert np.array_equal(packed["Ada"][1].load(), found["Ada"][1].load())


@pytest.mark.parametrize("kind", ["empty", "missing", "no tar"])
def test_a_source_without_pictures_is_refused_with_a_remedy(tmp_path, kind):
    source = tmp_path / "source"
    if kind == "empty":
        source.mkdir()
    elif kind == "no tar":
        source.write_bytes(b"no tar at all" * 99)
    with pytest.raises(InputError) as error:
        gather([source])
    assert error.value.where == str(source)
    assert error.value.remedy


def test_a_person_is_enrolled_with_some_of_their_pictures_and_probed_with_the_others(tmp_path, chain):
    make_crowd(tmp_path, each=5, people=2)
    trials, failed, _ = trials_of(gather([tmp_path]).people, chain, 1)
    assert failed == 0
    assert trials.template_person.tolist() == [0, 1]
    assert trials.probe_person.tolist() == [0, 0, 1, 1]
    assert trials.probe_names[:2] == ("Ada/Ada_0004.jpg", "Ada/Ada_0005.jpg")
    own = [float(trials.templates[i] @ trials.probes[j]) for i, j in ((0, 0), (1, 2))]
    others = [float(trials.templates[i] @ trials.probes[j]) for i, j in ((0, 2), (1, 0))]
    assert min(own) > max(others)


def test_a_single_picture_gives_looks_that_differ(tmp_path, chain):
    for name in NAMES[:2]:
        image = cv2.imread(str(PEOPLE / f"{name}-0.jpg"))
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    trials, *_ = trials_of(gather([tmp_path]).people, chain, 1)
    again, *_ = trials_of(gather([tmp_path]).people, chain, 1)
    own = float(trials.templates[0] @ trials.probes[0])
    assert 0.5 < own < 0.999
    assert np.array_equal(trials.probes, again.probes)


def test_a_template_is_what_an_enrolment_would_make(tmp_path, chain):
    make_crowd(tmp_path, each=3, people=2)
    people = gather([tmp_path]).people
    trials, *_ = trials_of(people, chain, 1)
    vectors = [central_vector(chain, picture.load(), "s") for picture in people["Ada"][:2]]
    assert trials.templates[0] == pytest.approx(unit(average(vectors)))


@pytest.mark.timeout(300)
def test_from_own_pictures_to_a_calibrated_card(strangers, own_card, tmp_path, capsys):
    groups = tmp_path / "groups.csv"
    rows = [f"{path.name},{'first' if path.name < 'f' else 'second'}" for path in sorted(strangers.iterdir())]
    groups.write_text("\n".join(["picture,half", *rows]) + "\n")
    out = tmp_path / "report"
    arguments = ["--images", str(strangers), "--model", str(own_card), "--groups", str(groups), "--out", str(out)]
    more = ["--fewest", "30", "--rounds", "30", "--json"]
    assert main(["lab", "calibrate", *arguments, *more]) == 0
    answer = json.loads(capsys.readouterr().out)
    written = load_card(own_card)
    assert answer["card"] == str(own_card)
    assert written.raw["calibration"] == json.loads((out / "calibration.json").read_text())
    section = written.raw["calibration"]
    assert section["people"] == 132
    assert section["pairs"] == 132 * 131
    assert {row["name"] for row in section["groups"]} == {"first", "second"}
    assert str(tmp_path) not in own_card.read_text()
    smallest = section["smallest_fmr"]
    assert threshold(written, smallest) == section["thresholds"][-1]["threshold"]
    assert cv2.imread(str(out / "calibration.png")).shape[0] > 300
    assert cv2.imread(str(out / "alike.png")) is not None
    alike = list(csv.reader((out / "alike.csv").open()))
    assert len(alike) == 50  # never more
    assert float(alike[0][2]) >= float(alike[-1][2])


def test_pairs_of_one_person_under_two_names_are_found_by_either_picture():
    people = np.arange(3)
    vectors = np.eye(3, dtype=np.float32)
    trials = Trials(vectors, vectors, people, people, ("a", "b", "c"), ("a", "b2", "c"))
    with pytest.raises(InputError, match="names no two pictures"):
        left_out([("x", "y")], trials)
    assert sorted(map(tuple, left_out([("b2", "a", "0.8")], trials))) == [(0, 1), (1, 0)]


def test_a_picture_that_cannot_be_read_is_noted_and_the_work_goes_on(tmp_path, chain):
    make_crowd(tmp_path, each=3, people=2)
    (tmp_path / "Ada" / "Ada_0002.jpg").write_bytes(b"no picture")
    (tmp_path / "zoe.jpg").write_bytes(b"no picture either")
    trials, failed, unreadable = trials_of(gather([tmp_path]).people, chain, 1)
    assert unreadable == ["Ada/Ada_0002.jpg", "zoe.jpg"]
    assert failed == 0
    assert trials.template_person.tolist() == [0, 1]


def test_an_earlier_calibration_is_never_overwritten_silently(tmp_path, capsys):
    make_crowd(tmp_path / "staff", each=2, people=4)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "alike.png").write_bytes(b"earlier")
    arguments = ["lab", "calibrate", "--images", str(tmp_path / "staff"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 3
    assert "an earlier report lies here" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 3
    assert "4 people carry no false match rate" in capsys.readouterr().err
    assert (tmp_path / "out" / "alike.png").read_bytes() == b"earlier"


def test_one_person_below_two_folders_does_not_calibrate(tmp_path, capsys):
    for part in ("train", "test"):
        make_crowd(tmp_path / "split" / part, each=2, people=4)
    assert main(["lab", "calibrate", "--images", str(tmp_path / "split"), "--out", str(tmp_path / "out")]) == 3
    assert "Ada is in two places" in capsys.readouterr().err


def test_groups_may_name_any_picture_of_a_person(tmp_path):
    make_crowd(tmp_path / "staff", each=2, people=3)
    (tmp_path / "groups.csv").write_text("\ufeffpicture,sex\nAda/Ada_0002.jpg,f\nBela/Bela_0001.jpg,m\n")
    assert _labels(tmp_path / "groups.csv", gather([tmp_path / "staff"]).people) == ("f", "m", "")


def test_a_few_people_cannot_calibrate_a_door(tmp_path, capsys):
    make_crowd(tmp_path / "staff", each=2, people=4)
    assert main(["lab", "calibrate", "--images", str(tmp_path / "staff"), "--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "4 people carry no false match rate" in said
    assert "more people" in said
