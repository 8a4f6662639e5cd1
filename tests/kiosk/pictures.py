"""The kiosk's main screens as one picture: ``python -m tests.kiosk.pictures deploy/kiosk/screens.png``."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.kiosk import Kiosk, Screen, page_of
from tests.kiosk.conftest import FLAGS, serving, settings, show

#: Rows of (screen, language, the sheet that is open on it).
ROWS = (
    ("idle", "en", ""), ("look", "fr", ""), ("challenge", "de", ""), ("welcome", "es", ""),
    ("not_verified", "en", ""), ("wait", "ar", ""), ("other", "en", ""), ("idle", "en", "#other"),
)  # fmt: skip
ACROSS, SIZE, GAP = 4, (480, 800), 16


def screens() -> dict[str, Screen]:
    """As in the tests, a few seconds into each."""
    from tests.kiosk.test_page import SCREENS

    now = time.monotonic_ns()
    ages = {"look": 220, "wait": 120, "challenge": 150, "welcome": 2}
    shown = {name: replace(screen, at_ns=now - ages.get(name, 0) * 10**9) for name, screen in SCREENS.items()}
    shown["look"] = replace(shown["look"], deadline_s=600)  # long, so that a busy machine draws the same picture
    shown["challenge"] = replace(shown["challenge"], direction="left")
    return shown


def draw(target: Path) -> None:
    """Write the sheet."""
    from playwright.sync_api import sync_playwright

    wanted = settings()
    assert wanted.kiosk is not None
    tiles = []
    with Kiosk(wanted.kiosk, page_of(wanted)) as kiosk, sync_playwright() as driver:
        serving(kiosk)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
        page.goto(kiosk.url)
        page.wait_for_selector("#tongues li", state="attached")
        for name, language, sheet in ROWS:
            page.evaluate("(tag) => { closeSheets(); speak(tag); }", language)
            show(kiosk, screens()[name])
            page.wait_for_selector(f"html[data-screen={name}]")
            if sheet:
                page.click(sheet)
            page.wait_for_timeout(400)
            tiles.append(cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR))
        browser.close()
    frame = [cv2.copyMakeBorder(tile, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)) for tile in tiles]
    rows = [np.hstack(frame[k : k + ACROSS]) for k in range(0, len(frame), ACROSS)]
    sheet_of_all = cv2.resize(np.vstack(rows)[:-GAP, :-GAP], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target), sheet_of_all, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
