"""What the rooms around the chain cost in one decision: claim, vault, limits, journal. Rows for the speed benchmark.

A whole device on ephemeral keys in a temporary folder; each row is what `Device.decide` calls once a claim.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge.service import Device, Parts
from edge.service.demo import Office, settings
from edge.trust import Keyring
from edge.types import Decision, Outcome, Reason


def rows() -> dict[str, Callable[[], object]]:
    """Name -> one repetition."""
    folder = tempfile.TemporaryDirectory()
    keyring, issuer = Keyring.ephemeral(os.urandom)
    device = Device.open(settings(Path(folder.name)), Parts(keyring=keyring))
    token = Office(device, issuer).enrol("hana")
    claim = device._admission.receive(token, 0)
    digest = bytes.fromhex(device._chain.model)
    decision = Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4, 5, 1, serial=claim.serial.hex(), session="benchmark")

    def receive() -> object:
        return folder and device._admission.receive(token, 0)  # holds on to the folder

    def open_template() -> None:
        lock, ciphertext = device._vault.lock(claim)
        lock.open(ciphertext, model_digest=digest, session="benchmark").erase()

    def limits() -> None:
        device._limits.check(claim.serial)
        device._limits.before_comparison(claim.serial)
        device._limits.accepted(claim.serial)

    return {
        "claim: decode, signature, time, door": receive,
        "vault: open the template": open_template,
        "limits: check, write the failure, clear it (two syncs)": limits,
        "journal: write the decision (two syncs)": lambda: device._ledger.journal.decided(decision),
    }
