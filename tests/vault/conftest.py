"""A device, its vault in both custodies, and the people of one site."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edge.claim import decode
from edge.state import SqliteFile, state_database
from edge.trust import IssuerKey, Keyring
from edge.types import Claim, Custody
from edge.vault import ConsentReceipt, Issued, Vault

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
    state: SqliteFile = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, acknowledged_by: str = "") -> None:
        self.state = state_database(self.folder)
        try:
            self.vault = Vault.at(self.folder, self.keyring, self.state, acknowledged_by=acknowledged_by)
        except BaseException:
            self.state.close()
            raise

    def stop(self) -> None:
        self.vault.close()
        self.state.close()

    def vector(self, dimension: int = 128) -> np.ndarray:
        return np.random.default_rng(self.dice.randrange(2**32)).integers(-127, 128, dimension).astype(np.int8)

    def enrol(self, custody: Custody, vector: np.ndarray | None = None, **fields: object) -> Issued:
        values: dict[str, object] = {
            "model_digest": MODEL,
            "consent": CONSENT,
            "operator": "olga",
            "groups": ("default",),
            "credential": 7,
            "issuer": self.issuer,
            "not_before": NOW,
            "expires": NOW + 86_400,
            "custody": custody,
            "random_bytes": self.dice.randbytes,
            "now_s": NOW,
        }
        return self.vault.enrol(self.vector() if vector is None else vector, **(values | fields))  # type: ignore[arg-type]

    def claim(self, issued: Issued) -> Claim:
        assert issued.token is not None
        return decode(issued.token, trust=self.keyring.trust, site_id=self.keyring.site_id, received_ns=0)

    def opens(self, claim: Claim, model: bytes = MODEL) -> np.ndarray:
        with self.vault.open(claim, model_digest=model, session="s") as template:
            return template.read("s").copy()

    def operation(self) -> dict[str, object]:
        """The arguments that every change by an operator takes."""
        return {
            "model_digest": MODEL,
            "operator": "olga",
            "issuer": self.issuer,
            "random_bytes": self.dice.randbytes,
            "now_s": NOW + 5,
        }


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


@pytest.fixture(scope="session")
def flips() -> Callable[[bytes], Iterator[bytes]]:
    """Every byte of it altered in turn: all eight bits of some, one bit of the others."""

    def altered(data: bytes) -> Iterator[bytes]:
        for place in range(len(data)):
            for bit in range(8) if place < 4 else (place % 8,):
                yield data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return altered
