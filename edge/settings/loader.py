"""From a file to typed settings, with every error at once and each at its place.

    settings = load_settings(Path("/etc/edge/device.yaml"))     # Settings, or SettingsError with every problem
    settings, problems = check(Path("device.yaml"))             # the same without raising
    origins(Path("device.yaml"))                                # {"camera.fps": "device.yaml:7", "door.pin": "default"}

Workflow: `yaml_core` reads the file and keeps positions; pydantic validates the data strictly (a number in quotes is
text, ``yes`` is a word); what it finds is put into plain words, with what is allowed, at the line and column of the key
or value meant. Without a path, ``/etc/edge/device.yaml`` is read, else the example that comes with the product. The
environment plays no part. Relative paths inside a file are relative to that file's folder.
"""

from __future__ import annotations

import json
import logging
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge import _resources
from edge.errors import SettingsError
from edge.settings.describe import leaves
from edge.settings.model import Settings
from edge.settings.problems import KeyPath, Problem, dotted
from edge.settings.translate import translate
from edge.settings.yaml_core import Document, load

SYSTEM_FILE = Path("/etc/edge/device.yaml")

_log = logging.getLogger(__name__)


def default_file(system: Path = SYSTEM_FILE) -> Path:
    """The file that is read when none is named: the system's, else the packaged example, which is logged.

    For what a device does use `device_file`. Commands that only ask where the folders are may read the example.
    """
    file = _found(system)
    if file != system:
        _tell_of_the_example(system)
    return file


def device_file(system: Path = SYSTEM_FILE) -> Path:
    """As `default_file`, but a device build has no example to fall back on.

    Raises:
        SettingsError: there is no file, and a door is never run on an example.
    """
    file = _found(system)
    # A wheel keeps its data in the package, and one that drives doors is a device build. (`edge.profile` knows more,
    # and stands below this room.)
    package = file.parent.parent
    if file != system and package.name == "_data" and (package.parent / "door").is_dir():
        remedy = f"begin with a copy: sudo install -D -m 0644 {shlex.quote(str(file))} {system}"
        what = f"{system}: there is no settings file, and a device never runs on the packaged example; {remedy}"
        raise SettingsError((what,), remedy=remedy)
    return default_file(system)


def _found(system: Path) -> Path:
    try:
        there = system.exists()
    except OSError:
        there = True  # it may be there and we may not look: say so when reading, never fall back silently
    return system if there else _resources.path("config", "device.yaml")


@cache
def _tell_of_the_example(system: Path) -> None:
    """Once a process; several parts of one command ask for the file."""
    _log.warning("there is no %s: the packaged example is used", system)


def load_settings(path: Path | str | None = None) -> Settings:
    """Read, validate and return the settings of a device.

    Args:
        path: the file; None for `device_file`.

    Raises:
        SettingsError: the file cannot be read or does not validate; ``problems`` holds every problem as one line.
    """
    file = device_file() if path is None else Path(path)
    settings, problems = check(file)
    if settings is None:
        raise SettingsError(tuple(str(problem) for problem in problems), where=str(file))
    return settings


def check(path: Path) -> tuple[Settings | None, list[Problem]]:
    """Validate a file.

    Returns:
        The settings, or None and every problem in the order of the file. Never both, never neither.
    """
    settings, problems, _ = _read(path)
    return settings, problems


def checked(settings: Settings) -> Settings:
    """Settings that were made or copied by a program, validated like those of a file.

    Raises:
        SettingsError: a value is outside of its bounds, or two contradict each other.
    """
    try:
        return Settings.model_validate(settings.model_dump(), context={"folder": settings._folder})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, found['loc'])) or 'settings'}: {found['msg']}" for found in error.errors()]
        raise SettingsError(tuple(problems), where="settings") from None


def warnings(path: Path | None) -> tuple[Problem, ...]:
    """What is allowed in a valid file and is probably a mistake; nothing about a file that is not valid.

    Args:
        path: the file; None for `device_file`.
    """
    file = device_file() if path is None else path
    settings, _, document = _read(file)
    return () if settings is None or document is None else tuple(advice(settings, document))


