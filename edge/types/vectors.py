"""The two secrets made of a face: a probe is compared once, a template lives for one session. Both are overwritten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import SpentError
from edge.types.frames import I8
from edge.types.inside import need_inside
from edge.types.rotation import F64, Rotation
from edge.types.wipe import wipe

#: Steps of a turned probe between two neighbouring int8 numbers: a comparison stays one of integers.
_FINE = 256.0


class _Vector:
    """An int8 embedding that can be overwritten once and says nothing about itself."""

    __slots__ = ("_data", "_model", "_session", "_spent")
    _NDIM = 1

    def __init__(self, data: I8, *, model: str, session: str) -> None:
        if data.dtype != np.int8 or data.ndim != self._NDIM:
            raise ValueError("a probe is a one-dimensional int8 array, a template one row a reference")
        self._data, self._model, self._session, self._spent = data.copy(), model, session, False

    @property
    def model(self) -> str:
        """SHA-256 (hex) of the embedder's file."""
        return self._model

    @property
    def session(self) -> str:
        """Identifier of the session that it belongs to."""
        return self._session

    @property
    def dimension(self) -> int:
        return int(self._data.shape[-1])

    @property
    def spent(self) -> bool:
        return self._spent

    def erase(self) -> None:
        """Overwrite the content with zeros. Harmless when repeated."""
        wipe(self._data)
        self._spent = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dimension={self.dimension}, spent={self._spent})"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError(f"a {type(self).__name__} is never pickled or copied")


class Probe(_Vector):
    """The embedding of one look: int8 (D,), made for one session, consumed by its one comparison."""

    __slots__ = ()

    def consume(self, session: str) -> I8:
        """Give the content out exactly once, to the session that captured it; who takes it wipes it.

        Raises:
            SpentError: on a second call, or when ``session`` is not the probe's own; or on a device build outside of a
                session.
        """
        need_inside("an embedding")
        if self._spent:
            raise SpentError("this probe was already compared", where="probe", remedy="capture a new one")
        if session != self._session:
            raise SpentError("this probe belongs to another session", where="probe", remedy="capture a new one")
        data = self._data.copy()
        self.erase()
        return data


class Template(_Vector):
    """One to three references of one person: int8 (n, D), in memory for one session, overwritten after it.

    Use it as a context manager: leaving the block overwrites it. It stays rotated as it was sealed; whatever is
    compared with it is rotated in the same way (`turn`), so that a template which leaks is of no use elsewhere.

    Args:
        data: int8 (D,) or (n, D). model: SHA-256 (hex) of the embedder's file. session: its identifier.
        rotation: how it was rotated; None: not at all (sealed by a version before).
    """

    __slots__ = ("_rotation",)
    _NDIM = 2

    def __init__(self, data: I8, *, model: str, session: str, rotation: Rotation | None = None) -> None:
        super().__init__(np.atleast_2d(data), model=model, session=session)
        self._rotation = rotation

    @property
    def references(self) -> int:
        """How many references of its one person it holds."""
        return int(self._data.shape[0])

    def read(self, session: str) -> I8:
        """The content (n, D), for the comparison of its own session.

        Raises:
            SpentError: after `erase`, or for another session; a device build, outside of a session.
        """
        need_inside("a template's content")
        if self._spent:
            raise SpentError(
                "this template was already erased", where="template", remedy="open it again with its token"
            )
        if session != self._session:
            raise SpentError("this template belongs to another session", where="template", remedy="open it again")
        return self._data

    def turn(self, vector: I8) -> NDArray[np.int32]:
        """An embedding (D,) rotated as the template is, to be compared with it; in finer steps, since it is rounded.

        Raises:
            SpentError: a device build, outside of a session.
        """
        need_inside("a rotation")
        turned = vector.astype(np.float64) if self._rotation is None else self._rotation.turn(vector)
        turned *= _FINE
        fine: NDArray[np.int32] = np.rint(turned, out=turned).astype(np.int32)
        wipe(turned)
        return fine

    def unrotated(self, session: str) -> F64:
        """The references without their rotation, float64 (n, D), to be sealed for another card. Raises as `read`."""
        plain = self.read(session).astype(np.float64)
        if self._rotation is not None:
            for row in plain:
                row[:] = self._rotation.undo(row)
        return plain

    def erase(self) -> None:
        """Overwrite the content and the rotation. Harmless when repeated."""
        super().erase()
        if self._rotation is not None:
            self._rotation.erase()

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()
