"""The shipped cards say what the shipped files are."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edge.face.card import load_card
from edge.face.golden import golden_digest
from edge.face.runner import Runner, outside_delegate
from edge.face.runtime import open_interpreter
from models.training import card as cards
from models.training.words import WORDS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("detector", "embedder", "passive")


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    return load_card(request.param)


def test_digest_and_size_are_those_of_the_file(shipped):
    data = shipped.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == shipped.sha256
    assert len(data) == shipped.size_bytes


def test_files_stay_within_their_budgets():
    assert load_card("detector").size_bytes <= 400_000
    assert load_card("embedder").size_bytes <= 1_500_000
    assert load_card("passive").size_bytes <= 900_000


def test_tensors_in_the_card_are_computed_from_the_file(shipped):
    fed, outputs = cards.tensors(shipped.path)
    assert fed.items() <= shipped.raw["input"].items()
    assert outputs == shipped.raw["outputs"]


def test_the_int8_input_is_the_pixel_minus_128(shipped):
    spec = shipped.input
    assert (spec.mean, spec.std, spec.scale, spec.zero_point) == (128.0, 128.0, 1 / 128, 0)


def test_the_known_answer_holds_and_says_why_it_was_set(shipped):
    golden = shipped.raw["golden"]
    assert golden_digest(Runner(shipped), golden["generator"]) == golden["sha256"]
    assert golden["reason"]
    assert golden["commit"]


def test_the_known_answer_does_not_depend_on_the_number_of_threads(shipped):
    golden = shipped.raw["golden"]
    assert golden_digest(Runner(shipped, 2), golden["generator"]) == golden["sha256"]


def test_the_whole_graph_runs_in_the_delegate(shipped):
    assert outside_delegate(Runner(shipped)._interpreter) == 0


def test_a_prelu_network_does_not_run_whole_in_the_delegate():
    path = ROOT / "tests" / "assets" / "prelu.tflite"
    interpreter = open_interpreter(path.read_bytes(), threads=1, where=path.name)
    assert outside_delegate(interpreter) > 0
    assert path.stat().st_size < 60_000


def test_data_and_teachers_are_named_with_their_terms(shipped):
    assert all(row["name"] and row["terms"] for row in shipped.raw["data"])
    assert all(row["name"] and row["licence"] for row in shipped.raw["teachers"])
    assert shipped.raw["not_for"]
    assert shipped.raw["limits"]


def test_what_a_card_says_in_words_is_what_the_recipe_says(shipped):
    told = WORDS[shipped.name]
    assert {key: shipped.raw.get(key) for key in told} == told, "run: python -m models.training.card words"


def test_children_occlusion_and_profiles_are_named_as_known_failures(shipped):
    named = " ".join(shipped.raw["known_failures"])
    assert all(word in named for word in ("children", "occlusion", "profile"))


def test_the_way_to_retrain_names_commands_that_there_are(shipped):
    commands = re.findall(r"`python -m ([\w.]+) (\w+)([^`]*)`", shipped.raw["retrain"])
    assert len(commands) >= 3
    for module, command, options in commands:
        done = subprocess.run(
            [sys.executable, "-m", module, command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert all(option in done.stdout for option in re.findall(r"--[\w-]+", options))


def test_figures_in_a_card_were_measured_on_this_very_file(shipped):
    assert all(row["sha256"] == shipped.sha256 for row in shipped.raw.get("accuracy", []))


def test_the_calibration_was_made_with_this_very_embedder():
    embedder = load_card("embedder")
    calibration = embedder.raw["calibration"]
    assert calibration["sha256"] == embedder.sha256
    assert calibration["smallest_fmr"] == calibration["thresholds"][-1]["fmr"] <= 1e-5


def test_every_threshold_keeps_its_promise_on_the_calibration_set():
    for row in load_card("embedder").raw["calibration"]["thresholds"]:
        upper = row["upper"] if "upper" in row else row["upper_95"]  # as cards said before
        assert row["measured"] <= upper <= row["fmr"] * 1.0001


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with copies of the shipped models, where cards may be written."""
    for file in (ROOT / "models").glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(cards, "MODELS", tmp_path)
    return tmp_path


def test_refresh_changes_nothing_when_nothing_changed(elsewhere, shipped):
    before = yaml.safe_load((elsewhere / f"{shipped.name}.card.yaml").read_text())
    cards.refresh(cards.read(shipped.name), reason="")
    assert yaml.safe_load((elsewhere / f"{shipped.name}.card.yaml").read_text()) == before


def test_a_new_known_answer_needs_a_reason(elsewhere):
    card = cards.read("embedder")
    card["golden"]["sha256"] = "0" * 64
    with pytest.raises(SystemExit, match="--reason"):
        cards.refresh(card, reason="")
    cards.refresh(card, reason="a test")
    assert cards.read("embedder")["golden"]["reason"] == "a test"


def test_another_file_loses_the_old_accuracy_and_calibration(elsewhere):
    card = cards.read("embedder") | {"sha256": "0" * 64}
    cards.refresh(card, reason="a test")
    assert not {"accuracy", "calibration"} & set(cards.read("embedder"))


def test_bars_that_were_missed_stand_in_the_card(elsewhere, tmp_path):
    bars = {"found 99.9 % (at least 99.8 %)": True, "pairs 97 % (at least 98 %)": False}
    result = {"command": "x", "date": "2026-11-22", "models": {"embedder": cards.read("embedder")["sha256"]}}
    (tmp_path / "result.json").write_text(json.dumps(result | {"figures": {"pairs": 3000}, "bars": bars}))
    cards.accuracy("embedder", tmp_path / "result.json")
    assert cards.read("embedder")["accuracy"][-1]["missed"] == ["pairs 97 % (at least 98 %)"]


def test_figures_of_another_file_are_refused(elsewhere, tmp_path):
    result = tmp_path / "result.json"
    result.write_text('{"command": "x", "date": "2026-11-22", "models": {"embedder": "00"}, "figures": {}}')
    with pytest.raises(SystemExit, match="measured on 00"):
        cards.accuracy("embedder", result)


def test_a_network_outside_the_delegate_gets_no_card(elsewhere):
    (elsewhere / "embedder.tflite").write_bytes((ROOT / "tests" / "assets" / "prelu.tflite").read_bytes())
    card = cards.read("embedder")
    card["align"]["size"] = [32, 32]
    with pytest.raises(SystemExit, match="not run by XNNPACK"):
        cards.refresh(card, reason="a test")
