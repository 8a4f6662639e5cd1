"""A device held against what its build declares: a rule that was passed by a wrong fact was not passed.

    need_as_declared(settings, build.statement, people=3, consent=receipt)     # PolicyStops, or nothing
    need_export(build.statement)                                               # before the journal leaves the device

`HELD` says of every fact that can be declared what this device does about it. Retention and the days of the access log
are kept to wherever something is kept (`edge.service.housekeeping`); rules and records are judged every day
(`edge.service.policy`). What a device cannot know (who runs it, where it stands) stays the deployer's signed word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge.errors import PolicyStops
from edge.settings import Settings
from edge.vault import ConsentReceipt

CHECKED, KEPT, BUILT, WORD = (
    "checked against the settings, the consent or the act",
    "kept to: the strictest of settings, declaration and rules counts",
    "so by construction, whatever is declared",
    "not to be known by a device: the deployer's signed word",
)
#: Every fact that can be declared -> what a device does about it.
HELD: Mapping[str, str] = {
    **dict.fromkeys(("operator.type", "operator.name", "operator.country", "operator.contact"), WORD),
    **dict.fromkeys(("jurisdictions", "premises.kind", "premises.public_accommodation", "use_case"), WORD),
    **dict.fromkeys(("scale.devices", "destroy_when_purpose_ends", "records"), WORD),
    **dict.fromkeys(("safeguards.notice", "safeguards.retention", "safeguards.redress"), WORD),
    **dict.fromkeys(("unattended", "purpose", "custody", "exports", "scale.people"), CHECKED),
    **dict.fromkeys(("enrolment.act", "enrolment.source", "enrolment.minors", "safeguards.alternative"), CHECKED),
    **dict.fromkeys(("retention_days", "access_log_days"), KEPT),
    # nobody is compared with anything but their card, nobody without one is looked at, nobody is enrolled without a
    # receipt of their consent
    **dict.fromkeys(("own_claim", "unclaimed_faces", "safeguards.bystanders", "safeguards.consent"), BUILT),
}
#: Readers, and the page, that a build holds only where it declares so.
_LISTENERS = {"keyboard": "keyboard_reader", "serial": "serial_reader"}


def need_as_declared(
    settings: Settings,
    statement: Mapping[str, Any],
    *,
    people: int | None = None,
    consent: ConsentReceipt | None = None,
) -> None:
    """Return when the device is what its build declares, as far as a device can know.

    Args:
        settings: of the device. statement: of the build (`edge.profile.BuildInfo.statement`).
        people: cards that would count here; None: not asked. consent: of the person who would be enrolled.

    Raises:
        PolicyStops: it is not, so that rules were passed by a wrong fact. The first that differs is named.
    """
    for where, what, remedy in _differences(settings, statement, people, consent):
        raise PolicyStops(what, where=where, remedy=remedy)


def need_export(statement: Mapping[str, Any]) -> None:
    """Return when the journal may leave the device.

    Raises:
        PolicyStops: a deployment is declared, and its exports do not name the access log.
    """
    facts = _facts(statement)
    if facts and "access-log" not in facts.get("exports", ()):
        raise PolicyStops(
            "the build declares that no access log leaves this device",
            where="exports",
            remedy="read it here (`edge journal show`), or make a build that declares exports: [access-log]",
        )


def _facts(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """Dotted name -> value, as the build hook writes them; empty where no deployment is declared."""
    found = statement.get("deployment")
    return found if isinstance(found, Mapping) else {}


def _differences(
    settings: Settings, statement: Mapping[str, Any], people: int | None, consent: ConsentReceipt | None
) -> Iterator[tuple[str, str, str]]:
    """Where, what and remedy of each fact that is not so."""
    facts = _facts(statement)
    custody, source = facts.get("custody", settings.vault.custody), facts.get("enrolment.source", "live")
    again = "make a build that declares it as it is"
    if custody != settings.vault.custody:
        what = f"the settings keep templates on the {settings.vault.custody}, and the build declares {custody} custody"
        yield "vault.custody", what, f"write custody: {custody}, or {again}"
    if facts.get("unattended") is True and settings.challenge == "off":
        what = "the build declares doors that nobody watches, and the settings ask for no challenge"
        yield "liveness.active", what, "name in door.shows what shows a challenge, and write active: always"
    if facts.get("unattended") is False and settings.door.unattended:
        what = "the settings say that nobody watches this door, and the build declares doors that are watched"
        yield "door.unattended", what, again
    if "purpose" in facts and "access-control" not in facts["purpose"] and settings.door.driver != "log":
        what = f"a {settings.door.driver} opens a door, and the build declares {', '.join(facts['purpose'])} only"
        yield "door.driver", what, f"write driver: log, or {again}"
    if facts and (source == "live") == (settings.camera.driver == "replay"):
        what = f"people would be enrolled from camera.driver: {settings.camera.driver}, and the build declares {source}"
        yield "camera.driver", what, f"name the camera that people stand before, or {again}"
    if facts.get("safeguards.alternative") and not settings.alternative:
        what = "the build declares a way in without one's face, and the settings name none"
        yield "alternative", what, "write `alternative:` as the build declares it"
    most = facts.get("scale.people")
    if people is not None and isinstance(most, int) and people > most:
        what = f"{people} cards would count here, and the build declares {most} people"
        yield "scale.people", what, f"revoke or erase the cards of people who have left, or {again}"
    if consent is not None and consent.guardian:
        if facts.get("enrolment.minors") is False:
            what = "a guardian agrees for this person, and the build declares that nobody under 18 is enrolled"
            yield "enrolment.minors", what, again
        if facts.get("enrolment.act") == "own":
            what = "a guardian agrees for this person, and the build declares that people enrol themselves"
            yield "enrolment.act", what, again
    yield from _listeners(settings, statement.get("capabilities"))


def _listeners(settings: Settings, capabilities: object) -> Iterator[tuple[str, str, str]]:
    """What would listen here though the build declares that nothing does."""
    if not isinstance(capabilities, Mapping):
        return
    wanted = [
        (f"claim.readers: {name}", needed) for name, needed in _LISTENERS.items() if name in settings.claim.readers
    ]
    if settings.claim.pin == "alone":
        wanted.append(("claim.pin: alone", "pin_alone"))
    if settings.kiosk is not None:
        wanted.append(("kiosk", "local_page"))
    for where, needed in wanted:
        if capabilities.get(needed) is not True:
            yield (
                where,
                f"the settings want it, and the build declares {needed}: false",
                f"take it out, or build with {needed}: true",
            )
