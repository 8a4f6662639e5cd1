"""What a maintainer needs to help with a device, and nothing that its operator must not share.

    write_report(Path("door.support.json"), config, now_s=time.time())

What may leave is declared by type: every field of `SupportReport` is a number, a flag, or one of the words below, whose
constructor refuses whatever is longer or has another alphabet; no field is a ``str``. So neither a name, a path, an
address, a serial, a key, a picture nor a template has a field that it could stand in. What failed is told by the class
of its error and the line of this product that raised it, which names the message without its values.

Neither camera nor door is opened: the self-test is the one of a device that runs.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from edge.errors import EdgeError, InputError, SettingsError, place_of
from edge.files import check_writable, refusal, write_atomic
from edge.journal import Entry, Selection
from edge.profile import BuildInfo, bears_signature, current
from edge.selftest import Level, run
from edge.service.fitness import device_checks
from edge.service.models import model_finder
from edge.service.parts import Parts
from edge.service.reading import Reading
from edge.settings import Settings, check, device_file
from edge.settings.describe import node
from edge.settings.loader import flat

SCHEMA = "edge/support-report/v1"
#: The newest entries of a kind that a report tells; a fault that recurs is one entry an edge, not one a frame.
_NEWEST = 50
#: Kind of journal entry -> its fields that may leave. Operators, serials, sessions and signers have none.
_ENTRIES: Mapping[str, tuple[str, ...]] = {
    "started": ("version", "profile", "signed", "may_drive"),
    "stopped": ("cause",),
    "selftest": ("passed", "failed", "check"),
    "fault": ("error", "fault", "room"),
    "recovered": ("bytes",),
    "fan_out": ("level", "cards", "wait"),
}


class _Word(str):
    """A text that may leave: short, and of an alphabet in which nothing can be told that is not ours."""

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]]

    def __new__(cls, text: str) -> Self:
        if not cls.pattern.fullmatch(text):
            raise ValueError(f"no {cls.__name__}")  # never the text
        return super().__new__(cls, text)


class Term(_Word):
    """A word of this product's own vocabulary: a check, a setting's key or choice, an error's class."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9_.+ /-]{1,48}", re.ASCII)


class Version(_Word):
    """A version of a program, or a commit."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9.+~_-]{1,64}", re.ASCII)


class Digest(_Word):
    """The first half of the SHA-256 of a published file."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Raised(_Word):
    """Where an error was raised: its class, and up to three lines of this product."""

    __slots__ = ()
    _line = r"edge/[a-z0-9_/]{1,60}\.py:\d{1,5}"
    pattern = re.compile(rf"[A-Za-z]{{1,40}} at ({_line}( > {_line}){{0,2}}|an unknown place)", re.ASCII)


T = TypeVar("T")
W = TypeVar("W", bound=_Word)
Told = int | float | bool | Term | Version | None
"""What a setting or a field of an entry may say."""


@dataclass(frozen=True, slots=True)
class CheckTold:
    """One check of the self-test; ``raised``: what a failed one met."""

    id: Term
    ok: bool
    needed: bool
    raised: Raised | None
    milliseconds: float


@dataclass(frozen=True, slots=True)
class EntryTold:
    """One entry of the journal, without people. ``at``: Unix seconds of the trusted time."""

    at: int
    kind: Term
    fields: dict[Term, Told]


