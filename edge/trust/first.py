"""Whether a device has ever been started: a mark beside its key, made with it and gone with the first start.

    mark(state_dir, key)        # with the key
    need_new(state_dir, key)    # nothing is kept here: is that so because nothing ever was?
    started(state_dir)          # something is kept now

The mark says "new" and its absence "in use", so that deleting it gains nothing; it cannot be made without the key.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from pathlib import Path

from edge.errors import KeyringError, StateError
from edge.files import refusal, write_atomic
from edge.trust.keyfile import derive

FILE = "device.new"


def mark(state_dir: Path, key: bytes) -> None:
    """Write the mark of a device that is about to get this key, 32 bytes. Raises `KeyringError`."""
    try:
        write_atomic(state_dir / FILE, _content(key), mode=0o600)
    except OSError as error:
        raise refusal(KeyringError, error, state_dir / FILE, "the mark of a new device cannot be written") from None


def need_new(state_dir: Path, key: bytes) -> None:
    """Return when this device was never started.

    Raises:
        StateError: it was; or its key was made by a version before this mark, and it was not started until now.
    """
    found = b""
    with suppress(OSError):
        found = (state_dir / FILE).read_bytes()
    if not hmac.compare_digest(found, _content(key)):
        raise StateError(
            "everything that this device kept is missing: state, vault, journal and their numbers",
            where=str(state_dir),
            remedy="restore the folder; if it was emptied on purpose: edge confirm vault --operator NAME, and revoke "
            "again what was revoked",
        )


def started(state_dir: Path) -> None:
    """Take the mark away. Raises `KeyringError`: it cannot be."""
    try:
        (state_dir / FILE).unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise KeyringError(
            f"the mark of a new device stays: {reason}", where=str(state_dir / FILE), remedy="delete it"
        ) from error


def _content(key: bytes) -> bytes:
    return derive(key, "edge/first-start/v1").hex().encode() + b"\n"
