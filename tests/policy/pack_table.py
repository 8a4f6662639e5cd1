"""The table of config/policy/README.md, made of the packs themselves.

Written by ``python -m tests.benchmarks.readme --write``; compared with the page by ``tests/test_readme.py``.
"""

from __future__ import annotations

from tests.policy.rules import packs

BEGIN, END = "<!-- policy-packs -->", "<!-- /policy-packs -->"


def table() -> str:
    """One row a pack: where it applies, how many rules it has and how many of them are not confirmed, what it wants."""
    ordered = sorted(packs(), key=lambda pack: (pack.kind != "core", pack.id))
    rules = [rule for pack in ordered for rule in pack.rules]
    unconfirmed = sum(not rule.confirmed for rule in rules)
    read = max(rule.read for rule in rules)
    lines = [
        f"{len(ordered)} packs, {len(rules)} rules. Sources were last read on {read}; of {unconfirmed} rules something "
        "could not be read in the source itself (*not confirmed*), and each says what.",
        "",
        "| pack | applies | rules | not confirmed | |",
        "|---|---|---|---|---|",
    ]
    for pack in ordered:
        where = ", ".join(pack.jurisdictions) or "everywhere"
        doubtful = sum(not rule.confirmed for rule in pack.rules)
        lines.append(f"| `{pack.id}` | {where} | {len(pack.rules)} | {doubtful or ''} | {pack.summary} |")
    return "\n".join(lines)


def with_packs(page: str) -> str:
    """The page with the table made anew."""
    before, rest = page.split(BEGIN, 1)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END, 1)[1]
