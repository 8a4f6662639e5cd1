"""The running device: the only place that wires rooms together.

with open_device(Path("device.yaml")) as device:      # settings -> Device
    Loop(device, readers, tell).run(stop)

Device     opened parts; `decide` about one claim, `act` on the decision
Loop       wait for a claim, look, decide, act, journal
demo       the whole of it on people who do not exist
"""

from edge.service.device import Device, Parts
from edge.service.fitness import device_checks, open_device
from edge.service.loop import Event, Loop

__all__ = ["Device", "Event", "Loop", "Parts", "device_checks", "open_device"]
