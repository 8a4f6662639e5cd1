"""A whole claim on the page: `edge demo --kiosk` as a person would see it, on people who do not exist."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from edge.messages import text
from tests.kiosk.conftest import free_port

pytestmark = [pytest.mark.kiosk, pytest.mark.timeout(600)]


@pytest.fixture
def demo():
    """The address of a running ``edge demo --kiosk``."""
    command = [sys.executable, "-m", "edge", "demo", "--kiosk", "--port", str(free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
    address = next(line.strip() for line in process.stdout if line.strip().startswith("http"))
    yield address
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def test_from_the_card_to_the_open_door_and_then_somebody_else_with_it(chromium, demo):
    page = chromium(viewport={"width": 480, "height": 800})
    page.goto(demo)
    page.wait_for_selector("html[data-screen=look]", timeout=120_000)
    page.wait_for_function("() => document.getElementById('preview').naturalWidth > 0", timeout=120_000)
    page.wait_for_selector("html[data-screen=welcome]", timeout=120_000)
    assert page.inner_text("#text") == text("kiosk.welcome.text")
    assert page.locator("#preview").is_hidden()
    page.wait_for_selector("html[data-screen=idle]", timeout=120_000)
    page.wait_for_selector("html[data-screen=not_verified]", timeout=120_000)
    page.wait_for_selector("html[data-screen=wait]", timeout=120_000)
    body = page.inner_text("body").casefold()
    assert "hana" not in body
    assert "fara" not in body, "no name is on the page"
    page.close()
