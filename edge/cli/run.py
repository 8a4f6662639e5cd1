"""`edge run`: the loop of a device."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.service import Event


@click.command("run")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object a line, for machines.")
@click.option("--skip-selftest", is_flag=True, help="Start without the self-test (development builds only).")
def command(config: Path | None, json_wanted: bool, skip_selftest: bool) -> int:
    """Run the device: wait for a claim, look, decide, act, journal.

    Claims arrive through the readers of the settings: a token a line on standard input, or a QR code in view of the
    camera. The self-test runs first; an unfit device serves nothing. SIGTERM and Ctrl-C end it cleanly within two
    seconds: a session in progress ends as `interrupted`, the door is locked.

    \b
    Example
      edge run --config config/device.yaml < tokens.txt
    """
    import cv2

    from edge.claim import open_readers
    from edge.errors import NotInThisBuild, Unfit
    from edge.service import Loop, device_checks, open_device

    # OpenCV's thread pool gains nothing on pictures this small, and fights with the model's threads for the cores.
    cv2.setNumThreads(1)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_device(config) as device:
        if skip_selftest and device.build.is_device:
            raise NotInThisBuild("a device build always tests itself first", where="--skip-selftest")
        if not skip_selftest:
            from edge.selftest import Level, run

            with device_checks(config, device=device) as checks:
                report = run(checks, Level.POWER_ON)
            device.ledger.selftest(report)
            if not report.fit:
                failed = next(r for r in report.results if r.needed and not r.ok)
                raise Unfit(f"{failed.name}: {failed.what}", where="self-test", remedy=failed.remedy)
        readers = open_readers(device.settings.claim, stdin=sys.stdin.buffer, clock=time.monotonic)
        try:
            Loop(device, readers, lambda event: _tell(event, json_wanted)).run(stop)
        finally:
            for reader in readers:
                reader.close()
    return 0


def _tell(event: Event, json_wanted: bool) -> None:
    from edge.cli._answer import as_json, sentence

    if json_wanted:
        answer: dict[str, Any] = as_json(event.decision) if event.decision else {"schema": "edge/event/v1"}
        click.echo(json.dumps({"event": event.kind, **answer, **({"text": event.text} if event.text else {})}))
    elif event.decision is not None:
        click.echo(sentence(event.decision))
    else:
        click.echo(f"{event.kind}{': ' + event.text if event.text else ''}", err=event.kind == "fault")
    sys.stdout.flush()
