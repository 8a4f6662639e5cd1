"""What is attached to this machine, against what the settings expect; each difference with what to do about it.

    for line in look(settings):
        print(line.state, line.kind, line.what, line.remedy)

It only lists names below /dev and /sys: nothing is opened, so a running door is not disturbed. Whether a camera or a
lock *works* is the self-test's question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.settings.model import Settings

#: Kind -> where its devices are listed by names that stay, a pattern for them, and what to buy or plug in.
KINDS = {
    "camera": ("dev/v4l/by-id", "*-video-index0", "plug in a USB camera (UVC), or a camera module of a Pi"),
    "keyboard": ("dev/input/by-id", "*-event-kbd", "plug in a USB scanner that types"),
    "serial": ("dev/serial/by-id", "*", "plug in a scanner with a serial line"),
    "gpio": ("dev", "gpiochip*", "a relay needs a board with GPIO, such as a Raspberry Pi"),
    "display": ("sys/class/drm", "card*-*", "plug in a screen"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing.

    Attributes:
        kind: of `KINDS`, or ``pin``. what: its path, or what is expected. state: ``found``, ``used`` (the settings name
            it), ``missing`` (they name it and it is not there), ``none`` (nothing of the kind is attached) or ``weak``.
        remedy: what to do; empty when there is nothing to do.
    """

    kind: str
    what: str
    state: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def look(settings: Settings | None, root: Path = Path("/")) -> list[Line]:
    """Everything that is attached, and everything that is missing.

    Args:
        settings: of the device; None: on a bare machine. root: another tree than the machine's own (tests).
    """
    expected = dict(_expected(settings)) if settings is not None else {}
    lines: list[Line] = []
    for kind, (folder, pattern, buy) in KINDS.items():
        there = _listed(root / folder, pattern, kind)
        key, path = expected.get(kind, ("", ""))
        lines += [Line(kind, f"/{name}", "used" if f"/{name}" == path else "found") for name in _below(there, root)]
        if path and not (root / path.lstrip("/")).exists():
            other = f"write one of those found into {key}, or plug it in" if there else f"plug it in, or {buy}"
            lines.append(Line(kind, path, "missing", other))
        elif path and f"/{path.lstrip('/')}" not in {line.what for line in lines}:
            lines.append(Line(kind, path, "used"))
        elif not there:
            lines.append(Line(kind, f"no {kind}", "none", buy if settings is None or key else ""))
    keypad = "" if settings is None else settings.claim.keypad
    if keypad and (root / keypad.lstrip("/")).exists():
        lines = [replace(line, state="used") if line.what == keypad else line for line in lines]
    elif keypad:
        lines.append(Line("keyboard", keypad, "missing", "plug the keypad in, or write another one into claim.keypad"))
    if settings is not None and settings.claim.pin == "alone":
        why = f"a PIN stands for a card: {settings.claim.pin_reason}"
        lines.append(Line("pin", why, "weak", "a PIN protects less than a card: give people cards where you can"))
    return lines


def fits(lines: list[Line]) -> bool:
    """Whether everything that the settings name is there."""
    return not any(line.state == "missing" or (line.state == "none" and line.remedy) for line in lines)


def _expected(settings: Settings) -> Iterator[tuple[str, tuple[str, str]]]:
    """Kind -> the key that names its device, and the path; the path is empty where any of the kind will do."""
    if settings.camera.driver == "v4l2":
        yield "camera", ("camera.device", str(settings.camera.device or ""))
    claim = settings.claim
    for kind, path in (("keyboard", claim.keyboard), ("serial", claim.serial)):
        if kind in claim.readers:
            yield kind, (f"claim.{kind}", path)
    if settings.door.driver == "relay" or settings.door.contact is not None or settings.door.tamper is not None:
        yield "gpio", ("door.chip", settings.door.chip)
    if settings.kiosk is not None:
        yield "display", ("kiosk", "")


def _listed(folder: Path, pattern: str, kind: str) -> list[Path]:
    found = sorted(folder.glob(pattern)) if folder.is_dir() else []
    return [path for path in found if kind != "display" or _connected(path)]


def _below(paths: list[Path], root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


def _connected(connector: Path) -> bool:
    try:
        return (connector / "status").read_text().strip() == "connected"
    except OSError:
        return False
