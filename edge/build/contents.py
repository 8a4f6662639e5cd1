"""Which files a build of a profile holds: an allow-list, row by row.

The first row whose pattern fits a file decides about it. A Python file that no row fits is a finding: a new room has to
be put into a row before anything can be built, so that nothing gets into a device by being forgotten. Other files that
no row fits are left out. The hook adds the files one by one; where it does not run, the wheel is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from edge.policy.findings import Finding

_BOTH = frozenset({"device", "lab"})
_DEVICE = frozenset({"device"})
_LAB = frozenset({"lab"})
_NONE: frozenset[str] = frozenset()

#: (pattern below ``edge/``, profiles that hold what it fits). `*` fits slashes, too. Order matters.
ROWS: tuple[tuple[str, frozenset[str]], ...] = (
    ("build/backend.py", _NONE),  # these three run while building, never after
    ("build/hook.py", _NONE),
    ("build/plan.py", _NONE),
    ("cli/compare.py", _LAB),  # from two pictures to a score
    ("cli/_pictures.py", _NONE),  # pictures in place of a camera: needs all of a device, so a checkout only
    ("cli/attack.py", _NONE),  # keeps pictures of people, encrypted, until a report is made of them
    ("cli/__init__.py", _BOTH),
    ("cli/_common.py", _BOTH),
    ("cli/config.py", _BOTH),
    ("cli/schema.py", _BOTH),
    ("cli/build.py", _BOTH),
    ("cli/_signer.py", _BOTH),  # a signer's passphrase
    ("cli/models.py", _BOTH),
    ("cli/_models.py", _BOTH),
    ("cli/_convert.py", _LAB),  # looks at pictures of many people, as the lab does
    ("cli/policy.py", _BOTH),
    ("cli/_policy.py", _BOTH),
    ("cli/prove.py", _BOTH),
    ("cli/lab*.py", _LAB),
    ("cli/*.py", _DEVICE),
    ("__init__.py", _BOTH),
    ("__main__.py", _BOTH),
    ("_isolated.py", _BOTH),
    ("_resources.py", _BOTH),
    ("_version.py", _BOTH),
    ("errors.py", _BOTH),
    ("profile.py", _BOTH),
    ("files.py", _BOTH),
    ("types/*.py", _BOTH),
    ("LAYERS.txt", _BOTH),
    ("py.typed", _BOTH),
    ("settings/*.py", _BOTH),
    ("settings/*.txt", _BOTH),  # other names of time zones
    ("pictures/*.py", _BOTH),
    ("messages/*.py", _BOTH),
    ("messages/*.mo", _BOTH),
    ("messages/*.po", _NONE),  # what translators write; compiled beside it
    ("trust/*.py", _BOTH),  # the private halves in it are useless without their files
    ("policy/*.py", _BOTH),
    ("policy/*.txt", _BOTH),  # the facts, and the codes of countries and their parts
    ("build/*.py", _BOTH),
    ("models/reference.py", _LAB),  # compares pictures of people who do not exist, when a model is imported
    ("models/converting.py", _LAB),  # ONNX to .tflite: needs PyTorch, which no device has
    ("models/onnx_graph.py", _LAB),
    ("models/*.py", _BOTH),
    ("face/*.py", _BOTH),
    ("face/quality.json", _BOTH),
    ("fictional/*.py", _BOTH),
    ("fictional/people/*.jpg", _BOTH),  # of `edge demo`, the known answers and `models/reference.py`
    ("fictional/people/*.npz", _BOTH),
    ("prove/*.py", _BOTH),  # what an auditor runs; its live part needs the vault and is imported where it runs
    ("prove/*.txt", _BOTH),  # what was reviewed, and what is known
    ("prove/page.css", _BOTH),
    ("prove/page.html.j2", _BOTH),
    ("lab/*.py", _LAB),
    ("lab/*.j2", _LAB),  # the report's template
    ("state/*.py", _DEVICE),
    ("camera/replay.py", _NONE),  # frames from files, and of generated people: a device build has no way from a
    ("camera/stand_in.py", _NONE),  # picture to a decision but its camera, and a lab has no camera room
    ("camera/own.py", _NONE),  # a builder's own driver, which the build file names: `edge.build.plan` adds it
    ("camera/*.py", _DEVICE),
    ("claim/*.py", _DEVICE),
    ("papers/*.py", _DEVICE),
    ("papers/templates/*", _DEVICE),
    ("papers/fonts/*", _DEVICE),  # the letters of printed cards, with their licence
    ("notify/*.py", _DEVICE),
    ("vault/*.py", _DEVICE),
    ("journal/*.py", _DEVICE),
    ("door/*.py", _DEVICE),
    ("session/pictures.py", _NONE),  # a template from pictures
    ("session/*.py", _DEVICE),
    ("kiosk/*.py", _DEVICE),
    ("kiosk/page/*", _DEVICE),  # what a browser is given
    ("kiosk/desk/page/*", _DEVICE),
    ("selftest/*.py", _DEVICE),
    ("service/*.py", _DEVICE),
    ("testing/*.py", _NONE),  # scripted cameras and fake doors: for development, in no wheel
)

#: Rows that are in a wheel only where its build file asks for a capability that is optional.
ASKED_FOR: Mapping[str, str] = MappingProxyType(
    {
        "kiosk/": "local_page",
        "kiosk/desk/": "operator_page",  # and the page for the person in front, from which it is reached
        "service/staff": "operator_page",
        "claim/keyboard.py": "keyboard_reader",
        "claim/serial.py": "serial_reader",
        "state/pin_alone.py": "pin_alone",
    }
)

#: (folder of the project, pattern below it): package data of every profile. The recipes of ``models/training`` and
#: anything else that lies about there are not in it.
DATA = (
    ("models", "*.tflite"),
    ("models", "*.card.yaml"),
    ("config", "device.yaml"),
    ("config", "device.schema.json"),
    ("config", "schemas/*.json"),
    ("config", "examples/*.yaml"),
    ("config", "policy/*.yaml"),
    ("config", "records/*.dsse.json"),  # signed reviews that the build file names
)

#: A profile without this room would be an empty promise.
NEEDED = {"device": "session", "lab": "lab"}

#: What the build hook adds beside them: the build file in use and the signed records that it names.
_OF_THE_BUILD = (("config", "build.yaml"), ("config", "records/*.dsse.json"))
#: Files of a wheel's metadata folder, RECORD and the signature aside.
_METADATA = ("METADATA", "WHEEL", "entry_points.txt")
_SKIPPED = ("__pycache__", "_build", "_data")


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a wheel.

    Args:
        files: path in the wheel -> file of the source tree.
        findings: reasons against building it.
    """

    files: dict[str, Path]
    findings: list[Finding] = field(default_factory=list)


