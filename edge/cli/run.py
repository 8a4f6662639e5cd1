"""`edge run`: the loop of a device."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from edge.cli._common import quiet, shared

if TYPE_CHECKING:
    from edge.camera import Capture
    from edge.selftest import Level
    from edge.service import Device
    from edge.settings import Settings


@click.command("run")
@click.option("--skip-selftest", is_flag=True, help="Start without the self-test (development builds only).")
@shared(json="Print one JSON object a line, an event each.")
def command(skip_selftest: bool, settings: Settings) -> None:
    """Run the device: wait for a claim, look, decide, act, journal.

    Claims arrive through the readers of the settings: a token a line on standard input, or a QR code in view of the
    camera. The self-test runs first; an unfit device serves nothing. SIGTERM and Ctrl-C end it cleanly within two
    seconds: a session in progress ends as `interrupted`, the door is locked.

    \b
    Example
      edge run --config config/device.yaml < tokens.txt
    """
    gc.disable()  # what a start makes is here to stay: to look through it again and again takes a tenth of the start
    try:
        _run(settings, skip_selftest)
    finally:
        gc.enable()


def _run(settings: Settings, skip_selftest: bool) -> None:
    import cv2

    from edge.camera import Capture
    from edge.claim import open_readers
    from edge.errors import NotInThisBuild
    from edge.notify import JsonLines, Terminal
    from edge.selftest import Level
    from edge.service import Device, Loop, OperatorSocket, kiosk_page
    from edge.service.systemd import Heartbeat, tell_systemd, watchdog_s

    # OpenCV's thread pool gains nothing on pictures this small, and fights with the model's threads for the cores.
    cv2.setNumThreads(1)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Device.open(settings, hold="edge run") as device:
        device.observe(tell_systemd, name="systemd")
        device.observe(JsonLines(1) if quiet() else Terminal(1, 2), name="json" if quiet() else "terminal")
        if skip_selftest and device.build.is_device:
            raise NotInThisBuild("a device build always tests itself first", where="--skip-selftest")
        readers = open_readers(
            device.settings.claim,
            stdin=None if sys.stdin is None else sys.stdin.buffer,
            clock=time.monotonic,
            tell=device.tell,
            now_ns=device.now_ns,
        )
        # A camera takes up to a second to close, so self-test and loop share one stream of it; a file begins anew.
        stream = device.stream()
        camera = stream if isinstance(stream, Capture) and stream.hardware else None
        try:
            with kiosk_page(device) as kiosk:
                if not skip_selftest:
                    _examine(device, Level.POWER_ON, camera)
                typed = [] if kiosk is None or kiosk.pin_pad is None else [kiosk.pin_pad]
                with OperatorSocket(device) as acts:
                    loop = Loop(
                        device,
                        [*readers, *typed],
                        stream=camera,
                        acts=acts,
                        alive=Heartbeat(watchdog_s()),
                        examine=lambda: _examine(device, Level.PERIODIC),
                        watch=kiosk.watch if kiosk is not None and kiosk.preview else None,
                    )
                    gc.enable()
                    loop.run(stop)
        finally:
            stream.stop()
            for reader in readers:
                reader.close()


def _examine(device: Device, level: Level, camera: Capture | None = None) -> None:
    from edge.service import examine  # rooms that only a self-test needs

    examine(device, level, stream=camera)
