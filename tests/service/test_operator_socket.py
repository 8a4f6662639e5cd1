"""Acts on a running door go to the running door; one process decides in a state folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import FolderBusy, InputError
from edge.service.remote import Remote
from edge.state.folder import FolderLock
from edge.trust import Keyring
from edge.types import Custody, Token
from edge.vault.signing import Ordered
from tests.cli.conftest import Desk, make_desk

EDGE = [sys.executable, "-m", "edge"]


@contextmanager
def running(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """`edge run` on a desk, ready; its standard input stays open, so that it goes on."""
    command = [*EDGE, "run", "--config", str(desk.config), "--skip-selftest", "--json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        while json.loads(process.stdout.readline())["event"] != "device.ready":
            pass
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = make_desk(tmp_path)
    made.config.write_text(made.config.read_text().replace("pace: fast", "pace: real"))
    capsys.readouterr()
    return made


def journal(desk: Desk) -> list[str]:
    lines = (desk.folder / "state" / "journal.jsonl").read_text().splitlines()
    return [json.loads(line)["kind"] for line in lines]


def test_a_running_door_enrols_revokes_and_erases_for_an_operator_s_command(desk: Desk, capsys):
    card = desk.folder / "ada.token"
    serial = "5f2c09aa41d77b3088e14c55d0f29b6e"
    enrol = [*EDGE, "enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    with running(desk):
        sock = desk.folder / "state" / "operator.sock"
        assert stat.S_IMODE(sock.stat().st_mode) == 0o600
        done = subprocess.run([*enrol, "--card", str(card)], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        assert "Enrolled" in done.stdout
        assert "[" in done.stderr, "the hints of the running door's camera"
        assert main(["revoke", serial, "--operator", "kim", "--config", str(desk.config)]) == 0
        assert main(["erase", "--token", str(card), "--operator", "kim", "--config", str(desk.config)]) == 0
    assert card.read_text().startswith("EV1:")
    assert journal(desk) == ["started", "enrolled", "revoked", "erased", "stopped"]
    assert not sock.exists()


def test_a_card_that_cannot_be_written_is_not_enrolled_by_the_running_door_either(desk: Desk):
    enrol = [
        *EDGE,
        "enrol",
        "--config",
        str(desk.config),
        "--operator",
        "kim",
        "--consent",
        str(desk.consent),
        "--json",
    ]
    with running(desk), open("/dev/full", "w") as full:  # noqa: PTH123 - a device that is always full
        done = subprocess.run(enrol, stdout=full, stderr=subprocess.PIPE, text=True, timeout=90, check=False)
        assert done.returncode == 3
    assert journal(desk) == ["started", "stopped"]


@pytest.mark.parametrize("output", ["full", "closed", "latin-1"])
def test_no_record_is_left_of_a_card_that_did_not_leave(desk: Desk, output: str):
    enrol = [*EDGE, "enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"} if output == "latin-1" else dict(os.environ)
    if output == "closed":
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(enrol, stdout=write, stderr=subprocess.PIPE, timeout=90, check=False, env=environ)
        os.close(write)
    elif output == "full":
        with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device that is always full
            done = subprocess.run(enrol, stdout=full, stderr=subprocess.PIPE, timeout=90, check=False, env=environ)
    else:
        done = subprocess.run(enrol, capture_output=True, timeout=90, check=False, env=environ)
        assert done.returncode == 0, "a terminal that cannot show the code shows the token, which is plain ASCII"
        assert b"EV1:" in done.stdout
        assert journal(desk) == ["enrolled"]
        return
    assert done.returncode == 3, done.stderr
    assert not (desk.folder / "state" / "journal.jsonl").exists() or journal(desk) == []


def test_two_loops_do_not_run_on_one_folder(desk: Desk):
    with running(desk):
        again = [*EDGE, "run", "--config", str(desk.config), "--skip-selftest"]
        done = subprocess.run(again, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "edge run (process" in done.stderr


def test_whoever_waits_is_told_for_whom_and_gives_up(tmp_path: Path):
    told: list[str] = []
    with FolderLock(tmp_path, "edge verify"):
        with pytest.raises(FolderBusy, match=r"edge verify \(process \d+\) holds this device's state") as caught:
            FolderLock(tmp_path, "edge revoke", wait_s=0.3, waiting=told.append)
        assert "edge verify" in caught.value.holder
    assert [name.split(" (")[0] for name in told] == ["edge verify"]
    FolderLock(tmp_path, "edge revoke").close()


def test_the_one_that_waits_gets_it_when_the_other_ends(tmp_path: Path):
    first = FolderLock(tmp_path, "edge verify")
    told: list[str] = []
    threading.Timer(0.3, first.close).start()
    FolderLock(tmp_path, "edge revoke", wait_s=10, waiting=told.append).close()
    assert len(told) == 1, "it was told for whom it waits, once"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"nonsense\n",
        b'{"act": "open", "operator": "x", "arguments": {}}\n',
        b"x" * 300_000 + b"\n",
    ],
)
def test_nonsense_on_the_socket_changes_nothing(desk: Desk, line: bytes):
    with running(desk):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(10)
        connection.connect(str(desk.folder / "state" / "operator.sock"))
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        except OSError:
            pass
        connection.close()
        assert main(["revoke", "00" * 16, "--operator", "kim", "--config", str(desk.config)]) == 0
    assert journal(desk) == ["started", "revoked", "stopped"]


def test_an_issuer_s_key_signs_only_the_card_that_was_ordered():
    from edge.claim import TOKEN_DOMAIN
    from edge.claim.layout import pack
    from edge.vault.record import RECORD_DOMAIN

    _, issuer = Keyring.ephemeral(os.urandom)
    token = Token(Custody.DEVICE, bytes(16), bytes(16), 7, ("lab",), 1, 2, bytes(32))
    message = pack(token, issuer.key_id)
    ordered = {"groups": ["lab"], "credential": 7}
    assert len(Ordered("enrol", ordered).sign(issuer, message, TOKEN_DOMAIN)) == 64
    for said, data, domain in (
        ({"groups": ["default"], "credential": 7}, message, TOKEN_DOMAIN),
        ({"groups": ["lab"], "credential": 8}, message, TOKEN_DOMAIN),
        (ordered, message, b"edge/other/v1"),
        (ordered, pack(token, bytes(8)), TOKEN_DOMAIN),
    ):
        with pytest.raises(InputError, match="not ordered"):
            Ordered("enrol", said).sign(issuer, data, domain)
    once = Ordered("enrol", ordered)
    once.sign(issuer, b"record", RECORD_DOMAIN)
    with pytest.raises(InputError, match="not ordered"):
        once.sign(issuer, b"another record", RECORD_DOMAIN)


def test_a_socket_s_long_path_is_named_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.service.wire import short

    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert short(deep / "operator.sock") == "operator.sock"
    assert not Remote.listening(deep)
