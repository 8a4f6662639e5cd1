"""Everything that a device keeps about the person whose card is presented, in their own language.

    report = about(device, claim)
    document(report, "fr").as_html()

Whoever holds the card may read it, since it tells nothing that the card does not open anyway: no name is kept, and the
template's bytes are never in it. In card custody the device keeps next to nothing, and the report says that, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.journal import Entry
from edge.service.device import Device
from edge.service.rights.document import Document, Fact, Item, Line, Section
from edge.service.rights.phrases import NAMES, day, language_of, moment, say
from edge.state import Standing
from edge.types import Claim, Custody
from edge.types.acts import Reported
from edge.vault import Due, Header, Holder, Rule

SCHEMA = "edge/subject-report/v1"


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept about the holder of a card.

    Attributes:
        device: its name. at: Unix seconds. claim: the card, as checked by signature and site.
        template: header and size in bytes of the sealed template, on the card or here; None: there is none any more.
        row: about the card on this device, None when it was enrolled elsewhere. due: when that goes.
        counters: of failed attempts. entries: of the journal, that name the card. journal_days: how long those stay.
        alternative: the way in without one's face.
    """

    device: str
    at: int
    claim: Claim
    template: tuple[Header, int] | None
    row: Holder | None
    due: Due | None
    counters: Standing
    entries: tuple[Entry, ...]
    journal_days: int
    alternative: str

    @property
    def language(self) -> str:
        """The language of the person: of their consent receipt, else English."""
        return language_of(self.row.language if self.row is not None else "")

    @property
    def here(self) -> bool:
        """Whether the sealed template is on this device."""
        return self.claim.custody is Custody.DEVICE and self.template is not None

    def as_json(self) -> dict[str, Any]:
        """The answer of ``edge subject report --json``."""
        return {
            "schema": SCHEMA,
            "device": self.device,
            "at": self.at,
            "card": _card(self.claim),
            "template": self._template_json(),
            "row": None if self.row is None else _row(self.row),
            "deleted": None if self.due is None else {"at": self.due.at, "by": self.due.rule, "what": self.due.what},
            "counters": {
                "rejects_in_a_row": self.counters.rejects,
                "without_decision_in_a_row": self.counters.silent,
                "wait_s": round(self.counters.wait_s),
                "disabled": self.counters.disabled,
                "counted_by_the_door": self.counters.marked,
            },
            "journal": [{"at": e.at, "kind": e.kind, "fields": dict(e.fields)} for e in self.entries],
            "journal_days": self.journal_days,
            "alternative": self.alternative,
            "error": None,
        }

    def _template_json(self) -> dict[str, Any] | None:
        if self.template is None:
            return None
        header, size = self.template
        return {
            "where": "device" if self.here else "card",
            "numbers": header.dimension,
            "sealed_bytes": size,
            "made": header.made,
            "embedder": header.model.hex(),
        }


def about(device: Device, claim: Claim) -> Report:
    """Gather what this device keeps about the holder of a card; the journal notes that it was shown.

    Args:
        claim: a token of this site, checked by signature; it may have expired.

    Raises:
        VaultError, StateError, JournalBroken: something cannot be read.
    """
    row = device.vault.store.holder(claim.serial)
    entries = tuple(device.ledger.about(claim.serial))
    report = Report(
        device.settings.device.name,
        device.clock.now().utc_s,
        claim,
        device.vault.size(claim),
        row,
        None if row is None else device.vault.last_moment(row),
        device.limits.standing(claim.serial),
        entries,
        device.retention.journal_days,
        device.settings.alternative or "",
    )
    device.tell(Reported(at_ns=device.now_ns(), serial=claim.serial))
    return report


def document(report: Report, language: str) -> Document:
    """The report for a person.

    Args:
        language: one of `edge.service.rights.phrases.LANGUAGES`.
    """
    sections = (
        ("", _opening(report, language)),
        ("card", _about_card(report, language)),
        ("template", _about_template(report, language)),
        ("consent", _about_consent(report, language)),
        ("counters", _about_counters(report, language)),
        ("journal", _about_journal(report, language)),
        ("not_kept", (Item(say(f"not_kept.{k}", language)) for k in ("pictures", "scores", "name", "others"))),
        ("rights", _about_rights(report, language)),
    )
    return Document(
        say("report.title", language),
        language,
        tuple(Section(say(f"report.{name}", language) if name else "", tuple(lines)) for name, lines in sections),
    )


