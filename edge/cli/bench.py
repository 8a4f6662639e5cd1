"""`edge bench`: how fast this board is, beside what published figures say of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import shared

if TYPE_CHECKING:
    from edge.service.speed import Measured
    from edge.settings import Settings


@click.command("bench")
@shared()
def command(settings: Settings) -> None:
    """Time the chain on this board, on people who do not exist: no camera is needed, and nothing is kept.

    Below it stand estimates for boards for which no figures were sent, from published ones, each with its span and
    source. Run it on an idle device (`edge run` stopped), and send what it prints with the board's name and cooling.

    \b
    Example
      edge bench
    """
    import cv2

    from edge.face import Chain
    from edge.service.models import model_finder
    from edge.service.speed import BOARDS, measure

    cv2.setNumThreads(1)  # as `edge run` does
    find = model_finder(settings)
    chain = Chain.load(settings.face, find)
    near, far = measure(chain), measure(chain, height=0.3)
    names = [settings.face.detector, settings.face.embedder]
    if chain.passive is not None and settings.face.passive is not None:
        names.append(settings.face.passive)
    macs = [int(find(name).raw.get("macs", 0)) for name in names]
    click.echo(f"{_machine()}, {settings.face.threads} threads for the models; medians of 30 looks, milliseconds")
    titles = " ".join(f"{name:>8s}" for name in ("detect", "align", "quality", "passive", "embed", "look"))
    click.echo(f"{'':24s} {titles} {'in models':>10s}")
    for name, row in (("face of half the height", near), ("face of 30 %", far)):
        cells = " ".join(f"{value:8.2f}" for value in _parts(row))
        click.echo(f"{name:24s} {cells} {row.models:10.2f}")
    if all(macs):
        click.echo("\nEstimated from published figures, two threads, one look's models alone, milliseconds:")
        for board in BOARDS:
            least, most = board.models_ms(sum(macs[1:]), macs[0])
            click.echo(f"{board.name:12s} {least:5.1f} to {most:5.1f}   {board.source}")


def _parts(row: Measured) -> tuple[float, ...]:
    return row.detect, row.align, row.quality, row.passive, row.embedding, row.look


def _machine() -> str:
    """The board's name as its device tree says it, else the processor's architecture."""
    import platform

    try:
        return Path("/proc/device-tree/model").read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return platform.machine()
