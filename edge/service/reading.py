"""What can be read of a device, though its medium is read only and not every part of it can be used.

    with Reading(load_settings(config)) as reading:
        reading.journal()                       # the report of a verification
        reading.entries(Selection(kinds=("decision",)))
        reading._vault.due(until)

Each part is read when it is first asked for, databases into memory. Nothing is written, made or locked, and a running
device is not delayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property

from edge.errors import JournalBroken
from edge.journal import FILE, HEAD, KEY_LABEL, ChainReport, Entry, Selection, entries, verify
from edge.service.housekeeping import Retention, retention
from edge.service.models import model_finder
from edge.service.parts import Parts, clock_of
from edge.service.records import JOURNAL_COUNTER
from edge.session.cells import Cells
from edge.settings import Settings
from edge.state import ClockGuard, Counters, Limits, Numbers, SqliteFile, peek, state_database
from edge.state.binding import JOURNAL
from edge.state.binding import KEY_LABEL as COUNTERS
from edge.trust import Keyring
from edge.vault import Vault
from edge.vault.ledger import KEY_LABEL as VAULT_LABEL
from edge.vault.ledger import journal_seen


class Reading:
    """One device, to be read. Every attribute raises the typed error of its room when it cannot be.

    Args:
        settings: of the device. parts: as for `Device`.
    """

    def __init__(self, settings: Settings, parts: Parts | None = None) -> None:
        self.settings, self.folder, self._parts = settings, settings.device.state_dir, parts or Parts()
        self._open = ExitStack()

    @cached_property
    def _keyring(self) -> Keyring:
        """The device's keys. Raises `KeyringError`."""
        return self._parts.keyring or Keyring.load(self.folder, self.settings.device.trust_dir)

    @cached_property
    def state(self) -> SqliteFile:
        """A copy of the state. Raises `StateError`."""
        return self._open.enter_context(state_database(self.folder, read_only=True))

    @cached_property
    def _clock(self) -> ClockGuard:
        """The clock."""
        return clock_of(self.state, self._parts.build, self._parts.system_clock)

    @cached_property
    def _limits(self) -> Limits:
        """The retry limits."""
        return Limits(self.state, self._clock, self.settings.limits, self._keyring.derive("edge/limits/v1"))

    @cached_property
    def _vault(self) -> Vault:
        """The vault. Raises `VaultError`: damaged, another device's, put back."""
        kept = self.retention.template_days
        vault = Vault.at(self.folder, self._keyring, self.state, self.numbers, keep_days=kept)
        self._open.callback(vault.close)
        return vault

    @property
    def retention(self) -> Retention:
        """How long what is kept here, by settings and build."""
        return retention(self.settings, self._parts.build.statement)

    @cached_property
    def _cells(self) -> Cells:
        """Where known answers are compared. Raises `ModelError`."""
        return self._open.enter_context(Cells([model_finder(self.settings)(self.settings.face.embedder)]))

    @cached_property
    def numbers(self) -> Numbers:
        """How far the records have come at least."""
        return peek(self.folder, self._keyring.derive(COUNTERS))

    @property
    def journal_key(self) -> bytes:
        """The key of the journal's entries, 32 bytes."""
        return self._keyring.derive(KEY_LABEL)

    @property
    def at_least(self) -> int:
        """How many entries the journal is known to have had."""
        return max(self.numbers.closed.get(JOURNAL, 0), Counters(self.state).value(JOURNAL_COUNTER), self._seen)

    @cached_property
    def _seen(self) -> int:
        return journal_seen(self.folder, self._keyring.derive(VAULT_LABEL))

    def journal(self) -> ChainReport:
        """The journal's chain, checked as a whole; once more when a running device has written meanwhile."""
        path = self.folder / FILE
        while True:
            before = path.stat() if path.exists() else None
            report = verify(path, self.folder / HEAD, self.journal_key, at_least=self.at_least)
            after = path.stat() if path.exists() else None
            if report.ok or (before and before.st_size) == (after and after.st_size):
                return report

    def entries(self, selection: Selection | None = None) -> Iterator[Entry]:
        """The wanted entries of a journal that holds as a whole, oldest first.

        Raises:
            JournalBroken: it does not hold.
        """
        report = self.journal()
        if not report.ok:
            raise JournalBroken(str(report), where=str(self.folder / FILE), remedy="see `edge journal verify`")
        return entries(self.folder / FILE, self.journal_key, selection)

    def close(self) -> None:
        """Forget the copies. Harmless when repeated."""
        self._open.close()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
