"""From a presented token to an open template: 100,000 people enrolled against 10, in one run.

    python -m tests.benchmarks.store [--enrolled 100000] [--json OUT]

Every record is really sealed and signed, each under a card of its own; only the tokens' texts are made for the sample
alone. The two stores are asked in turn, so that what else the machine does hits both. Besides the ratio (bar: 1.5)
there are rows for the parts, for a cold page cache (the store's pages dropped with posix_fadvise before each claim),
and for the writes of a session: lockout and journal, both synced.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.claim import decode, encode
from edge.journal import KEY_LABEL, Journal
from edge.settings.model import LimitSettings
from edge.state import ClockGuard, Limits, state_database
from edge.state.binding import KEY_LABEL as COUNTERS
from edge.state.binding import Binding
from edge.trust import IssuerKey, Keyring
from edge.types import Claim, Custody, Token
from edge.vault import Header, Holder, Record, Vault, record_id, schema
from edge.vault.seal import seal

NOW = 1_793_600_000
EXPIRES = NOW + 365 * 86_400
MODEL = bytes(range(32))
BAR = 1.5
RESULTS = Path(__file__).resolve().parent / "results" / "store.json"


@dataclass
class Site:
    """A device with so many people enrolled, and the tokens of a sample of them."""

    folder: Path
    keyring: Keyring
    issuer: IssuerKey
    enrolled: int
    sample: int
    dice: random.Random

    def __post_init__(self) -> None:
        self.state = state_database(self.folder)
        self.binding = Binding(self.folder, self.keyring.derive(COUNTERS))
        self.vault = Vault.at(self.folder, self.keyring, self.state, self.binding)
        self.tokens: list[str] = []
        chosen = set(self.dice.sample(range(self.enrolled), min(self.sample, self.enrolled)))
        vectors = np.random.default_rng(1).integers(-127, 128, (64, 128)).astype(np.int8)
        for start in range(0, self.enrolled, 5000):
            with self.vault.store.change() as change:
                for k in range(start, min(start + 5000, self.enrolled)):
                    holder, record, body = self._card(vectors[k % 64])
                    change.put(holder, record)
                    if k in chosen:
                        self.tokens.append(encode(body, self.issuer))
        self.vault.store.checkpoint()
        while len(self.tokens) < self.sample:
            self.tokens += self.tokens[: self.sample - len(self.tokens)]

    def _card(self, vector: np.ndarray) -> tuple[Holder, bytes, Token]:
        secret, serial = self.dice.randbytes(32), self.dice.randbytes(16)
        name = record_id(secret)
        header = Header(Custody.DEVICE, name, MODEL, 128, NOW, EXPIRES)
        sealed = seal(
            vector, secret=secret, key=self.keyring.device_key, header=header, random_bytes=self.dice.randbytes
        )
        record = Record.sign(sealed, serial, self.issuer).pack()
        holder = Holder(serial, name, NOW, NOW, EXPIRES, NOW, receipt="{}", subject=self.dice.randbytes(32))
        body = Token(Custody.DEVICE, self.keyring.site_id, serial, 1, ("default",), NOW, EXPIRES, secret)
        return holder, record, body

    def claim(self, token: str) -> Claim:
        return decode(token, trust=self.keyring.trust, site_id=self.keyring.site_id, received_ns=0)

    def open(self, claim: Claim) -> None:
        lock, ciphertext = self.vault.lock(claim)
        with lock.open(ciphertext, model_digest=MODEL, session="s"):
            pass

    def token_to_template(self, token: str) -> None:
        self.open(self.claim(token))

    def forget_pages(self) -> None:
        """Drop the store's pages from the page cache; SQLite's own cache goes with the reopened file."""
        handle = os.open(self.vault.store.path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)

    def restart(self) -> None:
        self.vault.close()
        self.forget_pages()
        self.vault = Vault.at(self.folder, self.keyring, self.state, self.binding)

    def plan(self) -> list[str]:
        database = self.vault.store._file
        return [str(row[3]) for row in database.read(f"EXPLAIN QUERY PLAN {schema.READ_TEMPLATE}", (b"",))]


def microseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - started) / 1e3


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median_us": round(statistics.median(ordered), 1),
        "p95_us": round(ordered[int(0.95 * len(ordered))], 1),
        "count": len(ordered),
    }


def measure(few: Site, many: Site, repeats: int) -> dict[str, dict[str, float]]:
    """The timings, the two sites asked in turn."""
    times: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], object]) -> None:
        times.setdefault(name, []).append(microseconds(work))

    pairs = list(zip(few.tokens, many.tokens, strict=True))
    for small, large in pairs[:50]:  # warm
        few.token_to_template(small)
        many.token_to_template(large)
    for _ in range(repeats):
        for small, large in pairs:
            note(f"token to template, {few.enrolled} enrolled", lambda token=small: few.token_to_template(token))
            note(f"token to template, {many.enrolled} enrolled", lambda token=large: many.token_to_template(token))
    for _, large in pairs:
        claim = many.claim(large)
        note("claim: decode and check the signature", lambda token=large: many.claim(token))
        note(f"vault: open, {many.enrolled} enrolled", lambda c=claim: many.open(c))
    for small, large in pairs[:100]:
        for site, token in ((few, small), (many, large)):
            site.restart()
            note(
                f"cold cache: token to template, {site.enrolled} enrolled",
                lambda s=site, t=token: s.token_to_template(t),
            )
    return {name: summary(values) for name, values in times.items()}


def card_custody(site: Site, repeats: int) -> dict[str, dict[str, float]]:
    """The other custody: the template comes with the token."""
    secret, serial = site.dice.randbytes(32), site.dice.randbytes(16)
    header = Header(Custody.CARD, serial, MODEL, 128, NOW, EXPIRES)
    sealed = seal(
        np.zeros(128, np.int8),
        secret=secret,
        key=site.keyring.site_key,
        header=header,
        random_bytes=site.dice.randbytes,
    )
    body = Token(Custody.CARD, site.keyring.site_id, serial, 1, ("default",), NOW, EXPIRES, secret, sealed)
    token = encode(body, site.issuer)
    times = [microseconds(lambda: site.token_to_template(token)) for _ in range(repeats)]
    return {"card custody: token to template": summary(times)}


def writes(site: Site, count: int) -> dict[str, dict[str, float]]:
    """What a session writes, synced to this machine's disk."""
    clock = ClockGuard(site.state)
    # fifteen different cards fail in a row here, on purpose: the fan-out guard has to let them
    limits = Limits(site.state, clock, LimitSettings.model_construct(fan_out_cards=1000), bytes(32))
    serials = [site.dice.randbytes(16) for _ in range(count)]
    locks = [microseconds(lambda s=serial: limits.before_comparison(s)) for serial in serials[:15]]
    for serial in serials[:15]:
        limits.accepted(serial)
    clears = []
    for serial in serials:
        locks.append(microseconds(lambda s=serial: limits.before_comparison(s)))
        clears.append(microseconds(lambda s=serial: limits.accepted(s)))
    with Journal(site.folder, site.keyring.derive(KEY_LABEL), now=lambda: NOW) as journal:
        appends = [
            microseconds(
                lambda s=serial: journal.write("decision", outcome="accept", reason="matching", serial=s.hex())
            )
            for serial in serials
        ]
    return {
        "limits: write the failure (synced)": summary(locks),
        "limits: clear it (synced)": summary(clears),
        "journal: append (entry and head synced)": summary(appends),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrolled", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=400, help="cards that are presented")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, default=RESULTS)
    given = parser.parse_args()
    dice = random.Random(2026)
    keyring, issuer = Keyring.ephemeral(dice.randbytes)
    with tempfile.TemporaryDirectory(prefix="edge-store-") as name:
        folder = Path(name)
        few = Site(folder / "few", keyring, issuer, 10, given.sample, dice)
        started = time.perf_counter()
        many = Site(folder / "many", keyring, issuer, given.enrolled, given.sample, dice)
        built_s = time.perf_counter() - started
        rows = measure(few, many, given.repeats)
        rows |= card_custody(many, given.sample)
        rows |= writes(few, 200)
        started = time.perf_counter()
        many.vault.store.check()
        check_s = time.perf_counter() - started
        size = many.vault.store.path.stat().st_size
        plan = many.plan()
    small, large = (rows[f"token to template, {n} enrolled"]["median_us"] for n in (10, given.enrolled))
    result = {
        "schema": "edge/benchmark/store/v1",
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "enrolled": given.enrolled,
        "ratio": round(large / small, 3),
        "bar": BAR,
        "plan": plan,
        "rows": rows,
        "store_bytes": size,
        "check_s": round(check_s, 2),
        "built_s": round(built_s, 1),
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(result, indent=1) + "\n")
    show(result)
    return 0 if result["ratio"] <= BAR and all("SEARCH" in step and "SCAN" not in step for step in plan) else 1


def show(result: dict) -> None:
    width = max(map(len, result["rows"]))
    print(f"{'':{width}}  {'median':>10}  {'p95':>10}  count")
    for name, row in result["rows"].items():
        print(f"{name:{width}}  {row['median_us']:>7.0f} us  {row['p95_us']:>7.0f} us  {row['count']}")
    print(f"\nratio {result['enrolled']} / 10 enrolled: {result['ratio']} (bar {result['bar']})")
    print("query plan:", "; ".join(result["plan"]))
    print(
        f"store: {result['store_bytes'] / 1e6:.1f} MB; full check {result['check_s']} s; built in {result['built_s']} s"
    )


if __name__ == "__main__":
    sys.exit(main())
