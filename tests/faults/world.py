"""A device in a folder for the drills: driven, killed, starved of disk and asked again, through public acts alone.

world = World(folder)
with world.device() as device:
    world.enrol(device, "ada")            # acknowledged: from now on it must survive whatever comes
world.inspect()                           # opens the device again; raises AssertionError when a promise is broken
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ClaimError, EdgeError
from edge.fictional import FictionalSource, OnePerson
from edge.journal import Selection
from edge.pictures import read_image
from edge.service import Device, Operator, Parts
from edge.service.reading import Reading
from edge.settings.model import CameraSettings, DecisionSettings, DeviceSettings, LimitSettings, Settings, VaultSettings
from edge.trust import Keyring
from edge.types import Decision, Door, Frame, Source
from edge.vault import ConsentReceipt, Issued, parse_serial

PEOPLE = Path(__file__).resolve().parents[2] / "edge" / "fictional" / "people"


def figures(drill: str, **found: Any) -> None:
    """Print what a drill found; one line more in the file that EDGE_DRILL_FIGURES names (`tests.benchmarks.drill`)."""
    line = json.dumps({"drill": drill, **found})
    print(f"\n{line}")
    if path := os.environ.get("EDGE_DRILL_FIGURES"):
        with Path(path).open("a") as file:
            file.write(line + "\n")


def pictures(name: str) -> list[Frame]:
    """Two pictures to enrol somebody from."""
    paths = [PEOPLE / f"{name}-{k}.jpg" for k in (1, 2)]
    return [Frame(read_image(path), k, k, "picture", meta={"name": name}) for k, path in enumerate(paths)]


@dataclass
class World:
    """One device's folder, its keys, and what it has acknowledged.

    Attributes:
        folder: of the state. cards: serial -> token of cards that count. gone: serial -> token of erased ones.
        acknowledged: how many entries of a kind must stand in the journal.
    """

    folder: Path
    door: Callable[[], Door] | None = None
    source: Callable[[], Source] = lambda: FictionalSource((OnePerson("ada", 600.0, walk_up=False),))
    clock: Callable[[], float] | None = None
    cards: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    acknowledged: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        self.settings = Settings(
            device=DeviceSettings(name="drill", state_dir=self.folder, trust_dir=self.folder / "trust"),
            camera=CameraSettings(driver="fictional", pace="fast", timeout_s=0.5),
            vault=VaultSettings(custody="device"),
            limits=LimitSettings(door_rejects=50, card_rejects=20),
            decision=DecisionSettings(deadline_s=3.0),
            alternative="Ring the bell.",
        )

    def parts(self) -> Parts:
        more: dict[str, Any] = {} if self.clock is None else {"system_clock": self.clock}
        door = self.door() if self.door is not None else None
        return Parts(source=self.source, keyring=self.keyring, door=door, fast=True, **more)

    def device(self, *, confirm: bool = True) -> Device:
        """The device, opened; ``confirm``: its clock, by an operator. Raises what `Device.open` raises."""
        device = Device.open(self.settings, self.parts(), hold="drill")
        if confirm:
            try:
                device._clock.confirm("drill")
            except BaseException:
                device.close()
                raise
        return device

    def enrol(self, device: Device, name: str, tell: Callable[..., None] = lambda *_: None) -> str:
        """Enrol from pictures; the serial. ``tell``: told ``"card", serial, token`` once the card is handed over."""
        cards: list[tuple[str, str]] = []

        def hand_over(issued: Issued, _: Mapping[str, Any]) -> Callable[[], None]:
            cards.append((issued.card.serial_text, issued.text or ""))
            tell("card", *cards[0])
            return cards.clear

        consent = ConsentReceipt(f"{name} {os.urandom(4).hex()}", "drill", "en", device._clock.now().utc_s, "no")
        operator = Operator(device, "drill")
        operator.enrol(issuer=self.issuer, consent=consent, hand_over=hand_over, pictures=pictures(name))
        serial, token = cards[0]
        self.cards[serial] = token
        self.acknowledged["enrolled"] += 1
        return serial

    def erase(self, device: Device, serial: str) -> None:
        """Erase the person of a card."""
        Operator(device, "drill").erase(serial=serial)
        self.gone[serial] = self.cards.pop(serial)
        self.acknowledged["erased"] += 1

    def verify(self, device: Device, token: str) -> Decision:
        """Decide about a claim, and let the door act."""
        with device.stream() as stream:
            decision = device.decide(token, lambda: stream)
        device.act(decision)
        self.acknowledged["decision"] += 1
        return decision

    def opens(self, device: Device, token: str) -> bool:
        """Whether a card's template opens now; a refusal is an answer, everything else is raised."""
        try:
            claim = device._admission.receive(token, 0)
            chain = device._verifier.chain_of(claim)
            with device._cells._begin("drill") as cell:
                device._verifier.open(cell, claim, chain, most=0)
                return True
        except ClaimError:
            return False

    def inspect(self, maybe: str = "") -> str:
        """Open the device as a restart does, and hold it against what was acknowledged.

        Args:
            maybe: the serial of a card whose act was not acknowledged: it may count or not, but wholly.

        Returns:
            Whether that card counts, and whether the journal says so; empty without one.
        """
        with self.device() as device:
            report = device._ledger.journal.verify()
            assert report.ok, str(report)
            device._vault.store.check()
            told = ""
            for serial, token in {**self.cards, **self.gone}.items():
                found = self.opens(device, token)
                if serial == maybe:
                    told = self._ending(device, serial, counts=found)
                else:
                    assert found == (serial in self.cards), f"card {serial}: opens {found}"
            entries = [entry.kind for entry in device._ledger.journal.last(100_000)]
        for kind, count in self.acknowledged.items():
            assert entries.count(kind) >= count, f"an acknowledged act is not in the journal: {kind}"
        return told

    def _ending(self, device: Device, serial: str, *, counts: bool) -> str:
        """How an act that was not acknowledged has ended."""
        wanted = "enrolled" if counts else "erased"
        journalled = wanted in [entry.kind for entry in device._ledger.about(parse_serial(serial))]
        return f"{'counts' if counts else 'does not count'}{'' if journalled else ', not in the journal'}"

    def readable(self) -> list[str]:
        """What can be read of it without writing: kinds of the journal's entries."""
        with Reading(self.settings, self.parts()) as reading:
            _ = reading._vault
            return [entry.kind for entry in reading.entries(Selection())]


def refused(act: Callable[[], object]) -> EdgeError | None:
    """The typed error of an act; None when it went through. Anything else is raised, and fails the drill."""
    try:
        act()
    except EdgeError as error:
        return error
    return None
