"""On-device 1:1 face verification for doors and kiosks.

A person says who they are with a card or a QR code; the device looks once and answers yes or no about that one person.
The public API on one screen, loaded on first use (PEP 562):

    from edge import Device, load_settings

    with Device.open(load_settings("device.yaml")) as device:
        device.observe(lambda event: print(event.kind))     # follow it: edge.types.events, edge.types.acts
        decision = device.verify(token)       # a Decision: outcome, reason; never an image or an embedding
        device.act(decision)                  # the door: released on an accept only

Device        open one, verify a card, act, observe; `decide` takes a stream that is already open
Loop          serve claims from readers until it is stopped
Operator      acts of a named person: enrol, renew, reissue, revoke, erase, reset, confirm
Parts         an own camera (`Source`) or door (`Door`) in the place of the configured one
Decision, Frame, Event and the protocols Source, Door, Reader: what flows, and where hardware is swapped
load_settings, errors

`edge.testing` (development builds) has a scripted camera, a fake door and a device in a folder; ``deploy/examples`` has
one runnable file a purpose. There is no search among people here, and no function that takes a collection of templates.
"""

from edge._version import __version__

TYPE_CHECKING = False  # not the typing module's: nothing is imported before `edge._isolated` has looked
if TYPE_CHECKING:
    from edge import errors
    from edge.service import Device, Loop, Operator, Parts
    from edge.settings import load_settings
    from edge.types import Decision, Door, Frame, Reader, Source
    from edge.types.events import Event

_HOMES = {
    "Device": "edge.service",
    "Loop": "edge.service",
    "Operator": "edge.service",
    "Parts": "edge.service",
    "Decision": "edge.types",
    "Door": "edge.types",
    "Frame": "edge.types",
    "Reader": "edge.types",
    "Source": "edge.types",
    "Event": "edge.types.events",
    "load_settings": "edge.settings",
}

__all__ = [
    "Decision",
    "Device",
    "Door",
    "Event",
    "Frame",
    "Loop",
    "Operator",
    "Parts",
    "Reader",
    "Source",
    "__version__",
    "errors",
    "load_settings",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "errors":
        return import_module("edge.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge' has no attribute {name!r}")
