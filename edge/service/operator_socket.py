"""Acts on a running door, the door's side: a socket in its state folder, for its owner alone.

    with OperatorSocket(device) as acts:        # in `edge run`
        acts.serve(stream)                      # between claims; carries out one act that waits

A running door holds its folder, so an operator's act goes to it. What must be signed is signed in the operator's own
process (`edge.service.remote`): the door sends the bytes of a card, and gets a signature. Neither a passphrase nor a
private key ever crosses. The socket is 0600, checks its peer's user, takes one act at a time, and has limits of size
and time.

On the wire: JSON objects, a line each. The command asks ``{"act": ..., "operator": ..., "arguments": {...}}``; the door
answers with any number of ``event``, ``view``, ``sign``, ``hand_over`` and ``take_back``, and ends with ``answer`` or
``error``.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from edge.errors import EdgeError, JournalBroken, NotHandedOver, StateError, UsageError
from edge.service.device import Device
from edge.service.wire import DOOR_SOCKET, HAND_OVER_S, REQUEST_S, Line, short
from edge.types import Reader, Stream
from edge.types.acts import EnrolmentProgress
from edge.types.events import Event
from edge.vault import ConsentReceipt, Issued

_log = logging.getLogger(__name__)
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED


class OperatorSocket:
    """Listens for acts while a device runs. The device's process holds its folder, so nobody else listens there.

    Args:
        device: opened and held.

    Raises:
        StateError: the socket cannot be made.
    """

    def __init__(self, device: Device) -> None:
        self._device, self._path = device, device.settings.device.state_dir / DOOR_SOCKET
        self._waiting: queue.Queue[tuple[Line, dict[str, Any]]] = queue.Queue(2)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self._path.unlink(missing_ok=True)
            self._listener.bind(short(self._path))
            self._listener.listen(4)
        except OSError as error:
            self._listener.close()
            raise StateError(
                f"the operators' socket cannot be made ({error.strerror})",
                where=str(self._path),
                remedy="give the state folder to the service's user, and a path of its own",
            ) from None
        finally:
            os.umask(mask)
        threading.Thread(target=self._accept, name="operator socket", daemon=True).start()

    def __enter__(self) -> OperatorSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> bool:
        """Whether an act waits to be carried out."""
        return not self._waiting.empty()

    def close(self) -> None:
        """Listen no more. Harmless when repeated."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def serve(
        self, stream: Stream, cancelled: Callable[[], bool] = lambda: False, readers: Sequence[Reader] = ()
    ) -> bool:
        """Carry out the act that waits, if one does; called between claims.

        Args:
            stream: the device's open stream. readers: of the device, for a card that is presented to an operator.
            cancelled: true ends a capture, or the wait for a card to be handed over; asked at least once a second.

        Returns:
            Whether there was one.

        Raises:
            JournalBroken: the device must not go on. Whatever else goes wrong is the operator's answer.
        """
        try:
            line, request = self._waiting.get_nowait()
        except queue.Empty:
            return False
        try:
            line.send({"answer": self._perform(line, request, stream, cancelled, readers)})
        except JournalBroken as error:
            _tell(line, error)
            raise
        except EdgeError as error:
            _tell(line, error)
        except Exception as error:  # it has gone, or does not speak this language: no message stops a door
            _log.info("an act was not understood (%s)", type(error).__name__)
        finally:
            line.close()
        return True

    def _perform(
        self,
        line: Line,
        request: dict[str, Any],
        stream: Stream,
        stopped: Callable[[], bool],
        readers: Sequence[Reader],
    ) -> dict[str, Any]:
        from edge.service.operator import ACTS, Operator  # a twentieth of what a door's start takes, for a rare act

        act, said = str(request["act"]), dict(request["arguments"])
        if act not in ACTS:
            raise UsageError("this door knows no such act", where="operator socket", remedy="use the same version")

        def cancelled() -> bool:
            return stopped() or line.gone()

        operator = Operator(
            self._device,
            str(request["operator"]),
            stream=lambda: nullcontext(stream),
            readers=readers,
            cancelled=cancelled,
        )
        if said.get("consent") is not None:
            said["consent"] = ConsentReceipt(**said["consent"])
        if "issuer" in request:
            said["issuer"] = _Elsewhere(line, bytes.fromhex(request["issuer"]))
            said["hand_over"] = lambda issued, consent: _hand_over(line, issued, consent, cancelled)
        if act == "view":
            said["show"] = lambda seen, picture: line.send({"view": seen, "jpeg": base64.b64encode(picture).decode()})
        leave = self._device.observe(lambda event: _forward(line, event), name="operator")
        try:
            return operator.do(act, **said)
        finally:
            leave()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            line = Line(connection)
            try:
                _check_peer(connection)
                self._waiting.put_nowait((line, line.receive(REQUEST_S)))
            except queue.Full:
                busy = StateError("another act is under way", where="operator socket", remedy="do it again after it")
                _tell(line, busy)
                line.close()
            except EdgeError as error:
                _tell(line, error)
                line.close()
            except Exception:  # whatever was sent, the next one is heard
                line.close()


class _Elsewhere:
    """An issuer whose private half is in the operator's process."""

    def __init__(self, line: Line, key_id: bytes) -> None:
        self._line, self.key_id = line, key_id

    def sign(self, message: bytes, domain: bytes) -> bytes:
        self._line.send({"sign": message.hex(), "domain": domain.decode("ascii")})
        return bytes.fromhex(self._line.receive(HAND_OVER_S)["signature"])


def _hand_over(
    line: Line, issued: Issued, consent: Mapping[str, Any], cancelled: Callable[[], bool]
) -> Callable[[], None]:
    """Have the operator's process hand the card over; it never gets the secret but as the card itself."""
    card = issued.card
    said = {
        "custody": card.custody.value,
        "site": card.site.hex(),
        "serial": card.serial.hex(),
        "credential": card.credential,
        "groups": card.groups,
        "not_before": card.not_before,
        "expires": card.expires,
    }
    line.send({"hand_over": issued.text, "card": said, "consent": dict(consent)})
    reply = line.receive(HAND_OVER_S, cancelled)
    if not reply.get("handed"):
        raise NotHandedOver(
            str(reply.get("what", "the card could not be handed over")),
            where="card",
            remedy=str(reply.get("remedy", "do it again")),
        )
    return lambda: line.send({"take_back": True})


def _forward(line: Line, event: Event) -> None:
    if isinstance(event, EnrolmentProgress):
        with contextlib.suppress(OSError):  # an operator who has gone is noticed by the act itself
            line.send({"event": {"have": event.have, "want": event.want, "advice": [a.value for a in event.advice]}})


def _tell(line: Line, error: EdgeError) -> None:
    with contextlib.suppress(OSError):
        line.send({"error": {"class": type(error).__name__, **error.as_json()}})


def _check_peer(connection: socket.socket) -> None:
    """Raises UsageError: the other side is neither this process's user nor root."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    if uid not in (os.geteuid(), 0):
        raise UsageError("this door takes acts from its own user only", where="operator socket", remedy="use sudo -u")
