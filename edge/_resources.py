"""Where the files that come with the product are: in the installed package, else in the checkout.

    path("models", "embedder.card.yaml")
    path("config", "device.yaml")

Nothing else builds such a path, so that a wheel, an editable install and a checkout behave the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edge.errors import InputError

Kind = Literal["models", "config", "people", "fonts"]

_PACKAGE = Path(__file__).resolve().parent


def path(kind: Kind, name: str = "") -> Path:
    """The path of a shipped file.

    Args:
        kind: ``models``, ``config``, ``people`` (who do not exist: demo, reference), ``fonts`` (the cards' letters).
        name: a relative path below it; empty for the folder itself.

    Raises:
        InputError: ``name`` leaves the folder, or the file is not there.
    """
    if kind == "people":
        roots = [_PACKAGE / "fictional" / "people"]
    elif kind == "fonts":
        roots = [_PACKAGE / "papers" / "fonts"]
    else:
        roots = [_PACKAGE / "_data" / kind, _PACKAGE.parent / kind]
    for root in roots:
        candidate = (root / name).resolve()
        if not candidate.is_relative_to(root.resolve()):
            raise InputError("the name leaves the product's own folder", where=f"{kind}/{name}")
        if candidate.exists():
            return candidate
    raise InputError("this file does not come with this build", where=f"{kind}/{name}", remedy="reinstall the product")
