"""Which readers this device has, from its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from edge.settings.model import ClaimSettings
from edge.types import Reader


def open_readers(settings: ClaimSettings, *, stdin: BinaryIO, clock: Callable[[], float]) -> list[Reader]:
    """The readers named by ``claim.readers``, in that order.

    Args:
        settings: the section ``claim``.
        stdin: where the reader ``stdin`` reads lines (`sys.stdin.buffer`); it is not closed.
        clock: seconds, monotonic, for the reader ``qr``.
    """
    readers: list[Reader] = []
    for name in settings.readers:
        if name == "stdin":
            from edge.claim.stdin import StdinReader

            readers.append(StdinReader(stdin))
        else:
            from edge.claim.qr import QrReader

            readers.append(QrReader(tries_per_s=settings.qr_tries_per_s, clock=clock))
    return readers
