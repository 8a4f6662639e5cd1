"""All policy packs evaluated over a deployment, beside reading their YAML, in one run.

    python -m tests.benchmarks.policy [--json tests/benchmarks/results/policy.json]

Bar: every rule of every pack evaluated in under 50 ms. The same for what a device does once a day (twice over the
rules, and twice more for each day of the coming month on which something changes), and for reading the packs, which a
device does once after its start. Medians; quote the ratio to reading YAML, which any machine can repeat.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from edge.build.buildfile import load_build
from edge.build.judge import judge
from edge.build.today import Basis, standing
from edge.policy.packs import load_packs
from edge.settings.yaml_core import load
from tests.benchmarks import report

ROOT = Path(__file__).resolve().parents[2]
BAR_MS = 50.0
DAY = date(2026, 11, 22)


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Median time of one call, milliseconds; the first call is thrown away."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times[1:])


def measure(rounds: int) -> dict[str, float]:
    """Figures: milliseconds, counts, and the ratio of evaluating to reading."""
    files = sorted((ROOT / "config" / "policy").glob("*.yaml"))
    packs, findings = load_packs(files)
    build, more = load_build(ROOT / "config" / "examples" / "build-office.yaml")
    card, _ = load(ROOT / "models" / "embedder.card.yaml")
    assert build is not None, more
    assert card is not None
    assert not findings
    subject = Basis(build, packs, card.data)
    evaluate_ms = median_ms(lambda: judge(build, packs, DAY, card=card.data, reviews={}), rounds * 10)
    daily_ms = median_ms(lambda: standing(subject, DAY), rounds * 10)
    read_ms = median_ms(lambda: load_packs(files), rounds)
    return {
        "packs": len(packs),
        "rules": sum(len(pack.rules) for pack in packs),
        "evaluate_ms": evaluate_ms,
        "daily_ms": daily_ms,
        "read_yaml_ms": read_ms,
        "evaluate_to_read": evaluate_ms / read_ms,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="readings of all packs (default 10)")
    parser.add_argument("--json", type=Path, help="write the result here")
    arguments = parser.parse_args()
    figures = measure(arguments.rounds)
    fine = figures["evaluate_ms"] < BAR_MS and figures["daily_ms"] < BAR_MS
    print(
        f"{figures['rules']:.0f} rules of {figures['packs']:.0f} packs: evaluated in {figures['evaluate_ms']:.2f} ms "
        f"({figures['evaluate_to_read']:.4f} x reading their YAML, {figures['read_yaml_ms']:.0f} ms); "
        f"a device's daily look {figures['daily_ms']:.2f} ms (under {BAR_MS:.0f}: {'met' if fine else 'MISSED'})"
    )
    if arguments.json:
        command = shlex.join(["python", "-m", "tests.benchmarks.policy", *sys.argv[1:]])
        report.write(arguments.json, schema="edge/benchmark/policy/v1", command=command, models={}, figures=figures)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