def _opening(report: Report, language: str) -> Iterator[Line]:
    yield say("report.opening", language)
    yield Fact(say("device", language), report.device)
    yield Fact(say("when", language), moment(report.at))
    if report.row is not None and report.row.language and language_of(report.row.language) != language:
        yield say("report.other_language", language, name=NAMES[language_of(report.row.language)])


def _about_card(report: Report, language: str) -> Iterator[Line]:
    claim = report.claim
    yield Fact(say("serial", language), claim.serial_text)
    yield Fact(say("card.valid", language), f"{day(claim.not_before)} – {moment(claim.expires)}")
    yield Fact(say("card.groups", language), ", ".join(claim.groups))
    yield Fact(say("card.credential", language), str(claim.credential))
    yield Fact(say("card.issuer", language), claim.issuer.hex())
    if report.row is not None:
        yield Fact(say("card.status", language), say(f"status.{report.row.status.value}", language))
    yield say("card.secret", language)


def _about_template(report: Report, language: str) -> Iterator[Line]:
    if report.template is None:
        yield say("template.none", language)
        return
    header, size = report.template
    yield say("template.here" if report.here else "template.on_card", language, count=str(header.dimension))
    yield Fact(say("template.made", language), moment(header.made))
    yield Fact(say("template.size", language), say("template.bytes", language, size=str(size)))
    yield Fact(say("template.model", language), header.model.hex()[:16])
    yield say("template.what", language)


def _about_consent(report: Report, language: str) -> Iterator[Line]:
    consent = {} if report.row is None else report.row.consent
    if not consent:
        yield say("consent.none", language)
        return
    yield Fact(say("consent.given", language), moment(int(consent.get("given", 0))))
    yield Fact(say("consent.text", language), f"{consent.get('text_version', '')} ({consent.get('language', '')})")
    if "until" in consent:
        yield Fact(say("consent.until", language), moment(int(consent["until"])))
    yield Fact(
        say("consent.recorded", language), f"{consent.get('operator', '')}, {moment(consent.get('recorded', 0))}"
    )
    yield Fact(say("consent.withdrawal", language), str(consent.get("withdrawal", "")))
    yield say("consent.name", language)
    if report.due is not None:
        by = "rule.retention" if report.due.rule is Rule.RETENTION else "rule.card"
        yield say("consent.deleted", language, day=moment(report.due.at), rule=say(by, language))


def _about_counters(report: Report, language: str) -> Iterator[Line]:
    counters = report.counters
    if counters.nothing:
        yield say("counters.none", language)
        return
    yield say("counters.what", language)
    yield Fact(say("counters.rejects", language), str(counters.rejects))
    yield Fact(say("counters.silent", language), str(counters.silent))
    yield Fact(say("counters.wait", language), f"{round(counters.wait_s)} s")
    yield Fact(say("counters.marked", language), say("yes" if counters.marked else "no", language))
    if counters.disabled:
        yield say("counters.disabled", language)


def _about_journal(report: Report, language: str) -> Iterator[Line]:
    if not report.entries:
        yield say("journal.none", language)
        return
    yield say("journal.what", language, days=str(report.journal_days))
    for entry in report.entries:
        yield Fact(moment(entry.at), _entry(entry.kind, entry.fields, language))


def _entry(kind: str, fields: Mapping[str, Any], language: str) -> str:
    if kind == "decision":
        outcome, reason = fields.get("outcome", ""), fields.get("reason", "")
        return f"{say(f'outcome.{outcome}', language)} – {say(f'reason.{reason}', language)}"
    text = say(f"kind.{kind}", language)
    return f"{text} ({fields['operator']})" if "operator" in fields else text


def _about_rights(report: Report, language: str) -> Iterator[Line]:
    withdrawal = "" if report.row is None else str(report.row.consent.get("withdrawal", ""))
    yield Item(
        say("rights.withdraw", language, where=withdrawal) if withdrawal else say("rights.withdraw_desk", language)
    )
    yield Item(say("rights.erase", language))
    yield Item(say("rights.alternative", language, alternative=report.alternative))
    yield Item(say("rights.complain", language))
    if report.claim.custody is Custody.CARD:
        yield Item(say("rights.other_doors", language))


def _card(claim: Claim) -> dict[str, Any]:
    return {
        "serial": claim.serial_text,
        "custody": claim.custody.value,
        "groups": list(claim.groups),
        "credential": claim.credential,
        "not_before": claim.not_before,
        "expires": claim.expires,
        "issuer": claim.issuer.hex(),
    }


def _row(row: Holder) -> dict[str, Any]:
    return {
        "status": row.status.value,
        "enrolled": row.enrolled,
        "changed": row.changed,
        "consent": row.consent or None,
        "hash_of_name": row.subject is not None,
    }
