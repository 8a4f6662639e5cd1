"""What the operator's pages are handed once: their words in every language, and what the settings say of them.

page_of_desk(settings)["words"]["fr"]["desk.home.title"]
"""

from __future__ import annotations

from typing import Any

from edge.messages import LANGUAGES, named
from edge.settings.model import KioskSettings, Settings

#: Messages of the pages by their first word, and those of the person's page and of `edge enrol` that they share.
_NAMES = (
    *("desk.", "advice.", "reason.", "outcome.", "status."),
    *("kiosk.enrol.title", "kiosk.look.fine", "kiosk.button.language", "kiosk.button.close", "kiosk.other.title"),
    *("kiosk.idle.pin", "ask.subject", "ask.withdrawal"),
)


def page_of_desk(settings: Settings) -> dict[str, Any]:
    """Words and settings of the operator's pages.

    Args:
        settings: of the device; `kiosk` may be None, for its defaults.
    """
    kiosk = settings.kiosk or KioskSettings()
    return {
        "language": kiosk.language,
        "languages": {tag: LANGUAGES[tag] for tag in kiosk.languages},
        "all_languages": dict(LANGUAGES),
        "house": kiosk.house,
        "door": f"http://127.0.0.1:{kiosk.port}/",
        "device": settings.device.name,
        "alternative": settings.alternative or "",
        "pin_alone": settings.claim.pin == "alone",
        "words": {tag: named(_NAMES, tag) for tag in LANGUAGES},
    }
