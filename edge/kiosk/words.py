"""What the page is handed once: its words in every language, its codes, and what the settings say of it.

page_of(settings)["words"]["fr"]["kiosk.idle.title"]
"""

from __future__ import annotations

from typing import Any

import zxingcpp

from edge.messages import LANGUAGES, text
from edge.settings.model import KioskSettings, Settings
from edge.types import Advice, Reason

#: Every message of the page, by name.
NAMES = (
    "kiosk.starting.title",
    "kiosk.starting.text",
    "kiosk.idle.title",
    "kiosk.idle.camera",
    "kiosk.idle.reader",
    "kiosk.idle.pin",
    "kiosk.reading.title",
    "kiosk.reading.text",
    "kiosk.pin.title",
    "kiosk.pin.text",
    "kiosk.pin.pad",
    "kiosk.pin.enter",
    "kiosk.look.title",
    "kiosk.look.text",
    "kiosk.look.fine",
    "kiosk.challenge.left",
    "kiosk.challenge.right",
    "kiosk.challenge.up",
    "kiosk.challenge.down",
    "kiosk.challenge.ahead",
    "kiosk.challenge.done",
    "kiosk.challenge.text",
    "kiosk.flash.title",
    "kiosk.flash.text",
    "kiosk.welcome.title",
    "kiosk.welcome.text",
    "kiosk.not_verified.title",
    "kiosk.not_verified.text",
    "kiosk.again.title",
    "kiosk.again.text",
    "kiosk.refused.title",
    "kiosk.wait.title",
    "kiosk.wait.text",
    "kiosk.fault.title",
    "kiosk.fault.text",
    "kiosk.enrol.title",
    "kiosk.enrolled.title",
    "kiosk.enrolled.text",
    "kiosk.button.other",
    "kiosk.button.privacy",
    "kiosk.button.close",
    "kiosk.button.language",
    "kiosk.button.sound",
    "kiosk.other.title",
    "kiosk.privacy.title",
    "kiosk.privacy.scan",
    "desk.kiosk",
    "desk.digit.delete",
)


def page_of(settings: Settings) -> dict[str, Any]:
    """Words, codes and settings of the page.

    Args:
        settings: of the device; `kiosk` may be None, for its defaults.
    """
    kiosk = settings.kiosk or KioskSettings()
    notices = {tag: text("kiosk.privacy.text", tag, days=settings.journal.days) for tag in kiosk.languages}
    return {
        "language": kiosk.language,
        "languages": {tag: LANGUAGES[tag] for tag in kiosk.languages},
        "house": kiosk.house,
        "camera": kiosk.camera,
        "sounds": kiosk.sounds,
        "preview": kiosk.preview,
        "pin_pad": kiosk.pin_pad,
        "pin_alone": settings.claim.pin == "alone",
        "card_in_view": "qr" in settings.claim.readers,
        "alternative": settings.alternative or "",
        "operators": f"http://127.0.0.1:{kiosk.operator_port}/" if kiosk.operator_port is not None else "",
        "words": {tag: {**_words(tag), "kiosk.privacy.text": notices[tag]} for tag in kiosk.languages},
        "codes": {tag: _code(kiosk.privacy_url or notice) for tag, notice in notices.items()},
    }


def _words(language: str) -> dict[str, str]:
    names = [*NAMES, *(f"advice.{item.value}" for item in Advice), *(f"reason.{item.value}" for item in Reason)]
    return {name: text(name, language) for name in names}


def _code(content: str) -> str:
    """A QR code as SVG: the notice's address, or the notice itself, which a telephone shows without any network."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    svg: str = code.to_svg()
    return svg[svg.index("<svg") :]
