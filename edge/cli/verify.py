"""`edge verify`: one claim, one decision."""

from __future__ import annotations

import sys
from pathlib import Path

import click


def read_token(token: str) -> str:
    """The text of a token from a file, or from standard input for ``-``.

    Raises:
        InputError: no such file, or it cannot hold a token.
    """
    from edge.errors import InputError

    if token == "-":
        return sys.stdin.readline(4096).strip()
    path = Path(token)
    try:
        if path.is_dir():
            raise InputError("a directory, not a token", where=token, remedy="name the file that holds the token")
        if path.stat().st_size > 4096:
            raise InputError("too large for a token", where=token, remedy="name the file that holds the token's text")
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=token, remedy="name a readable file") from error
    except UnicodeDecodeError as error:
        raise InputError(
            "not the text of a token (a picture of a card is shown to the camera, not named here)",
            where=token,
            remedy="name the file that holds the token's text, beginning with EV1:",
        ) from error


@click.command("verify")
@click.option("--token", required=True, metavar="FILE|-", help="File with the token's text, or - for standard input.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option(
    "--image", type=click.Path(path_type=Path), help="Decide from a picture (development and lab builds only)."
)
@click.option("--json", "json_wanted", is_flag=True, help="Exactly one JSON object, in every case.")
def command(token: str, config: Path | None, image: Path | None, json_wanted: bool) -> int:
    """Decide about one claim from the configured source, once. The door is not touched; the journal is written.

    \b
    Exit codes
      0 accept     1 reject, or the claim was refused     2 no decision     3 bad input     4 internal or unfit

    \b
    Example
      edge verify --token ada.token --json
    """
    from edge.cli._answer import give
    from edge.service import open_device

    text = read_token(token)
    if image is not None:
        pictures_or_refuse()
    with open_device(config, hold="edge verify") as device:
        if image is not None:
            from edge.cli._pictures import verify_picture

            return give(verify_picture(device, text, image), json_wanted)
        device.policy.need_claims()
        return give(device.verify(text), json_wanted, device.settings.alternative or "")


def pictures_or_refuse() -> None:
    """Raises NotInThisBuild where pictures are not accepted."""
    from importlib.util import find_spec

    from edge.errors import NotInThisBuild
    from edge.profile import current

    if current().is_device or find_spec("edge.cli._pictures") is None:
        raise NotInThisBuild(
            "a device build decides from its camera, never from a picture file",
            where="--image",
            remedy="use a development install (pip install -e .) on a desk, never on a door",
        )
