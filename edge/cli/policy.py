"""`edge policy`: what the policy packs say of a deployment, and packs that are signed and added in the field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import PATH, Answer, settings_or_example, shared
from edge.cli._policy import (
    ON,
    pack_json,
    rule_lines,
    summary,
    the_build,
    the_card,
    the_day,
    the_packs,
    the_text,
    verdict_json,
    verdict_lines,
    write_json,
)
from edge.cli._signer import KEY, PASSPHRASE, open_signer

if TYPE_CHECKING:
    from edge.build.added import RefusedPack
    from edge.policy.rules import Pack
    from edge.settings import Settings

REFUSED = 1


@click.group("policy")
def command() -> None:
    """The rules that a build has to pass: companies' positions of 2020 and local law, as data with their sources.

    Packs are engineering aids, not legal advice. Each rule names its source, the day on which that was last read, and
    whether all of it could be read. A build with a deployment that breaks a rule is refused; a device
    evaluates its rules every day, and the result can only tighten.

    \b
    Examples
      edge policy check config/examples/build-office.yaml              every rule: applies or not, and why
      edge policy check mine.yaml --on 2027-06-01                      will it still pass next June?
      edge policy list                                                 all packs; show ID: one of them in full
      edge policy sign portland-34.10.yaml --key keys/packs.key        a pack for devices in the field
      edge policy add portland-34.10.dsse.json                         on the device: verify and install
      edge policy status                                               how this device stands today
    """


@command.command("check")
@click.argument("file", metavar="BUILD.yaml", type=PATH)
@ON
@click.option("--card", type=PATH, help="Card of the embedder (default: the one that comes with the product).")
@click.option("--trust", type=PATH, help="Folder with reviewers/*.pem (default: the settings' trust_dir).")
@shared(settings="file", json=True)
def check(file: Path, on: str | None, card: Path | None, trust: Path | None, config: Path | None) -> Answer:
    """Explain, rule by rule, whether BUILD.yaml may be built.

    Each rule says whether it applies and why, what it has against the deployment and where in the file, what would
    satisfy it, and where it comes from. Exit code 0: it may be built. 1: it is refused. 3: the file is not
    valid.
    """
    from edge.build.judge import judge, refusals, reviews, unknown_packs

    (build, lacking), packs, day = the_build(file), the_packs(), the_day(on)
    trust_dir = trust or settings_or_example(config).device.trust_dir
    verdict = judge(build, packs, day, card=the_card(card), reviews=reviews(build, trust_dir))
    unknown = unknown_packs(build, packs)
    against, declared = (*lacking, *unknown, *refusals(build, verdict)), build.deployment is not None

    def told() -> Iterator[str]:
        yield f"{file} on {day}: {summary(verdict, against, declared)}"
        yield "Engineering aid, not legal advice. Facts are declared, not verified."
        yield from verdict_lines(packs, verdict)
        yield from (f"\n{finding}" for finding in (*lacking, *unknown, *verdict.clashes))
        for fact, limit in verdict.limits.items():
            bounds = [f"at least {limit.least:g}"] if limit.least is not None else []
            bounds += [f"at most {limit.most:g}"] if limit.most is not None else []
            yield f"\nlimit {fact}: {' and '.join(bounds)} ({', '.join(limit.by)})"

    data = verdict_json(verdict, against, declared=declared, file=str(file))
    return Answer(data, told(), REFUSED if against else 0)


@command.command("list")
@shared(settings="example", json=True)
def list_packs(settings: Settings) -> Answer:
    """List the packs of this build, and those that were added to this device."""
    packs, faults = _all_packs(settings)

    def told() -> None:
        for pack in packs:
            where = ", ".join(pack.jurisdictions) or "everywhere"
            unconfirmed = sum(not rule.confirmed for rule in pack.rules)
            count = f"{len(pack.rules)} rule{'s' if len(pack.rules) > 1 else ''}, {unconfirmed} not confirmed"
            added = f" (added under the signature of {pack.added})" if pack.added else ""
            click.echo(f"{pack.id:<20} {where:<12} {count:<24}  {pack.title}{added}")
        _tell_unused(faults)

    refused = [asdict(fault) for fault in faults]
    listed = {"packs": [pack_json(pack) for pack in packs], "refused": refused}
    return Answer({"schema": "edge/policy-list/v1", **listed}, told)


@command.command("show")
@click.argument("name", metavar="ID")
@shared(settings="example", json=True)
def show(name: str, settings: Settings) -> Answer:
    """Show the pack ID in full: every rule with its source, its quote and what would satisfy it."""
    from edge.errors import UsageError

    packs, _ = _all_packs(settings)
    found = [pack for pack in packs if pack.id == name]
    if not found:
        known = ", ".join(dict.fromkeys(pack.id for pack in packs))
        raise UsageError(f"there is no pack {name!r}", where="ID", remedy=f"known are {known}")

    def told() -> Iterator[str]:
        for pack in found:
            yield click.style(pack.id, bold=True) + f"  {pack.title}"
            where = f"applies in {', '.join(pack.jurisdictions)}" if pack.jurisdictions else "applies everywhere"
            yield f"{where}{f'; added under the signature of {pack.added}' if pack.added else ''}"
            yield f"{pack.summary}\nEngineering aid, not legal advice."
            for rule in pack.rules:
                yield ""
                yield from rule_lines(rule)

    return Answer({"schema": "edge/policy-show/v1", "packs": [pack_json(pack) for pack in found]}, told())


@command.command("facts")
def facts() -> int:
    """List every fact that a deployment can declare and a rule can speak about."""
    from edge.policy.facts import FACTS, reference

    for name, values, meaning in reference():
        by = "" if FACTS[name].declared else " (from the build and its model; it is not declared)"
        click.echo(f"{click.style(name, bold=True)}: {values}\n    {meaning}{by}")
    return 0


def _all_packs(settings: Settings) -> tuple[tuple[Pack, ...], tuple[RefusedPack, ...]]:
    from edge.build.added import load_added

    added, faults = load_added(settings.device.state_dir, settings.device.trust_dir)
    return (*the_packs(), *added), faults


def _tell_unused(faults: tuple[RefusedPack, ...]) -> None:
    for fault in faults:
        click.echo(f"{fault.name}: NOT USED: {fault.why}", err=True)


@command.command("sign")
@click.argument("file", metavar="PACK.yaml", type=PATH)
@KEY
@PASSPHRASE
@click.option("--out", type=PATH, help="The signed file (default: PACK.dsse.json beside it).")
def sign(file: Path, key: Path, passphrase_file: Path | None, out: Path | None) -> int:
    """Sign PACK.yaml for devices in the field. It is checked first; the key's role is packs."""
    from edge.build.added import sign_pack
    from edge.trust.envelopes import SUFFIX

    text = the_text(file)
    signer = open_signer(key, passphrase_file)
    envelope = sign_pack(text, file.name, signer)
    target = out or file.with_name(file.name.removesuffix(".yaml") + SUFFIX)
    write_json(target, envelope)
    click.echo(f"{target}: signed with key {signer.public.key_id}; on a device: edge policy add {target.name}")
    return 0


