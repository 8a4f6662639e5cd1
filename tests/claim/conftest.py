"""One site, one issuer, and a card of each custody."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from edge.trust import IssuerKey, Keyring
from edge.types import Custody, SealedTemplate, Token

Maker = Callable[..., Token]


@pytest.fixture(scope="session")
def site() -> tuple[Keyring, IssuerKey]:
    return Keyring.ephemeral(random.Random(2).randbytes)


@pytest.fixture(scope="session")
def make(site: tuple[Keyring, IssuerKey]) -> Maker:
    """``make(Custody.CARD, groups=("lab",), header=64)`` -> a body with that many bytes of sealed header."""
    ring, _ = site
    dice = random.Random(3)

    def body(custody: Custody = Custody.CARD, *, header: int = 60, **fields: object) -> Token:
        serial = dice.randbytes(16)
        sealed = SealedTemplate(
            b"\x01\x01" + serial + dice.randbytes(header - 18), dice.randbytes(32), dice.randbytes(144)
        )
        values: dict[str, object] = {
            "custody": custody,
            "site": ring.site_id,
            "serial": serial,
            "credential": 4711,
            "groups": ("default",),
            "not_before": 1_780_000_000,
            "expires": 1_811_536_000,
            "secret": dice.randbytes(32),
            "sealed": sealed if custody is Custody.CARD else None,
        }
        return Token(**(values | fields))  # type: ignore[arg-type]

    return body
