"""From a build file to a verdict: what is known of a build, and what the packs say of it.

    verdict = judge(build, packs, on, card=card, reviews=reviews(build, trust_dir))
    refusals(build, verdict)          # findings that the build hook refuses for
    statement_parts(build, verdict, packs)    # what the build statement says: declared, never verified

A build without a deployment says nothing of where it will stand, so every rule that needs a declaration blocks; it may
still be built, since only the findings that no declaration could take away count then, and it drives only the log door.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from edge.build.buildfile import BuildFile
from edge.errors import SignatureError
from edge.policy.deployment import Deployment
from edge.policy.evaluate import Verdict, evaluate
from edge.policy.facts import FACTS, Facts
from edge.policy.findings import Finding
from edge.policy.rules import Pack
from edge.settings.problems import shown

REVIEW_SCHEMA = "edge/review/v1"
DECLARED, UNDECLARED = "declared", "undeclared"
_MAX_REVIEW_BYTES = 100_000  # a signed review has less than 1 kB


def judge(
    build: BuildFile,
    packs: Iterable[Pack],
    on: date,
    *,
    card: Mapping[str, Any] | None,
    reviews: Mapping[str, Mapping[str, Any] | str],
    in_grace: bool = False,
) -> Verdict:
    """What the packs say of a build on a day.

    Args:
        card: the embedder's card as read, None when there is none. reviews: see `reviews`.
        in_grace: as `edge.policy.conditions.Facts`.
    """
    deployment = build.deployment
    values = {**of_build(build.profile, build.capabilities), **of_card(card)}
    if deployment is not None:
        values |= deployment.facts
    facts = Facts(values, deployment.records if deployment else (), reviews, in_grace)
    return evaluate(facts, packs, on, taken_on=build.policy_packs, where=build.where)


def of_build(profile: str, capabilities: Mapping[str, bool]) -> dict[str, Any]:
    """The facts that the build itself states."""
    stated = {f"build.{name}": value for name, value in capabilities.items() if f"build.{name}" in FACTS}
    return {"build.profile": profile, **stated}


def of_card(card: Mapping[str, Any] | None) -> dict[str, Any]:
    """The facts that an embedder's card states: how many groups it reports, and how far they lie apart.

    The ratio of the largest false match rate to the geometric mean is computed from the rates; a larger one that the
    card claims counts. Groups without a rate ("too few") are not counted.
    """
    section = (card or {}).get("calibration")
    groups = section.get("groups") if isinstance(section, Mapping) else None
    rates = _rates(groups)
    if not rates:
        return {}
    ratio = max(rates) / math.exp(sum(map(math.log, rates)) / len(rates))
    worst = section.get("worst_group") if isinstance(section, Mapping) else None
    for place in (groups, worst):
        claimed = place.get("max_to_geometric_mean") if isinstance(place, Mapping) else None
        if isinstance(claimed, (int, float)):
            ratio = max(ratio, float(claimed))
    return {"model.groups": len(rates), "model.differential": round(ratio, 3)}


def _rates(groups: Any) -> list[float]:
    """False match rates above 0 of a card's groups: rows with name and fmr, or a mapping fmr: {name: rate}."""
    if isinstance(groups, Mapping):
        by_name = groups.get("fmr")
        values = list(by_name.values()) if isinstance(by_name, Mapping) else []
    elif isinstance(groups, list):
        values = [row.get("fmr") for row in groups if isinstance(row, Mapping)]
    else:
        values = []
    return [float(value) for value in values if isinstance(value, (int, float)) and 0 < value <= 1]


def review_of(deployment: Deployment, reviewer: str, day: date, until: date) -> dict[str, Any]:
    """What a reviewer signs: this operator, purpose, use case and scale, and no other, until a day."""
    facts = deployment.facts
    return {
        "schema": REVIEW_SCHEMA,
        "operator": facts.get("operator.name"),
        "purpose": sorted(facts.get("purpose", ())),
        "use_case": facts.get("use_case"),
        "devices": facts.get("scale.devices"),
        "people": facts.get("scale.people"),
        "reviewer": reviewer,
        "date": day.isoformat(),
        "expires": until.isoformat(),
    }


