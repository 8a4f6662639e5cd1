"""Everything that a device keeps about the person whose card is presented, in their own language.

report(answer, "fr")        # of one object of ``edge/subject-report/v1``

It is for whoever holds the card, since it tells nothing that the card does not open anyway: no name is kept, and the
template's bytes are never in it. In card custody the device keeps next to nothing, and the report says that, too.

The receipt of an erasure: what was done, each point because it was looked up, and what may remain.

receipt(answer, "fr")       # of one object of ``edge/erasure/v1``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.messages import LANGUAGES, language_of, text
from edge.papers.paper import Labelled, Paper, PaperLine, PaperSection, Point, Sentences, day, moment

Say = Callable[..., str]


def report(answer: Mapping[str, Any], language: str) -> Paper:
    """The report for a person.

    Args:
        answer: `edge.service.rights.SubjectReport.as_json`. language: one of `edge.messages.LANGUAGES`.
    """

    def say(name: str, /, **values: object) -> str:
        return text(name, language, **values)

    not_kept = (Point(say(f"not_kept.{what}")) for what in ("pictures", "scores", "name", "others"))
    sections: tuple[tuple[str, Iterator[PaperLine]], ...] = (
        ("", _opening(answer, language, say)),
        ("card", _about_card(answer, say)),
        ("template", _about_template(answer, say)),
        ("consent", _about_consent(answer, say)),
        ("counters", _about_counters(answer["counters"], say)),
        ("journal", _about_journal(answer, say)),
        ("not_kept", not_kept),
        ("rights", _about_rights(answer, say)),
    )
    made = tuple(PaperSection(say(f"report.{name}") if name else "", tuple(lines)) for name, lines in sections)
    return Paper(say("report.title"), language, made)


def consent_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The consent receipt in a report's answer; empty when none is kept."""
    return (answer["row"] or {}).get("consent") or {}


def _opening(answer: Mapping[str, Any], language: str, say: Say) -> Iterator[PaperLine]:
    yield Sentences(say("report.opening"))
    yield Labelled(say("device"), answer["device"])
    yield Labelled(say("when"), moment(answer["at"]))
    theirs = consent_of(answer).get("language")
    if theirs and language_of(theirs) != language:
        yield Sentences(say("report.other_language", name=LANGUAGES[language_of(theirs)]))


def _about_card(answer: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    card, row = answer["card"], answer["row"]
    yield Labelled(say("serial"), card["serial"])
    yield Labelled(say("card.valid"), f"{moment(card['not_before'])[:10]} – {moment(card['expires'])}")
    yield Labelled(say("card.groups"), ", ".join(card["groups"]))
    yield Labelled(say("card.credential"), str(card["credential"]))
    yield Labelled(say("card.issuer"), card["issuer"])
    if row is not None:
        yield Labelled(say("card.status"), say(f"status.{row['status']}"))
    yield Sentences(say("card.secret"))


def _about_template(answer: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    template, row = answer["template"], answer["row"]
    if template is None:
        yield Sentences(say("template.none"))
        return
    refused = row is not None and row["status"] != "active"
    on_card = "template.on_refused_card" if refused else "template.on_card"
    name = "template.here" if template["where"] == "device" else on_card
    yield Sentences(say(name, count=template["numbers"]))
    yield Labelled(say("template.made"), moment(template["made"]))
    yield Labelled(say("template.size"), say("template.bytes", size=template["sealed_bytes"]))
    yield Labelled(say("template.model"), template["embedder"][:16])
    yield Sentences(say("template.what"))


def _about_consent(answer: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    consent, deleted = consent_of(answer), answer["deleted"]
    if not consent:
        yield Sentences(say("consent.none"))
        return
    zone = str(consent.get("zone", "UTC"))
    yield Labelled(say("consent.given"), moment(consent["given"], zone))
    yield Labelled(say("consent.text"), f"{consent['text_version']} ({consent['language']})")
    if "until" in consent:
        yield Labelled(say("consent.until"), moment(consent["until"], zone))
    yield Labelled(say("consent.recorded"), f"{consent['operator']}, {moment(consent['recorded'], zone)}")
    yield Labelled(say("consent.withdrawal"), consent["withdrawal"])
    yield Sentences(say("consent.name"))
    if deleted is not None:
        yield Sentences(say("consent.deleted", day=moment(deleted["at"]), rule=say(f"rule.{deleted['by']}")))


def _about_counters(counters: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    if not any(counters.values()):
        yield Sentences(say("counters.none"))
        return
    yield Sentences(say("counters.what"))
    yield Labelled(say("counters.rejects"), str(counters["rejects_in_a_row"]))
    yield Labelled(say("counters.silent"), str(counters["without_decision_in_a_row"]))
    yield Labelled(say("counters.wait"), f"{counters['wait_s']} s")
    yield Labelled(say("counters.marked"), say("counters.yes" if counters["counted_by_the_door"] else "counters.no"))
    if counters["pin"]:
        yield Sentences(say("counters.pin"))
    if counters["pin_alone"]:
        yield Sentences(say("counters.pin_alone"))
    if counters["disabled"]:
        yield Sentences(say("counters.disabled"))


def _about_journal(answer: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    entries = answer["journal"]
    if not entries:
        yield Sentences(say("journal.none"))
        return
    yield Sentences(say("journal.what", days=answer["journal_days"]))
    for entry in entries:
        yield Labelled(moment(entry["at"]), _entry(entry["kind"], entry["fields"], say))


def _entry(kind: str, fields: Mapping[str, Any], say: Say) -> str:
    if kind == "decision":
        return f"{say('outcome.' + fields['outcome'])} – {say('reason.' + fields['reason'])}"
    said = say(f"kind.{kind}")
    return f"{said} ({fields['operator']})" if "operator" in fields else said


def _about_rights(answer: Mapping[str, Any], say: Say) -> Iterator[PaperLine]:
    withdrawal = consent_of(answer).get("withdrawal")
    yield Point(say("rights.withdraw", where=withdrawal) if withdrawal else say("rights.withdraw_desk"))
    yield Point(say("rights.erase"))
    yield Point(say("rights.alternative", alternative=answer["alternative"]))
    yield Point(say("rights.complain"))
    if answer["card"]["custody"] == "card":
        yield Point(say("rights.other_doors"))


def receipt(answer: Mapping[str, Any], language: str) -> Paper:
    """The receipt for a person.

    Args:
        answer: what an erasure did at one card: `edge.service.rights.ErasureReceipt.as_json`.
        language: one of `edge.messages.LANGUAGES`.
    """
    until, others = answer["refused_until"], answer["other_cards"]
    values = {
        "until": day(until) if until else "",
        "journal_until": day(answer["journal_entries_until"]),
        "entries": answer["journal_entries"],
        "traces": answer["traces_found"] or 0,
        "others": others,
    }

    def points(kind: str, names: list[str]) -> PaperSection:
        lines = tuple(Point(text(f"{kind}.{name}", language, **values)) for name in names)
        return PaperSection(text(f"erasure.{kind}", language), lines)

    opening = PaperSection(
        "",
        (
            Sentences(text("erasure.opening_one" if others else "erasure.opening", language)),
            Labelled(text("serial", language), answer["serial"]),
            Labelled(text("device", language), answer["device"]),
            Labelled(text("when", language), moment(answer["at"])),
            Labelled(text("operator", language), answer["operator"]),
        ),
    )
    sections = (opening, points("done", answer["done"]), points("remains", answer["may_remain"]))
    return Paper(text("erasure.title", language), language, sections)
