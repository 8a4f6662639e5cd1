"""The operator's pages of a kiosk: enrolling, cards, self-test, the camera, behind a token, on this machine only.

    browser --HTTP on loopback--> pages.py --> desk.py --`Acts`--> what carries acts out (`edge.service.staff`)

A process of its own, apart from the door's and from the one that shows people their page. It holds no camera, store or
device key; the issuer's key is in yet another process, as long as one sitting lasts. Whoever has no sitting is given
the files of the page and how long to wait; there is one sitting at a time, bound to the browser that opened it.
"""

from edge.kiosk.desk.desk import Acts, Busy, Desk
from edge.kiosk.desk.pages import Pages, application
from edge.kiosk.desk.sittings import Lockout, Sitting, Sittings
from edge.kiosk.desk.words import page_of_desk

__all__ = ["Acts", "Busy", "Desk", "Lockout", "Pages", "Sitting", "Sittings", "application", "page_of_desk"]
