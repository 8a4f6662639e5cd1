"""`edge policy`: what the policy packs say of a deployment, and packs that are signed and added in the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli import _policy_field as field
from edge.cli._policy_files import CONFIG, JSON, ON, PATH, the_build, the_card, the_day, the_device, the_packs

if TYPE_CHECKING:
    from edge.build.added_packs import Fault
    from edge.policy.packs import Pack

REFUSED = 1


@click.group("policy")
def command() -> None:
    """The rules that a build has to pass: companies' positions of 2020 and local law, as data with their sources.

    Packs are engineering aids, not legal advice. Each rule names its source, the day on which that was last read, and
    whether all of it could be read. A build with a deployment that a rule speaks against is refused; a device
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
@CONFIG
@JSON
def check(
    file: Path, on: str | None, card: Path | None, trust: Path | None, config: Path | None, json_wanted: bool
) -> int:
    """Explain, rule by rule, whether BUILD.yaml may be built.

    Each rule says whether it applies and why, what it has against the deployment and where in the file, what would
    satisfy it, and where it comes from. Exit code 0: nothing speaks against it. 1: it is refused. 3: the file does not
    hold together.
    """
    from edge.build.judge import judge, refusals, reviews, unknown_packs
    from edge.cli._policy import summary, verdict_json, verdict_lines

    build, packs, day = the_build(file), the_packs(), the_day(on)
    trust_dir = trust or the_device(config).trust_dir
    verdict = judge(build, packs, day, card=the_card(card), reviews=reviews(build, trust_dir))
    against = (*unknown_packs(build, packs), *refusals(build, verdict))
    declared = build.deployment is not None
    if json_wanted:
        click.echo(json.dumps(verdict_json(verdict, against, declared=declared, file=str(file))))
        return REFUSED if against else 0
    click.echo(f"{file} on {day}: {summary(verdict, against, declared)}")
    click.echo("Engineering aid, not legal advice. Facts are declared, not verified.")
    for line in verdict_lines(packs, verdict):
        click.echo(line)
    for finding in (*unknown_packs(build, packs), *verdict.clashes):
        click.echo(f"\n{finding}")
    for fact, limit in verdict.limits.items():
        bounds = [f"at least {limit.least:g}"] if limit.least is not None else []
        bounds += [f"at most {limit.most:g}"] if limit.most is not None else []
        click.echo(f"\nlimit {fact}: {' and '.join(bounds)} ({', '.join(limit.by)})")
    return REFUSED if against else 0


@command.command("list")
@CONFIG
@JSON
def list_packs(config: Path | None, json_wanted: bool) -> int:
    """List the packs of this build, and those that were added to this device."""
    packs, faults = _all_packs(config)
    if json_wanted:
        from edge.cli._policy import pack_json

        refused = [{"name": fault.name, "why": fault.why} for fault in faults]
        listed = {"packs": [pack_json(pack) for pack in packs], "refused": refused, "error": None}
        click.echo(json.dumps({"schema": "edge/policy-list/v1", **listed}))
        return 0
    for pack in packs:
        where = ", ".join(pack.jurisdictions) or "everywhere"
        unconfirmed = sum(not rule.confirmed for rule in pack.rules)
        count = f"{len(pack.rules)} rule{'s' if len(pack.rules) > 1 else ''}, {unconfirmed} not confirmed"
        added = f" (added under the signature of {pack.added})" if pack.added else ""
        click.echo(f"{pack.id:<20} {where:<12} {count:<24}  {pack.title}{added}")
    for fault in faults:
        click.echo(f"{fault.name}: NOT USED: {fault.why}", err=True)
    return 0


@command.command("show")
@click.argument("name", metavar="ID")
@CONFIG
@JSON
def show(name: str, config: Path | None, json_wanted: bool) -> int:
    """Show the pack ID in full: every rule with its source, its quote and what would satisfy it."""
    from edge.cli._policy import pack_json, rule_lines
    from edge.errors import UsageError

    packs, _ = _all_packs(config)
    found = [pack for pack in packs if pack.id == name]
    if not found:
        known = ", ".join(dict.fromkeys(pack.id for pack in packs))
        raise UsageError(f"there is no pack {name!r}", where="ID", remedy=f"known are {known}")
    if json_wanted:
        click.echo(json.dumps({"schema": "edge/policy-show/v1", "packs": [pack_json(p) for p in found], "error": None}))
        return 0
    for pack in found:
        click.echo(click.style(pack.id, bold=True) + f"  {pack.title}")
        where = f"applies in {', '.join(pack.jurisdictions)}" if pack.jurisdictions else "applies everywhere"
        click.echo(f"{where}{f'; added under the signature of {pack.added}' if pack.added else ''}")
        click.echo(f"{pack.summary}\nEngineering aid, not legal advice.")
        for rule in pack.rules:
            click.echo("")
            for line in rule_lines(rule):
                click.echo(line)
    return 0


@command.command("facts")
def facts() -> int:
    """List every fact that a deployment can declare and a rule can speak about."""
    from edge.policy.facts import FACTS, reference

    for name, values, meaning in reference():
        by = "" if FACTS[name].declared else " (from the build and its model; nobody declares it)"
        click.echo(f"{click.style(name, bold=True)}: {values}\n    {meaning}{by}")
    return 0


def _all_packs(config: Path | None) -> tuple[tuple[Pack, ...], tuple[Fault, ...]]:
    from edge.build.added_packs import load_added

    device = the_device(config)
    added, faults = load_added(device.state_dir, device.trust_dir)
    return (*the_packs(), *added), faults


for part in (field.sign, field.add, field.status, field.review):
    command.add_command(part)
