"""Which models this device uses: those of its build, and those that were added under a trusted signature.

find = model_finder(settings)
chain = Chain.load(settings.face, find)
overlap = Overlap.load(settings.face, chain, find)
overlap.now(clock.now().utc_s)              # the chain of the previous embedder, while its cards are still verified
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from edge.face import Card, Chain
from edge.models import find_card
from edge.models.installed import model_verifier
from edge.settings.model import FaceSettings, Settings
from edge.trust.folder import strictness


def model_finder(settings: Settings) -> Callable[[str], Card]:
    """From a name in the settings to a card; raises `ModelError` for a model that may not be used here."""
    device = settings.device
    verify = model_verifier(device.trust_dir, strict=strictness(settings.door.driver))
    return lambda name: find_card(name, device.state_dir, verify)


def embedders(face: FaceSettings, find: Callable[[str], Card]) -> list[Card]:
    """The embedders whose templates are verified: this one, then the one before it, as long as settings name one."""
    return [find(name) for name in (face.embedder, face.previous_embedder) if name is not None]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The embedder before this one, for a declared time, so that people can renew one by one.

    Attributes:
        chain: the same detector, the old embedder; None without an overlap. until: the last day, UTC.
    """

    chain: Chain | None = None
    until: date = date.max

    @classmethod
    def load(cls, face: FaceSettings, chain: Chain, find: Callable[[str], Card]) -> Overlap:
        """Load the previous embedder, if the settings name one.

        Raises:
            ModelError: it cannot be used.
        """
        if face.previous_embedder is None or face.previous_until is None:
            return cls()
        return cls(chain.with_embedder(find(face.previous_embedder)), face.previous_until)

    def now(self, utc_s: int) -> Chain | None:
        """The chain of the previous embedder, until the end of the last day.

        Args:
            utc_s: the trusted time, Unix seconds.
        """
        return self.chain if datetime.fromtimestamp(utc_s, UTC).date() <= self.until else None
