"""A signer's private half on the command line: `edge build sign`, `edge policy sign`, `edge models sign`.

    signer = open_signer(key, passphrase_file)

The passphrase is asked for without echo, or read from the first line of a file, ``-`` for standard input.
"""

from __future__ import annotations

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


def open_signer(key: Path, passphrase_file: Path | None) -> Signer:
    """The signer of a private file.

    Raises:
        SignatureError: missing, open to others, not such a file, or a wrong passphrase.
    """
    from edge.trust.envelopes import Signer, read_private

    read_private(key)  # a missing or foreign file is told before a passphrase is asked for
    return Signer.load(key, passphrase(passphrase_file, "Passphrase of the signer", confirm=False))


def passphrase(file: Path | None, prompt: str, *, confirm: bool) -> str:
    """A passphrase; it is in no message.

    Raises:
        SignatureError: the file cannot be read or is empty.
    """
    from edge.errors import SignatureError
    from edge.trust.envelopes import read_private

    if file is None:
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    text = sys.stdin.readline() if str(file) == "-" else read_private(file).decode("utf-8", "replace")
    phrase = text.split("\n", 1)[0].rstrip("\r")
    if not phrase:
        raise SignatureError("there is no passphrase in it", where=str(file), remedy="write it on the first line")
    return phrase
