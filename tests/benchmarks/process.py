"""What a process of the product costs: how fast the command line starts, how much memory `edge run` takes.

    python -m tests.benchmarks.process --json OUT

- start: median of `edge --help` over the median of `python -c pass`, taking turns. Bar: <= 5.
- memory: peak resident set of `edge run` on a generated kiosk sequence while it decides about claims, as the kernel
  counts it (ru_maxrss of the child). Bar: <= 200 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.benchmarks import report

BAR_START, BAR_MEMORY_MB = 5.0, 200.0
#: What the installed command `edge` consists of.
SCRIPT = "import sys; from edge.cli import run; sys.exit(run())"


def start(rounds: int) -> dict[str, float]:
    """Medians in milliseconds of the two commands, taking turns, and their ratio."""
    commands = {"python": [sys.executable, "-c", "pass"], "help": [sys.executable, "-c", SCRIPT, "--help"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in track(range(rounds), description="starting"):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append(1e3 * (time.perf_counter() - began))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {"python_ms": medians["python"], "help_ms": medians["help"], "ratio": medians["help"] / medians["python"]}


def memory(claims: int) -> dict[str, float]:
    """Peak memory of `edge run` in MB while it decides about so many claims."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        config = root / "device.yaml"
        config.write_text(
            "version: edge/settings/v1\ndevice: {state_dir: state, trust_dir: trust}\n"
            "camera: {driver: fictional, pace: real}\nalternative: ring the bell\n"
        )
        consent = root / "consent.yaml"
        consent.write_text(
            "subject: nobody\ntext_version: '1'\nlanguage: en\ngiven: 2026-11-01\nwithdrawal: close the terminal\n"
        )
        edge = [sys.executable, "-m", "edge"]
        subprocess.run([*edge, "keys", "init", "--development", "--config", config], check=True, capture_output=True)
        people = Path("edge/fictional/people")
        pictures = ["--image", str(people / "ada-1.jpg"), "--image", str(people / "ada-2.jpg")]
        enrol = [*edge, "enrol", "--config", config, "--operator", "benchmark", "--consent", consent, "--json"]
        answer = json.loads(subprocess.run([*enrol, *pictures], check=True, capture_output=True).stdout)
        tokens = (answer["token"] + "\n") * claims
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        run = subprocess.Popen(
            [*edge, "run", "--config", config, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        out, _ = run.communicate(tokens, timeout=600)
        status, usage = run.returncode, resource.getrusage(resource.RUSAGE_CHILDREN)
        decisions = [json.loads(line)["reason"] for line in out.splitlines() if '"decision"' in line]
    assert status == 0, out
    assert len(decisions) == claims, out
    # ru_maxrss is the largest child so far; enrolment loads the same models, so say so when it was the larger one
    return {"peak_mb": usage.ru_maxrss / 1024, "enrolment_peak_mb": before / 1024, "claims": claims}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="starts of each command (default 25)")
    parser.add_argument("--claims", type=int, default=5, help="claims that `edge run` decides about (default 5)")
    parser.add_argument("--json", type=Path, help="write the result here")
    arguments = parser.parse_args()
    began, memory_used = start(arguments.rounds), memory(arguments.claims)
    fine = (began["ratio"] <= BAR_START, memory_used["peak_mb"] <= BAR_MEMORY_MB)
    console = Console()
    console.print(
        f"edge --help {began['help_ms']:.0f} ms, python -c pass {began['python_ms']:.0f} ms: "
        f"{began['ratio']:.2f} x (at most {BAR_START:g}: {'met' if fine[0] else 'MISSED'})"
    )
    console.print(
        f"edge run, {memory_used['claims']} claims: peak {memory_used['peak_mb']:.0f} MB "
        f"(at most {BAR_MEMORY_MB:.0f}: {'met' if fine[1] else 'MISSED'})"
    )
    if arguments.json:
        report.write(
            arguments.json,
            schema="edge/benchmark/process/v1",
            command=shlex.join(["python", "-m", "tests.benchmarks.process", *sys.argv[1:]]),
            models={},
            figures={"start_ratio": began["ratio"], **began, **memory_used},
        )
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
