"""Counters that only go up. Versions before `edge.state.binding` kept those of vault and journal in the state."""

from __future__ import annotations

from edge.state.database import SqliteFile


class Counters:
    """Named monotonic counters.

    Args:
        database: of `state_database`.
    """

    def __init__(self, database: SqliteFile) -> None:
        self._database = database

    def value(self, name: str) -> int:
        """The counter's value; 0 when it was never raised."""
        rows = self._database.read("SELECT value FROM counter WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def raise_to(self, name: str, value: int) -> None:
        """Set the counter, synced; it never goes back, and a smaller value changes nothing."""
        with self._database.write() as db:
            db.execute(
                "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (name, value),
            )

    def next(self, name: str) -> int:
        """Raise the counter by one, synced, and return it."""
        with self._database.write() as db:
            db.execute("INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1", (name,))
            value: int = db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()[0]
        return value
