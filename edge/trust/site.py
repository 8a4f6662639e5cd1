"""The site: an id that every card and door of one site share, and the key that opens templates in card custody.

The site key decrypts and never authorises: whoever has it still needs the card for the one template on it, and cannot
make a card. It is copied to each door of the site (`edge keys init --site FILE`), in one file of mode 0600.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import KeyringError
from edge.trust.files import read_private, write_new
from edge.trust.lines import from_base64, read_line, to_base64, write_line

KIND = "edge-site-v1"


@dataclass(frozen=True, slots=True)
class SiteKey:
    """Attributes: site_id: 16 random bytes, public. key: 32 random bytes, secret."""

    site_id: bytes
    key: bytes = field(repr=False)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> SiteKey:
        return cls(random_bytes(16), random_bytes(32))

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600. Raises `KeyringError`."""
        write_new(path, write_line(KIND, self.site_id.hex(), to_base64(self.key)))

    @classmethod
    def load(cls, path: Path) -> SiteKey:
        """Raises `KeyringError`: missing, accessible to others, or not such a file."""
        where = str(path)
        name, key = read_line(read_private(path), KIND, where=where, fields=2)
        try:
            site_id = bytes.fromhex(name)
        except ValueError:
            site_id = b""
        if len(site_id) != 16:
            raise KeyringError("the site id in this file is damaged", where=where, remedy="restore it from its copy")
        return cls(site_id, from_base64(key, 32, where=where))

    def __reduce__(self) -> str:
        raise TypeError("a SiteKey is never pickled or copied")
