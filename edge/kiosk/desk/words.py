"""What the operator's pages are handed once: their words in every language, and what the settings say of them.

page_of_desk(settings)["words"]["fr"]["desk.home.title"]
"""

from __future__ import annotations

from typing import Any

from edge.messages import LANGUAGES, text
from edge.settings.model import KioskSettings, Settings
from edge.types import Advice, Outcome, Reason

#: Every message of the pages, by name.
NAMES = (
    "desk.sign_in.title",
    "desk.sign_in.text",
    "desk.sign_in.wrong",
    "desk.sign_in.wait",
    "desk.sign_in.taken",
    "desk.sign_in.button",
    "desk.token",
    "desk.digit.delete",
    "desk.keys",
    "desk.keys.shift",
    "desk.keys.signs",
    "desk.keys.letters",
    "desk.keys.space",
    "desk.button.back",
    "desk.button.leave",
    "desk.button.sign_out",
    "desk.button.cancel",
    "desk.button.next",
    "desk.button.done",
    "desk.button.stay",
    "desk.idle.title",
    "desk.idle.text",
    "desk.home.title",
    "desk.wait.title",
    "desk.failed.title",
    "desk.failed.card",
    "desk.done.title",
    "desk.tile.enrol",
    "desk.tile.enrol.text",
    "desk.tile.card",
    "desk.tile.card.text",
    "desk.tile.decisions",
    "desk.tile.decisions.text",
    "desk.tile.health",
    "desk.tile.health.text",
    "desk.tile.selftest",
    "desk.tile.selftest.text",
    "desk.tile.view",
    "desk.tile.view.text",
    "desk.unlock.title",
    "desk.unlock.text",
    "desk.unlock.label",
    "desk.unlock.button",
    "desk.unlock.wrong",
    "desk.unlock.none",
    "desk.form.title",
    "desk.form.language",
    "desk.form.opt_out",
    "desk.consent.title",
    "desk.consent.who",
    "desk.consent.withdrawal",
    "desk.consent.agree",
    "desk.consent.refuse",
    "desk.refused.title",
    "desk.refused.text",
    "desk.hand.title",
    "desk.hand.text",
    "desk.hand.print",
    "desk.hand.yes",
    "desk.hand.no",
    "desk.made.title",
    "desk.serial",
    "desk.until",
    "desk.status",
    "desk.present.title",
    "desk.present.read",
    "desk.present.typed",
    "desk.present.use",
    "desk.hold.title",
    "desk.hold.other",
    "desk.act.reissue",
    "desk.act.reissue.text",
    "desk.act.renew",
    "desk.act.renew.text",
    "desk.act.reference",
    "desk.act.reference.text",
    "desk.act.reset",
    "desk.act.reset.text",
    "desk.act.revoke",
    "desk.act.revoke.text",
    "desk.act.erase",
    "desk.act.erase.text",
    "desk.sure",
    "desk.decisions.none",
    "desk.decisions.take",
    "desk.health.build",
    "desk.health.signed",
    "desk.health.unsigned",
    "desk.health.camera",
    "desk.health.door",
    "desk.health.readers",
    "desk.health.cards",
    "desk.health.clock",
    "desk.health.unconfirmed",
    "desk.health.entries",
    "desk.health.paused",
    "desk.health.confirm",
    "desk.health.reset_door",
    "desk.selftest.fit",
    "desk.selftest.unfit",
    "desk.selftest.again",
    "desk.view.focus",
    "desk.view.light",
    "desk.view.distance",
    "desk.view.good",
    "desk.view.soft",
    "desk.view.dark",
    "desk.view.bright",
    "desk.view.nobody",
    "desk.view.near",
    "desk.view.far",
    "desk.view.stopped",
    "desk.view.again",
    "desk.view.paths",
    "desk.view.none",
    "desk.view.used",
    "desk.view.write",
)
#: Of the person's page, and of `edge enrol`.
_SHARED = (
    "kiosk.enrol.title",
    "kiosk.look.fine",
    "kiosk.button.language",
    "kiosk.button.close",
    "kiosk.other.title",
    "ask.subject",
    "ask.withdrawal",
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
        "words": {tag: _words(tag) for tag in LANGUAGES},
    }


def _words(language: str) -> dict[str, str]:
    names = [*NAMES, *_SHARED, *(f"advice.{item.value}" for item in Advice)]
    names += [*(f"reason.{item.value}" for item in Reason), *(f"outcome.{item.value}" for item in Outcome)]
    names += [f"status.{name}" for name in ("active", "revoked", "replaced", "erased")]
    return {name: text(name, language) for name in names}
