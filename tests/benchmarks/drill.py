"""The kill and fault drill as a table: what was done to a device, and what came of it.

    python -m tests.benchmarks.drill --json OUT

Runs `pytest -m slow tests/faults`, which fails where anything acknowledged is lost, a record is half, the door is not
locked, or a message is not the true one; as root, for the disks. Five minutes on two quiet cores. Counts; two times
(until the door is locked, until a session with a camera in trouble ends) are wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the result here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures"
        command = [sys.executable, "-m", "pytest", "-m", "slow", "-s", "tests/faults"]
        code = subprocess.run(command, env={**os.environ, "EDGE_DRILL_FIGURES": str(path)}, check=False).returncode
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    if arguments.json and code == 0:
        report.write(
            arguments.json,
            schema="edge/benchmark/drill/v1",
            command=shlex.join(["python", "-m", "tests.benchmarks.drill", *sys.argv[1:]]),
            models={},
            figures={"drills": len(rows)},
            drills=rows,
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
