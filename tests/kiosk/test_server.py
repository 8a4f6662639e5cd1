"""The process that serves the page: what it answers, to whom, and that its troubles are nobody else's."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.errors import KioskError
from edge.kiosk import Kiosk, Screen, page_of
from edge.kiosk import kiosk as room
from edge.types.events import Ready
from tests.kiosk.conftest import serving, settings, show

SERVER = Path(room.__file__).with_name("server.py")


def get(kiosk: Kiosk, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    one = http.client.HTTPConnection(kiosk.url.removeprefix("http://").rstrip("/"), timeout=30)
    one.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = one.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


class Stream:
    """A browser that follows the screens."""

    def __init__(self, kiosk: Kiosk) -> None:
        self.socket = socket.create_connection(("127.0.0.1", int(kiosk.url.rstrip("/").rsplit(":")[-1])), timeout=30)
        host = kiosk.url.removeprefix("http://").rstrip("/")
        self.socket.sendall(f"GET /screens HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")

    def next(self) -> dict:
        while not (line := self.file.readline()).startswith(b"data: {"):
            assert line, "the stream has ended"
        return json.loads(line.removeprefix(b"data: "))

    def until(self, name: str) -> dict:
        while (screen := self.next())["name"] != name:
            pass
        return screen


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/icon.svg", "/page.json", "/code/ar.svg"])
def test_every_answer_keeps_the_page_on_this_machine(kiosk, path):
    status, headers, body = get(kiosk, path)
    assert status == 200
    assert body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_nothing_of_the_page_names_another_machine(kiosk):
    for path in ("/", "/page.css", "/page.js"):
        body = get(kiosk, path)[2].decode()
        assert "https://" not in body
        assert "http://" not in body
        assert "style=" not in body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),  # another name for this address (DNS rebinding)
        ({"Host": "127.0.0.1"}, 421),
        ({"Sec_Fetch_Site": "cross-site"}, 421),  # another page of a browser on this machine
        ({"Sec_Fetch_Site": "same-site"}, 421),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_who_asks_by_another_name_or_from_another_page_gets_nothing(kiosk, headers, status):
    assert get(kiosk, "/page.json", **headers)[0] == status


def test_a_link_on_the_operators_page_leads_here_and_may_ask_nothing_else(kiosk):
    walk = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"}
    assert get(kiosk, "/", **walk)[0] == 200
    assert get(kiosk, "/page.json", **walk)[0] == 421
    assert get(kiosk, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_sent_to_it(kiosk, method):
    assert get(kiosk, "/screens", method)[0] == 405


@pytest.mark.parametrize("path", ["/../kiosk.py", "/%2e%2e/kiosk.py", "/code/..%2f.svg", "/code/xx.svg", "/server.py"])
def test_no_other_file_is_given(kiosk, path):
    assert get(kiosk, path)[0] == 404


def test_the_page_is_handed_words_and_nothing_of_the_device(kiosk):
    page = json.loads(get(kiosk, "/page.json")[2])
    assert set(page["words"]) == {"en", "fr", "de", "es", "ar"}
    assert page["alternative"] == "Please ring at the reception."
    assert not {"state_dir", "trust_dir", "codes"} & set(page)


def test_a_browser_that_comes_later_is_told_the_newest_screen_and_how_old_it_is(kiosk):
    show(kiosk, Screen("wait", time.monotonic_ns() - 5_000_000_000, "idle", 60, wait_s=30))
    Stream(kiosk).until("wait")
    assert 5000 <= Stream(kiosk).until("wait")["age_ms"] < 30_000


def test_events_become_screens_on_every_browser(kiosk):
    first, second = Stream(kiosk), Stream(kiosk)
    show(kiosk, Screen("starting"))
    kiosk(Ready(at_ns=time.monotonic_ns()))
    assert first.until("idle")["rest"] == second.until("idle")["rest"] == "idle"


def test_a_browser_that_reads_nothing_delays_no_other_and_no_event(kiosk):
    slow, quick = Stream(kiosk), Stream(kiosk)
    words = tuple("step_closer" for _ in range(2000))  # some 20 kB a screen: more than any socket buffers
    started = time.monotonic()
    for number in range(400):
        show(kiosk, Screen("look", time.monotonic_ns(), "idle", advice=words, done=number))
    assert time.monotonic() - started < 5, "an observer's call sets the newest screen, and returns"
    show(kiosk, Screen("welcome", time.monotonic_ns(), "idle", 60))
    quick.until("welcome")
    slow.socket.close()


def test_too_many_streams_are_refused_and_make_room_again(kiosk):
    streams = []
    until = time.monotonic() + 30
    while get_status(kiosk) != 503 and time.monotonic() < until:
        streams.append(Stream(kiosk))
        streams[-1].next()
    assert 1 <= len(streams) <= 8
    for one in streams:
        one.file.close()
        one.socket.close()
    while get_status(kiosk) == 503 and time.monotonic() < until:
        time.sleep(0.1)
    assert get_status(kiosk) == 200


def get_status(kiosk: Kiosk) -> int:
    """Of a request for the stream, without waiting for its end."""
    one = http.client.HTTPConnection(kiosk.url.removeprefix("http://").rstrip("/"), timeout=30)
    one.request("GET", "/screens")
    answer = one.getresponse()
    one.close()
    answer.close()
    return answer.status


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 4096, b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 200_000, b"\r\n" * 9999, b"{}\n"]
)
def test_garbage_is_dropped_and_the_page_goes_on(kiosk, garbage):
    one = socket.create_connection(("127.0.0.1", int(kiosk.url.rstrip("/").rsplit(":")[-1])), timeout=30)
    with one, contextlib.suppress(OSError):  # it may have hung up before all of it was sent
        one.sendall(garbage)
        one.shutdown(socket.SHUT_WR)
        while one.recv(4096):
            pass
    assert get(kiosk, "/")[0] == 200


def test_a_process_that_is_killed_is_told_once_and_started_anew():
    told = []
    wanted = settings()
    with Kiosk(wanted.kiosk, page_of(wanted), failed=told.append) as kiosk:
        serving(kiosk)
        show(kiosk, Screen("idle", time.monotonic_ns(), "idle"))
        assert Stream(kiosk).until("idle")
        before = kiosk._process.pid
        os.kill(before, signal.SIGKILL)
        until = time.monotonic() + 30
        while (kiosk._process is None or kiosk._process.pid == before) and time.monotonic() < until:
            time.sleep(0.05)
        serving(kiosk)
        assert Stream(kiosk).until("idle"), "the new process is told what is shown"
        assert kiosk._process.pid != before
    assert len(told) == 1
    assert "exit code -9" in told[0].what


def test_it_ends_with_its_device_though_a_browser_is_connected():
    wanted = settings()
    with Kiosk(wanted.kiosk, page_of(wanted)) as kiosk:
        serving(kiosk)
        stream, process = Stream(kiosk), kiosk._process
        stream.next()
    assert process.poll() is not None
    kiosk.close()


def test_a_port_that_is_taken_is_told_with_what_to_do():
    wanted = settings()
    with socket.socket() as other:
        other.bind(("127.0.0.1", wanted.kiosk.port))
        other.listen()
        with pytest.raises(KioskError, match=f"kiosk.port: {wanted.kiosk.port}: .*in use.*choose another port"):
            Kiosk(wanted.kiosk, page_of(wanted))


def test_a_port_that_is_taken_is_tried_again_by_whoever_listens_told_once_and_told_when_it_is_free(monkeypatch):
    monkeypatch.setattr("edge.kiosk.kiosk._AGAIN_S", 0.1)
    monkeypatch.setattr("edge.kiosk.kiosk._LIVED_S", 0.5)
    wanted, told = settings(), []
    with socket.create_server(("127.0.0.1", wanted.kiosk.port)) as other:
        kiosk = Kiosk(wanted.kiosk, page_of(wanted), failed=told.append, recovered=told.append)
        until = time.monotonic() + 30
        while kiosk._falls < 3 and time.monotonic() < until:
            time.sleep(0.05)
        assert [type(one) for one in told] == [KioskError], "once"
        other.close()
        serving(kiosk)
        while len(told) < 2 and time.monotonic() < until + 60:
            time.sleep(0.05)
        kiosk.close()
    assert "choose another port" in told[0].remedy
    assert len(told) == 2
    assert told[1] >= 3, "and how often it had failed"


def test_the_process_holds_nothing_of_the_product():
    code = (
        "import sys, runpy; sys.argv = ['server.py', '-1']\n"
        f"try: runpy.run_path({str(SERVER)!r}, run_name='__main__')\n"
        "except ValueError: pass  # no socket\n"
        "print([name for name in sys.modules if name == 'edge' or name.startswith('edge.')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_socket_that_was_passed_on_is_served_and_one_of_another_port_is_told():
    wanted = settings()
    with Kiosk(wanted.kiosk, page_of(wanted), listener=socket.create_server(("127.0.0.1", wanted.kiosk.port))) as one:
        assert get(serving(one), "/")[0] == 200
    with pytest.raises(KioskError, match=r"listens elsewhere.*ListenStream"):
        Kiosk(wanted.kiosk, page_of(wanted), listener=socket.create_server(("127.0.0.1", 0)))
