"""What commands that only read see of a device: its files as they are now, though their medium is read only.

    with Reading(load_settings(config)) as reading:
        reading.journal()                       # the report of a verification
        reading.entries(Selection(kinds=("decision",)))
        reading.vault.due(until)

Databases are read into memory first. Nothing is written, made or locked; a running device is not delayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from edge.errors import JournalBroken
from edge.journal import FILE, HEAD, KEY_LABEL, Entry, Report, Selection, entries, verify
from edge.profile import current
from edge.service.device import clock_of
from edge.service.ledger import JOURNAL_COUNTER
from edge.service.retention import Retention, retention
from edge.settings import Settings
from edge.state import Counters, TrustedTime, state_database
from edge.trust import Keyring
from edge.vault import Vault


class Reading:
    """One device, to be read.

    Args:
        settings: of the device.

    Raises:
        KeyringError, StateError: the device's keys or its state cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.folder, self.build = settings.device.state_dir, current()
        self._settings = settings
        self._keyring = Keyring.load(self.folder, settings.device.trust_dir)
        self._state = state_database(self.folder, read_only=True)
        self.key = self._keyring.derive(KEY_LABEL)

    @property
    def now(self) -> TrustedTime:
        """The time used."""
        return clock_of(self._state, self.build).now()

    @property
    def at_least(self) -> int:
        """How many entries the journal is known to have had."""
        return Counters(self._state).value(JOURNAL_COUNTER)

    @property
    def retention(self) -> Retention:
        """How long what is kept here, by settings and build."""
        return retention(self._settings, self.build.statement)

    @cached_property
    def vault(self) -> Vault:
        """The vault. Raises `VaultError`: damaged, another device's, put back."""
        kept = self.retention.template_days
        return Vault.at(self.folder, self._keyring, self._state, keep_days=kept, read_only=True)

    def journal(self) -> Report:
        """The journal's chain, checked as a whole."""
        return verify(self.folder / FILE, self.folder / HEAD, self.key, at_least=self.at_least)

    def entries(self, selection: Selection | None = None) -> Iterator[Entry]:
        """The wanted entries of a journal that holds as a whole, oldest first.

        Raises:
            JournalBroken: it does not hold.
        """
        report = self.journal()
        if not report.ok:
            raise JournalBroken(str(report), where=str(self.folder / FILE), remedy="see `edge journal verify`")
        return entries(self.folder / FILE, self.key, selection)

    def close(self) -> None:
        """Forget the copies. Harmless when repeated."""
        if "vault" in self.__dict__:
            self.vault.close()
        self._state.close()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
