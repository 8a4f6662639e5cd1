"""Every answer that a program reads, made by the commands themselves on one device in a folder.

    python -m tests.conformance.walk --write      makes the golden answers and the schema of events anew

The golden answers are what an integrator tests a reader with. `test_answers` holds today's answers against them and
against the schemas: what was in an answer once stays in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.cli import main
from edge.face import load_card
from edge.lab.calibrate_run import CalibrationDone
from tests.cli.conftest import Desk, make_desk
from tests.conformance import events
from tests.face import surgery
from tests.lab.crowd import make_crowd
from tests.models.bring import write_spec

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "answers"
PHRASE = "correct horse battery"
Answer = dict[str, Any]


def answers(folder: Path) -> list[Answer]:
    """One after the other, as they were printed; events of ``edge run --json`` among them.

    Args:
        folder: an empty one; a device, a set of pictures and a wheel are made in it.
    """
    with _here(folder), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.redirect_stdout(io.StringIO()):
            desk = make_desk(folder)
        return [*_device(desk), *_build(folder), *_models(desk), *_lab(folder)]


def ask(*words: str, stdin: str = "") -> list[Answer]:
    """What ``edge WORDS --json`` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main([*words, "--json"])
    return [json.loads(line) for line in out.getvalue().splitlines()]


@contextlib.contextmanager
def _here(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _device(desk: Desk) -> Iterator[Answer]:
    conf = ("--config", "device.yaml")
    kim = (*conf, "--operator", "kim")
    yield from ask("config", "check", "device.yaml")
    yield from ask("config", "show", "device.yaml")
    Path("wrong.yaml").write_text("door: {driver: lock}\n")
    yield from ask("config", "check", "wrong.yaml")
    yield from ask("config", "show", "wrong.yaml")
    yield from ask("keys", "show", *conf)
    yield from ask("selftest", *conf)
    yield from ask("doctor", *conf)
    people = ("--image", desk.person("ada", 1), "--image", desk.person("ada", 2), "--consent", "consent.yaml")
    (enrolled,) = ask("enrol", *kim, *people)
    yield enrolled
    Path("ada.token").write_text(enrolled["token"])
    yield from ask("enrol", *kim, *people, "--card", "ada.png")
    verify = ("verify", *conf, "--token", "ada.token")
    yield from ask(*verify, "--image", desk.person("ada"))
    yield from _run(enrolled["token"])
    for _ in range(6):  # the last one is locked out
        yield from ask(*verify, "--image", desk.person("goran"))
    yield from ask("verify", *conf, "--token", "nowhere")
    yield from ask("keys", "show", "--config", "nowhere.yaml")
    serial = enrolled["serial"]
    Path("pin.txt").write_text("573914")
    asking = Path("device.yaml").read_text() + "\nclaim: {pin: with_card}\n"
    Path("asking.yaml").write_text(asking)
    yield from ask(
        "enrol", "--config", "asking.yaml", "--operator", "kim", "--set-pin", "ada.token", "--pin", "pin.txt"
    )
    yield from ask("reset", serial, *kim)
    yield from ask("reset", "--door", *kim)
    yield from ask("confirm", "clock", *kim)
    yield from ask("vault", "cards", *conf)
    yield from ask("vault", "due", *conf)
    yield from ask("subject", "report", *conf, "--token", "ada.token")
    yield from ask("revoke", serial, *kim)
    yield from ask("erase", "--serial", serial, *kim)
    yield from ask("vault", "expire", *conf)
    yield from ask("journal", "verify", *conf)
    yield from ask("journal", "show", *conf)
    yield from ask("policy", "status", *conf)
    yield from ask("policy", "list", *conf)
    yield from ask("policy", "show", "amazon-2020", *conf)
    yield from ask("policy", "check", str(ROOT / "config" / "examples" / "build-office.yaml"))
    without = [
        line for line in (ROOT / "config/examples/build-eu-office.yaml").read_text().splitlines() if "dpia" not in line
    ]
    Path("build.yaml").write_text("\n".join(without))
    yield from ask("policy", "check", "build.yaml")
    yield from ask("compare", *conf, desk.person("ada"), desk.person("ada", 1))
    yield from ask("demo", "--fast")
    with contextlib.redirect_stdout(io.StringIO()):
        main(["support-report", "support.json", *conf])
    yield json.loads(Path("support.json").read_text())


def _run(token: str) -> list[Answer]:
    """The loop of a door, which needs a process of its own: it reads its standard input and catches signals."""
    command = [sys.executable, "-m", "edge", "run", "--config", "device.yaml", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=token + "\nnonsense\n", env=environment, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _build(folder: Path) -> Iterator[Answer]:
    Path("phrase").write_text(PHRASE)
    Path("phrase").chmod(0o600)
    for role in ("builder", "models"):
        given = ("--role", role, "--name", "acme", "--out", role, "--passphrase-file", "phrase")
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["keys", "signer", *given]) == 0
    wheel = make_wheel(folder)
    yield from ask("build", "show")
    yield from ask("build", "show", "--files")
    yield from ask("build", "sign", str(wheel), "--key", "builder/acme.key", "--passphrase-file", "phrase")
    Path("trust/builders").mkdir(mode=0o755)
    shutil.copy("builder/acme.pem", "trust/builders")
    yield from ask("build", "show", str(wheel), "--trust", "trust")
    yield from ask("build", "verify", str(wheel), "--trust", "trust")
    yield from ask("prove", "--wheel", str(wheel), "--trust", "builder/acme.pem", "--vault", "state")


def make_wheel(folder: Path) -> Path:
    """The wheel of this checkout, from a copy without git, models and pictures."""
    source = folder / "source"
    without = shutil.ignore_patterns("__pycache__", "_build", "_data", "*.npy", ".git", "people")
    for name in ("edge", "config"):
        shutil.copytree(ROOT / name, source / name, ignore=without)
    (source / "models").mkdir()
    for card in (ROOT / "models").glob("*.card.yaml"):
        shutil.copy(card, source / "models")
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "../dist", "."]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _models(desk: Desk) -> Iterator[Answer]:
    conf = ("--config", "device.yaml")
    Path("brought.tflite").write_bytes(surgery.floated(surgery.shipped()))
    Path("trust/models").mkdir(mode=0o755)
    shutil.copy("models/acme.pem", "trust/models")
    key = ("--key", "models/acme.key", "--passphrase-file", "phrase")
    yield from ask("models", "import", "brought.tflite", "--spec", str(write_spec(desk.folder / "spec.yaml")), *conf)
    yield from ask("models", "sign", "mine", *key, *conf)
    yield from ask("models", "list", *conf)
    yield from ask("models", "show", "mine", *conf)
    yield from ask("models", "verify", "mine", *conf)
    yield from ask("models", "remove", "mine", *conf)


