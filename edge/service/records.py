"""What a device keeps: state, journal and vault, opened together because they are bound to each other.

    records = Records.open(folder, keyring, clock=lambda state: clock_of(state, build))
    records.state, records.clock, records.journal, records.vault

An older one of them put back stops the device (`edge.state.binding`). When an operator acknowledges it, the cards that
the journal says are revoked, erased or replaced are refused in the restored vault, too, in the step that accepts it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.journal import FILE, KEY_LABEL, Journal, Selection, entries
from edge.state import Binding, ClockGuard, Counters, StateFile, state_database
from edge.state import binding as bindings
from edge.trust import Keyring
from edge.vault import Status, Vault

#: Name of the counter of the journal's entries in the state of versions before the binding.
JOURNAL_COUNTER = "journal"
#: Entry -> its field that names a card which does not count any more.
_GONE = {"revoked": "serial", "erased": "serial", "renewed": "replaces", "reissued": "replaces"} | {
    "reference_added": "replaces"
}


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one device; `close` them."""

    state: StateFile
    clock: ClockGuard
    journal: Journal
    binding: Binding
    vault: Vault | None
    _open: ExitStack

    @classmethod
    def open(
        cls,
        folder: Path,
        keyring: Keyring,
        *,
        clock: Callable[[StateFile], ClockGuard],
        keep_days: int | None = None,
        acknowledged: bool = False,
        with_vault: bool = True,
    ) -> Records:
        """Open them, and compare how far each has come.

        Args:
            folder: the state directory. clock: makes the clock of a state. keep_days: see `Vault`.
            acknowledged: an operator accepts what does not fit; the caller journals it by name.
            with_vault: false for who only writes into the journal.

        Raises:
            StateError, VaultError, JournalBroken: one cannot be used, or an older one was put back.
        """
        used = (folder / FILE).exists()
        with ExitStack() as opened:
            state = opened.enter_context(state_database(folder))
            key, journal_key = keyring.derive(bindings.KEY_LABEL), keyring.derive(KEY_LABEL)
            binding = opened.enter_context(Binding(folder, key, acknowledged=acknowledged))
            with binding.turn():
                older = used and not binding.known(bindings.JOURNAL)
                at_least = binding.known(bindings.JOURNAL) or Counters(state).value(JOURNAL_COUNTER)
                # before anything is written: what versions before kept in the state
                state.tie(binding, key)
                guard = clock(state)
                journal = opened.enter_context(
                    Journal(
                        folder,
                        journal_key,
                        now=lambda: guard.now().believed_s,
                        at_least=at_least,
                        turn=binding.turn,
                        exact=binding.exact(bindings.JOURNAL) and not acknowledged,
                    )
                )
                if journal.sequence != binding.settle(bindings.JOURNAL, journal.sequence, bound=False):
                    binding.note(bindings.JOURNAL, journal.sequence)  # acknowledged
                vault = None
                if with_vault:
                    gone = _gone(journal.path, journal_key) if acknowledged else {}
                    vault = Vault.at(folder, keyring, state, binding, keep_days=keep_days, gone=gone, expected=used)
                    opened.callback(vault.close)
                if older:
                    journal.write("bound")
            return cls(state, guard, journal, binding, vault, opened.pop_all())

    def close(self) -> None:
        """Close all of them. Harmless when repeated."""
        self._open.close()


def _gone(path: Path, key: bytes) -> dict[bytes, Status]:
    """Cards that were revoked, erased or replaced, as far back as the journal goes."""
    gone: dict[bytes, Status] = {}
    for entry in entries(path, key, Selection(kinds=tuple(_GONE))):
        serial = entry.fields.get(_GONE[entry.kind], "")
        if entry.kind in ("revoked", "erased") or serial != entry.fields.get("serial"):  # a renewal may keep the card
            gone[bytes.fromhex(str(serial))] = Status.ERASED if entry.kind == "erased" else Status.REVOKED
    return gone
