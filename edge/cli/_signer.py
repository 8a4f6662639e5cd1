"""Passphrases on the command line, and the private half of whoever signs a build, a pack, a review or a model.

    signer = open_signer(key, passphrase_file)

A passphrase is asked for without echo, or read from the first line of a file, ``-`` for standard input; always UTF-8.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edge.trust.envelopes import Signer

KEY = click.option(
    "--key",
    type=click.Path(path_type=Path),
    required=True,
    help="The signer's private half, as `edge keys signer` made it.",
)
PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Read the passphrase from the first line of this file; - is standard input. Without it you are asked.",
)
#: A longer line is no passphrase.
_MAX_BYTES = 4096


def open_signer(key: Path, passphrase_file: Path | None) -> Signer:
    """The signer of a private file.

    Raises:
        KeyringError: missing, open to others, not such a file, or a wrong passphrase.
    """
    from edge.trust.envelopes import Signer

    Signer.check(key)  # a missing or foreign file is told before a passphrase is asked for
    return Signer.load(key, passphrase(passphrase_file, "Passphrase of the signer", confirm=False))


def passphrase(file: Path | None, prompt: str, *, confirm: bool) -> str:
    """A passphrase; it is in no message.

    Raises:
        KeyringError: the file cannot be read, is open to others, is empty or is not UTF-8. UsageError: no terminal.
    """
    from edge.errors import KeyringError
    from edge.files import read_file, utf8

    if file is None:
        return _ask(prompt, confirm)
    if str(file) == "-":
        where, data = "standard input", sys.stdin.buffer.readline(_MAX_BYTES)
    else:
        where, data = (
            str(file),
            read_file(file, limit=_MAX_BYTES, kind=KeyringError, noun="passphrase file", private=True),
        )
    phrase = utf8(data, where=where, kind=KeyringError).split("\n", 1)[0]
    if not phrase:
        raise KeyringError("there is no passphrase in it", where=where, remedy="write it on the first line")
    return phrase


def _ask(prompt: str, confirm: bool) -> str:
    from edge.errors import UsageError

    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        if sys.stdin is None or not sys.stdin.isatty():  # getpass would warn, and then echo what is typed
            raise UsageError(
                "there is no terminal to ask for the passphrase",
                where="passphrase",
                remedy="give it with --passphrase-file FILE, or - for standard input",
            ) from None
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
