"""How long `edge prove` takes with 10,000 records in the store: under 30 s, and about the same for each record.

    python -m tests.benchmarks.prove [--records 10000] [--wheel WHEEL] [--json OUT]

The command itself is started, as an auditor does, over a wheel of this checkout and a copy of a device's store with so
many people in it; and once more over a store of a tenth. The ratio per record says whether anything grows faster than
the store. Making the store is not counted, nor is building the wheel. The bar is held against a processor's time,
which is the time on a quiet machine; the time by the clock, and the machine's load, stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from edge.prove.stores import made
from edge.trust import save_device_key

ROOT = Path(__file__).resolve().parents[2]
BAR_S = 30.0
RESULTS = Path(__file__).resolve().parent / "results" / "prove.json"


def wheel_of_this_checkout(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def copy_of_a_store(folder: Path, records: int) -> Path:
    """A state folder as somebody copies it from a device: database and key."""
    folder.mkdir()
    with made(records, os.urandom, lambda _: None) as store:
        shutil.copy(store.file, folder)
        assert store.device_key is not None
        save_device_key(store.device_key, folder / "device.key")
    return folder


def run(wheel: Path, vault: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "edge", "prove", "--wheel", str(wheel), "--vault", str(vault), "--json"]
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - started, os.times()
    said = json.loads(done.stdout)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "seconds": round(seconds, 2),
        "processor_s": round(processor, 2),
        "attempts": sum(trial["attempts"] for trial in said["live"]["trials"]),
        "records": max(trial["records"] for trial in said["live"]["trials"]),
        "verdict": said["verdict"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--json", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-prove-") as name:
        folder = Path(name)
        wheel = given.wheel or wheel_of_this_checkout(folder)
        few = run(wheel, copy_of_a_store(folder / "few", given.records // 10))
        many = run(wheel, copy_of_a_store(folder / "many", given.records))
    fixed = (10 * few["processor_s"] - many["processor_s"]) / 9
    each = [(found["processor_s"] - fixed) / found["records"] * 1e3 for found in (few, many)]
    result = {
        "schema": "edge/benchmark/prove/v1",
        "machine": {
            "cpu": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load": os.getloadavg()[0],
        },
        "bar_s": BAR_S,
        "few": few,
        "many": many,
        "whole_run_ratio": round(many["seconds"] / few["seconds"], 2),
        "fixed_processor_s": round(fixed, 2),
        "record_ms": round(each[1], 3),
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(result, indent=1) + "\n")
    for found in (few, many):
        times = f"{found['seconds']:6.1f} s, {found['processor_s']:6.1f} s of a processor"
        print(f"{found['records']:>7,} records: {times}, {found['attempts']:,} attempts, verdict {found['verdict']}")
    print(f"ten times the records take {result['whole_run_ratio']} x as long; a record takes {result['record_ms']} ms")
    print(f"bar for {given.records:,} records: {BAR_S:.0f} s of a processor")
    return 0 if many["processor_s"] <= BAR_S else 1


if __name__ == "__main__":
    sys.exit(main())
