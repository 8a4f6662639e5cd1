"""Which streams a session may look at: those of this build's own cameras, and the demo's.

    stream = own(Capture(open_source(settings.camera)))     # whoever wires a device
    need_own(stream)                                        # a session: returns, or raises NotInThisBuild

On a device build a stream that somebody made, or handed a source to, would be a way from any picture to a decision.
Streams have no attributes that could be replaced (`__slots__`), and are told apart by what they are and not by what
they say of themselves.
"""

from __future__ import annotations

from weakref import WeakSet

from edge._resources import is_device
from edge.camera.capture import Capture, Pulled
from edge.errors import NotInThisBuild
from edge.types import Stream

_OWN: WeakSet[Capture | Pulled] = WeakSet()


def _own(stream: Capture | Pulled) -> Capture | Pulled:
    """Remember a stream of the configured camera, or one of people who do not exist that `edge.service` made itself."""
    _OWN.add(stream)
    return stream


def need_own(stream: Stream) -> None:
    """Return when a stream shows what stands in front of a camera of this build, or what its own demo plays.

    A `FictionalSource` that a caller made is none of these: whatever its scenes hold is drawn.

    Raises:
        NotInThisBuild: a device build, and the stream was made elsewhere.
    """
    ours = type(stream) in (Capture, Pulled)  # neither a subclass nor what claims to be equal to one
    if not is_device() or (ours and isinstance(stream, Capture | Pulled) and stream in _OWN):
        return
    raise NotInThisBuild(
        "a device build decides on frames of its own camera only",
        where="stream",
        remedy="use Device.stream() of this very device",
    )