@dataclass(frozen=True, slots=True)
class SupportReport:
    """Everything that a report holds. A test walks these types; see the module docstring.

    Attributes:
        made: Unix seconds of the system clock.
        product, profile, commit, dirty, signed: what this build is, and whether a signature lies in it.
        python, machine, kernel, system, board, programs: what it runs on.
        cpus, memory_mib, free_mib, up_s: how large that is; free: on the state folder's disk.
        settings: key -> its value where that is a number, a flag or a choice; else ``set`` or ``default``.
        problems: (line, column) of everything that is wrong in the settings.
        models: card -> digest of the file.
        checks, fit: the self-test of a running device.
        entries: what the journal says of starts, stops and faults, oldest first; unread: why it says nothing.
    """

    made: int
    product: Version
    profile: Term
    commit: Version | None
    dirty: bool | None
    signed: bool
    python: Version
    machine: Term
    kernel: Version | None
    system: Term | None
    board: Term | None
    programs: dict[Term, Version]
    cpus: int
    memory_mib: int
    free_mib: int | None
    up_s: int | None
    settings: dict[Term, Told]
    problems: tuple[tuple[int, int], ...]
    models: dict[Term, Digest]
    checks: tuple[CheckTold, ...]
    fit: bool
    entries: tuple[EntryTold, ...]
    unread: Raised | None

    def text(self) -> str:
        """The report as indented JSON, for the eye of whoever sends it."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def write_report(file: Path, config: Path | None, *, now_s: float, parts: Parts | None = None) -> SupportReport:
    """Make the report of a device and write it to a new file.

    Args:
        file: does not exist yet. config: the settings; None as for `edge.settings.load_settings`.
        now_s: Unix seconds. parts: as for `edge.service.Device.open`.

    Raises:
        InputError: the file cannot be written.
    """
    check_writable(file)
    report = collect(config, now_s=now_s, parts=parts)
    try:
        write_atomic(file, report.text().encode("ascii"), mode=0o600, new=True)
    except OSError as error:
        raise refusal(InputError, error, file, "the report cannot be written there") from None
    return report


def collect(config: Path | None, *, now_s: float, parts: Parts | None = None) -> SupportReport:
    """Everything that can be found out; what cannot be read is told as such, and never raised."""
    settings, problems = _settings(config)
    build = current() if parts is None else parts.build
    with device_checks(config, parts=parts) as checks:
        tested = run(checks, Level.PERIODIC)
    entries, unread = _entries(settings, parts)
    return SupportReport(
        made=int(now_s),
        **_build(build),
        **_machine(),
        free_mib=_read(lambda: _free(settings)),
        settings=_leaving(settings),
        problems=problems,
        models=_models(settings),
        checks=tuple(
            CheckTold(Term(r.check.id), r.ok, r.needed, _word(Raised, r.raised), round(r.milliseconds, 1))
            for r in tested.results
        ),
        fit=tested.fit,
        entries=entries,
        unread=unread,
    )


def _word(kind: type[W], text: object) -> W | None:
    """The text as a word, or None where it is none and therefore stays here."""
    return kind(text) if isinstance(text, str) and kind.pattern.fullmatch(text) else None


def _read(get: Callable[[], T]) -> T | None:
    """What can be found out, or None: a report is wanted where things are broken."""
    try:
        return get()
    except (EdgeError, OSError, ValueError, metadata.PackageNotFoundError):
        return None


def _settings(config: Path | None) -> tuple[Settings | None, tuple[tuple[int, int], ...]]:
    try:
        settings, problems = check(device_file() if config is None else config)
    except SettingsError:
        return None, ((0, 0),)
    return settings, tuple((problem.line, problem.column) for problem in problems)


def _leaving(settings: Settings | None) -> dict[Term, Told]:
    """Each setting, as far as its own type lets it leave."""
    told: dict[Term, Told] = {}
    for path, value in flat(settings.model_dump(mode="json")).items() if settings is not None else ():
        where = node(path) or {}
        kind, entries = where.get("type"), where.get("items", {})
        if value is None or kind in ("boolean", "integer", "number"):
            left: Told = value
        elif "enum" in where or "const" in where:
            left = _word(Term, value)
        elif "enum" in entries:
            left = _word(Term, " ".join(value))
        else:  # text: what people wrote stays here
            left = Term("default" if value in (where.get("default"), []) else "set")
        told[Term(".".join(map(str, path)))] = left
    return told


def _models(settings: Settings | None) -> dict[Term, Digest]:
    if settings is None:
        return {}
    find, face = model_finder(settings), settings.face
    cards = {
        role: _read(partial(find, name)) for role, name in (("detector", face.detector), ("embedder", face.embedder))
    }
    return {Term(role): Digest(card.sha256[:32]) for role, card in cards.items() if card is not None}


def _entries(settings: Settings | None, parts: Parts | None) -> tuple[tuple[EntryTold, ...], Raised | None]:
    if settings is None:
        return (), None
    try:
        with Reading(settings, parts) as reading:
            found = list(reading.entries(Selection(kinds=tuple(_ENTRIES))))
    except EdgeError as error:
        return (), _word(Raised, place_of(error, frames=3))
    return tuple(_entry(entry) for entry in _newest(found)), None


def _newest(found: Iterable[Entry]) -> list[Entry]:
    by_kind: dict[str, deque[Entry]] = {kind: deque(maxlen=_NEWEST) for kind in _ENTRIES}
    for entry in found:
        by_kind[entry.kind].append(entry)
    return sorted((entry for kept in by_kind.values() for entry in kept), key=lambda entry: entry.seq)


def _entry(entry: Entry) -> EntryTold:
    fields: dict[Term, Told] = {}
    for name in _ENTRIES[entry.kind]:
        value = entry.fields.get(name)
        fields[Term(name)] = value if isinstance(value, int) else _word(Term, value)
    return EntryTold(entry.at, Term(entry.kind), fields)


def _build(build: BuildInfo) -> dict[str, Any]:
    return {
        "product": Version(build.version),
        "profile": Term(build.profile),
        "commit": _word(Version, build.commit),
        "dirty": build.dirty,
        "signed": bears_signature(),
    }


def _machine() -> dict[str, Any]:
    system = _read(platform.freedesktop_os_release) or {}
    board = _read(lambda: Path("/proc/device-tree/model").read_text("ascii").rstrip("\0"))
    return {
        "python": Version(platform.python_version()),
        "machine": Term(platform.machine()),
        "kernel": _word(Version, platform.release()),
        "system": _word(Term, f"{system.get('ID')} {system.get('VERSION_ID')}"),
        "board": _word(Term, board),
        "programs": _programs(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
        "up_s": _read(lambda: int(float(Path("/proc/uptime").read_text("ascii").split()[0]))),
    }


def _programs() -> dict[Term, Version]:
    """The installed version of each program that this product declares, and of no other."""
    declared = _read(lambda: metadata.requires("edge-verifier")) or []
    names = sorted({re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in declared})
    found = {name: _read(partial(metadata.version, name)) for name in names}
    return {Term(name): word for name, version in found.items() if (word := _word(Version, version)) is not None}


def _free(settings: Settings | None) -> int | None:
    if settings is None:
        return None
    disk = os.statvfs(settings.device.state_dir)
    return disk.f_bavail * disk.f_frsize >> 20