def origins(path: Path) -> dict[str, str]:
    """Where each effective setting comes from.

    Returns:
        Dotted key -> ``file:line`` or ``default``, in the order of the model.

    Raises:
        SettingsError: as `load_settings`.
    """
    settings, problems, document = _read(path)
    if settings is None or document is None:
        raise SettingsError(tuple(str(problem) for problem in problems), where=str(path))
    found: dict[str, str] = {}
    for key in flat(settings.model_dump(mode="json")):
        place = document.values.get(key)
        found[dotted(key)] = f"{document.file}:{place.line}" if place else "default"
    return found


def flat(data: dict[str, Any], path: KeyPath = ()) -> dict[KeyPath, Any]:
    """Nested settings -> key path: value; lists are values."""
    found: dict[KeyPath, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= flat(value, (*path, key))
        else:
            found[(*path, key)] = value
    return found


def _read(path: Path) -> tuple[Settings | None, list[Problem], Document | None]:
    document, problems = load(path)
    if document is None:
        return None, problems, None
    try:
        settings = _validate(document.data, path)
    except ValidationError as error:
        taken = {(problem.line, problem.column) for problem in problems}
        found = (problem for detail in error.errors() for problem in translate(detail, document))
        problems += [problem for problem in found if (problem.line, problem.column) not in taken]
        return None, sorted(set(problems)), document
    driver = settings.camera.driver
    # the packaged example, which no device runs on, may still be asked where the folders are
    example = path.parent.parent.name == "_data"
    if driver in ("replay", "fictional") and _resources.is_device() and not example:
        named = ("camera", "driver") in document.values
        what = f"this build has no {driver}: a device reads a camera, never files or generated people"
        what = what if named else "no camera is named, and a device has no default"
        problems = [*problems, document.problem(("camera", "driver"), what, "picamera2 or v4l2")]
    if driver == "own" and not (Path(__file__).parents[1] / "camera/own.py").is_file():
        what = "this build has no camera driver of its builder's own"
        remedy = "picamera2 or v4l2, or a build whose build.yaml names one as camera_driver"
        problems = [*problems, document.problem(("camera", "driver"), what, remedy)]
    return (None if problems else settings), problems, document


def _validate(data: dict[str, Any], path: Path) -> Settings:
    # Through JSON, since pydantic's strict mode then still takes text for a path and a list for a tuple.
    return Settings.model_validate_json(json.dumps(data), strict=True, context={"folder": path.absolute().parent})


#: At 640 pixels a printed code is read up to 15 cm, at 1280 up to 25 cm (simulated: tests/claim/test_card_in_view.py).
QR_WIDTH = 1280

_FIXED = {"enum", "const", "pattern"}  # a comment after one of these takes nothing from it
_NUMBERED = re.compile(r"/dev/video\d+")


def advice(settings: Settings, document: Document) -> Iterator[Problem]:
    """One problem for each, in the order of this function.

    Args:
        settings: valid. document: what they were read from.
    """
    camera = settings.camera
    if camera.driver == "v4l2" and _NUMBERED.fullmatch(camera.device):
        yield document.problem(
            ("camera", "device"),
            "the kernel numbers cameras anew at each start, so this may be another one tomorrow",
            "the stable name that `ls -l /dev/v4l/by-id` shows for it",
        )
    if "qr" in settings.claim.readers and camera.width < QR_WIDTH:
        yield document.problem(
            ("camera", "width"),
            f"at {camera.width} pixels a QR code is read to 15 cm only",
            f"{QR_WIDTH} or more where claim.readers has qr",
        )
    if settings.claim.pin == "alone":
        yield document.problem(
            ("claim", "pin"),
            "a PIN in the place of the card is weaker than any card; whoever guesses one is somebody here",
            "with_card, or none",
        )
    if camera.driver == "replay" and camera.path is not None and not camera.path.exists():
        yield document.problem(("camera", "path"), f"there is no {camera.path}", "a video file or a folder of pictures")
    free = (path for path, here in leaves() if here.get("type") == "string" and not _FIXED & here.keys())
    yield from document.cut_short(*free)
