"""`edge policy sign|add|status|review`: what is signed for devices, and how a device stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._policy_files import CONFIG, JSON, ON, PATH, the_build, the_day, the_text, write_json
from edge.cli._signer import KEY, PASSPHRASE, open_signer

if TYPE_CHECKING:
    from edge.service import Device


@click.command("sign")
@click.argument("file", metavar="PACK.yaml", type=PATH)
@KEY
@PASSPHRASE
@click.option("--out", type=PATH, help="The signed file (default: PACK.dsse.json beside it).")
def sign(file: Path, key: Path, passphrase_file: Path | None, out: Path | None) -> int:
    """Sign PACK.yaml for devices in the field. It is checked first; the key's role is packs."""
    from edge.build.added_packs import sign_pack
    from edge.trust.envelopes import SUFFIX

    text = the_text(file)
    signer = open_signer(key, passphrase_file)
    envelope = sign_pack(text, file.name, signer)
    target = out or file.with_name(file.name.removesuffix(".yaml") + SUFFIX)
    write_json(target, envelope)
    click.echo(f"{target}: signed with key {signer.public.key_id}; on a device: edge policy add {target.name}")
    return 0


@click.command("add")
@click.argument("file", metavar="PACK.dsse.json", type=PATH)
@click.option("--operator", required=True, help="Who adds it; written into the journal.")
@CONFIG
def add(file: Path, operator: str, config: Path | None) -> int:
    """Verify a signed pack and add it to this device. It can only tighten: no pack of the build is replaced.

    A key in the trust folder's packs/ must have signed it. The device evaluates it from its next start or next day on.
    """
    from hashlib import sha256

    from edge.build.added_packs import install
    from edge.types.acts import PackAdded

    with _open(config) as device:
        folders = device.settings.device
        pack, target = install(file, folders.state_dir, folders.trust_dir)
        digest = sha256(target.read_bytes()).hexdigest()[:16]
        device.tell(PackAdded(at_ns=device.now_ns(), operator=operator, pack=pack.id, signer=pack.added, digest=digest))
        today = device.policy.review()
    click.echo(f"{target}: {pack.id}, {len(pack.rules)} rules, signed by {pack.added}")
    for finding in today.against_enrolments:
        click.echo(f"from now on: {finding}", err=True)
    return 0


@click.command("status")
@CONFIG
@JSON
def status(config: Path | None, json_wanted: bool) -> int:
    """Say how this device stands today: what stops enrolments or claims, and what will within 30 days.

    Exit code 0: enrolments and claims go on. 4: one of them is stopped.
    """
    from edge.cli._policy import finding_json

    with _open(config) as device:
        today, faults = device.policy.review(), device.policy.faults
    stopped = not (today.enrols and today.claims)
    if json_wanted:
        answer: dict[str, Any] = {
            "schema": "edge/policy-status/v1",
            "on": today.on.isoformat(),
            "declared": today.declared,
            "standing": today.word,
            "against_enrolments": [finding_json(finding) for finding in today.against_enrolments],
            "against_claims": [finding_json(finding) for finding in today.against_claims],
            "coming": [{"on": c.day.isoformat(), "what": c.what, **finding_json(c.finding)} for c in today.coming],
            "maxima": dict(today.maxima),
            "refused": [{"name": fault.name, "why": fault.why} for fault in faults],
            "error": None,
        }
        click.echo(json.dumps(answer))
        return 4 if stopped else 0
    declared = "" if today.declared else "; no deployment is declared, so it drives only the log door"
    click.echo(f"{today.on}: {today.word}{declared}")
    for what, findings in (("enrolments", today.against_enrolments), ("claims", today.against_claims)):
        for finding in findings:
            click.echo(f"{what} are stopped: {finding}", err=True)
    for coming in today.coming:
        click.echo(f"{coming}; {coming.finding.satisfy}", err=True)
    for fault in faults:
        click.echo(f"{fault.name}: NOT USED: {fault.why}", err=True)
    return 4 if stopped else 0


@click.command("review")
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

    build, day, end = the_build(file), the_day(on), the_day(until)
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


def _open(config: Path | None) -> Device:
    from edge.errors import NotInThisBuild

    try:
        from edge.service import open_device
    except ModuleNotFoundError as error:
        if error.name != "edge.service":
            raise
        raise NotInThisBuild("a lab build is no device and stands nowhere", where="build") from None
    return open_device(config)
