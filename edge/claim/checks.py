"""The self-test's check of how claims arrive."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.claim.finding import PREFIX
from edge.errors import ReaderError, Unfit
from edge.selftest import Check
from edge.settings.model import ClaimSettings

#: Whose members may read such devices (deploy/edge-readers.conf).
GROUPS = {"keyboard": "input", "keypad": "input", "serial": "dialout"}
_ALONE = ("pin alone", "nobody comes in by something weaker than a card")


def checks(claim: ClaimSettings) -> list[Check]:
    """What is checked of the readers that the settings name."""
    named = {name: Path(path) for name, path in scanners(claim).items()}
    return [
        *([Check(*_ALONE, lambda: alone(claim.pin_reason), "none", needed=False)] if claim.pin == "alone" else []),
        Check("readers", "people can present a claim here", lambda: readers(claim.readers), limit="at least one"),
        Check(
            "scanners",
            "each scanner and keypad that the settings name is plugged in, and may be read",
            lambda: plugged(named),
            limit="a device file that this user may read",
            needed=False,  # the other readers, and the door, go on without it; plugged in again it works
        ),
    ]


def alone(reason: str) -> str:
    """Always a warning: a PIN stands for a card here. Raises `Unfit`."""
    raise Unfit(
        f"a PIN stands for a card at this door, which is weaker than any card: {reason}",
        where="claim.pin: alone",
        remedy="give people cards, and write pin: none or with_card; deploy/THREATS.md says what a PIN alone is worth",
    )


def scanners(claim: ClaimSettings) -> dict[str, str]:
    """Reader -> path of the device that it reads."""
    paths = {"keyboard": claim.keyboard, "serial": claim.serial}
    keypad = {"keypad": claim.keypad} if claim.keypad else {}
    return {name: paths[name] for name in claim.readers if name in paths} | keypad


def plugged(named: Mapping[str, Path]) -> str:
    """Each device is there and may be read; it is not opened, since a running door holds it.

    Raises:
        ReaderError: of the first that is not.
    """
    for name, path in named.items():
        where = f"claim.{name}: {path}"
        try:
            if not stat.S_ISCHR(path.stat().st_mode):
                raise ReaderError("this is no device", where=where, remedy="name one of those that `edge doctor` lists")
            if not os.access(path, os.R_OK):
                raise PermissionError
        except OSError as error:
            raise ReaderError.of(error, where, GROUPS[name]) from error
    return "; ".join(f"{name}: {path.resolve()}" for name, path in named.items()) or "none is named"


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
        raise no_input()
    return ", ".join(names)


def no_input() -> Unfit:
    """The reader ``stdin`` is named, and there is nothing that it could read."""
    return Unfit("standard input is closed", where="claim.readers", remedy="start it with an input, or name `qr`")


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
