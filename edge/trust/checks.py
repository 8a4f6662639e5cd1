"""The self-test's checks of keys, and of which issuers this device trusts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.errors import KeyringError, Unfit
from edge.selftest import Check
from edge.trust import ISSUER_FILE
from edge.trust.issuer import IssuerKey, TrustStore
from edge.trust.ring import Keyring


def checks(
    keyring: Callable[[], Keyring], trust: Callable[[], TrustStore], state_dir: Path, trust_dir: Path
) -> list[Check]:
    """What is checked. ``keyring``, ``trust``: give the keys and the issuers, or raise."""
    return [
        Check("keys", "the keys of this device and its site are here", lambda: f"site {keyring().site_id.hex()[:8]}"),
        Check(
            "issuers",
            "the cards of this site count here",
            lambda: _issuers(trust(), state_dir / ISSUER_FILE, trust_dir),
            limit="at least one trusted issuer, and the one whose key is here",
        ),
        Check("development keys", "no passphrase lies beside a key", lambda: _no_passphrase(state_dir), needed=False),
    ]


def _issuers(trust: TrustStore, own: Path, trust_dir: Path) -> str:
    folder = trust_dir / "issuers"
    if not trust.issuers:
        raise KeyringError(
            "no issuer is trusted, so every card is refused",
            where=str(folder),
            remedy="copy the site's issuer there (the .pub file that `edge keys init --issuer` made), then start again",
        )
    if own.exists():
        public = IssuerKey.public_of(own)
        if public.key_id not in trust.issuers:
            raise KeyringError(
                f"the issuer whose key is here ({public.key_id.hex()}) is not trusted: its cards are refused",
                where=str(folder),
                remedy=f"write its public half to {folder / public.key_id.hex()}.pub",
            )
    count = len(trust.issuers)
    return f"{count} issuer{'' if count == 1 else 's'} trusted"


def _no_passphrase(state_dir: Path) -> str:
    file = state_dir / "issuer.passphrase"
    if file.exists():
        raise Unfit(
            "the issuer's passphrase lies beside its key: whoever reads this folder can make cards",
            where=str(file),
            remedy="make a door's keys without --development",
        )
    return "none here"
