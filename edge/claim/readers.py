"""Which readers this device has, from its settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from edge.claim.attended import Attended
from edge.errors import NotInThisBuild
from edge.settings.model import ClaimSettings
from edge.types import Reader
from edge.types.events import Event


def open_readers(
    settings: ClaimSettings,
    *,
    stdin: BinaryIO | None,
    clock: Callable[[], float],
    tell: Callable[[Event], None] = lambda _: None,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> list[Reader]:
    """The readers named by ``claim.readers``, in that order; each is opened when it is first asked, and again after it
    has failed.

    Args:
        settings: the section ``claim``.
        stdin: where the reader ``stdin`` reads lines (`sys.stdin.buffer`); it is left open. None: there is none.
        clock: seconds, monotonic. tell: told when one fails, and when it works again. now_ns: the clock of events.

    Raises:
        NotInThisBuild: the settings name one that this build does not hold.
        Unfit: they name ``stdin``, and there is none.
    """
    names = [*settings.readers, *(["keypad"] if settings.keypad else [])]
    return [
        Attended(name, _maker(name, settings, stdin, clock), tell=tell, now_ns=now_ns, clock=clock) for name in names
    ]


def _maker(
    name: str, settings: ClaimSettings, stdin: BinaryIO | None, clock: Callable[[], float]
) -> Callable[[], Reader]:
    try:
        match name:
            case "stdin":
                from edge.claim.stdin import StdinReader

                if stdin is None:
                    from edge.claim.checks import no_input

                    raise no_input()
                lines = StdinReader(stdin)
                return lambda: lines
            case "qr":
                from edge.claim.qr import QrReader

                return lambda: QrReader(tries_per_s=settings.qr_tries_per_s, clock=clock)
            case "keyboard" | "keypad":
                from edge.claim.keyboard import KeyboardReader

                return lambda: KeyboardReader(Path(settings.keyboard if name == "keyboard" else settings.keypad))
            case _:
                from edge.claim.serial import SerialReader

                return lambda: SerialReader(Path(settings.serial), settings.serial_rate)
    except ModuleNotFoundError:
        raise NotInThisBuild(
            f"this build has no reader {name}",
            where="claim.readers",
            remedy=f"name another one, or build with {'keyboard' if name == 'keypad' else name}_reader: true",
        ) from None
