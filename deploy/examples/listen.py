"""Follow a device while it serves claims from standard input: python listen.py device.yaml < tokens.txt"""

import sys
import threading
import time

from edge import Device, Event, Loop, load_settings
from edge.claim import open_readers


def listen(event: Event) -> None:  # called from a thread of its own; being slow delays no claim and no door
    print(f"{event.at_ns / 1e9:10.3f} {event.kind:18} {event.as_json().get('reason') or ''}", flush=True)


if __name__ == "__main__":
    with Device.open(load_settings(sys.argv[1]), hold="listen.py") as device:
        device.observe(listen, name="listen.py")
        readers = open_readers(device.settings.claim, stdin=sys.stdin.buffer, clock=time.monotonic)
        Loop(device, readers).run(threading.Event())
