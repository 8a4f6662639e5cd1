"""What the person in front sees: one page, drawn from events, served to this machine only.

    with Kiosk(settings.kiosk, page_of(settings)) as kiosk:
        device.observe(kiosk, name="kiosk")     # http://127.0.0.1:8370/

    event --`drawn`--> screen --pipe--> server.py (a process of its own) --server-sent events--> page/

The process that listens is started as a file, isolated, and holds nothing of this product but that file: no key, no
camera, no event. It is handed words and screens, and asks nothing; a PIN comes back where the settings ask for one
(`PinPad`), and nothing else ever. A screen has no score, no name, no serial, no image.
A browser that is slow, hostile or gone is that process's trouble; one that crashes is started anew.
"""

from edge.kiosk.kiosk import Kiosk, bound, loopback
from edge.kiosk.pin_pad import PinPad
from edge.kiosk.screen import Screen, drawn
from edge.kiosk.words import page_of

__all__ = ["Kiosk", "PinPad", "Screen", "bound", "drawn", "loopback", "page_of"]