def profiles_of(name: str) -> frozenset[str] | None:
    """The profiles that hold a file, named relative to ``edge/``; None when no row fits it."""
    return next((profiles for pattern, profiles in ROWS if fnmatchcase(name, pattern)), None)


def asked_for(name: str, capabilities: Mapping[str, bool]) -> bool:
    """Whether a build with these capabilities holds a file of its profile, named relative to ``edge/``."""
    needed = (capability for room, capability in ASKED_FOR.items() if name.startswith(room))
    return all(capabilities.get(capability, False) for capability in needed)


def strangers(names: Iterable[str], profile: str, capabilities: Mapping[str, bool]) -> list[str]:
    """The files of a wheel that a build of this profile does not hold, in order.

    Args:
        names: as they are named in the wheel; the folder of its metadata (``.dist-info``) belongs to every wheel.
        profile: ``device`` or ``lab``. capabilities: of the build, by name.
    """
    return sorted(name for name in names if not _belongs(name, profile, capabilities))


def _belongs(name: str, profile: str, capabilities: Mapping[str, bool]) -> bool:
    room, _, rest = name.partition("/")
    if room.endswith(".dist-info"):
        return rest in _METADATA or rest.startswith("licenses/")
    if room != "edge":
        return False
    if rest.startswith("_data/"):
        folder, _, file = rest.removeprefix("_data/").partition("/")
        patterns = [pattern for home, pattern in (*DATA, *_OF_THE_BUILD) if home == folder]
        return any(fnmatchcase(file, pattern) and file.count("/") == pattern.count("/") for pattern in patterns)
    fits = profile in (profiles_of(rest) or ()) and asked_for(rest, capabilities)
    return rest == "_build/statement.json" or fits


def contents(root: Path, profile: str, capabilities: Mapping[str, bool]) -> Contents:
    """The files of a build.

    Args:
        root: the project's root.
        profile: ``device`` or ``lab``. capabilities: of the build, by name.
    """
    found = Contents({})
    for path in _below(root / "edge"):
        name = path.relative_to(root / "edge").as_posix()
        profiles = profiles_of(name)
        if profiles is None and path.suffix == ".py":
            text = "this file is in no row of edge/build/contents.py, which says what a build holds"
            found.findings.append(Finding(f"edge/{name}", "contents", text, "add it to a row"))
        elif profiles is not None and profile in profiles and asked_for(name, capabilities):
            found.files[f"edge/{name}"] = path
    for folder, pattern in DATA:
        for path in sorted((root / folder).glob(pattern)):
            found.files[f"edge/_data/{folder}/{path.relative_to(root / folder).as_posix()}"] = path
    room = NEEDED[profile]
    if f"edge/{room}/__init__.py" not in found.files:
        text = f"the profile {profile} needs the room edge/{room}, which this source tree does not have"
        found.findings.append(Finding(f"edge/{room}", "contents", text, "build another profile"))
    return found


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _SKIPPED:
            yield from _below(path)
        elif path.is_file():
            yield path
