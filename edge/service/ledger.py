"""What this device writes into its journal, in the words of the loop and of the commands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.journal import Entry, Journal
from edge.journal.kinds import Value
from edge.profile import BuildInfo
from edge.selftest import FitnessReport
from edge.settings.model import Settings
from edge.state import Counters
from edge.types import Fault
from edge.vault import Issued

if TYPE_CHECKING:
    from edge.build.today import Standing

#: Name of the counter in `edge.state` that holds the number of the journal's last entry.
JOURNAL_COUNTER = "journal"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The journal of one device, and what it needs to describe itself.

    Args:
        journal: opened. settings, build: of this device.
        counters: of `edge.state`; remember how long the journal was, so that an older copy put back is noticed.
    """

    journal: Journal
    settings: Settings
    build: BuildInfo
    counters: Counters

    def mark(self) -> None:
        """Remember the journal's length outside of it."""
        self.counters.raise_to(JOURNAL_COUNTER, self.journal.sequence)

    def close(self) -> None:
        """Remember the length and close. Harmless when repeated."""
        try:
            self.mark()
        finally:
            self.journal.close()

    def about(self, serial: bytes) -> list[Entry]:
        """The entries that name a card, oldest first. Raises `JournalBroken`."""
        return self.journal.about(serial)

    def started(self, model: str, build: BuildInfo) -> None:
        """The loop began, with these settings (their digest), this embedder (its SHA-256, hex) and this build.

        Args:
            build: examined, so that its signature is known.
        """
        signer: dict[str, Value] = {"signer": build.signer_id} if build.signer_id else {}
        digest = hashlib.sha256(self.settings.model_dump_json().encode()).hexdigest()
        self.journal.write(
            "started",
            version=self.build.version,
            profile=self.build.profile,
            settings=digest[:16],
            model=model[:16],
            door=self.settings.door.driver,
            camera=self.settings.camera.driver,
            signed=build.signed,
            may_drive="any" if build.drives_doors else "log-only",
            **signer,
        )

    def stopped(self, cause: str) -> None:
        """The loop ended: ``signal``, ``end-of-input``."""
        self.journal.write("stopped", cause=cause)

    def selftest(self, report: FitnessReport) -> None:
        """A self-test ran; the first failed check is named."""
        failed = [r for r in report.results if r.needed and not r.ok]
        fields: dict[str, Value] = {"passed": report.fit, "failed": len(failed)}
        if failed:
            fields["check"] = failed[0].check.id[:32]
        self.journal.write("selftest", **fields)

    def fault(self, error: EdgeError, faults: frozenset[Fault] = frozenset()) -> None:
        """Something failed: the class of the error, and what the frames were."""
        name = type(error).__name__
        for fault in sorted(faults):
            self.journal.write("fault", error=name, fault=fault.value)
        if not faults:
            self.journal.write("fault", error=name)

    def enrolled(self, issued: Issued, operator: str, *, issuer: bytes) -> None:
        """A card was handed out. ``issuer``: its 8-byte key id."""
        self.journal.write(
            "enrolled",
            serial=issued.serial.hex(),
            operator=operator,
            custody=issued.custody.value,
            expires=issued.expires,
            issuer=issuer.hex(),
        )

    def policy(self, today: Standing) -> None:
        """The device stands otherwise than before. The first rule that speaks is named."""
        findings = (*today.against_claims, *today.against_enrolments, *(coming.finding for coming in today.coming))
        fields: dict[str, Value] = {"standing": today.word, "findings": len({finding.id for finding in findings})}
        if findings:
            fields["rule"] = findings[0].id[:32]
        self.journal.write("policy", **fields)

    def pack_added(self, pack: str, signer: str, file: Path, operator: str) -> None:
        """A signed pack was put beside the build. ``file``: where it lies now."""
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        self.journal.write("pack", pack=pack[:32], digest=digest[:16], signer=signer[:32], operator=operator)

    def renewed(self, issued: Issued, operator: str, *, replaces: bytes, override: bool) -> None:
        """A template was replaced. ``replaces``: the serial of the old card, the same when the card stays."""
        self.journal.write(
            "renewed",
            serial=issued.serial.hex(),
            operator=operator,
            replaces=replaces.hex(),
            expires=issued.expires,
            override=override,
        )
