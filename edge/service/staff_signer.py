"""The issuer's key of one sitting, seen from the process that ordered its cards; see `edge.vault.signing`.

with SignerChild.open(Path("issuer.key"), passphrase) as signer:     # the passphrase is overwritten
    signer.order("enrol", {"credential": 0})
    remote.do("enrol", issuer=signer, ...)
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge import _isolated
from edge.errors import KeyringError


class SignerChild:
    """A process that signs what was ordered. An `edge.claim.Issuer`.

    Attributes:
        key_id: of the issuer, 8 bytes.
    """

    def __init__(self, process: subprocess.Popen[bytes], key_id: bytes) -> None:
        self._process, self.key_id = process, key_id
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, passphrase: bytearray) -> SignerChild:
        """Start the process and have it open the key.

        Args:
            path: of the key. passphrase: UTF-8; overwritten, whatever comes of it.

        Raises:
            KeyringError: no such key, or a wrong passphrase.
        """
        if b"\n" in passphrase:
            passphrase[:] = bytes(len(passphrase))
            raise KeyringError("a passphrase is one line", where="issuer", remedy="type it again")
        process = subprocess.Popen(
            _isolated.command("edge.vault.signing", str(path)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_isolated.environment(),
            cwd="/",
            bufsize=0,  # no copy of the passphrase stays in a buffer
        )
        assert process.stdin is not None
        try:
            process.stdin.write(passphrase)
            process.stdin.write(b"\n")
            process.stdin.flush()
            answer = _answer(process)
            return cls(process, bytes.fromhex(answer["key_id"]))
        except BaseException:
            _end(process)
            raise
        finally:
            passphrase[:] = bytes(len(passphrase))

    def order(self, act: str, arguments: Mapping[str, Any]) -> None:
        """Say which card is made next; nothing else is signed."""
        self._ask({"order": act, "arguments": dict(arguments)})

    def sign(self, message: bytes, domain: bytes) -> bytes:
        """See `edge.claim.Issuer.sign`. Raises `KeyringError`: it was not ordered, or the process has ended."""
        answer = self._ask({"sign": message.hex(), "domain": domain.decode("ascii")})
        return bytes.fromhex(answer["signature"])

    def close(self) -> None:
        """End the process, and the key with it. Harmless when repeated."""
        _end(self._process)

    def __enter__(self) -> SignerChild:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            except (OSError, ValueError):  # ValueError: it was closed here
                raise _gone() from None
            return _answer(self._process)


def _answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline(16_384)
    if not line:
        raise _gone()
    answer: dict[str, Any] = json.loads(line)
    if (error := answer.get("error")) is not None:
        raise KeyringError(error["what"], where=error["where"], remedy=error["remedy"])
    return answer


def _gone() -> KeyringError:
    return KeyringError("the issuer's key is not open any more", where="issuer", remedy="open it again")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):  # what was not written is of no use any more
        process.stdin.close()
    try:
        process.wait(timeout=2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
