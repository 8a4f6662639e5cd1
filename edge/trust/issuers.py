"""Whose signatures count at this door: the public halves in the trust folder, found by key id.

    trust = TrustStore.load(settings.device.trust_dir, strict=True)
    trust.verify(key_id, message, signature, TOKEN_DOMAIN)      # returns nothing, or raises

The folder (``/etc/edge/trust`` by default) belongs to root and holds ``issuers/*.pub``, one line each. Removing a file
and restarting ends the trust. A door that drives hardware loads strictly: a folder or file that someone else could
write is refused, since whoever writes it can make cards. On a development machine it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from edge.errors import KeyringError
from edge.trust.files import writable_by_others
from edge.trust.issuer import IssuerKey, IssuerPublic

#: More files than this in the folder is a mistake, not a site.
MAX_ISSUERS = 64


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The trusted issuers.

    Attributes:
        issuers: key id (8 bytes) -> public half.
        warnings: what a strict load would have refused.
    """

    issuers: Mapping[bytes, IssuerPublic] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, *keys: IssuerPublic | IssuerKey) -> TrustStore:
        """A store in memory, for tests and the demo."""
        return cls(_by_id(key.public if isinstance(key, IssuerKey) else key for key in keys))

    @classmethod
    def load(cls, trust_dir: Path, *, strict: bool) -> TrustStore:
        """Read ``trust_dir/issuers/*.pub``.

        Args:
            trust_dir: the trust folder; one without ``issuers`` trusts nobody.
            strict: refuse, rather than warn, when someone but root and this user could write a folder or file.

        Raises:
            KeyringError: a file is not a public key, there are too many, or (strict) others could write.
        """
        folder = trust_dir / "issuers"
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix == ".pub") if folder.is_dir() else []
            exposed = [path for path in (trust_dir, folder, *paths) if path.exists() and writable_by_others(path)]
        except OSError as error:
            raise KeyringError(
                f"the trusted keys cannot be read ({error.strerror})", where=str(folder), remedy="check its permissions"
            ) from None
        if strict and exposed:
            raise KeyringError(
                "someone besides root could change whom this door trusts",
                where=str(exposed[0]),
                remedy=f"chown root:root {exposed[0]} and chmod go-w it",
            )
        if len(paths) > MAX_ISSUERS:
            raise KeyringError(f"more than {MAX_ISSUERS} issuers", where=str(folder), remedy="remove retired ones")
        warnings = tuple(f"{path}: someone besides root could change whom this device trusts" for path in exposed)
        return cls(_by_id(IssuerPublic.load(path) for path in paths), warnings)

    def verify(self, key_id: bytes, message: bytes, signature: bytes, domain: bytes) -> None:
        """Return when the trusted issuer ``key_id`` signed ``message`` under ``domain``.

        Args:
            key_id: 8 bytes. message: any bytes. signature: 64 bytes. domain: the label it must have been signed under.

        Raises:
            KeyringError: no such issuer is trusted, or the signature is not its own (one message for both).
        """
        issuer = self.issuers.get(key_id)
        if issuer is None or not issuer.is_signed(message, signature, domain):
            raise KeyringError(
                "not signed by an issuer that this device trusts",
                where="signature",
                remedy="add the issuer's public key to the trust folder, or issue it anew",
            )


def _by_id(keys: Iterable[IssuerPublic]) -> Mapping[bytes, IssuerPublic]:
    return MappingProxyType({key.key_id: key for key in keys})
