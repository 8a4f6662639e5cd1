"""Subkeys: one key of the keyring never does two jobs.

    chain = derive(keyring.device_key, "edge/journal/chain/v1")

The label is the job. Two labels give unrelated keys (HKDF-SHA256, RFC 5869).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key: bytes, info: str | bytes, *, length: int = 32, salt: bytes | None = None) -> bytes:
    """A subkey of ``key`` for the job named by ``info``.

    Args:
        key: input key material with at least 128 bits of entropy; never a PIN or a passphrase.
        info: the job's label, such as ``edge/state/subject/v1``.
        length: bytes wanted, 1..8160.
        salt: fresh random bytes where the same key and job need many keys; None for a fixed subkey.

    Returns:
        ``length`` bytes.
    """
    label = info.encode("utf-8") if isinstance(info, str) else info
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=label).derive(key)
