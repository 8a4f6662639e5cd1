"""Models brought from outside: examined, installed, signed, found.

    card = find_card("mine", state_dir, model_verifier(trust_dir, strict=True))

A `Spec` says what a foreign .tflite expects (`spec`); it is examined in a process of its own (`sandbox`, `examine`) on
people who do not exist (`reference`), installed beside the build (`importing`) and used under a trusted signature only
(`installed`, `verifier`).
"""

from edge.models.installed import Added, added, find_card

__all__ = ["Added", "added", "find_card"]