@command.command("add")
@click.argument("file", metavar="PACK.dsse.json", type=PATH)
@shared(operator=True)
def add(file: Path, settings: Settings, operator: str) -> None:
    """Verify a signed pack and add it to this device. It can only tighten: no pack of the build is replaced.

    A key in the trust folder's packs/ must have signed it. The device evaluates it from its next start or next day on.
    """
    from hashlib import sha256

    from edge.build.added import install
    from edge.types.acts import PackAdded

    _need_device()
    from edge.service import Device

    with Device.open(settings) as device:
        folders = device.settings.device
        pack, target = install(file, folders.state_dir, folders.trust_dir)
        digest = sha256(target.read_bytes()).hexdigest()[:16]
        device.tell(PackAdded(at_ns=device.now_ns(), operator=operator, pack=pack.id, signer=pack.added, digest=digest))
        today = device.policy.review()
    click.echo(f"{target}: {pack.id}, {len(pack.rules)} rules, signed by {pack.added}")
    for finding in today.against_enrolments:
        click.echo(f"from now on: {finding}", err=True)


@command.command("status")
@shared(settings="file", json=True)
def status(config: Path | None) -> Answer:
    """Say how this device stands today: what stops enrolments or claims, and what will within 30 days.

    It says what the self-test says, and needs neither keys nor a door that stands still. Exit code 0: enrolments and
    claims go on. 4: one of them is stopped.
    """
    _need_device()
    from edge.service.policy import standing_of
    from edge.settings import default_file, load_settings

    file = default_file() if config is None else config
    today, faults = standing_of(load_settings(file))
    stopping = {"enrolments": today.against_enrolments, "claims": today.against_claims}
    data = {
        "schema": "edge/policy-status/v1",
        "on": today.on.isoformat(),
        "declared": today.declared,
        "standing": today.word,
        **{f"against_{what}": [asdict(finding) for finding in findings] for what, findings in stopping.items()},
        "coming": [{"on": c.day.isoformat(), "what": c.what, **asdict(c.finding)} for c in today.coming],
        "maxima": dict(today.maxima),
        "refused": [asdict(fault) for fault in faults],
    }

    def told() -> None:
        declared = "" if today.declared else "; no deployment is declared, so it drives only the log door"
        click.echo(f"{today.on}: {today.word}{declared} ({file})")
        for what, findings in stopping.items():
            for finding in findings:
                click.echo(f"{what} are stopped: {finding}", err=True)
        for coming in today.coming:
            click.echo(f"{coming}; {coming.finding.satisfy}", err=True)
        _tell_unused(faults)

    return Answer(data, told, 0 if today.enrols and today.claims else 4)


