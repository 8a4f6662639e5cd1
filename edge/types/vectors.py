"""The two secrets made of a face: a probe is compared once, a template lives for one session. Both are overwritten."""

from __future__ import annotations

import numpy as np

from edge.errors import SpentError
from edge.types.frames import I8


class _Vector:
    """An int8 embedding that can be overwritten once and says nothing about itself."""

    __slots__ = ("_data", "_model", "_session", "_spent")

    def __init__(self, data: I8, *, model: str, session: str) -> None:
        if data.dtype != np.int8 or data.ndim != 1:
            raise ValueError("an embedding is a one-dimensional int8 array")
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
        return int(self._data.shape[0])

    @property
    def spent(self) -> bool:
        return self._spent

    def erase(self) -> None:
        """Overwrite the content with zeros. Harmless when repeated."""
        self._data[:] = 0
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
        """Give the content out exactly once, to the session that captured it.

        Raises:
            SpentError: on a second call, or when ``session`` is not the probe's own.
        """
        if self._spent:
            raise SpentError("this probe was already compared", where="probe", remedy="capture a new one")
        if session != self._session:
            raise SpentError("this probe belongs to another session", where="probe", remedy="capture a new one")
        data = self._data.copy()
        self.erase()
        return data


class Template(_Vector):
    """One person's reference: int8 (D,), in memory for one session, overwritten after it.

    Use it as a context manager: leaving the block overwrites it.
    """

    __slots__ = ()

    def read(self, session: str) -> I8:
        """The content, for the comparison of its own session.

        Raises:
            SpentError: after `erase`, or for another session.
        """
        if self._spent:
            raise SpentError(
                "this template was already erased", where="template", remedy="open it again with its token"
            )
        if session != self._session:
            raise SpentError("this template belongs to another session", where="template", remedy="open it again")
        return self._data

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()
