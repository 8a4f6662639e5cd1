"""What a device keeps: state, journal and vault, opened together because they are bound to each other.

    records = Records.open(folder, keyring, clock=lambda state: clock_of(state, build))
    records.state, records.clock, records.journal, records.vault

An older one of them put back stops the device (`edge.state.binding`). When an operator acknowledges it, the journal
says so by name before anything is accepted, and the cards that it says are revoked, erased or replaced are refused in
the restored vault, too, in the step that accepts it. Where the journal cannot know (it was begun anew or pruned since,
or the numbers beside the three are gone or older than one of them) every card of the vault is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.journal import FILE, KEY_LABEL, Journal, Selection, entries
from edge.state import Binding, ClockGuard, Counters, StateFile, state_database
from edge.state import binding as bindings
from edge.trust import DEVICE_FILE, Keyring, first
from edge.trust.ring import key_file
from edge.vault import Status, Vault
from edge.vault.ledger import KEY_LABEL as VAULT_LABEL
from edge.vault.ledger import journal_seen

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
        acknowledged_by: str = "",
        with_vault: bool = True,
    ) -> Records:
        """Open them, and compare how far each has come.

        Args:
            folder: the state directory. clock: makes the clock of a state. keep_days: see `Vault`.
            acknowledged_by: the operator who accepts what does not fit; journalled before it is accepted.
            with_vault: false for who only writes into the journal.

        Raises:
            StateError, VaultError, JournalBroken: one cannot be used, or an older one was put back; all are missing.
            KeyringError: see `edge.trust.first.started`.
        """
        used, acknowledged = (folder / FILE).exists(), bool(acknowledged_by.strip())
        own = key_file(folder, DEVICE_FILE).exists()  # else the demo's or a test's keys, which nobody keeps
        with ExitStack() as opened:
            state = opened.enter_context(state_database(folder))
            key, journal_key = keyring.derive(bindings.KEY_LABEL), keyring.derive(KEY_LABEL)
            binding = opened.enter_context(Binding(folder, key, acknowledged=acknowledged))
            with binding.turn():
                older = used and not binding.known(bindings.JOURNAL)
                if own and not used and binding.blank and not acknowledged:
                    first.need_new(folder, keyring.device_key)
                # before anything is written: what versions before kept in the state
                at_least = max(binding.known(bindings.JOURNAL), Counters(state).value(JOURNAL_COUNTER))
                if older or acknowledged:
                    at_least = max(at_least, journal_seen(folder, keyring.derive(VAULT_LABEL)))
                journal_of = partial(Journal, folder, journal_key, at_least=at_least, turn=binding.turn)
                if acknowledged:
                    _acknowledge(folder, clock, journal_of, binding, acknowledged_by)
                state.tie(binding, key)
                guard = clock(state)
                exact = binding.exact(bindings.JOURNAL) and not acknowledged
                journal = opened.enter_context(journal_of(now=lambda: guard.now().believed_s, exact=exact))
                binding.settle(bindings.JOURNAL, journal.sequence, bound=False)
                vault = None
                if with_vault:
                    gone, since = _gone(journal.path, journal_key) if acknowledged else ({}, 0)
                    stores = (folder, keyring, state, binding)
                    vault = Vault.at(*stores, keep_days=keep_days, gone=gone, since=since, expected=used)
                    opened.callback(vault.close)
                if older:
                    journal.write("bound")
                if own and with_vault:
                    first.started(folder)
            return cls(state, guard, journal, binding, vault, opened.pop_all())

    def close(self) -> None:
        """Close all of them. Harmless when repeated."""
        self._open.close()


def _acknowledge(
    folder: Path,
    clock: Callable[[StateFile], ClockGuard],
    journal_of: Callable[..., Journal],
    binding: Binding,
    operator: str,
) -> None:
    """Write into the journal who accepts what does not fit, before anything of it is accepted."""
    with state_database(folder, read_only=True) as copy:
        at = clock(copy).now().believed_s
    with journal_of(now=lambda: at) as journal:
        if journal.sequence != binding.settle(bindings.JOURNAL, journal.sequence, bound=False):
            binding.note(bindings.JOURNAL, journal.sequence)
        journal.write("acknowledged", what="records", operator=operator)


def _gone(path: Path, key: bytes) -> tuple[dict[bytes, Status], int]:
    """Cards that were revoked, erased or replaced, as far back as the journal goes; and the last entry it lacks."""
    gone: dict[bytes, Status] = {}
    since = 0
    for entry in entries(path, key, Selection(kinds=(*_GONE, "checkpoint"))):
        if entry.kind == "checkpoint":  # in the place of what was pruned, or lost when it was begun anew
            since = entry.seq
            continue
        serial = entry.fields.get(_GONE[entry.kind], "")
        if entry.kind in ("revoked", "erased") or serial != entry.fields.get("serial"):  # a renewal may keep the card
            gone[bytes.fromhex(str(serial))] = Status.ERASED if entry.kind == "erased" else Status.REVOKED
    return gone, since
