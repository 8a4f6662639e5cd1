"""Whose signature lets a model onto this device: the keys in ``TRUST/models``.

verify = model_verifier(settings.device.trust_dir, strict=True)
card = edge.face.find_card("mine", settings.device.state_dir, verify)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.trust.envelopes import MODEL, Verified, trusted, verify
from edge.trust.folder import Strict


def model_verifier(trust_dir: Path, *, strict: Strict) -> Callable[[bytes], Verified]:
    """Checks the envelopes of model cards. The keys are read when the first one is checked.

    Args:
        trust_dir: the trust directory. strict: as `edge.trust.envelopes.trusted`.

    Returns:
        A function from an envelope's bytes to what was signed; raises `SignatureError`.
    """

    def check(envelope: bytes) -> Verified:
        return verify(envelope, MODEL, trusted(trust_dir, "models", strict=strict))

    return check
