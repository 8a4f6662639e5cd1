"""The relay door: a GPIO pin energises a relay for one pulse, and the relay releases the lock.

Energised means released; no current, no power, no program means locked (fail-secure). Wire a lock that is locked
without current (fail-secure strike) to the relay's normally open contact.

What keeps the relay from staying energised:

    the pulse ends          a watchdog thread de-energises at the deadline; it is started before the first pulse, and
                            a pulse begins only while it lives. A second accept extends the pulse, never adds to it.
    an exception in `act`   de-energises before it leaves
    close, `with`, exit     de-energises; `atexit` does when nobody else did
    SIGTERM                 the service ends its loop and closes the door; without a handler it is a crash, as below
    SIGKILL, a crash        nothing of this process runs any more. The kernel frees the pin, but Raspberry Pi kernels
                            keep a freed output at its level (module parameter pinctrl_bcm2835.persist_gpio_outputs,
                            on by default). A guard process (`edge.door.guard`), which notices the end of this one,
                            takes the pin and locks. Besides: `dtparam=strict_gpiod` in config.txt turns freed pins
                            into inputs, and systemd's ExecStopPost can run the guard once more.
    a hanging machine       only hardware helps: a timer relay, or the Pi's watchdog
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from edge.errors import DoorError
from edge.types import Decision, Outcome


class Guard(Protocol):
    """`edge.door.guard.GuardProcess`, as far as it matters here."""

    def alive(self) -> bool: ...

    def dismiss(self) -> None: ...


class RelayDoor:
    """A door with a relay.

    >>> from gpiozero.pins.mock import MockFactory
    >>> door = RelayDoor(MockFactory, pin=17, pulse_s=3.0)
    >>> door.open()
    >>> door.released
    False
    >>> door.close()

    Args:
        factory: makes the gpiozero pin factory when the door opens; raises `DoorError` when it cannot.
        pin: BCM number. active_high: whether a high level energises the relay. pulse_s: length of a release, seconds.
        guard: starts the process that locks when this one dies; None: there is none (mock pins).
    """

    name = "relay"

    def __init__(
        self,
        factory: Callable[[], Any],
        *,
        pin: int,
        active_high: bool = True,
        pulse_s: float = 3.0,
        guard: Callable[[], Guard] | None = None,
    ) -> None:
        self._make, self._pin, self._active_high, self._pulse_s = factory, pin, active_high, pulse_s
        self._make_guard = guard
        self._guard: Guard | None = None
        self._device: Any = None
        self._until: float | None = None  # monotonic; None: locked
        self._fault: BaseException | None = None
        self._change = threading.Condition(threading.RLock())
        self._watchdog: threading.Thread | None = None
        self._closing = False

    @property
    def released(self) -> bool:
        """Whether the lock is released right now, as the pin itself says."""
        with self._change:
            return self._device is not None and bool(self._device.value)

    def open(self) -> None:
        """Take the pin, locked, and start the watchdog and the guard. Harmless when repeated.

        Raises:
            DoorError: the pin cannot be driven.
        """
        with self._change:
            if self._device is not None:
                return
            try:
                factory = self._make()
                self._guard = self._make_guard() if self._make_guard is not None else None
                from gpiozero import OutputDevice

                self._device = OutputDevice(
                    self._pin, active_high=self._active_high, initial_value=False, pin_factory=factory
                )
            except BaseException as error:
                self.close()
                if isinstance(error, DoorError) or not isinstance(error, Exception):
                    raise
                raise self._failed("the pin cannot be driven", error) from error
            self._closing, self._fault, self._until = False, None, None
            self._watchdog = threading.Thread(target=self._watch, name="door watchdog", daemon=True)
            self._watchdog.start()
            atexit.register(self.close)

    def act(self, decision: Decision) -> None:
        """Release the lock for one pulse on an accept; anything else leaves the door as it is.

        Raises:
            DoorError: the door is not open, the hardware failed, or watchdog or guard are gone; the door is locked.
        """
        with self._change:
            if self._fault is not None:
                raise self._failed("the relay could not be locked", self._fault)
            if self._device is None:
                raise DoorError("the door was not opened", where=self._where, remedy="call open() first")
            try:
                self._fit()
                if decision.outcome is Outcome.ACCEPT:
                    # the deadline first: from the moment it is energised the watchdog knows the end
                    self._until = time.monotonic() + self._pulse_s
                    self._change.notify_all()
                    self._device.on()
            except BaseException as error:
                self._lock()
                if isinstance(error, DoorError) or not isinstance(error, Exception):
                    raise
                raise self._failed("the relay cannot be driven", error) from error

    def close(self) -> None:
        """Lock, stop the watchdog, give the pin back. Harmless when repeated; never raises."""
        with self._change:
            self._closing = True
            self._lock()
            device, self._device = self._device, None
            watchdog, self._watchdog = self._watchdog, None
            guard, self._guard = self._guard, None
            self._change.notify_all()
        if watchdog is not None and watchdog is not threading.current_thread():
            watchdog.join(timeout=1.0)
        try:
            if device is not None:
                device.close()
        except Exception as error:  # the pin was told to lock; the guard does the same once more
            self._fault = error
        if guard is not None:
            guard.dismiss()
        atexit.unregister(self.close)

    def __enter__(self) -> RelayDoor:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fit(self) -> None:
        if self._watchdog is None or not self._watchdog.is_alive():
            raise DoorError("the watchdog thread is gone", where=self._where, remedy="restart the service")
        if self._guard is not None and not self._guard.alive():
            raise DoorError("the guard process is gone", where=self._where, remedy="restart the service")

    def _lock(self) -> None:
        """De-energise. When that fails, let go of the pin; the next `act` refuses then."""
        self._until = None
        try:
            if self._device is not None:
                self._device.off()
        except Exception as error:
            self._fault = error
            device, self._device = self._device, None
            with contextlib.suppress(Exception):
                device.close()

    def _watch(self) -> None:
        """The watchdog: sleeps until the pulse's end, and locks."""
        with self._change:
            while not self._closing:
                if self._until is None:
                    self._change.wait()
                    continue
                left = self._until - time.monotonic()
                if left > 0:
                    self._change.wait(left)
                else:
                    self._lock()

    @property
    def _where(self) -> str:
        return f"relay on GPIO {self._pin}"

    def _failed(self, what: str, error: BaseException) -> DoorError:
        return DoorError(
            f"{what} ({type(error).__name__}: {error})",
            where=self._where,
            remedy="the door stays locked; check the wiring, and that no other program uses the pin",
        )
