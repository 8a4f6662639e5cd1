"""How long it takes to try every PIN or card number: the honest arithmetic of `deploy/THREATS.md`.

    python -m tests.benchmarks.enumeration --json tests/benchmarks/results/enumeration.json --write

One guess costs one Argon2id with the parameters of this product's locked keys (64 MiB, 3 passes). Whoever holds the
device key can make guesses as fast as their machines allow; what the door delays does not delay them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edge.prove.trials import CODES
from edge.trust.locked import Cost

ROOT = Path(__file__).resolve().parents[2]
RESULT = Path(__file__).parent / "results" / "enumeration.json"
THREATS = ROOT / "deploy" / "THREATS.md"
BEGIN, END = "<!-- enumeration -->", "<!-- /enumeration -->"


def measure(guesses: int = 7) -> float:
    """Milliseconds of processor time of one guess: the least of several, since other load flatters the defence."""
    cost, times = Cost(), []
    for k in range(guesses):
        kdf = Argon2id(
            salt=os.urandom(16), length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
        )
        started = time.process_time()
        kdf.derive(b"%04d" % k)
        times.append(1e3 * (time.process_time() - started))
    return min(times)


def table(result: dict) -> str:
    """The table of a result, between its markers."""
    guess = result["guess_ms"] / 1e3
    rows = [
        f"| {name} | {count:,} | {_words(count * guess)} | {_words(count * guess / 100)} |" for name, count in CODES
    ]
    rows.append(f"| a card of this product | 2^256 | {_words(2.0**256 * guess)} | no less hopeless |")
    return "\n".join(
        [
            BEGIN,
            "| what stands for the card | values | one core | a hundred cores |",
            "|---|---|---|---|",
            *rows,
            "",
            f"One guess: {result['guess_ms']:.0f} ms of one core (Argon2id, 64 MiB, 3 passes; {result['date']}); "
            "graphics cards need less. `python -m tests.benchmarks.enumeration`",
            END,
        ]
    )


def with_table(text: str, result: dict) -> str:
    """`deploy/THREATS.md` with the table of a result."""
    before, rest = text.split(BEGIN)
    return before + table(result) + rest.split(END)[1]


def _words(seconds: float) -> str:
    for name, size in (("years", 365.25 * 86_400), ("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 1e15 * size:
            return f"{seconds / size:.0e} {name}"
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:,.0f} seconds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the result")
    parser.add_argument("--write", action="store_true", help="and put it into deploy/THREATS.md")
    arguments = parser.parse_args()
    result = {"guess_ms": round(measure(), 1), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    print(table(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.write:
        THREATS.write_text(with_table(THREATS.read_text(encoding="utf-8"), result), encoding="utf-8")


if __name__ == "__main__":
    main()
