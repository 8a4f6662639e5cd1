"""What the page is handed once: its words in every language, its codes, and what the settings say of it.

page_of(settings)["words"]["fr"]["kiosk.idle.title"]
"""

from __future__ import annotations

from typing import Any

import zxingcpp

from edge.messages import LANGUAGES, named
from edge.settings.model import KioskSettings, Settings

#: Messages of the page by their first word; where a PIN stands for a card, some are others (`_ALONE`).
_NAMES, _ALONE = ("kiosk.", "advice.", "reason.", "desk.kiosk", "desk.digit.delete"), "kiosk.alone."


def page_of(settings: Settings) -> dict[str, Any]:
    """Words, codes and settings of the page.

    Args:
        settings: of the device; `kiosk` may be None, for its defaults.
    """
    kiosk, alone = settings.kiosk or KioskSettings(), settings.claim.pin == "alone"
    words = {tag: _words(tag, settings.journal.days, alone=alone) for tag in kiosk.languages}
    return {
        "language": kiosk.language,
        "languages": {tag: LANGUAGES[tag] for tag in kiosk.languages},
        "house": kiosk.house,
        "camera": kiosk.camera,
        "sounds": kiosk.sounds,
        "preview": kiosk.preview,
        "pin_pad": kiosk.pin_pad,
        "pin_alone": alone,
        "card_in_view": "qr" in settings.claim.readers,
        "alternative": settings.alternative or "",
        "operators": f"http://127.0.0.1:{kiosk.operator_port}/" if kiosk.operator_port is not None else "",
        "words": words,
        "codes": {tag: _code(kiosk.privacy_url or said["kiosk.privacy.text"]) for tag, said in words.items()},
    }


def _words(language: str, days: int, *, alone: bool) -> dict[str, str]:
    said = named(_NAMES, language, days=days)
    others = {name.replace(_ALONE, "kiosk."): words for name, words in said.items() if name.startswith(_ALONE)}
    return said | others if alone else said


def _code(content: str) -> str:
    """A QR code as SVG: the notice's address, or the notice itself, which a telephone shows without any network."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    svg: str = code.to_svg()
    return svg[svg.index("<svg") :]