def _lab(folder: Path) -> Iterator[Answer]:
    make_crowd(folder / "crowd", 2, 4)
    shown = ("--images", "crowd", "--rounds", "20", "--out")
    yield from ask("lab", "evaluate", "--all-pairs", *shown, "evaluated")
    yield from ask("lab", "calibrate", *shown, "calibrated")  # too few people: an error
    yield CalibrationDone(None, dict(load_card("embedder").raw["calibration"]), 2, (), None, False).as_json()


def shortened(value: Any) -> Any:
    """A golden answer keeps two elements of a list and 40 keys of an object: its form is what matters."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in list(value.items())[:40]}
    if isinstance(value, list):
        return [shortened(item) for item in value[:2]]
    return value


def place(answer: Answer) -> str:
    """Name of the files of an answer: its golden ones, and its schema."""
    return "-".join(answer["schema"].split("/")[1:])


def main_() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the golden answers; otherwise print today's")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = answers(Path(folder))
        if not arguments.write:
            print("\n".join(json.dumps(answer) for answer in found))
            return 0
        golden: dict[str, list[Answer]] = {}
        for answer in found:
            told = json.dumps(shortened(answer)).replace(folder, "/home/kim/tour").replace(str(ROOT), "/usr/src/edge")
            golden.setdefault(place(answer), []).append(json.loads(told))
    del golden["event-v1"]
    for name, examples in golden.items():
        kept: dict[str, Answer] = {}  # the fullest one of a set of keys
        for example in sorted(examples, key=lambda one: len(json.dumps(one))):
            kept[str((example.get("event"), sorted(example)))] = example
        (GOLDEN / f"{name}.json").write_text(json.dumps(list(kept.values()), indent=1, ensure_ascii=False) + "\n")
    events.write()
    return 0


if __name__ == "__main__":
    sys.exit(main_())