def reviews(build: BuildFile, trust_dir: Path) -> dict[str, Mapping[str, Any] | str]:
    """What trusted reviewers have signed, by the file that a record names; a text says why one is not valid.

    Args:
        trust_dir: holds ``reviewers/*.pem``; see `edge.trust.envelopes`.
    """
    records = build.deployment.records if build.deployment else ()
    return {
        record["file"]: _review(build.path.parent / record["file"], trust_dir) for record in records if "file" in record
    }


def _review(file: Path, trust_dir: Path) -> Mapping[str, Any] | str:
    try:
        with file.open("rb") as stream:
            envelope = stream.read(_MAX_REVIEW_BYTES + 1)
    except OSError as error:
        return f"names a file that cannot be read ({error.strerror})"
    if len(envelope) > _MAX_REVIEW_BYTES:
        return "names a file that is too large for a review"
    try:
        from edge.trust.envelopes import REVIEW, trusted, verify

        payload = json.loads(verify(envelope, REVIEW, trusted(trust_dir, "reviewer")).payload)
    except ModuleNotFoundError as error:
        return f"cannot be verified here: install {error.name}, or build with --no-build-isolation"
    except SignatureError as error:
        return f"is not valid: {error.what}"
    except ValueError:
        return "holds no review"
    return payload if _is_review(payload) else "holds no review of the form edge/review/v1"


def _is_review(payload: Any) -> bool:
    if not isinstance(payload, dict) or payload.get("schema") != REVIEW_SCHEMA:
        return False
    texts = all(isinstance(payload.get(key), str) for key in ("operator", "use_case", "date", "expires", "reviewer"))
    numbers = all(type(payload.get(key)) is int for key in ("devices", "people"))
    return texts and numbers and isinstance(payload.get("purpose"), list)


def unknown_packs(build: BuildFile, packs: Iterable[Pack]) -> list[Finding]:
    """Findings about packs that the build names and that do not exist."""
    known = [pack.id for pack in packs]
    found = []
    for number, name in enumerate(build.policy_packs):
        if name not in known:
            text = f"policy_packs: there is no pack {shown(name)}"
            found.append(
                Finding(build.where_key(("policy_packs", number)), "policy-pack", text, f"known: {', '.join(known)}")
            )
    return found


def refusals(build: BuildFile, verdict: Verdict) -> tuple[Finding, ...]:
    """The findings for which this build may not be made at all."""
    return verdict.findings if build.deployment is not None else verdict.certain


def statement_parts(build: BuildFile, verdict: Verdict, packs: Iterable[Pack]) -> dict[str, Any]:
    """What the build statement says of it, as ``deployment`` and ``policy``; the same build and day, the same words."""
    applying = [entry.rule for entry in verdict.explained if entry.applies]
    policy = {
        "standing": DECLARED if build.deployment is not None else UNDECLARED,
        "on": verdict.on.isoformat(),
        "packs": sorted(pack.id for pack in packs),
        "taken_on": sorted(build.policy_packs),
        "rules": sorted(rule.name for rule in applying),
        "unconfirmed": sorted(rule.name for rule in applying if not rule.confirmed),
        "limits": {fact: {"at_least": limit.least, "at_most": limit.most} for fact, limit in verdict.limits.items()},
    }
    return {"deployment": _plain(build.deployment), "policy": policy}


def _plain(deployment: Deployment | None) -> dict[str, Any]:
    if deployment is None:
        return {}
    facts = {fact: list(value) if isinstance(value, tuple) else value for fact, value in deployment.facts.items()}
    records = {"records": [dict(record) for record in deployment.records]} if deployment.records else {}
    return dict(sorted(facts.items())) | records
