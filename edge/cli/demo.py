"""`edge demo`: the whole chain on people who do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, quiet, shared

if TYPE_CHECKING:
    from edge.service.demo import Played

SCHEMA = "edge/demo/v1"


@click.command("demo")
@click.option("--out", type=PATH, help="Write a contact sheet (PNG) of what the device looked at.")
@click.option("--fast", is_flag=True, help="As fast as the machine can, instead of at the camera's 15 frames a second.")
@click.option("--seed", default=1, show_default=True, help="Another room, other movements, other noise.")
@click.option("--kiosk", is_flag=True, help="Show it on the page for the person in front, in a browser, until Ctrl-C.")
@click.option(
    "--port",
    default=8370,
    show_default=True,
    type=click.IntRange(1024, 65534),
    help="Of that page; the operator's has the next one.",
)
@shared(settings="", json=True)
def command(out: Path | None, fast: bool, seed: int, kiosk: bool, port: int) -> Answer | int:
    """See the whole chain work: no camera, no card reader, nothing kept.

    Two fictional people are enrolled; a generated kiosk sequence (640x480, 15 frames a second: walking up, turning,
    changing light, noise, blur) plays in front of the device while claims are presented: the right person, the closest
    other one, nobody, two people, an expired card, a card with one bit flipped, a print, a phone, head turns as told,
    a recording.

    Exit code 0 only if every outcome is the expected one, 4 otherwise.
    """
    from edge.files import check_writable
    from edge.service.demo import NOTE, play

    if kiosk:
        return _kiosk(port)
    if out is not None:
        check_writable(out, suffix=".png")
    played: list[Played] = []
    if not quiet():
        click.echo(NOTE + "\n")
        click.echo(
            f"  {'claim':<32} {'answer':<13} {'reason':<15} {'frames':>6} {'looks':>5} {'decision':>9}  expected"
        )
    for one in play(fast=fast, seed=seed):
        played.append(one)
        if not quiet():
            _row(one)
    ok = bool(played) and all(one.ok for one in played)
    if out is not None:
        _sheet(out, played, NOTE)
    told = ["", "Every outcome is the expected one." if ok else "NOT every outcome is the expected one."]
    told += [f"Contact sheet: {out}"] if out is not None else []
    return Answer({"schema": SCHEMA, "ok": ok, "note": NOTE, "claims": _claims(played)}, told, 0 if ok else 4)


def _kiosk(port: int) -> int:
    import signal
    import threading

    from edge.profile import current
    from edge.service.demo import NOTE
    from edge.service.demo_page import show
    from edge.settings.model import KioskSettings

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    click.echo(f"{NOTE}\n\nOpen this page in a browser of this machine; Ctrl-C ends it.\n")
    staff = port + 1 if current().can("operator_page") else None
    settings = KioskSettings(port=port, operator_port=staff, house="Hotel Meridian", preview=True)
    show(settings, tell=lambda said: click.echo(f"  {said}"), stop=stop)
    return 0


def _row(one: Played) -> None:
    from edge.messages import text

    decision = one.decision
    colour = {"accept": "green", "reject": "red", "no_decision": "yellow"}[decision.outcome.value]
    answer = click.style(f"{decision.outcome.value.replace('_', ' '):<13}", fg=colour)
    verdict = "yes" if one.ok else click.style("NO", fg="red", bold=True)
    session = decision.timings_ms.get("session", 0.0) / 1e3
    click.echo(
        f"  {one.scenario.title:<32} {answer} {decision.reason.value:<15} {decision.frames_looked_at:>6} "
        f"{decision.looks:>5} {session:>7.1f} s  {verdict}"
    )
    if decision.advice:
        click.echo(f"  {'':<32} advice: {', '.join(text(f'advice.{item.value}') for item in decision.advice)}")


def _claims(played: list[Played]) -> list[dict[str, Any]]:
    return [
        {
            "claim": one.scenario.title,
            "outcome": one.decision.outcome.value,
            "reason": one.decision.reason.value,
            "expected": one.ok,
            "frames_looked_at": one.decision.frames_looked_at,
            "looks": one.decision.looks,
            "advice": [item.value for item in one.decision.advice],
            "seconds": round(one.seconds, 2),
        }
        for one in played
    ]


def _sheet(out: Path, played: list[Played], note: str) -> None:
    from edge.cli._sheet import Panel, draw, write
    from edge.notify import sentence

    panels = [
        Panel(one.scenario.title, one.decision.outcome.value, sentence(one.decision), one.ok, one.glimpses)
        for one in played
    ]
    write(out, draw(panels, note))
