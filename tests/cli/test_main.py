"""`edge` itself: help like a manual, nothing heavy imported for it, and the exit codes of the issue."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import click
import pytest

from edge import cli
from edge.claim import open_readers
from edge.settings.model import ClaimSettings

HEAVY = ("numpy", "cv2", "pydantic", "yaml", "cryptography", "ai_edge_litert", "rich", "zxingcpp", "segno")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom edge.cli import main\nmain(['--help'])\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Exit codes" in done.stdout


def test_help_names_every_command_and_every_command_has_help(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert f"\n  {name} " in text
        assert cli.main([name, "--help"]) == 0
        assert "Usage: edge" in capsys.readouterr().out


def test_a_usage_error_exits_with_3(capsys):
    assert cli.main(["no-such-command"]) == 3
    assert "No such command" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "meant"), [("enroll", "enrol"), ("verfy", "verify"), ("self-test", "selftest")])
def test_a_mistyped_command_is_told_with_the_one_that_is_meant(typed: str, meant: str, capsys):
    assert cli.main([typed, "--config", "device.yaml"]) == 3
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in capsys.readouterr().err


def test_a_usage_error_with_json_is_one_object(capsys):
    assert cli.main(["verify", "--json", "--no-such-option"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["reason"] == "error"
    assert "no-such-option" in answer["error"]["what"]


@pytest.mark.parametrize("command", [["build", "show"], ["build", "show", "--json"], ["selftest", "--json"]])
def test_an_answer_that_a_full_disk_does_not_take_is_told_on_the_other_stream(command: list[str], desk):
    config = ["--config", str(desk.config)] if command[0] == "selftest" else []
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device that is always full
        arguments = [sys.executable, "-m", "edge", *command, *config]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=90)
    told = "standard output: the answer cannot be written (No space left on device); make room, or send it elsewhere"
    assert done.stderr.splitlines()[-1] == f"edge: {told}"
    assert done.returncode == 3


def test_a_run_whose_standard_input_is_closed_says_so_and_needs_none_where_no_reader_reads_it(desk):
    command = f'exec "{sys.executable}" -m edge run --skip-selftest --config "{desk.config}" <&-'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=90)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == (
        "edge: claim.readers: standard input is closed; start it with an input, or name `qr`"
    )
    (reader,) = open_readers(ClaimSettings(readers=("qr",)), stdin=None, clock=time.monotonic)
    assert reader.name == "qr"


def test_an_uncaught_exception_exits_with_4_and_shows_no_content(monkeypatch, capsys):
    @click.command()
    def broken() -> None:
        raise ValueError("the secret is 42")

    monkeypatch.setattr(cli._Commands, "get_command", lambda *_: broken)
    assert cli.main(["demo"]) == 4
    error = capsys.readouterr().err
    assert "ValueError" in error
    assert "42" not in error
    assert "Traceback" not in error


def test_a_driver_that_hangs_in_its_own_code_does_not_change_the_exit_code():
    """Python ends daemon threads inside of C++ at its end, and C++ then aborts (134)."""
    code = """
import threading, cv2, numpy as np, edge.cli
began, image = threading.Event(), np.zeros((1500, 1500, 3), np.uint8)
def hangs():
    began.set()
    while True:
        cv2.medianBlur(image, 5)
threading.Thread(target=hangs, daemon=True).start()
began.wait()
edge.cli.main = lambda: 4
edge.cli.run()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")


def test_a_command_that_a_device_build_leaves_out_says_why(monkeypatch, capsys):
    def absent(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(cli, "import_module", absent)
    assert cli.main(["compare", "a.jpg", "b.jpg"]) == 3
    error = capsys.readouterr().err
    assert "not in this build" in error
    assert "without a signed claim" in error


@pytest.mark.parametrize("arguments", [["--version"], ["-h"]])
def test_version_and_short_help(arguments, capsys):
    assert cli.main(arguments) == 0
    assert "edge" in capsys.readouterr().out
