"""The operator's main screens as one picture: ``python -m tests.kiosk.desk.pictures deploy/kiosk/operator.png``.

With ``--all FOLDER WIDTHxHEIGHT LANGUAGE`` every screen by itself, to be looked at.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.camera import Pulled
from edge.fictional import FictionalSource, OnePerson
from edge.papers.card import _code
from edge.service.sitting import picture
from edge.service.staff_process import operator_pages
from edge.settings.model import DeviceSettings, KioskSettings, Settings
from tests.kiosk.conftest import ALTERNATIVE, FLAGS, free_port
from tests.kiosk.desk.test_screens import DRAWN
from tests.kiosk.desk.told import TOLD

#: (screen, language).
ROWS = (
    ("sign-in", "en"), ("home", "fr"), ("consent", "en"), ("capture", "de"),
    ("hand", "en"), ("hold", "es"), ("decisions", "ar"), ("view", "en"),
)  # fmt: skip
ACROSS, SIZE, GAP = 4, (480, 800), 16


@contextmanager
def pages(size: tuple[int, int]) -> Iterator[Any]:
    """The pages without a door behind them: they are told what to show."""
    from playwright.sync_api import sync_playwright

    kiosk = KioskSettings(port=free_port(), operator_port=free_port(), house="Hotel Meridian")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        device = DeviceSettings(name="front-door", state_dir=Path(folder), trust_dir=Path(folder))
        settings = Settings(device=device, kiosk=kiosk, alternative=ALTERNATIVE)
        with operator_pages(settings, print) as url:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(
                viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", locale="en-GB"
            )
            page.set_default_timeout(120_000)
            page.route("**/code.svg*", lambda route: route.fulfill(body=code(), content_type="image/svg+xml"))
            page.route("**/view?*", lambda route: route.fulfill(body=seen(), content_type="image/jpeg"))
            page.goto(url)
            page.wait_for_selector("html[data-screen=sign-in]")
            yield page
            browser.close()


def code() -> str:
    """The code of a card of the usual size, of no use anywhere."""
    svg = str(_code("EV1:" + "NO CARD " * 81).to_svg(scale=1, add_quiet_zones=False))
    return svg[svg.index("<svg") :]


def seen() -> bytes:
    """Somebody who does not exist, in front of a fictional camera."""
    with Pulled(FictionalSource((OnePerson("hana", 60.0, walk_up=False),), fps=3.0)) as stream:
        frame = stream.next(stream.now_ns(), 1.0)
        for _ in range(3):
            frame = stream.next(frame.monotonic_ns, 1.0)
    return picture(frame)


def shot(page: Any, name: str, language: str) -> bytes:
    page.evaluate(DRAWN, list(TOLD[name]))
    page.evaluate("(tag) => speak(tag)", language)
    page.wait_for_timeout(500)
    return bytes(page.screenshot())


def draw(target: Path) -> None:
    """Write the sheet."""
    with pages(SIZE) as page:
        tiles = [
            cv2.imdecode(np.frombuffer(shot(page, name, language), np.uint8), cv2.IMREAD_COLOR)
            for name, language in ROWS
        ]
    frame = [cv2.copyMakeBorder(tile, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)) for tile in tiles]
    rows = [np.hstack(frame[k : k + ACROSS]) for k in range(0, len(frame), ACROSS)]
    sheet = cv2.resize(np.vstack(rows)[:-GAP, :-GAP], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    if sys.argv[1] == "--all":
        width, height = map(int, sys.argv[3].split("x"))
        Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
        with pages((width, height)) as page:
            for number, name in enumerate(TOLD):
                (Path(sys.argv[2]) / f"{number:02}-{name}.png").write_bytes(shot(page, name, sys.argv[4]))
    else:
        draw(Path(sys.argv[1]))
