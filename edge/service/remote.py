"""Acts on a running door, the command's side: the process that runs the door carries them out.

    remote = Remote(state_dir, "kim")
    answer = remote.do("revoke", serial="5f2c-...")

The issuer's key stays here: the door sends the bytes of the card that was asked for, and gets a signature. It is signed
only if it is that card; see `edge.service.operator_socket` for what crosses.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge import errors
from edge.claim import Issuer
from edge.errors import EdgeError, StateError, UsageError
from edge.service.handing import HandOver
from edge.service.wire import DOOR_SOCKET, Line, short
from edge.types import Custody, Token
from edge.types.acts import EnrolmentProgress
from edge.types.enums import Advice
from edge.types.events import Event
from edge.vault import ConsentReceipt, Issued
from edge.vault.signing import Ordered

#: A door answers an act within so long, captures of a person who has to be asked for included.
ACT_S = 300.0


class Remote:
    """The acts of one named person, carried out by the process that runs the door. As `Operator`, but for pictures.

    Args:
        folder: the door's state folder. name: of the operator.
        observe: told the progress of a capture. show: shown what the camera sees while it is set up, and its JPEG.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        observe: Callable[[Event], None] = lambda _: None,
        show: Callable[[dict[str, Any], bytes], None] = lambda seen, jpeg: None,
    ) -> None:
        self._path, self._name, self._observe, self._show = folder / DOOR_SOCKET, name, observe, show
        self._line: Line | None = None

    @classmethod
    def listening(cls, folder: Path) -> bool:
        """Whether a door listens in a state folder."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(short(folder / DOOR_SOCKET))
            except OSError:
                return False
        return True

    def do(
        self, act: str, *, issuer: Issuer | None = None, hand_over: HandOver | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """Have the running door carry out an act; see `Operator.do`.

        Raises:
            EdgeError: the door's own, of its class. StateError: the door did not answer.
        """
        if arguments.pop("pictures", ()):
            raise UsageError(
                "a running door enrols from its own camera",
                where="--image",
                remedy="stop it first, or leave --image out",
            )
        if isinstance(consent := arguments.get("consent"), ConsentReceipt):
            arguments["consent"] = asdict(consent)
        return self._ask(act, arguments, issuer, hand_over)

    def hang_up(self) -> None:
        """End the act that is under way, from another thread; nothing of it is kept."""
        if (line := self._line) is not None:
            line.hang_up()

    def _ask(
        self,
        act: str,
        arguments: Mapping[str, Any],
        issuer: Issuer | None = None,
        hand_over: HandOver | None = None,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {"act": act, "operator": self._name, "arguments": dict(arguments)}
        if issuer is not None:
            request["issuer"] = issuer.key_id.hex()
        wanted = Ordered(act, arguments)
        take_back: Callable[[], None] = lambda: None  # noqa: E731 - replaced by what the hand-over gives
        with self._connected() as line:
            line.send(request)
            while True:
                message = line.receive(ACT_S)
                match message:
                    case {"answer": dict(answer)}:
                        return answer
                    case {"error": dict(error)}:
                        raise _error(error)
                    case {"event": dict(event)}:
                        self._observe(_progress(event))
                    case {"view": dict(seen), "jpeg": str(jpeg)}:
                        self._show(seen, base64.b64decode(jpeg))
                    case {"sign": str(data), "domain": str(domain)} if issuer is not None:
                        signature = wanted.sign(issuer, bytes.fromhex(data), domain.encode("ascii"))
                        line.send({"signature": signature.hex()})
                    case {"hand_over": str(text), "card": dict(card), "consent": dict(consent)} if hand_over:
                        take_back = _delivered(line, hand_over, Issued(text, _card(card)), consent)
                    case {"take_back": True}:
                        take_back()
                    case _:
                        raise ValueError("not a message of this protocol")

    @contextmanager
    def _connected(self) -> Iterator[Line]:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(short(self._path))
            self._line = Line(connection)
            yield self._line
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise StateError(
                f"the running door did not carry this out ({type(error).__name__})",
                where=str(self._path),
                remedy="see its log, then do it again",
            ) from error
        finally:
            self._line = None
            connection.close()


def _delivered(line: Line, hand_over: HandOver, issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
    """Hand the card over here, and say so or why not."""
    try:
        take_back = hand_over(issued, consent)
    except (EdgeError, OSError, UnicodeError) as error:
        what = error.what if isinstance(error, EdgeError) else "the card could not be handed over; nothing was kept"
        remedy = error.remedy if isinstance(error, EdgeError) else "give it a place where it can be written"
        line.send({"handed": False, "what": what, "remedy": remedy})
        return lambda: None
    line.send({"handed": True})
    return take_back


def _card(said: Mapping[str, Any]) -> Token:
    return Token(
        Custody(said["custody"]),
        bytes.fromhex(said["site"]),
        bytes.fromhex(said["serial"]),
        int(said["credential"]),
        tuple(said["groups"]),
        int(said["not_before"]),
        int(said["expires"]),
        b"",
    )


def _progress(said: Mapping[str, Any]) -> EnrolmentProgress:
    advice = tuple(Advice(value) for value in said["advice"])
    return EnrolmentProgress(at_ns=0, have=int(said["have"]), want=int(said["want"]), advice=advice)


def _error(said: Mapping[str, Any]) -> EdgeError:
    """The door's error, of its own class where that can be made from its words."""
    kind = getattr(errors, str(said.get("class")), EdgeError)
    what, where, remedy = (str(said.get(name, "")) for name in ("what", "where", "remedy"))
    try:
        error = kind(what, where=where, remedy=remedy)
    except TypeError:
        error = EdgeError(what, where=where, remedy=remedy)
    return error if isinstance(error, EdgeError) else EdgeError(what, where=where, remedy=remedy)
