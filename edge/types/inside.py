"""Where embeddings, opened templates and comparisons exist: in a session's own process, which is inside as a whole.

    with _inside():                              # that process; elsewhere a model's known answer to noise
        probe = chain.embed(look, session)
        score = compare(template, probe, session)

    need_inside("an embedding")                  # a device build, anywhere else: SpentError

On a device build nothing gives an embedding, the numbers of a template or a comparison score anywhere else. In the
door's process the block is entered for noise only, around few calls: no function that a caller hands in runs inside of
it, an audit hook (`_aside`) and a trace function included. What a signal's handler, `gc` or a frame of the interpreter
lead to is named as a limit in deploy/THREATS.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from edge._resources import is_device
from edge.errors import SpentError

_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)
_GUARDED = is_device()


@contextmanager
def _inside() -> Iterator[None]:
    """For a session's own process, and for known answers.

    Raises:
        SpentError: a device build, and a trace or profile function would see every line of it.
    """
    if _GUARDED and (sys.gettrace() or sys.getprofile()):
        raise SpentError("a trace function is set", where="session", remedy="run the device without a debugger")
    before = _INSIDE.set(True)
    try:
        yield
    finally:
        _INSIDE.reset(before)


@contextmanager
def _aside() -> Iterator[None]:
    """Out of the block for a moment: whatever an audit hook does is not this block's doing."""
    before = _INSIDE.set(False)
    try:
        yield
    finally:
        _INSIDE.reset(before)


def need_kind(thing: object, kind: type) -> None:
    """Return when a thing is of exactly this class: what a caller made in its place would be told what is inside.

    Raises:
        SpentError: a device build, and it is of another class.
    """
    if _GUARDED and type(thing) is not kind:
        raise SpentError(f"this is no {kind.__name__}", where="session", remedy="use what the device gives")


def need_inside(what: str) -> None:
    """Return inside of a session, and on builds that hold no door.

    Args:
        what: is asked for, as in "an embedding".

    Raises:
        SpentError: a device build, and no session runs in this thread.
    """
    if _GUARDED and not _INSIDE.get():
        raise SpentError(f"there is {what} inside of a session only", where="session", remedy="present a card")
