"""How large the product is: lines of code, of comments and of docstrings in ``edge``, by room and by feature.

    python -m tests.benchmarks.size            # the table, the sum, and what came with new features
    python -m tests.benchmarks.size --shape    # what makes a house hard to read: long functions, tiny files, ...
    python -m tests.benchmarks.size --json     # all of it

A line of code is one that is neither blank, nor a comment alone, nor part of a docstring.

``FEATURES`` names the files that came with a feature that the product did not have on 22 November (commit 9c75d10,
22,158 lines in 267 files by this count), as ``git log --diff-filter=A --format='%h %ad %s' -- FILE`` and
``git diff -M40% --name-status 9c75d10 HEAD -- edge`` tell. Whole files only: what a feature added to a file that was
there before is counted with the old ones, and a file that took over what another did (the self-test's checks, V4L2
without OpenCV, the papers) is an old one, so the figure apart is a lower bound of what is new.
"""

from __future__ import annotations

import ast
import io
import json
import sys
import tokenize
from collections import Counter, defaultdict
from pathlib import Path

EDGE = Path(__file__).resolve().parents[2] / "edge"

#: A function that is longer does not fit on a screen; a file that is shorter is seldom an idea of its own.
LONG, TINY = 60, 60

#: Feature -> the files (or folders) of ``edge`` that came with it.
FEATURES: dict[str, tuple[str, ...]] = {
    "attack detection: challenge, flash, passive, session rule": (
        "face/challenge.py",
        "face/flash.py",
        "face/parallax.py",
        "face/passive.py",
        "face/suspicion.py",
        "face/rule.py",
        "session/run.py",
        "session/turning.py",
        "types/gates.py",
        "settings/kinds.py",
    ),
    "attacks that are simulated, recorded and measured": (
        "fictional/actor.py",
        "fictional/attack.py",
        "fictional/shown.py",
        "lab/attack.py",
        "lab/sessions.py",
        "cli/attack.py",
        "testing/attack_set.py",
    ),
    "the kiosk's page": (
        "kiosk/__init__.py",
        "kiosk/kiosk.py",
        "kiosk/pin_pad.py",
        "kiosk/preview.py",
        "kiosk/screen.py",
        "kiosk/server.py",
        "kiosk/words.py",
        "service/page.py",
        "service/handing.py",
        "service/demo_page.py",
    ),
    "the operator's pages": (
        "kiosk/desk/",
        "service/desk.py",
        "service/sitting.py",
        "service/staff.py",
        "service/staff_process.py",
        "service/staff_signer.py",
        "service/wire.py",
        "cli/_operators.py",
        "trust/operators.py",
    ),
    "the operator's socket: acts on a running door": (
        "service/operator_socket.py",
        "service/remote.py",
        "service/doorway.py",
    ),
    "events, observers, JSON lines; published schemas": (
        "notify/",
        "service/observers.py",
        "types/events.py",
        "cli/schema.py",
    ),
    "scanners that type, serial readers, PINs": (
        "claim/attended.py",
        "claim/keyboard.py",
        "claim/plugged.py",
        "claim/serial.py",
        "session/pin.py",
        "state/pins.py",
    ),
    "the door in sight, and a guard that owns the pin": (
        "door/asking.py",
        "door/hold.py",
        "door/holders.py",
        "door/sight.py",
        "settings/door.py",
        "service/keeping.py",
        "types/sight.py",
        "service/systemd.py",
    ),
    "stores bound by counters; an act that was cut off is finished": (
        "state/binding.py",
        "vault/ledger.py",
        "service/records.py",
        "service/unfinished.py",
        "service/refusals.py",
    ),
    "templates that rotate, people on the embedder before": ("types/rotation.py", "service/renewals.py"),
    "no way from a picture to a score in a device build": (
        "_isolated.py",
        "camera/owned.py",
        "camera/stand_in.py",
        "fictional/exact.py",
        "service/own.py",
        "session/pictures.py",
        "types/inside.py",
        "types/wipe.py",
        "trust/first.py",
    ),
    "known answers, the machine and its speed in the self-test": (
        "service/known_answers.py",
        "service/machine.py",
        "service/sheet.py",
        "service/speed.py",
        "cli/bench.py",
        "service/declared.py",
    ),
    "a session's own process": (
        "session/cell.py",
        "session/cell_process.py",
        "session/cells.py",
        "session/checks.py",
        "session/confine.py",
    ),
    "ONNX embedders converted": ("models/converting.py", "models/onnx_graph.py", "cli/_convert.py"),
    "edge init, doctor, support-report": (
        "service/first.py",
        "service/doctor.py",
        "service/support.py",
        "cli/init.py",
        "cli/doctor.py",
        "cli/support_report.py",
    ),
    "edge.testing: a scripted camera, a device in a folder": ("testing/__init__.py", "door/fake.py"),
}


