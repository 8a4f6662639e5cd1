"""How large the product is: lines of code, of comments and of docstrings in ``edge``, by room.

    python -m tests.benchmarks.size            # the table, and the sum
    python -m tests.benchmarks.size --json

A line of code is one that is neither blank, nor a comment alone, nor part of a docstring.
"""

from __future__ import annotations

import ast
import io
import json
import sys
import tokenize
from pathlib import Path

EDGE = Path(__file__).resolve().parents[2] / "edge"


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


def main() -> None:
    table = rooms()
    total = [sum(row[k] for row in table.values()) for k in range(4)]
    if "--json" in sys.argv:
        print(json.dumps({"rooms": table, "files": total[0], "code": total[1], "comments": total[2], "docs": total[3]}))
        return
    print(f"{'room':12} {'files':>5} {'code':>7} {'comments':>8} {'docstrings':>10}")
    for name, row in sorted(table.items(), key=lambda item: -item[1][1]):
        print(f"{name:12} {row[0]:5} {row[1]:7,} {row[2]:8,} {row[3]:10,}")
    print(f"{'all':12} {total[0]:5} {total[1]:7,} {total[2]:8,} {total[3]:10,}")


if __name__ == "__main__":
    main()
