"""A set of attacks recorded at the real door: its frames encrypted, and deleted with the report.

    recording = AttackSet.make(folder, passphrase, random_bytes=os.urandom)
    recording.keep("print", "1", frames)
    AttackSet.open(folder, passphrase).unpack(place)          # as `edge lab attack` reads it

People are numbers; who they are is nobody's business but theirs, and their consent is what `edge attack record` asks
for before the first frame. Frames are PNG inside of one file a session, sealed by ChaCha20-Poly1305 under a key that a
passphrase locks (`edge.trust.locked`); the name of the file is authenticated with it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.errors import InputError, KeyringError
from edge.files import write_atomic
from edge.trust.locked import PrivateKey
from edge.types import U8, Frame
from edge.types.gates import BONA_FIDE, ENROL

#: What is recorded of each person unless told otherwise: the species of `edge lab attack`, in an installer's words.
SPECIES = {
    ENROL: "look into the camera, as at an enrolment",
    BONA_FIDE: "stand before the door as you would to get in",
    "print": "hold up a printed photograph of this person, as large as the face",
    "phone": "hold up this person's photograph on a phone",
    "tablet": "hold up this person's photograph on a tablet or laptop",
}
KEY, _SUFFIX = "set.key", ".frames"


@dataclass(frozen=True, slots=True, repr=False)
class SetKey(PrivateKey):
    """The key of a set: 32 bytes, in the same locked file as every private key."""

    KIND: ClassVar[str] = "edge-attack-set/v1"
    MISSING: ClassVar[str] = "name the folder that `edge attack record` made"

    def public_bytes(self) -> bytes:
        """A name for the key that says nothing of it."""
        return hashlib.sha256(b"edge/attack-set/v1" + self.seed).digest()


class AttackSet:
    """One folder of sessions.

    Args:
        folder: of the set. key: see `SetKey`.
    """

    def __init__(self, folder: Path, key: SetKey) -> None:
        self.folder, self._key = folder, key

    @classmethod
    def make(cls, folder: Path, passphrase: str, *, random_bytes: Callable[[int], bytes]) -> AttackSet:
        """A new set, or one that goes on.

        Raises:
            KeyringError: the passphrase is no good, or not that of the set that is there. InputError: another folder.
        """
        if (folder / KEY).exists():
            return cls.open(folder, passphrase)
        if folder.exists() and any(folder.iterdir()):
            raise InputError("this folder holds something else", where=str(folder), remedy="name a new one")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        key = SetKey(random_bytes(32))
        key.save(folder / KEY, passphrase, random_bytes=random_bytes)
        return cls(folder, key)

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> AttackSet:
        """A set that is there. Raises `KeyringError`: there is none, or a wrong passphrase."""
        return cls(folder, SetKey.load(folder / KEY, passphrase))

    def names(self) -> list[str]:
        """The sessions, ``SPECIES--PERSON--NUMBER``."""
        return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))

    def keep(
        self, species: str, person: str, frames: Sequence[Frame], *, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> str:
        """Seal a session's frames into a file of their own; its name.

        Args:
            species, person: letters, digits and `_`. frames: of one session, in order.
        """
        number = 1 + sum(name.startswith(f"{species}--{person}--") for name in self.names())
        name = f"{species}--{person}--{number}"
        packed = io.BytesIO()
        np.savez(packed, *(np.frombuffer(_png(frame.image), np.uint8) for frame in frames))
        nonce = random_bytes(12)
        sealed = ChaCha20Poly1305(self._key.seed).encrypt(nonce, packed.getvalue(), name.encode())
        write_atomic(self.folder / f"{name}{_SUFFIX}", nonce + sealed, mode=0o600)
        return name

    def pictures(self, name: str) -> Iterator[bytes]:
        """The pictures of a session, PNG.

        Raises:
            KeyringError: the file was altered, or is another session's.
        """
        path = self.folder / f"{name}{_SUFFIX}"
        data = path.read_bytes()
        try:
            opened = ChaCha20Poly1305(self._key.seed).decrypt(data[:12], data[12:], name.encode())
        except InvalidTag:
            raise KeyringError(
                "this session was altered", where=str(path), remedy="delete the file, and record it anew"
            ) from None
        with np.load(io.BytesIO(opened)) as parts:
            yield from (part.tobytes() for part in parts.values())

    def unpack(self, place: Path) -> None:
        """Write the pictures of all sessions below ``place``, in the clear, as `edge lab attack` reads them.

        Raises:
            KeyringError: a session was altered.
        """
        for name in self.names():
            species, person, number = name.split("--")
            into = place / species / person / ("" if species == ENROL else number)
            into.mkdir(parents=True, exist_ok=True)
            for index, picture in enumerate(self.pictures(name)):
                (into / f"{number}_{index:04d}.png").write_bytes(picture)


def _png(image: U8) -> bytes:
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return bytes(data)
