"""The self-test's check of how claims arrive."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from edge.claim.finding import PREFIX
from edge.errors import Unfit
from edge.selftest import Check
from edge.settings.model import ClaimSettings


def checks(claim: ClaimSettings) -> list[Check]:
    """What is checked of the readers that the settings name."""
    return [Check("readers", "people can present a claim here", lambda: readers(claim.readers))]


def readers(names: tuple[str, ...] | list[str], is_open: Callable[[], bool] | None = None) -> str:
    """What each reader needs is here: the code reader's library reads a code; standard input is open.

    Args:
        names: of `claim.readers`. is_open: whether standard input is.

    Raises:
        Unfit: a reader that cannot read.
    """
    if "qr" in names:
        _reads_a_code()
    if "stdin" in names and not (is_open or _stdin)():
        raise Unfit("standard input is closed", where="claim.readers", remedy="start it with an input, or name `qr`")
    return ", ".join(names)


def _stdin() -> bool:
    try:
        os.fstat(sys.__stdin__.fileno())  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        return False
    return True


def _reads_a_code() -> None:
    """A code is written in memory and read back."""
    import numpy as np
    import zxingcpp

    from edge.claim.qr import find_codes

    text = f"{PREFIX}SELF-TEST"
    image = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4))
    if find_codes(image, enlarge=False) != [text]:
        raise Unfit("a code is not read back", where="claim.readers", remedy="install zxing-cpp again")
