"""What an operator sees of a device in front of it: its health, self-test, last decisions, a card, the camera's view.

    operator.sit("opened")                              # journalled, by name
    operator.view(show=lambda seen, jpeg: ...)          # until it is cancelled, or `VIEW_S` have passed
    operator.card()["serial"]                           # of the card that is presented now

Setting up a camera is the one time that frames go to the detector without a claim (design.md, one-to-one by
construction, 4): it is journalled before the first of them, and nothing is embedded. `edge.service.Operator` has these
acts beside those that change something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import cv2
import numpy as np

from edge.camera.health import Health
from edge.errors import InputError, Interrupted, SourceTimeout
from edge.face import Look
from edge.selftest import Level, run
from edge.service import rights
from edge.service.device import Device
from edge.service.doctor import look as attached
from edge.service.fitness import device_checks, tell_selftest
from edge.service.under_pin import opened
from edge.settings.model import FaceSettings
from edge.state.pins import SHAPE
from edge.types import F32, Custody, Frame, Reader, Stream, acts
from edge.types.wipe import wipe

#: A view ends by itself, so that a page that was left open does not keep a door from its work.
VIEW_S, CARD_S = 180.0, 30.0
#: Shortest time between two pictures of a view, and how wide they are: 8 a second of some 30 kB.
_PICTURE_NS, _WIDTH = 120_000_000, 480
_SLICE_S = 0.25
#: Entries of the journal that are looked through for the last decisions.
_BACK = 400
#: Sharpness: variance of the Laplacian over the luma's variance, of a face or of the picture's middle, at most 240 px
#: wide; shown on a logarithmic scale. On the fictional camera a face has 0.036 to 0.064 in focus, 0.005 blurred by one
#: pixel (sigma), 0.002 by five; noise of a real sensor lifts the lower end.
_SOFT, _SHARP = 0.002, 0.04
#: The acts of `Sitting` that can be asked for by name.
LOOKED_AT = ("about", "sit", "card", "view", "selftest", "health", "decisions")
Show = Callable[[dict[str, Any], bytes], None]


class Sitting:
    """The acts of `Operator` that change nothing but what is known."""

    device: Device
    name: str
    _stream: Callable[[], AbstractContextManager[Stream]]
    _readers: Sequence[Reader]
    _cancelled: Callable[[], bool]

    def about(self) -> dict[str, Any]:
        """What a consent text says of this device: numbers in a template, and the time used, Unix seconds."""
        return {"dimension": self.device._chain.dimension, "now": self.device._clock.now().utc_s}

    def sit(self, change: str, failures: int = 0) -> dict[str, Any]:
        """Journal that a sitting at the device's own pages has changed; see `edge.types.acts.Sitting`.

        Raises:
            JournalBroken: it cannot be written; then there is no sitting.
        """
        device = self.device
        device.tell(acts.Sitting(at_ns=device.now_ns(), operator=self.name, change=change, failures=failures))
        return {"change": change}

    def card(self) -> dict[str, Any]:
        """The card that is presented to one of the device's readers now, whatever became of it.

        Returns:
            ``token`` (the card itself), ``serial``, ``custody``, ``expires``, and ``status`` of its row here, or "".

        Raises:
            InputError: none was presented in `CARD_S`. Interrupted: cancelled. TokenInvalid: not of this site.
        """
        with self._stream() as stream:
            token = self._presented(stream)
        claim = rights.claim_of(self.device, token)
        wipe(claim.secret)
        holder = self.device._vault.store.holder(claim.serial)
        return {
            "token": token,
            "serial": claim.serial_text,
            "custody": claim.custody.value,
            "expires": claim.expires,
            "status": holder.status.value if holder is not None else "",
            "renewable": claim.custody is not Custody.NONE,
        }

    def view(self, *, show: Show) -> dict[str, Any]:
        """Show what the camera sees, and how well, until it is cancelled or `VIEW_S` have passed.

        Args:
            show: given ``focus``, ``exposure``, ``distance`` (0..1; a face's height between what is too small and too
                large, None without one), ``clipped``, ``advice``, ``faults``, ``size``, ``face`` (shares of the
                picture) and a JPEG. It is in memory only.

        Raises:
            CameraError: the source failed. OSError: nobody looks any more.
        """
        self.sit("camera")
        try:
            with self._stream() as stream:
                pictures = self._shown(stream, show)
        finally:
            self.sit("camera_closed")
        return {"pictures": pictures}

    def selftest(self) -> dict[str, Any]:
        """Run the full self-test, on the stream that is open, and tell how it ended; see `edge/selftest/v1`."""
        device = self.device

        def tell(_: object) -> None:
            self._cancelled()  # a watchdog is told that it goes on

        with self._stream() as stream:
            given: Any = stream
            with device_checks(None, device=device, stream=given) as checks:
                report = run(checks, Level.FULL, tell=tell)
        tell_selftest(device, report)
        return report.as_json()

    def health(self) -> dict[str, Any]:
        """How the device is, and what is attached to it; nothing about a person."""
        device, settings = self.device, self.device.settings
        build, time, guard = device.examined(), device._clock.now(), device._limits.guard()
        today = device.policy.today()
        return {
            "name": settings.device.name,
            "version": build.version,
            "profile": build.profile,
            "signed": build.signed,
            "signer": build.signer,
            "log_only": build.log_only,
            "settings": settings.digest,
            "camera": settings.camera.driver,
            "device": str(settings.camera.device or ""),
            "size": [settings.camera.width, settings.camera.height],
            "readers": list(settings.claim.readers),
            "door": settings.door.driver,
            "custody": settings.vault.custody,
            "cards": device._vault.people(),
            "now": time.utc_s,
            "confirmed": time.confirmed,
            "guard": guard.level,
            "wait_s": int(guard.wait_s),
            "pin": settings.claim.pin,
            "pin_wait_s": int(alone.wait_s) if (alone := opened(device)) is not None else 0,
            "policy": "" if today.declared else "undeclared",
            "entries": device._ledger.journal.sequence,
            "attached": [line.as_json() for line in attached(settings)],
        }

    def decisions(self, count: int = 50) -> dict[str, Any]:
        """The newest decisions, newest first, as the journal has them: cards by their serial, nobody by name.

        Raises:
            JournalBroken: the chain does not hold.
        """
        entries = reversed(self.device._ledger.journal.last(_BACK))
        found = []
        for entry in entries:
            if entry.kind == "decision":
                said = {name: entry.fields.get(name, "") for name in ("outcome", "reason", "serial", "looks")}
                found.append({"at": entry.at, **said})
            elif entry.kind == "alternative":
                said = {"outcome": "alternative", "reason": "alternative", "serial": entry.fields.get("serial", "")}
                found.append({"at": entry.at, "looks": 0, **said})
        return {"decisions": found[:count]}

    def _presented(self, stream: Stream) -> str:
        until = (newest := stream.now_ns()) + int(CARD_S * 1e9)
        while newest < until:
            if self._cancelled():
                raise Interrupted("nobody waits for a card any more", where="card")
            frame: Frame | None = None
            try:
                frame = stream.next(newest, _SLICE_S)
                newest = frame.monotonic_ns
            except SourceTimeout:
                newest = max(newest + int(_SLICE_S * 1e9), stream.now_ns())
            for reader in self._readers:
                if (text := reader.poll(frame)) is not None and not SHAPE.fullmatch(text):  # somebody's PIN
                    return text
        raise InputError("no card was presented", where="card", remedy="hold it to the reader, or type its serial")

    def _shown(self, stream: Stream, show: Show) -> int:
        health, count = Health(self.device.settings.camera), 0
        newest, shown = stream.now_ns(), 0
        until = newest + int(VIEW_S * 1e9)
        while newest < until and not self._cancelled():
            frame = stream.next(newest, self.device.settings.camera.timeout_s)
            newest, faults = frame.monotonic_ns, health.check(frame)
            if newest - shown < _PICTURE_NS:
                continue
            shown, count = newest, count + 1
            seen = measured(frame, self.device._chain.look(frame), self.device.settings.face)
            show({**seen, "faults": sorted(fault.value for fault in faults)}, picture(frame))
        return count


def measured(frame: Frame, look: Look, limits: FaceSettings) -> dict[str, Any]:
    """How well a frame shows what is in front of it, 0..1 each; see `Sitting.view`."""
    height, width = frame.image.shape[:2]
    luma = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
    box = look.face.box if look.face is not None else None
    middle = luma[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    part = middle if box is None else _cut(luma, box)
    low, high = limits.min_height, limits.max_height
    return {
        "focus": _share(math.log(max(_sharpness(part), 1e-6)), math.log(_SOFT), math.log(_SHARP)),
        "exposure": float(part.mean()) / 255.0,
        "clipped": float((part >= 250).mean()),
        "distance": None if box is None else _share(box[3] / height, low, high),
        "advice": [item.value for item in look.advice],
        "size": [width, height],
        "face": None if box is None else [box[0] / width, box[1] / height, box[2] / width, box[3] / height],
    }


def picture(frame: Frame) -> bytes:
    """A frame as a small JPEG, as the camera sees it."""
    height, width = frame.image.shape[:2]
    size = (_WIDTH, max(1, height * _WIDTH // width))
    small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
    return bytes(np.asarray(cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, 75))[1]))


def _cut(luma: np.ndarray[Any, np.dtype[np.uint8]], box: tuple[float, ...]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    x, y, w, h = (int(value) for value in box)
    cut = luma[max(0, y) : max(1, y + h), max(0, x) : max(1, x + w)]
    return cut if cut.size else luma


def _sharpness(luma: np.ndarray[Any, np.dtype[np.uint8]]) -> float:
    scale = min(1.0, 240.0 / luma.shape[1])
    small: F32 = np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    return float(np.var(cv2.Laplacian(small, cv2.CV_32F)) / max(1.0, float(np.var(small))))


def _share(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