def count(text: str) -> tuple[int, int, int]:
    """Lines of code, with a comment, of docstrings."""
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docs.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = text.splitlines()
    code = sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in docs
        for number, line in enumerate(lines, 1)
    )
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    return code, len(comments), len(docs)


def rooms() -> dict[str, list[int]]:
    """Room -> files, lines of code, comments, docstrings."""
    found: dict[str, list[int]] = {}
    for path in sorted(EDGE.rglob("*.py")):
        if "_build" in path.parts:
            continue
        parts = path.relative_to(EDGE).parts
        row = found.setdefault(parts[0] if len(parts) > 1 else "(top)", [0, 0, 0, 0])
        for k, value in enumerate((1, *count(path.read_text(encoding="utf-8")))):
            row[k] += value
    return found


def features() -> dict[str, list[int]]:
    """Feature -> files, lines of code.

    Raises:
        SystemExit: a row of FEATURES names a file that has gone, so that the table cannot grow old.
    """
    found: dict[str, list[int]] = {}
    for name, places in FEATURES.items():
        row = found.setdefault(name, [0, 0])
        for place in places:
            files = sorted((EDGE / place).rglob("*.py")) if place.endswith("/") else [EDGE / place]
            missing = [path for path in files if not path.is_file()]
            if missing or not files:
                raise SystemExit(f"FEATURES names {place}, which is not in edge/: take it out, or name its new place")
            row[0] += len(files)
            row[1] += sum(count(path.read_text(encoding="utf-8"))[0] for path in files)
    return found


def shape() -> dict[str, list[str]]:
    """What makes a house hard to read, and where: a place to look, not a verdict."""
    long, classes, private, calls = [], defaultdict(list), [], Counter()
    importers: dict[str, set[str]] = defaultdict(set)
    paths = [path for path in sorted(EDGE.rglob("*.py")) if "_build" not in path.parts]
    modules = {".".join(path.relative_to(EDGE.parent).with_suffix("").parts): path for path in paths}
    for module, path in modules.items():
        name = str(path.relative_to(EDGE))
        here: Counter[str] = Counter()
        functions: list[str] = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONG:
                    long.append(f"{name} {node.name} ({lines})")
                if node.name.startswith("_") and not node.name.startswith("__"):
                    functions.append(node.name)
            elif isinstance(node, ast.ClassDef):
                classes[node.name].append(name)
            elif isinstance(node, ast.Name):
                here[node.id] += 1
            elif isinstance(node, ast.Attribute):
                here[node.attr] += 1
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    within = f"{node.module}.{alias.name}"
                    importers[within if within in modules else node.module].add(module)
        private += [f"{name} {function}" for function in functions if here[function] == 1]
        calls[name] = len(functions)
    tiny = [
        str(path.relative_to(EDGE))
        for module, path in modules.items()
        if path.name != "__init__.py"
        and len(path.read_text(encoding="utf-8").splitlines()) < TINY
        and len(importers[module]) == 1
    ]
    return {
        f"functions of more than {LONG} lines": sorted(long),
        f"files under {TINY} lines with one importer": tiny,
        f"private functions with one caller, of {calls.total()}": private,
        "class names used twice or more": [f"{k}: {', '.join(v)}" for k, v in sorted(classes.items()) if len(v) > 1],
    }


def main() -> None:
    table = rooms()
    new = features()
    total = [sum(row[k] for row in table.values()) for k in range(4)]
    apart = [sum(row[k] for row in new.values()) for k in range(2)]
    if "--json" in sys.argv:
        answer = {"rooms": table, "files": total[0], "code": total[1], "comments": total[2], "docs": total[3]}
        print(json.dumps({**answer, "features": new, "shape": {k: len(v) for k, v in shape().items()}}))
        return
    if "--shape" in sys.argv:
        for name, places in shape().items():
            print(f"{name}: {len(places)}", *(f"  {place}" for place in places), sep="\n")
        return
    print(f"{'room':12} {'files':>5} {'code':>7} {'comments':>8} {'docstrings':>10}")
    for name, row in sorted(table.items(), key=lambda item: -item[1][1]):
        print(f"{name:12} {row[0]:5} {row[1]:7,} {row[2]:8,} {row[3]:10,}")
    print(f"{'all':12} {total[0]:5} {total[1]:7,} {total[2]:8,} {total[3]:10,}")
    print(f"\n{'files that came with new features':66} {'files':>5} {'code':>7}")
    for name, row in sorted(new.items(), key=lambda item: -item[1][1]):
        print(f"{name:66} {row[0]:5} {row[1]:7,}")
    print(f"{'all of these':66} {apart[0]:5} {apart[1]:7,}")
    print(f"{'everything else':66} {total[0] - apart[0]:5} {total[1] - apart[1]:7,}")
    print()
    for name, places in shape().items():
        print(f"{name}: {len(places)}")


if __name__ == "__main__":
    main()
