"""The self-test's checks of keys, and of which issuers this device trusts."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.errors import KeyringError, Unfit
from edge.selftest import Check
from edge.trust import ISSUER_FILE
from edge.trust.issuer import IssuerKey, TrustStore
from edge.trust.ring import Keyring

_SIGN_KEY = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
_SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)


def checks(
    keyring: Callable[[], Keyring], trust: Callable[[], TrustStore], state_dir: Path, trust_dir: Path
) -> list[Check]:
    """What is checked. ``keyring``, ``trust``: give the keys and the issuers, or raise."""
    return [
        Check(
            "cryptography",
            "the algorithms in use give the answers that their standards print",
            known_answers,
            limit="the same bytes",
        ),
        Check(
            "keys",
            "the keys of this device and its site are here",
            lambda: f"site {keyring().site_id.hex()[:8]}",
            limit="this user's or root's, mode 0600",
        ),
        Check(
            "issuers",
            "the cards of this site count here",
            lambda: _issuers(trust(), state_dir / ISSUER_FILE, trust_dir),
            limit="at least one trusted issuer, and the one whose key is here",
        ),
        Check(
            "development keys",
            "no passphrase lies beside a key",
            lambda: _no_passphrase(state_dir),
            "none",
            needed=False,
        ),
    ]


def known_answers() -> str:
    """Signing, sealing, deriving, hashing and stretching, against the vectors of their standards.

    Raises:
        Unfit: one of them gives something else.
    """
    signing, sealing = Ed25519PrivateKey.from_private_bytes(_SIGN_KEY), ChaCha20Poly1305(bytes(range(0x80, 0xA0)))
    nonce, data = bytes.fromhex("070000004041424344454647"), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    derived = HKDF(SHA256(), 42, bytes(range(13)), bytes(range(0xF0, 0xFA))).derive(b"\x0b" * 22)
    stretched = Argon2id(
        salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\4" * 12, secret=b"\3" * 8
    ).derive(b"\1" * 32)
    answers = {
        "Ed25519 (RFC 8032, 7.1)": (signing.sign(b"\x72")[:16], "92a009a9f0d4cab8720e820b5f642540"),
        "ChaCha20-Poly1305 (RFC 8439, 2.8.2)": (
            sealing.encrypt(nonce, _SUNSCREEN, data)[-16:],
            "1ae10b594f09e26a7e902ecbd0600691",
        ),
        "HKDF (RFC 5869, A.1)": (derived[:16], "3cb25f25faacd57a90434f64d0362f2a"),
        "SHA-256 (FIPS 180-4)": (sha256(b"abc").digest()[:16], "ba7816bf8f01cfea414140de5dae2223"),
        "Argon2id (RFC 9106, 5.3)": (stretched[:16], "0d640df58d78766c08c037a34a8b53c9"),
    }
    for name, (found, wanted) in answers.items():
        if found.hex() != wanted:
            raise Unfit(f"{name} gives another answer", where="cryptography", remedy="do not use this machine")
    return ", ".join(name.partition(" (")[0] for name in answers)


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
            file = folder / f"{public.key_id.hex()}.pub"
            raise KeyringError(
                f"the issuer whose key is here ({public.key_id.hex()}) is not trusted: its cards are refused",
                where=str(folder),
                remedy=f"as root: echo {shlex.quote(public.line().decode().strip())} > {shlex.quote(str(file))}",
            )
    count = len(trust.issuers)
    return f"{count} issuer{'' if count == 1 else 's'} trusted"


def _no_passphrase(state_dir: Path) -> str:
    file = state_dir / "issuer.passphrase"
    if file.exists():
        raise Unfit(
            "the issuer's passphrase lies beside its key: anyone who reads this folder can make cards",
            where=str(file),
            remedy="make a door's keys without --development",
        )
    return "none here"
