"""The page's real process on a free port, and Debian's chromium, headless."""

from __future__ import annotations

import http.client
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.kiosk import Kiosk, Screen, page_of
from edge.settings.model import ClaimSettings, KioskSettings, Settings, VaultSettings

ALTERNATIVE = "Please ring at the reception."
#: As tests of this product's browser start it: nothing that it fetches for itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def settings(*, alone: bool = False, **kiosk) -> Settings:
    """Of a page; ``alone``: with a PIN in the place of a card."""
    page = KioskSettings(port=free_port(), house="Hotel Meridian", **kiosk)
    claim = ClaimSettings(pin="with_card" if page.pin_pad else "none")
    if alone:
        claim = ClaimSettings(pin="alone", pin_reason="Surgeons have no pockets.")
    vault = VaultSettings(custody="device" if alone else "card")
    return Settings(alternative=ALTERNATIVE, kiosk=page, claim=claim, vault=vault)


def serving(kiosk: Kiosk) -> Kiosk:
    """Wait until the process answers."""
    host = kiosk.url.removeprefix("http://").rstrip("/")
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            one = http.client.HTTPConnection(host, timeout=60)
            one.request("GET", "/page.json")
            if b'"words"' in one.getresponse().read():
                return kiosk
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the page's process does not answer")


def show(kiosk: Kiosk, screen: Screen) -> None:
    """A screen in the place of the one that events would have drawn."""
    with kiosk._change:
        kiosk._screen = screen
        kiosk._change.notify()


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Kiosk]:
    wanted = settings()
    assert wanted.kiosk is not None
    with Kiosk(wanted.kiosk, page_of(wanted)) as one:
        yield serving(one)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable]:
    """``chromium(width=480, height=800)`` -> a page of a browser that may not leave this machine."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser.new_page
        finally:
            browser.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds on a page as it is: every rule of WCAG 2.2 AA, and what is held to be good practice."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.evaluate(f"() => {{ if (!window.axe) {{ {axe.axe_script} }} }}")  # half a megabyte, read once a page
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("(options) => axe.run(options)", {"runOnly": rules, "resultTypes": ["violations"]})
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
