"""The device with canaries: two fictional people, five claims, and a note of everything that must not get out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edge import _resources
from edge.claim import PREFIX, base45, open_readers
from edge.face import Embedder, load_card
from edge.fictional import FictionalSource, OnePerson
from edge.pictures import read_image
from edge.service import Device, Loop, Parts
from edge.service.desk import enrolment_on
from edge.session.cells import ClosedCell
from edge.session.pictures import from_pictures
from edge.settings.model import CameraSettings, DeviceSettings, Settings, VaultSettings
from edge.trust import Keyring
from edge.types import Custody, Frame
from edge.types.events import ClaimRefused, Decided, Event
from edge.types.rotation import quantised
from edge.vault import ConsentReceipt, Issuance, Terms

CARD, DEVICE = "ada", "fara"


class Aviary:
    """Enrols, runs, and remembers the canaries.

    Attributes:
        pixels: crops and frames that were embedded. vectors: every embedding and template. secrets: bytes.
        outcomes: of the claims, in order. looks: as the device tells. allowed: K.
    """

    def __init__(self, state: Path) -> None:
        self.keyring, self.issuer = Keyring.ephemeral(os.urandom)
        camera = CameraSettings(driver="fictional", pace="fast")
        self.settings = Settings(
            device=DeviceSettings(state_dir=state, trust_dir=state / "trust"),
            camera=camera,
            vault=VaultSettings(custody="device"),
        )
        self.pixels: list[np.ndarray] = []
        self.vectors: list[np.ndarray] = []
        self.secrets: list[bytes] = [self.keyring.device_key, self.keyring.site_key]
        self.outcomes: list[list[str]] = []
        self.looks: list[int] = []
        self.allowed = self.settings.decision.looks
        self._serving = False
        self.after_look: list[Callable[[np.ndarray, np.ndarray], None]] = []
        self._watch_the_cells()

    def _source(self) -> FictionalSource:
        return FictionalSource((OnePerson(CARD, 60.0),), real=False)

    def _watch_the_cells(self) -> None:
        """Note what sessions' processes are given to embed, and what comes of it there, by the same network here."""
        aviary, embed = self, Embedder(load_card("embedder")).runner.embed

        def watched(name: str) -> None:
            asked = getattr(ClosedCell, name)

            def noted(cell: ClosedCell, pixels: np.ndarray, **rest: Any) -> Any:
                vector = embed(pixels)
                aviary.pixels.append(pixels.copy())
                aviary.vectors.append(vector)
                for leak in aviary.after_look if aviary._serving else ():
                    leak(pixels, vector)
                return asked(cell, pixels, **rest)

            setattr(ClosedCell, name, noted)

        watched("compare")
        watched("keep")

    def run(self, stdin: Callable[[bytes], BinaryIO], before_closing: Callable[[], None]) -> None:
        """Enrol both, then let the loop answer the claims of a standard input that ends."""
        parts = Parts(source=self._source, keyring=self.keyring, fast=True)
        with Device.open(self.settings, parts) as device:
            on_card, on_device = self._enrol(device, CARD, Custody.CARD), self._enrol(device, DEVICE, Custody.DEVICE)
            self._serving = True
            lines = [on_card, on_device, "EV1:NONSENSE", _flipped(on_card), on_card]
            readers = open_readers(
                self.settings.claim, stdin=stdin("\n".join(lines).encode() + b"\n"), clock=lambda: 0.0
            )
            device.observe(self._heard)
            Loop(device, readers).run(threading.Event())
            device._observers.close()  # what is still queued is heard before anything is compared
            before_closing()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Decided | ClaimRefused):
            self.outcomes.append([event.decision.outcome.value, event.decision.reason.value])
            self.looks.append(event.decision.looks)

    def _enrol(self, device: Device, name: str, custody: Custody) -> str:
        pictures = [_resources.path("people", f"{name}-{k}.jpg") for k in (1, 2)]
        frames = [Frame(read_image(file), k, k, "picture", meta={"name": name}) for k, file in enumerate(pictures)]
        now = device._clock.now().utc_s
        with device._cells._begin("enrolment") as cell:
            from_pictures(enrolment_on(device), frames, cell)
            draft = device._vault.prepare_enrolment(
                cell,
                Terms(custody, ("default",), 1, now, now + 86400),
                ConsentReceipt(f"{name} (does not exist)", "test", "en", now, "delete it"),
                Issuance(self.issuer, "kim", bytes.fromhex(device._chain.model), device._chain.dimension, now),
            )
        issued = device._vault.commit(draft)
        assert issued.text is not None
        claim = device._admission.receive(issued.text, 0)
        self.secrets += [claim.secret, issued.text.encode()]
        lock, ciphertext = device._vault.lock(claim)
        with lock.open(ciphertext, model_digest=bytes.fromhex(device._chain.model), session="note") as template:
            self.vectors += [template.read("note")[0].copy(), quantised(template.unrotated("note")[0])]
            self.secrets.append(bytes(bytearray(lock.key)))
        return issued.text

    def write_canaries(self, file: Path) -> None:
        """What must not have got out."""
        arrays: dict[str, np.ndarray] = {f"pixels{k}": image for k, image in enumerate(self.pixels)}
        arrays |= {f"vector{k}": vector for k, vector in enumerate(self.vectors)}
        arrays |= {f"secret{k}": np.frombuffer(secret, np.uint8) for k, secret in enumerate(self.secrets)}
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _flipped(token: str) -> str:
    data = bytearray(base45.decode(token.removeprefix(PREFIX)))
    data[len(data) // 2] ^= 0x10
    return PREFIX + base45.encode(bytes(data))
