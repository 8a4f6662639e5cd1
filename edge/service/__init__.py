"""The running device: the only place that wires rooms together.

with open_device(Path("device.yaml")) as device:      # settings -> Device
    device.observe(print)                             # every event, from a thread of its own
    Loop(device, readers).run(stop)

Device     opened parts; `decide` about one claim, `act` on the decision, `observe` what happens
Operator   the acts of a named person: enrol, renew, re-issue, revoke, erase, reset, confirm
Loop       wait for a claim, look, decide, act, journal
demo       the whole of it on people who do not exist
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from edge.service.device import Device
    from edge.service.fitness import device_checks, examine, open_device, tell_selftest
    from edge.service.loop import Loop
    from edge.service.operator import Operator
    from edge.service.operator_socket import OperatorSocket
    from edge.service.page import kiosk_page
    from edge.service.parts import Parts
    from edge.service.remote import Remote

#: Loaded when they are asked for: what asks a running door for something needs no camera and no model in its memory.
_HOMES = {
    "Device": "edge.service.device",
    "Loop": "edge.service.loop",
    "Operator": "edge.service.operator",
    "OperatorSocket": "edge.service.operator_socket",
    "Parts": "edge.service.parts",
    "Remote": "edge.service.remote",
    "device_checks": "edge.service.fitness",
    "examine": "edge.service.fitness",
    "kiosk_page": "edge.service.page",
    "open_device": "edge.service.fitness",
    "tell_selftest": "edge.service.fitness",
}

__all__ = [
    "Device",
    "Loop",
    "Operator",
    "OperatorSocket",
    "Parts",
    "Remote",
    "device_checks",
    "examine",
    "kiosk_page",
    "open_device",
    "tell_selftest",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge.service' has no attribute {name!r}")
