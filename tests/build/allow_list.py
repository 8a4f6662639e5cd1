"""README's list of the files of each profile, made of the rows of `edge/build/contents.py` and of what is there.

Written by ``python -m tests.benchmarks.readme --write``; compared with README, and with a wheel that pip has built.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from edge.build.contents import contents

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- allow-list -->", "<!-- /allow-list -->"
#: Written by the build itself, into every wheel.
WRITTEN = ("edge/_build/statement.json", "edge/_data/config/build.yaml")


def held(profile: str) -> set[str]:
    """The files of a profile, as they are named in its wheel; the wheel's own metadata aside."""
    return set(contents(ROOT, profile).files) | set(WRITTEN)


def table() -> str:
    """One row a folder: what every build holds, what only a device holds, what only a lab holds."""
    device, lab = held("device"), held("lab")
    rows: dict[str, list[list[str]]] = defaultdict(lambda: [[], [], []])
    for column, names in enumerate((device & lab, device - lab, lab - device)):
        for name in sorted(names):
            folder, _, file = name.rpartition("/")
            rows[folder][column].append(f"`{file}`")
    lines = [f"A device build holds {len(device)} files, a lab build {len(lab)}:", ""]
    lines += ["| folder | both | device only | lab only |", "|---|---|---|---|"]
    lines += [
        f"| `{folder}` | " + " | ".join(" ".join(cell) for cell in rows[folder]) + " |" for folder in sorted(rows)
    ]
    return "\n".join(lines)


def with_allow_list(readme: str) -> str:
    """README with the list made anew."""
    before, rest = readme.split(BEGIN, 1)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END, 1)[1]


def listed(readme: str, profile: str) -> set[str]:
    """The files that README lists for a profile, read back from its table."""
    wanted = {"device": (1, 2), "lab": (1, 3)}[profile]
    found = set()
    for line in readme.split(BEGIN, 1)[1].split(END, 1)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            folder = cells[0].strip("`")
            found |= {f"{folder}/{file}" for column in wanted for file in re.findall(r"`([^`]+)`", cells[column])}
    return found
