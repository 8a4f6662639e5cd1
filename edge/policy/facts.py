"""Every fact that a policy rule may speak about: one table, read by the build file, by the packs and by the reports.

    FACTS["operator.type"].allowed          # ("company", "landlord", "police", ...)
    check(FACTS["retention_days"], "soon")  # 'is not a whole number of 0 or more'

Facts below `build.` and `model.` come from the build and from the embedder's card, and nobody can declare them. All
others are the deployer's own declaration, in ``config/build.yaml`` below `deployment:`; a fact that is not written
there is missing, and a rule that needs it blocks. The vocabulary is closed: a misspelt purpose would otherwise slip by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.policy import places

#: What a fact may be: a word of a list, several of them, free text, a whole number, a number, true or false, places.
KINDS = ("word", "words", "text", "number", "ratio", "flag", "places", "records")

OPERATORS = (
    "company",  # a private company, for its own staff or customers
    "landlord",  # owner or manager of dwellings
    "association",  # a club, cooperative, charity
    "private-person",  # somebody at home
    "hospital",
    "school",
    "airport",  # airport operator or airline
    "public-body",  # an authority of a state or country that is neither of the next three
    "city-department",  # department, bureau or office of a municipality
    "police",
    "law-enforcement",  # any other agency that enforces law: border, customs, prosecution, prisons
)
PREMISES = ("office", "industrial", "residential", "vehicle", "shop", "venue", "airport", "hospital", "school", "home")
PURPOSES = (
    "access-control",  # open a door for the person who has the right
    "account-verification",  # confirm that the person is the owner of the account they claim
    "traveller-verification",  # confirm that a traveller is the holder of the booking they show
    "device-unlock",
    # what follows is known so that it can be named and refused
    "time-keeping",
    "identification",
    "watch-list",
    "marketing",
    "attribute-inference",
    "racial-profiling",
    "mass-surveillance",
)
USE_CASES = (
    "employee",
    "tenant",
    "member",
    "driver",
    "traveller",
    "visitor",
    "patient",
    "pupil",
    "suspect",
    "passer-by",
)
RECORDS = (
    "review",  # a signed review of this deployment (application/vnd.edge.review+json)
    "legal-framework",  # a national law that governs this use
    "exception",  # an exception of a local law, with its section
    "counsel-advice",  # dated written advice of counsel
    "dpia",  # data protection impact assessment (GDPR Art. 35)
    "custody-justification",  # why templates must lie on the device
    "public-policy",  # a published written policy on retention and destruction
    "written-release",  # the text that people sign
    "legal-basis",  # the legal basis of the processing, or the law that demands it
    "works-council",  # agreement or information of staff representatives
)


@dataclass(frozen=True, slots=True)
class PolicyFact:
    """One fact.

    Args:
        path: its dotted name, such as ``scale.people``; below `deployment:` unless it begins with build. or model.
        kind: one of `KINDS`.
        meaning: one sentence for the reference.
        allowed: the words of a word or words fact.
    """

    path: str
    kind: str
    meaning: str
    allowed: tuple[str, ...] = ()

    @property
    def declared(self) -> bool:
        """Whether the deployer states it (and not the build or the model's card)."""
        return not self.path.startswith(("build.", "model."))


_ALL = (
    PolicyFact("operator.type", "word", "What kind of body runs the devices.", OPERATORS),
    PolicyFact("operator.name", "text", "Its name."),
    PolicyFact("operator.country", "places", "Where it is established (ISO 3166-1)."),
    PolicyFact("operator.contact", "text", "Whom people can write to or call."),
    PolicyFact(
        "jurisdictions",
        "places",
        'Where the devices stand, as precisely as possible: ISO 3166-1 and -2 and UN/LOCODE, such as US-CA, "US SFO".',
    ),
    PolicyFact("premises.kind", "word", "What kind of place.", PREMISES),
    PolicyFact(
        "premises.public_accommodation", "flag", "Whether the public is served there (shop, hotel, cinema, hall)."
    ),
    PolicyFact("purpose", "words", "What a decision is used for; all of it.", PURPOSES),
    PolicyFact("use_case", "word", "Who is verified.", USE_CASES),
    PolicyFact(
        "own_claim", "flag", "Whether people are compared with nothing but the account or card that they claim."
    ),
    PolicyFact("scale.devices", "number", "How many devices."),
    PolicyFact("scale.people", "number", "How many people are enrolled."),
    PolicyFact(
        "custody", "word", "Where templates lie: on the person's own card, or sealed on the device.", ("card", "device")
    ),
    PolicyFact("retention_days", "number", "A template is kept at most so many days."),
    PolicyFact(
        "destroy_when_purpose_ends",
        "flag",
        "Whether a template goes as soon as its purpose ends (leaving, moving out).",
    ),
    PolicyFact("access_log_days", "number", "Entries of the access log are kept at most so many days."),
    PolicyFact(
        "exports", "words", "What leaves the device besides decisions.", ("access-log", "time-keeping", "templates")
    ),
    PolicyFact(
        "enrolment.act",
        "word",
        "Who starts an enrolment: the person alone, or somebody for them.",
        ("own", "by-others"),
    ),
    PolicyFact("enrolment.source", "word", "Where the template is made from.", ("live", "document", "photograph")),
    PolicyFact("enrolment.minors", "flag", "Whether people under 18 are enrolled."),
    PolicyFact(
        "unclaimed_faces", "word", "What happens to faces of people who claim nothing.", ("ignored", "processed")
    ),
    PolicyFact(
        "safeguards.consent",
        "word",
        "How people agree.",
        ("explicit-written", "explicit", "implied", "none"),
    ),
    PolicyFact("safeguards.notice", "text", "How and where people are told before they are in view."),
    PolicyFact("safeguards.alternative", "text", "The way in without one's face, at no disadvantage."),
    PolicyFact("safeguards.retention", "text", "Who deletes what, and when."),
    PolicyFact("safeguards.redress", "text", "Whom people can turn to when they were refused or object."),
    PolicyFact("safeguards.bystanders", "text", "How people who pass by are kept out of it."),
    PolicyFact("records", "records", "Documents that exist: kind, name, date, and what the rule asks for."),
    PolicyFact("build.profile", "word", "The profile of the build.", ("device", "lab", "development")),
    PolicyFact("build.one_to_many_search", "flag", "Capability of the build."),
    PolicyFact("build.attribute_inference", "flag", "Capability of the build."),
    PolicyFact("build.image_retention", "flag", "Capability of the build."),
    PolicyFact("model.groups", "number", "Groups of people that the embedder's card reports false match rates for."),
    PolicyFact("model.differential", "ratio", "Largest of those rates over their geometric mean (1: no difference)."),
)

FACTS: Mapping[str, PolicyFact] = {fact.path: fact for fact in _ALL}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a deployment, its build and its model.

    Args:
        values: dotted path -> value; a missing fact is not in it. Lists for words and places.
        records: as `edge.policy.deployment` has checked them.
        signed: what a trusted reviewer has signed, by record file; an absent file was not verified, a text says why.
        in_grace: let records count for the grace that rules name after their end (claims on a device, nothing else).
    """

    values: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...] = ()
    signed: Mapping[str, Mapping[str, Any] | str] = field(default_factory=dict)
    in_grace: bool = False

    def get(self, path: str) -> Any:
        return self.values.get(path)


#: Keys of one record. `kind`, `name` and `date` always; the rest as a rule asks.
RECORD_KEYS = ("kind", "name", "date", "expires", "by", "section", "url", "file")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST = 400


def check(fact: PolicyFact, value: Any) -> str:
    """What is wrong with a declared value, without a full stop; empty when nothing is.

    Lists are accepted for `words` and `places`, single entries too. Records are checked by `edge.policy.deployment`.
    """
    if fact.kind in ("words", "places"):
        entries = value if isinstance(value, list) else [value]
        return next(filter(None, (_one(fact, entry) for entry in entries)), "")
    return _one(fact, value)


def _one(fact: PolicyFact, value: Any) -> str:
    kind = fact.kind
    if kind in ("word", "words"):
        return "" if value in fact.allowed else f"is none of {', '.join(fact.allowed)}"
    if kind == "places":
        return places.problem(value)
    if kind == "text":
        fits = isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST
        return "" if fits else f"is not a text of 1 to {_LONGEST} characters"
    if kind == "number":
        return "" if type(value) is int and value >= 0 else "is not a whole number of 0 or more"
    if kind == "ratio":
        return "" if type(value) in (int, float) and value >= 0 else "is not a number of 0 or more"
    return "" if type(value) is bool else "is not true or false"


def as_date(value: Any) -> date | None:
    """A date written as YYYY-MM-DD, None when it is none. Years outside 1970-2200 are typing errors."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return None
    return parsed if 1970 <= parsed.year <= 2200 else None


def reference() -> Iterator[tuple[str, str, str]]:
    """Every fact: its name, what it may be, what it means; in the order of the table."""
    kinds = {
        "number": "a whole number",
        "ratio": "a number",
        "flag": "true or false",
        "places": 'places such as FR, US-CA, "US SFO"',
        "text": "a text",
        "records": f"a list; kinds: {', '.join(RECORDS)}; keys: {', '.join(RECORD_KEYS)}",
    }
    for fact in _ALL:
        words = ", ".join(fact.allowed)
        yield fact.path, (f"a list of {words}" if fact.kind == "words" else words or kinds[fact.kind]), fact.meaning
