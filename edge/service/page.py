"""The page for the person in front, beside a device that serves claims.

    with kiosk_page(device):
        Loop(device, readers).run(stop)

A page that cannot be served, or whose process ends, is a fault that is told, and tried again; claims and door go on
without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from edge.errors import JournalBroken, KioskError, NotInThisBuild
from edge.service.device import Device
from edge.service.systemd import passed_socket
from edge.types.events import Faulted, Recovered

if TYPE_CHECKING:
    from edge.kiosk import Kiosk


@contextlib.contextmanager
def kiosk_page(device: Device) -> Iterator[Kiosk | None]:
    """Serve the page while the block runs, if the settings want one.

    Yields:
        What serves it; None when the settings want none, or it cannot be served.

    Raises:
        NotInThisBuild: the settings want a page, and the build holds none.
    """
    settings = device.settings.kiosk
    if settings is None:
        yield None
        return
    if not device.build.can("local_page"):
        raise NotInThisBuild(
            "this build serves no page",
            where="kiosk",
            remedy="take the section out of the settings, or build with local_page: true",
        )
    if settings.operator_port is not None and not (
        device.build.can("operator_page") and device.build.can("operator_socket")
    ):
        raise NotInThisBuild(
            "this build serves operators no page",
            where="kiosk.operator_port",
            remedy="take it out of the settings, or build with operator_page: true",
        )
    from edge.kiosk import Kiosk, page_of

    def tell(error: KioskError) -> None:
        with contextlib.suppress(JournalBroken):  # the next event that must be on the disk says so again
            device.tell(
                Faulted(
                    at_ns=device.now_ns(),
                    room="page",
                    error=type(error).__name__,
                    what=error.what,
                    where=error.where,
                    remedy=error.remedy,
                )
            )

    def recovered(count: int) -> None:
        with contextlib.suppress(JournalBroken):
            device.tell(Recovered(at_ns=device.now_ns(), room="page", count=count))

    given = passed_socket("kiosk")
    try:
        kiosk = Kiosk(settings, page_of(device.settings), failed=tell, recovered=recovered, listener=given)
    except KioskError as error:
        tell(error)
        yield None
        return
    with kiosk, _operators(device, tell, recovered):
        device.observe(kiosk, name="kiosk")
        yield kiosk


@contextlib.contextmanager
def _operators(device: Device, tell: Callable[[KioskError], None], recovered: Callable[[int], None]) -> Iterator[None]:
    """The operator's pages, if the settings want them."""
    settings = device.settings.kiosk
    if settings is None or settings.operator_port is None:
        yield
        return
    from edge.service.staff_process import operator_pages

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(operator_pages(device.settings, tell, passed_socket("operator"), recovered=recovered))
        except KioskError as error:
            tell(error)
        yield
