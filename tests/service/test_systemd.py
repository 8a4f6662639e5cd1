"""What a service manager is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from edge.service.systemd import notify, watchdog_s


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears_every_state(tmp_path, monkeypatch, abstract):
    address = f"\0edge-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        assert notify("READY=1", "STATUS=ready")
        assert manager.recv(100) == b"READY=1\nSTATUS=ready"
    assert not notify("WATCHDOG=1"), "nobody listens any more, and nothing fails"


def test_a_manager_that_does_not_read_is_not_waited_for(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert not all(notify("WATCHDOG=1") for _ in range(10_000))


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
def test_without_a_manager_nothing_happens(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [("20000000", None, 10.0), ("20000000", "1", None), (None, None, None), ("0", None, None), ("soon", None, None)],
)
def test_the_watchdog_is_due_twice_in_its_time_and_only_for_this_process(monkeypatch, microseconds, pid, seconds):
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_s() == seconds


PASSED = """
import os, socket, sys
from edge.service.systemd import passed_socket

made = socket.create_server(("127.0.0.1", 0))
if made.fileno() != 3:
    os.dup2(made.fileno(), 3)
made.detach()
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="kiosk", LISTEN_PID=sys.argv[1] or str(os.getpid()))
found = passed_socket("kiosk")
print(passed_socket("other"), found and found.getsockname()[0], found and os.get_inheritable(found.fileno()))
"""


@pytest.mark.parametrize(("pid", "said"), [("", "None 127.0.0.1 False"), ("1", "None None None")])
def test_a_socket_of_the_service_manager_is_taken_only_by_the_process_it_is_for(pid: str, said: str):
    done = subprocess.run([sys.executable, "-c", PASSED, pid], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == said, done.stderr
