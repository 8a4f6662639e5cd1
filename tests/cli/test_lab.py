"""`edge lab` and `edge compare` by the command line; and both from a lab build, which holds no device."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli import main
from tests.cli.conftest import PEOPLE, ROOT
from tests.lab.crowd import make_crowd, write_pairs


@pytest.fixture(scope="module")
def crowd(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("crowd")
    make_crowd(folder / "set", 2, 4)
    write_pairs(folder / "pairs.txt", 2, 2, 4)
    return folder


def evaluate(crowd: Path, out: Path, *more: str) -> list[str]:
    sources = ["--images", str(crowd / "set"), "--pairs", str(crowd / "pairs.txt")]
    return ["lab", "evaluate", *sources, "--out", str(out), "--rounds", "20", *more]


def test_evaluate_tells_the_figures_and_where_the_rest_is(crowd, tmp_path, capsys):
    assert main(evaluate(crowd, tmp_path)) == 0
    told = capsys.readouterr()
    assert re.search(r"embedder +100\.00 %", told.out)
    assert f"{tmp_path}/report.html" in told.out
    assert "8/8" in told.err  # the bar of the pictures
    held = {path.name for path in tmp_path.iterdir()}
    assert held == {"report.html", "report.json", "operating_points.csv", "groups.csv", "det.csv", "pictures.csv"}


def test_json_is_one_object_and_nothing_else(crowd, tmp_path, capsys):
    assert main(evaluate(crowd, tmp_path, "--all-pairs", "--gate", "--json")) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert told.err == ""
    assert answer["schema"] == "edge/lab/v1"
    assert answer["gate"] is True
    assert answer["set"]["impostor"] == 4 * 3 // 2 * 4


def test_compare_puts_models_side_by_side(crowd, tmp_path, capsys):
    card = ROOT / "models" / "embedder.card.yaml"
    twin = tmp_path / "twin.card.yaml"
    twin.write_text(re.sub(r"^file: .*$", "file: embedder.tflite", card.read_text(), flags=re.MULTILINE))
    (tmp_path / "embedder.tflite").write_bytes((ROOT / "models" / "embedder.tflite").read_bytes())
    arguments = ["lab", "compare", "--images", str(crowd / "set"), "--all-pairs", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--model", "embedder", "--model", str(twin), "--json", "--rounds", "20"]) == 0
    first, second = json.loads(capsys.readouterr().out)["models"]
    assert (first["name"], second["name"]) == ("embedder", "twin")
    assert first["equal_error_rate"] == second["equal_error_rate"]


def test_evaluate_takes_the_card_of_an_imported_model(crowd, tmp_path, capsys):
    """`models import` installs STATE/models/NAME/card.yaml, and says to measure it by that path."""
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    card = (ROOT / "models" / "embedder.card.yaml").read_text()
    (folder / "card.yaml").write_text(re.sub(r"^name: .*$", "name: mine", card, flags=re.MULTILINE))
    (folder / "embedder.tflite").write_bytes((ROOT / "models" / "embedder.tflite").read_bytes())
    assert main(evaluate(crowd, tmp_path / "out", "--model", str(folder / "card.yaml"), "--json")) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert (model["name"], model["about"]["kind"]) == ("mine", "device chain")


def test_a_second_report_in_one_folder_has_to_be_asked_for(crowd, tmp_path, capsys):
    assert main(evaluate(crowd, tmp_path, "--json")) == 0
    assert main(evaluate(crowd, tmp_path, "--json")) == 3
    assert "--overwrite" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["remedy"]
    assert main(evaluate(crowd, tmp_path, "--overwrite")) == 0


def test_what_was_left_out_is_said(crowd, tmp_path, capsys):
    import shutil

    shutil.copytree(crowd / "set", tmp_path / "set")
    (tmp_path / "set" / "Ada" / "Ada_0003.heic").write_bytes(b"x")
    arguments = ["lab", "evaluate", "--images", str(tmp_path / "set"), "--all-pairs", "--rounds", "20"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "note: set: left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["lab", "evaluate", "--images", "x", "--out", "y"], "give --pairs, --all-pairs, or both"),
        (["lab", "evaluate", "--images", "nowhere", "--all-pairs", "--out", "y"], "there is no such folder or file"),
        (["lab", "evaluate", "--images", "."], "Missing option '--out'"),
        (["lab", "compare", "--images", ".", "--all-pairs", "--out", "y"], "Missing option '--model'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_3(arguments, what, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 3
    assert what in capsys.readouterr().err


def test_no_command_of_the_lab_ranks_a_picture_against_many(capsys):
    assert main(["lab", "--help"]) == 0
    told = capsys.readouterr().out
    commands = re.findall(r"^  (\w+)  ", told.split("Commands:")[1], flags=re.MULTILINE)
    assert set(commands) <= {"evaluate", "compare", "calibrate", "quality", "attack"}
    assert "can still be misused" in told
    for command in commands:
        assert main(["lab", command, "--help"]) == 0
        said = capsys.readouterr().out
        assert not re.search(r"--(probe|gallery|search|identify|watch)", said)


@pytest.mark.slow
def test_a_lab_wheel_installs_evaluates_and_compares_without_a_device(crowd, tmp_path):
    """Built, installed with pip into an environment of its own, run; it holds neither camera nor vault nor door."""
    environ = {**os.environ, "EDGE_BUILD_CONFIG": str(ROOT / "config" / "examples" / "build-lab.yaml")}
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*wheel, str(ROOT)], check=True, capture_output=True, env=environ)
    # dependencies come from this environment, the product from the wheel alone
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (built,) = tmp_path.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--force-reinstall"]
    subprocess.run([*install, str(built)], check=True, capture_output=True)
    here = sysconfig_path(python)
    for room in ("camera", "vault", "door", "session", "claim", "keys", "journal", "state", "service", "kiosk"):
        assert not (here / "edge" / room).exists()

    def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from edge.cli import run; run()"
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *map(str, site_packages())])}
        command = [str(python), "-P", "-c", code, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=paths, capture_output=True, text=True, timeout=300, check=False
        )

    done = edge(*evaluate(crowd, tmp_path / "out", "--all-pairs", "--json"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["models"][0]["pairs_accuracy"] == 1.0
    assert (tmp_path / "out" / "report.html").is_file()
    alike = edge("compare", str(PEOPLE / "ada-0.jpg"), str(PEOPLE / "ada-1.jpg"))
    assert alike.returncode == 0, alike.stderr
    assert alike.stdout.startswith("MATCHING")
    for command in ("run", "enrol", "verify", "demo"):
        refused = edge(command)
        assert refused.returncode == 3
        assert "a lab build works on picture files" in refused.stderr


def sysconfig_path(python: Path) -> Path:
    """Where an environment installs packages."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True).stdout.strip())


def site_packages() -> list[Path]:
    """Where this environment's dependencies lie; the product itself is not there, or is the checkout."""
    return [Path(path) for path in sys.path if path.endswith("site-packages")]
