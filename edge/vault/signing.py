"""The issuer's key of one sitting: a process of its own that signs the cards an operator has ordered, and nothing else.

    python -m edge.vault.signing issuer.key        the passphrase is the first line of its standard input

Then one JSON object a line in each direction: ``{"order": act, "arguments": {...}}`` says what is made next,
``{"sign": hex, "domain": ...}`` is answered by ``{"signature": hex}``, or by ``{"error": {...}}`` when it is not what
was ordered. With the end of its input it ends, and the key with it. No other process can read its memory, and no core
of it is written.
"""

from __future__ import annotations

import ctypes
import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from edge.claim import TOKEN_DOMAIN, Issuer
from edge.claim.layout import unpack
from edge.errors import EdgeError, InputError
from edge.trust import IssuerKey
from edge.types import Custody
from edge.types.wipe import wipe
from edge.vault.record import RECORD_DOMAIN

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_MAX_LINE = 16_384
_NOTHING = InputError("nothing is ordered", where="issuer", remedy="say first which card is made")


class Ordered:
    """What an operator asked for, so that their key signs nothing else."""

    def __init__(self, act: str, arguments: Mapping[str, Any]) -> None:
        self._act, self._arguments = act, arguments
        self._signed: set[bytes] = set()

    def sign(self, issuer: Issuer, message: bytes, domain: bytes) -> bytes:
        """Sign one card, and one record, of the act that was asked for.

        Raises:
            InputError: the door asks for something else.
        """
        fine = domain not in self._signed and domain in (TOKEN_DOMAIN, RECORD_DOMAIN)
        if fine and domain == TOKEN_DOMAIN:
            token, key_id = unpack(message)
            groups, credential = self._arguments.get("groups"), self._arguments.get("credential")
            fine = key_id == issuer.key_id and (not groups or token.groups == tuple(sorted(set(groups))))
            fine = fine and (credential is None or token.credential == credential)
            fine = fine and (token.custody is Custody.NONE) == (self._act == "opt_out")
        if not fine:
            raise InputError(
                "the running door asks for a signature that was not ordered",
                where="operator socket",
                remedy="stop the door and examine it: edge prove",
            )
        self._signed.add(domain)
        return issuer.sign(message, domain)


def serve(key: Issuer, requests: BinaryIO, answers: BinaryIO) -> None:
    """Sign what is ordered until the input ends.

    Args:
        key: of the issuer. requests, answers: as in the module docstring.
    """
    ordered: Ordered | None = None
    while line := requests.readline(_MAX_LINE):
        try:
            said = json.loads(line)
            if "order" in said:
                ordered = Ordered(str(said["order"]), dict(said["arguments"]))
                answer: dict[str, Any] = {"ordered": True}
            elif ordered is None:
                answer = {"error": _NOTHING.as_json()}
            else:
                signature = ordered.sign(key, bytes.fromhex(said["sign"]), str(said["domain"]).encode("ascii"))
                answer = {"signature": signature.hex()}
        except EdgeError as error:
            answer = {"error": error.as_json()}
        except (ValueError, KeyError, TypeError, AttributeError):
            answer = {"error": InputError("not a request of this protocol", where="issuer", remedy="").as_json()}
        _say(answers, answer)


def main(path: Path, requests: BinaryIO, answers: BinaryIO) -> int:
    """Open the key and serve. Returns the exit code."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line = requests.readline(_MAX_LINE)
    passphrase = line.removesuffix(b"\n").decode("utf-8", "replace")
    wipe(line)
    try:
        key = IssuerKey.load(path, passphrase)
    except EdgeError as error:
        _say(answers, {"error": error.as_json()})
        return 3
    finally:
        wipe(passphrase)
    _say(answers, {"key_id": key.key_id.hex()})
    serve(key, requests, answers)
    return 0


def _say(answers: BinaryIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer))
