"""The self-test's checks of the machine: heat, supply, memory - as Linux and a Pi's firmware tell them.

A machine that does not tell (no sensor, no firmware of a Pi) passes, and the value says so. None of it makes a device
unfit: a hot door still decides rightly, and locks when it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.errors import Unfit
from edge.selftest import Check

#: A Pi slows its processor down from 80 degrees on, and hard at 85 (raspberrypi.com, documentation, "Thermal control").
HOT_C = 80.0
#: What `edge run` takes at its peak (tests.benchmarks.process), and as much again for what else a moment needs.
MEMORY_MB = 150
_THERMAL, _HWMON = "sys/class/thermal", "sys/class/hwmon"
#: Bits of the firmware's answer, as `vcgencmd get_throttled` prints it: now in 0-3, since the start in 16-19.
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_UNDER_VOLTAGE = {0: "under-voltage"}
_SLOWER = {1: "the processor's rate is capped", 2: "throttled", 3: "the soft temperature limit holds"}


def checks(root: Path = Path("/")) -> list[Check]:
    """What is checked. root: of the file system; tests bring one of their own."""

    def check(name: str, proves: str, run: Callable[[Path], str], limit: str) -> Check:
        return Check(name, proves, lambda: run(root), limit=limit, needed=False)

    return [
        check("temperature", "the processor is not so hot that it slows down", temperature, f"{HOT_C:g} degrees"),
        check("supply", "the supply holds its voltage", supply, "no under-voltage since the start"),
        check("throttling", "the processor runs at its full rate", throttling, "not slowed down since the start"),
        check("memory", "there is memory for a whole session", memory, f"{MEMORY_MB} MB available"),
    ]


def temperature(root: Path) -> str:
    """The hottest zone. Raises `Unfit`: at its limit."""
    found = [value / 1000 for path in root.glob(f"{_THERMAL}/thermal_zone*/temp") if (value := _number(path)) > 0]
    if not found:
        return "this machine has no sensor"
    if max(found) >= HOT_C:
        raise Unfit(
            f"{max(found):.0f} degrees Celsius",
            where="processor",
            remedy="give it air or a heat sink, and keep the sun away from the case",
        )
    return f"{max(found):.0f} degrees Celsius"


def supply(root: Path) -> str:
    """The firmware's word, else the kernel's alarm (hwmon ``rpi_volt``). Raises `Unfit`: under-voltage."""
    told = _number(root / _THROTTLED, base=16)
    alarms = [path.parent / "in0_lcrit_alarm" for path in root.glob(f"{_HWMON}/*/name") if _text(path) == "rpi_volt"]
    if told < 0 and not alarms:
        return "this machine does not tell"
    when = _said(told, _UNDER_VOLTAGE) or ("under-voltage" if any(_number(path) > 0 for path in alarms) else "")
    if when:
        raise Unfit(when, where="supply", remedy="use the supply made for this board (5.1 V) and a short, thick cable")
    return "steady"


def throttling(root: Path) -> str:
    """The firmware's word, else the kernel's cooling devices of the processor. Raises `Unfit`: it is slowed down."""
    told = _number(root / _THROTTLED, base=16)
    coolers = [path.parent for path in root.glob(f"{_THERMAL}/cooling_device*/type") if "cpufreq" in _text(path)]
    if told < 0 and not coolers:
        return "this machine does not tell"
    held = [f"step {_number(path / 'cur_state')} of {_number(path / 'max_state')}" for path in coolers
            if _number(path / "cur_state") > 0]  # fmt: skip
    when = _said(told, _SLOWER) or (f"slowed down for its heat, {held[0]}" if held else "")
    if when:
        remedy = "give it air or a heat sink; with under-voltage (the check `supply`) the supply is the cause"
        raise Unfit(when, where="processor", remedy=remedy)
    return "at its full rate since the start" if told >= 0 else "not slowed down"


def _said(told: int, bits: dict[int, str]) -> str:
    """What the firmware says of these bits: now, else since the start; empty when nothing, or when it says nothing."""
    now = [name for bit, name in bits.items() if told > 0 and told >> bit & 1]
    since = [name for bit, name in bits.items() if told > 0 and told >> (bit + 16) & 1]
    return ", ".join(now) or (f"{', '.join(since)} since the start" if since else "")


def memory(root: Path) -> str:
    """What the kernel can give without swapping. Raises `Unfit`: less than a session takes."""
    lines = dict(line.partition(":")[::2] for line in _text(root / "proc/meminfo").splitlines())
    words = lines.get("MemAvailable", "").split()
    if not words or not words[0].isdigit():
        return "this machine does not tell"
    free = int(words[0]) // 1024
    if free < MEMORY_MB:
        raise Unfit(f"{free} MB are available", where="memory", remedy="end what else runs on this device")
    return f"{free} MB available"


def _text(path: Path) -> str:
    """A file's text; empty when it is not there or cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path, base: int = 10) -> int:
    """A file's number; -1 when it is not there or holds none."""
    try:
        return int(_text(path), base)
    except ValueError:
        return -1
