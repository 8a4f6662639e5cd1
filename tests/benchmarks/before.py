"""What a decision costs, before and after: another commit of this repository and this checkout, in one run.

    python -m tests.benchmarks.before --commit 9c75d10 --json OUT

Each commit runs in a process of its own on the same picture, and they take turns in blocks, so that a machine that
slows down slows both. Medians.

- *Decision*: a 640x480 frame in memory -> detect, align, assess, embed, compare with a template that is open. Counted
  is the processor's time, that of the session's process included, not the clock, which other programs move.
- *Claim*: the same, with what a session does around it: its process, from its begin to its end; opening the sealed
  template. By the clock, since several processes take turns: run it under ``chrt -r 2``, on a machine that does nothing
  else. What the passive network costs is said apart: it is a gate of its own, which came later.
Bars: a decision <= 1.05 of what it took; a claim <= 5 ms more, as a session's own process may cost.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console

from tests.benchmarks import report
from tests.benchmarks.speed import fictional_frame

BAR_RATIO, BAR_MORE_MS, BLOCK, ROOT = 1.05, 5.0, 12, Path(__file__).resolve().parents[2]

#: One commit: reads how many rounds are wanted, a line each; answers with milliseconds by name.
CHILD = """
import contextlib, json, os, sys, time
import cv2, numpy as np
sys.path.insert(0, sys.argv[1])
from edge.face import Chain
from edge.settings.model import FaceSettings
from edge.types import Claim, Custody, Frame, Template
from edge.vault.seal import Header, open_sealed, seal
try:
    from edge.face.match import compare
except ImportError:
    from edge.session.compare import compare

chain = Chain.load(FaceSettings(threads=1))
frame = Frame(cv2.imread(sys.argv[2]), 0, 0, "benchmark")
look = chain.look(frame)
assert look.reason is None, look.reason
reference = chain.embed(look, "s").consume("s")
model, key, secret, serial = bytes.fromhex(chain.model), os.urandom(32), os.urandom(32), os.urandom(16)
claim = Claim(custody=Custody.CARD, serial=serial, credential=1, groups=("default",), not_before=0, expires=2**31,
              issuer=bytes(8), site=bytes(16), secret=secret, sealed=None, received_ns=0)
sealed = seal(reference, secret=secret, key=key, header=Header(Custody.CARD, serial, model, len(reference), 0, 2**31),
              random_bytes=os.urandom)
opened = open_sealed(sealed, claim, key, model_digest=model, session="s")


def cell():
    from edge.vault.seal import lock_of
    one = cells._begin("s")
    one.open(lock_of(sealed, claim, key), sealed.ciphertext, model=model, references=1, threshold=0.9, most=10**6)
    return one


def decision():
    seen = chain.look(frame)
    if cells is None:
        assert compare(opened, chain.embed(seen, "s"), "s") > 0.9
    else:
        assert within.compare(chain.pixels(seen)).passed


def whole():
    if cells is None:
        with open_sealed(sealed, claim, key, model_digest=model, session="s") as template:
            seen = chain.look(frame)
            assert compare(template, chain.embed(seen, "s"), "s") > 0.9
    else:
        with cell() as one:
            assert one.compare(chain.pixels(chain.look(frame))).passed


def apart():
    if cells is not None:
        with cells._begin("s") as one:
            one.walls


def passive():
    if getattr(chain, "passive", None) is not None:
        chain.judge(frame, look)


def spent_ns():
    # of the processor: by this process, and by the open cell
    total = time.process_time_ns()
    if cells is not None:
        with open(f"/proc/{within.process}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


try:
    from edge.session.cells import Cells
    cells = Cells([chain.embedder.card])
    within = cell()
except ImportError:
    cells = None


def by_clock(act):
    # claims come one at a time, and the next session's process is made in between
    time.sleep(0.03)
    began = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - began)


def by_processor(act):
    began = spent_ns()
    act()
    return (spent_ns() - began) / 1e6


ways = {"decision": (by_processor, decision), "claim": (by_clock, whole)}
ways |= {"of it, the session's process": (by_clock, apart), "passive network, a look": (by_processor, passive)}
for line in sys.stdin:
    spent = {name: [] for name in ways}
    for _ in range(int(line)):
        for name, (measured, act) in ways.items():
            spent[name].append(measured(act))
    print(json.dumps(spent), flush=True)
"""


def checkout(commit: str, folder: Path) -> Path:
    """The files of a commit, without git's own."""
    archive = subprocess.run(
        ["git", "archive", commit, "edge", "models", "config"], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive.stdout, check=True)
    (folder / "pyproject.toml").write_text("")  # it is a source tree, no build
    return folder


class Commit:
    """A commit at work."""

    def __init__(self, tree: Path, picture: Path) -> None:
        command = [sys.executable, "-P", "-c", CHILD, str(tree), str(picture)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree)
        self.spent: dict[str, list[float]] = {}

    def work(self, rounds: int) -> None:
        """Do everything so many times; the first block warms up and does not count."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{rounds}\n")
        self._process.stdin.flush()
        for name, values in json.loads(self._process.stdout.readline()).items():
            self.spent.setdefault(name, []).extend(values)

    def begin(self) -> None:
        self.work(BLOCK)
        self.spent.clear()

    def end(self) -> dict[str, float]:
        """Medians, milliseconds."""
        self._process.communicate(timeout=60)
        return {name: statistics.median(values) for name, values in self.spent.items()}


def measure(commit: str, blocks: int) -> dict[str, dict[str, float]]:
    """Milliseconds of both commits by name."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        picture = folder / "frame.png"
        cv2.imwrite(str(picture), fictional_frame())
        (folder / "before").mkdir()
        before, after = Commit(checkout(commit, folder / "before"), picture), Commit(ROOT, picture)
        for one in (before, after):
            one.begin()
        for _ in range(blocks):
            before.work(BLOCK)
            after.work(BLOCK)
        return {"before": before.end(), "after": after.end()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default="9c75d10", help="what to compare with (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=20, help=f"blocks of {BLOCK} rounds each (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the result here")
    arguments = parser.parse_args()
    found = measure(arguments.commit, arguments.blocks)
    console, figures = Console(), dict[str, Any]()
    console.print(f"{'milliseconds of the processor':32} {arguments.commit[:9]:>9} {'now':>9} {'ratio':>7}")
    for name, now in found["after"].items():
        was = found["before"][name]
        told = f"{now / was:7.3f}" if was > 0.01 else "      -"
        console.print(f"{name:32} {was:9.3f} {now:9.3f} {told}")
        key = name.replace(", ", "_").replace("'", "").replace(" ", "_")
        figures |= {f"{key}_before_ms": was, f"{key}_after_ms": now}
    ratio = found["after"]["decision"] / found["before"]["decision"]
    more = found["after"]["claim"] - found["before"]["claim"]
    figures |= {"decision_ratio": ratio, "claim_more_ms": more}
    met = ratio <= BAR_RATIO and more <= BAR_MORE_MS
    console.print(f"a decision {ratio:.3f} of what it took (at most {BAR_RATIO:g}), a claim {more:.2f} ms more")
    console.print(f"(at most {BAR_MORE_MS:g}): {'met' if met else 'MISSED'}")
    if arguments.json:
        report.write(
            arguments.json,
            schema="edge/benchmark/before/v1",
            command=shlex.join(["python", "-m", "tests.benchmarks.before", *sys.argv[1:]]),
            models={},
            figures=figures,
            compared_with=arguments.commit,
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
