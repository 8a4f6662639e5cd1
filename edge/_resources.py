"""Where the files that come with the product are: in the installed package, or beside it in its source tree.

    path("models", "embedder.card.yaml")
    path("config", "device.yaml")

Nothing else builds such a path, so that a wheel, an editable install and a checkout behave the same. An installed
package has its models and settings inside (``edge/_data``), where a signature over the build names every one of them.
What lies *beside* an installed package (``site-packages/models``) came from elsewhere and is never looked
at: only a source tree, which is no build and drives no door, has its folders beside the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edge.errors import InputError

Kind = Literal["models", "config", "messages", "people", "fonts", "papers", "tables", "proof", "zones", "quality"]

_PACKAGE = Path(__file__).resolve().parent
#: Kinds that lie in a room of the package: catalogues of messages, people who do not exist (demo, known answers), the
#: letters of cards and the templates of papers, the facts and places that rules speak of, what `edge prove` knows,
#: other names of time zones, the weights of the quality score.
_ROOMS = {
    "messages": "messages",
    "people": "fictional/people",
    "fonts": "papers/fonts",
    "papers": "papers/templates",
    "tables": "policy",
    "proof": "prove",
    "zones": "settings/zones.txt",
    "quality": "face/quality.json",
}
STATEMENT = "_build/statement.json"


def is_source_tree(package: Path = _PACKAGE) -> bool:
    """Whether a package lies in its source tree.

    It has the build hook, which no wheel holds; its project beside it; and no build statement, which every wheel holds.
    """
    beside = ("pyproject.toml", "models", "config")
    return (
        (package / "build" / "hook.py").is_file()
        and all((package.parent / name).exists() for name in beside)
        and not (package / STATEMENT).exists()
    )


def holds(name: str) -> bool:
    """Whether this build holds a file of the package; a profile leaves some out (`edge.build.contents`)."""
    return (_PACKAGE / name).is_file()


def is_device() -> bool:
    """Whether this is an installed device build: not a source tree, and with the room of doors, which no lab has."""
    return not is_source_tree() and holds("door/__init__.py")


def path(kind: Kind, name: str = "") -> Path:
    """The path of a shipped file.

    Args:
        kind: ``models``, ``config``, or one that lies in a room of the package.
        name: a relative path below it; empty for the folder itself.

    Raises:
        InputError: ``name`` leaves the folder, or the file is not there.
    """
    if kind in _ROOMS:
        root = _PACKAGE / _ROOMS[kind]
    else:
        root = _PACKAGE.parent / kind if is_source_tree(_PACKAGE) else _PACKAGE / "_data" / kind
    candidate = (root / name).resolve()
    if not candidate.is_relative_to(root.resolve()):
        raise InputError("the name leaves the product's own folder", where=f"{kind}/{name}")
    if candidate.exists():
        return candidate
    raise InputError("this file does not come with this build", where=f"{kind}/{name}", remedy="reinstall the product")
