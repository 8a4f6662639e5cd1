"""A device, its vault in both custodies, and the people of one site."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edge.claim import decode
from edge.session.cell import Cell
from edge.state import Binding, StateFile, state_database
from edge.state.binding import KEY_LABEL
from edge.trust import IssuerKey, Keyring
from edge.types import Claim, Custody
from edge.vault import ConsentReceipt, Issuance, Issued, Terms, Vault
from tests.cells import holding, opened

NOW = 1_790_000_000
MODEL = bytes(range(32))
CONSENT = ConsentReceipt("Ada Example, 1042", "2026-11", "en", NOW - 100, "privacy@example.org")


@dataclass
class Device:
    """One device of the site: its keys, its folder, and what an operator does at it."""

    folder: Path
    keyring: Keyring
    issuer: IssuerKey
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    state: StateFile = field(init=False)
    binding: Binding = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, *, acknowledged: bool = False) -> None:
        self.state = state_database(self.folder)
        key = self.keyring.derive(KEY_LABEL)
        try:
            self.binding = Binding(self.folder, key, acknowledged=acknowledged)
            self.state.tie(self.binding, key)
            self.vault = Vault.at(self.folder, self.keyring, self.state, self.binding)
        except BaseException:
            self.state.close()
            raise

    def stop(self) -> None:
        self.vault.close()
        self.state.close()
        self.binding.close()

    def vector(self, dimension: int = 128) -> np.ndarray:
        return np.random.default_rng(self.dice.randrange(2**32)).integers(-127, 128, dimension).astype(np.int8)

    def by(self, *, operator: str = "olga", model: bytes = MODEL, now_s: int = NOW, dimension: int = 128) -> Issuance:
        return Issuance(self.issuer, operator, model, dimension, now_s, self.dice.randbytes)

    def enrol(
        self,
        custody: Custody,
        vector: np.ndarray | None = None,
        *,
        consent: ConsentReceipt = CONSENT,
        groups: tuple[str, ...] = ("default",),
        credential: int = 7,
        not_before: int = NOW,
        expires: int = NOW + 86_400,
        operator: str = "olga",
        now_s: int = NOW,
        model: bytes = MODEL,
    ) -> Issued:
        """Prepare and commit, as if the card had been handed over in between."""
        vector = self.vector() if vector is None else vector
        terms = Terms(custody, groups, credential, not_before, expires)
        by = self.by(operator=operator, now_s=now_s, model=model, dimension=len(vector))
        return self.vault.commit(self.vault.prepare_enrolment(holding(vector), terms, consent, by))

    def reissue(
        self, claim: Claim, *, now_s: int = NOW + 5, further: np.ndarray | None = None, **more: object
    ) -> Issued:
        header, _ = self.vault.size(claim) or (None, 0)
        by = self.by(now_s=now_s, dimension=header.dimension if header else 128)
        cell = Cell({MODEL: lambda pixels: pixels}, MODEL) if further is None else self.seen_again(claim, further)
        draft = self.vault.prepare_reissue(claim, cell, by, further=further is not None, **more)  # type: ignore[arg-type]
        return self.vault.commit(draft)

    def seen_again(self, claim: Claim, vector: np.ndarray) -> Cell:
        """A cell with the claim's template open, and a capture."""
        cell = Cell({MODEL: lambda pixels: pixels}, MODEL)
        lock, ciphertext = self.vault.lock(claim)
        cell.open(lock, ciphertext, model=MODEL, references=1, threshold=2.0, most=0)
        cell._kept.append(vector)
        return cell

    def renew(
        self, claim: Claim, vector: np.ndarray, *, now_s: int = NOW + 5, model: bytes = MODEL, **more: object
    ) -> Issued:
        by = self.by(now_s=now_s, model=model, dimension=len(vector))
        return self.vault.commit(self.vault.prepare_renewal(claim, holding(vector), by, **more))  # type: ignore[arg-type]

    def claim(self, issued: Issued) -> Claim:
        assert issued.text is not None
        return decode(issued.text, trust=self.keyring.trust, site_id=self.keyring.site_id, received_ns=0)

    def opens(self, claim: Claim, model: bytes = MODEL) -> np.ndarray:
        """The reference without its rotation."""
        with opened(self.vault, claim, model) as template:
            (only,) = template.unrotated("s")
            return only


@pytest.fixture(scope="session")
def site() -> tuple[Keyring, IssuerKey]:
    return Keyring.ephemeral(random.Random(2).randbytes)


@pytest.fixture
def device(tmp_path: Path, site: tuple[Keyring, IssuerKey]) -> Iterator[Device]:
    device = Device(tmp_path / "device", *site)
    yield device
    device.stop()


@pytest.fixture
def other_device(tmp_path: Path, site: tuple[Keyring, IssuerKey]) -> Iterator[Device]:
    """Another door of the same site: same site key and trust, a device key of its own."""
    keyring, issuer = site
    own = Keyring(bytes(reversed(range(32))), keyring.site_id, keyring.site_key, keyring.trust)
    device = Device(tmp_path / "other", own, issuer)
    yield device
    device.stop()


def same(opened: np.ndarray, vector: np.ndarray) -> bool:
    """Whether what was opened is a vector that was sealed, but for rounding."""
    a, b = opened.astype(float), vector.astype(float)
    return bool(a @ b > 0.9995 * np.linalg.norm(a) * np.linalg.norm(b))


@pytest.fixture(scope="session")
def flips() -> Callable[[bytes], Iterator[bytes]]:
    """Every byte of it altered in turn: all eight bits of some, one bit of the others."""

    def altered(data: bytes) -> Iterator[bytes]:
        for place in range(len(data)):
            for bit in range(8) if place < 4 else (place % 8,):
                yield data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return altered
