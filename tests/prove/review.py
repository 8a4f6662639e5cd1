"""The rows of `edge/prove/reviewed.txt` against this source: what a person has to look at, and the row to write then.

python -m tests.prove.review            # what has no row, has changed, or is gone
python -m tests.prove.review --accept   # write the digests of what has changed, after it was looked at
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.build.contents import profiles_of
from edge.prove import statements, templates
from edge.prove.source import MODULE, Module, Use, digest, rows

ROOT = Path(__file__).resolve().parents[2]
REVIEWED = ROOT / "edge" / "prove" / "reviewed.txt"


def modules() -> list[Module]:
    """The files that a device build holds."""
    paths = sorted((ROOT / "edge").rglob("*.py"))
    names = [path.relative_to(ROOT / "edge").as_posix() for path in paths]
    return [
        Module.parse(f"edge/{n}", (ROOT / "edge" / n).read_bytes()) for n in names if "device" in (profiles_of(n) or ())
    ]


def looks(found: list[Module]) -> dict[str, Callable[[Module], Iterator[Use]]]:
    """Every check that has rows."""
    known = templates.takers(found)
    texts = statements.constants({module.name: module for module in found})

    def several(module: Module) -> Iterator[Use]:
        yield from templates.loops(module, known)
        yield from templates.collections(module)

    return {
        "scores": templates.similarities,
        "templates": templates.gates,
        "collections": several,
        "sql": lambda module: statements.statements(module, texts),
        "dynamic": statements.dynamics,
        "listeners": statements.listeners,
    }


def differences() -> Iterator[tuple[str, Module, str, list[Use], str]]:
    """(check, file, function, its uses, what is wrong with its row)."""
    found = modules()
    for check, look in looks(found).items():
        known = rows(check)
        seen = set()
        for module in found:
            places: dict[str, list[Use]] = {}
            for use in look(module):
                places.setdefault(use.function, []).append(use)
            for function, uses in places.items():
                seen.add((module.file, function))
                row = known.get((module.file, function))
                if row is None:
                    yield check, module, function, uses, "no row"
                elif {use.kind for use in uses} != row.kinds:
                    yield check, module, function, uses, "other kinds"
                elif row.digest and row.digest != now(module, function):
                    yield check, module, function, uses, "changed"
        for file, function in sorted(set(known) - seen):
            yield check, Module.parse(file, ""), function, [], "gone"


def now(module: Module, function: str) -> str:
    """The digest of a function as it is."""
    return "" if function == MODULE else digest(module.functions[function][0])


def line(module: Module, function: str, uses: list[Use], *, shape: bool = False) -> str:
    """The row of a place as it stands in the file."""
    kinds = ", ".join(sorted({use.kind for use in uses}))
    return f"{kinds} | {'' if shape else now(module, function) or '-'} | {module.file} | {function}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true")
    given = parser.parse_args()
    lines, new, count = REVIEWED.read_text().splitlines(), dict[str, list[str]](), 0
    for check, module, function, uses, wrong in list(differences()):
        count += 1
        print(f"{wrong}: {module.file} {function} [{check}]")
        for use in uses:
            print(f"    {use.line}: {use.kind}: {use.what}")
        where = _find(lines, check, module.file, function)
        if wrong == "no row":
            new.setdefault(check, []).append(line(module, function, uses))
        elif wrong == "gone":
            del lines[where]
        else:
            row = line(module, function, uses)
            lines[where] = row if " | - | " not in lines[where] else row.replace(f" {now(module, function)} ", " - ")
    if given.accept:
        lines += [x for check, rows in new.items() for x in ("", f"[{check}] NO REASON YET: say why", *rows)]
        REVIEWED.write_text(_without_empty_groups("\n".join(lines) + "\n"))
    print(f"{count} differences")
    return 1 if count and not given.accept else 0


def _find(lines: list[str], check: str, file: str, function: str) -> int:
    """The line of a row; -1 when there is none."""
    group = ""
    for number, text in enumerate(lines):
        if text.startswith("["):
            group = text[1:].split("]")[0]
        elif group == check and text.endswith(f" | {file} | {function}"):
            return number
    return -1


def _without_empty_groups(text: str) -> str:
    parts = text.split("\n\n")
    return "\n\n".join(part for part in parts if not (part.startswith("[") and "\n" not in part))


if __name__ == "__main__":
    sys.exit(main())