@command.command("review")
@click.argument("file", metavar="BUILD.yaml", type=PATH)
@KEY
@PASSPHRASE
@click.option("--reviewer", required=True, help="Who has reviewed the deployment.")
@click.option("--until", required=True, metavar="DATE", help="The first day on which the review no longer counts.")
@ON
@click.option("--out", type=PATH, help="The signed review (default: records/review-DATE.dsse.json beside BUILD.yaml).")
def review(
    file: Path, key: Path, passphrase_file: Path | None, reviewer: str, until: str, on: str | None, out: Path | None
) -> int:
    """Sign a review of the deployment that BUILD.yaml declares (microsoft-2020 asks for one above a scale).

    It speaks of this operator, purpose, use case and scale, and counts for no other. The key's role is reviewer. The
    line that the build file's records need is printed.
    """
    from edge.build.judge import review_of
    from edge.errors import UsageError
    from edge.trust.envelopes import REVIEW, sign

    (build, _), day, end = the_build(file), the_day(on), the_day(until)
    if build.deployment is None or end <= day:
        what = "nothing is declared that could be reviewed" if build.deployment is None else f"{end} is not after {day}"
        raise UsageError(what, where=str(file), remedy="declare the deployment first, and take a later --until")
    payload = review_of(build.deployment, reviewer, day, end)
    envelope = sign(json.dumps(payload, sort_keys=True).encode("utf-8"), REVIEW, open_signer(key, passphrase_file))
    target = out or file.parent / "records" / f"review-{day}.dsse.json"
    write_json(target, envelope)
    record = f"kind: review, name: Review by {reviewer}, date: {day}, expires: {end}, by: {reviewer}"
    click.echo(f"{target}: signed. Put this below `records:` of {file}:")
    click.echo(f"    - {{{record}, file: records/{target.name}}}")
    return 0


def _need_device() -> None:
    from edge.errors import NotInThisBuild
    from edge.profile import current

    if current().profile == "lab":
        raise NotInThisBuild("a lab build is no device and stands nowhere", where="build")
