"""Where an operator's command carries out its act: on a device of its own, or on the door that runs.

with operator_on(settings, "kim") as acts:
    answer = acts.do("revoke", serial="5f2c-...")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from edge.service import Parts
    from edge.settings import Settings
    from edge.types.events import Event


#: The languages of `edge.messages`; ``--help`` imports none of it.
LANGUAGE = click.Choice(["en", "fr", "de", "es", "ar"])


class Acts(Protocol):
    """An `edge.service.Operator`, or a `Remote` one."""

    def do(self, act: str, **arguments: Any) -> dict[str, Any]:
        """See `edge.service.Operator.do`."""


@contextmanager
def operator_on(
    settings: Settings,
    name: str,
    *,
    parts: Parts | None = None,
    observe: Callable[[Event], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Acts]:
    """The acts of one named person: of the running door when one listens, else of a device opened here and held.

    Args:
        settings: of the device. name: of the operator. parts: for `Device.open`.
        observe: told the progress of a capture. cancelled: true ends a capture.

    Raises:
        FolderBusy: another process holds the device and carries out no acts. As `Device.open`.
    """
    from edge.errors import FolderBusy
    from edge.service import Device, Operator, Parts, Remote

    folder = settings.device.state_dir
    try:
        device = Device.open(settings, parts or Parts(), hold=f"edge {click.get_current_context().info_name}")
    except FolderBusy:
        if not Remote.listening(folder):
            raise
        yield Remote(folder, name, observe or (lambda _: None))
        return
    with device:
        if observe is not None:
            device.observe(observe, name="command")
        yield Operator(device, name, cancelled=cancelled)
