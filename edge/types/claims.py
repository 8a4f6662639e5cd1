"""A claim, the template it leads to, and the decision about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge.types.enums import Advice, Custody, Outcome, Reason


@dataclass(frozen=True, slots=True)
class SealedTemplate:
    """A template that only its token's secret together with this device's or site's key opens.

    Attributes:
        header: the authenticated header, bytes exactly as sealed (associated data).
        salt: 32 bytes, fresh for every seal.
        ciphertext: ChaCha20-Poly1305 output, D + 16 bytes.
    """

    header: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a card says: the one body that an issuer signs, a vault seals for and a reader delivers.

    Attributes:
        custody: where the sealed template is.
        site: 16-byte site id. serial: 16 random bytes, printed on the card as hex groups.
        credential: 0..2**64-1, handed to an access panel.
        groups: 1..8 door groups that it opens; brought into ascending order, each once.
        not_before, expires: Unix seconds, UTC; valid while not_before <= now < expires.
        secret: 32 random bytes: with the site's or device's key it opens one template.
        sealed: that template, in card custody; else None.
    """

    custody: Custody
    site: bytes
    serial: bytes
    credential: int
    groups: tuple[str, ...]
    not_before: int
    expires: int
    secret: bytes = field(repr=False)
    sealed: SealedTemplate | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(sorted(set(self.groups))))

    @property
    def serial_text(self) -> str:
        """The serial as printed: ``a1b2-c3d4-...`` (hex, groups of four)."""
        text = self.serial.hex()
        return "-".join(text[k : k + 4] for k in range(0, len(text), 4))


@dataclass(frozen=True, slots=True)
class Claim(Token):
    """Who the person says they are: a token whose size, magic, signature, site and issuer were checked.

    Attributes:
        issuer: 8-byte key id of the issuer.
        received_ns: when the claim was made, on the stream's clock; a session uses only younger frames.
    """

    issuer: bytes = b""
    received_ns: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer about one claim. Never an image, an embedding or, in a device build, a score.

    Attributes:
        target_fmr: the false match rate the deployer asked for, for the whole session.
        frames_looked_at: frames of the session given to the detector; looks: probes compared.
        timings_ms: name -> milliseconds (``open``, ``detect``, ``embed``, ``session``...).
        score, threshold: cosine in -1..1; None in device builds.
        serial: the card's serial, hex; empty when the token could not be read.
        wait_s: seconds until this card can be tried again here; 0 at once, or when waiting does not help.
    """

    outcome: Outcome
    reason: Reason
    target_fmr: float
    frames_looked_at: int = 0
    looks: int = 0
    advice: tuple[Advice, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    threshold: float | None = None
    serial: str = ""
    credential: int | None = None
    session: str = ""
    wait_s: int = 0

    def public(self) -> Decision:
        """The same decision without score and threshold, as everybody but a developer's terminal is told it."""
        return self if self.score is self.threshold is None else replace(self, score=None, threshold=None)
