"""The process of the operator's pages: from what a page asks to acts on the running door.

    python -m edge.service.staff FD      what it is told is the first line of its standard input, with which it ends

It holds no camera, store or device key: every act goes through the door's own socket (`edge.service.remote`), by name.
The issuer's key is in a process of its own (`edge.service.staff_signer`) from the passphrase to the end of the sitting.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.errors import ConsentMissing, EdgeError, InputError, KeyringError, NotHandedOver, StateError, UsageError
from edge.files import write_atomic
from edge.kiosk.desk import Desk, Lockout, Pages, Sittings, application
from edge.messages import LANGUAGES, text
from edge.papers.card import CardConsent, CardText, face_data, page
from edge.papers.report import receipt
from edge.service.remote import Remote
from edge.service.staff_signer import SignerChild
from edge.trust import operators
from edge.types.acts import EnrolmentProgress
from edge.types.events import Event
from edge.types.wipe import wipe
from edge.vault import ConsentReceipt, Issued, parse_serial, serial_text

#: How many wrong tokens in a row there were; survives a restart.
TRIES = "operators.tries"
#: What a tampered count of wrong tokens is taken for.
_MANY = 12
_ASKED = ("use", "refuse", "withdraw")


class DoorActs:
    """Carries acts out on the running door. See `edge.kiosk.desk.Acts`.

    Args:
        folder: the door's state folder. issuer: the issuer's key, should there be one.
        device: what the door is called. alternative: the way in without one's face. custody: of templates.
        zone: the time zone of the place.
    """

    def __init__(self, folder: Path, issuer: Path, *, device: str, alternative: str, custody: str, zone: str) -> None:
        self._folder, self._issuer, self._device = folder, issuer, device
        self._alternative, self._custody, self._zone = alternative, custody, zone
        self._remote: Remote | None = None
        self._signer: SignerChild | None = None
        self._card: dict[str, Any] = {}
        self._contact = ""

    def about(self) -> Mapping[str, Any]:
        """See `Acts.about`."""
        card = {name: value for name, value in self._card.items() if name != "token"}
        issuer = "open" if self._signer is not None else "closed" if self._issuer.exists() else "none"
        return {"issuer": issuer, "card": card or None, "contact": self._contact}

    def do(self, operator: str, act: str, said: Mapping[str, Any], desk: Desk) -> Mapping[str, Any]:
        """See `Acts.do`."""
        self._remote = remote = Remote(self._folder, operator, observe=_progress(desk), show=desk.show)
        match act:
            case "card":
                self._card = {}
                self._card = remote.do("card")
                return {}
            case "take":
                self._card = {"serial": serial_text(parse_serial(str(said.get("serial", ""))))}
                return {}
            case "view" | "selftest" | "health" | "decisions" | "reset_door":
                return remote.do(act)
            case "confirm":
                return remote.do("confirm", what="clock")
            case "draw_pin":
                drawn = remote.do(act, token=self._held("token"))
                return {"serial": drawn["serial"], "pin": drawn["pin"]}
            case "revoke" | "reset":
                return remote.do(act, serial=self._held("serial"))
            case "erase":
                by = {"token": self._card["token"]} if "token" in self._card else {"serial": self._held("serial")}
                (erased,) = remote.do("erase", **by)["erased"]
                self._forget_card()
                language = erased["language"] or str(said.get("language", "en"))
                return {"serial": erased["serial"], "language": language, "paper": receipt(erased, language).as_data()}
            case "enrol" | "opt_out" | "renew" | "add_reference" | "reissue":
                return self._made(remote, act, said, desk)
        raise UsageError("these pages know no such act", where="page", remedy="load the page again")

    def cancel(self) -> None:
        """See `Acts.cancel`."""
        if (remote := self._remote) is not None:
            remote.hang_up()

    def close(self) -> None:
        """See `Acts.close`."""
        signer, self._signer = self._signer, None
        if signer is not None:
            signer.close()
        self._forget_card()
        self._contact = ""

    def unlock(self, passphrase: bytearray) -> None:
        """Open the issuer's key. Raises `KeyringError`."""
        opened = SignerChild.open(self._issuer, passphrase)
        before, self._signer = self._signer, opened
        if before is not None:
            before.close()

    def consent(self, operator: str) -> dict[str, list[str]]:
        """What a person is asked, by language. Raises `EdgeError`: the door does not answer."""
        dimension = Remote(self._folder, operator).do("about")["dimension"]
        names = (f"reference.{self._custody}", *_ASKED)
        values = {"dimension": dimension, "alternative": self._alternative}
        return {tag: [text(f"ask.{name}", tag, **values) for name in names] for tag in LANGUAGES}

    def _made(self, remote: Remote, act: str, said: Mapping[str, Any], desk: Desk) -> Mapping[str, Any]:
        """An act that makes a card."""
        if (signer := self._signer) is None:
            raise KeyringError("the issuer's key is not open", where="issuer", remedy="open it first")
        arguments: dict[str, Any]
        language = str(said.get("language", "en"))
        match act:
            case "enrol":
                consent = self._agreed(remote, said, language)
                arguments = {"consent": consent, "credential": 0, "groups": (), "days": None}
            case "opt_out":
                arguments = {"credential": 0, "groups": (), "days": None}
            case "renew":
                arguments = {"token": self._held("token"), "override": False, "days": None}
            case "add_reference":
                arguments = {"token": self._held("token")}
            case "reissue":
                arguments = {"token": self._held("token"), "groups": (), "days": None}
        signer.order(act, {name: arguments[name] for name in ("credential", "groups") if name in arguments})

        def hand_over(issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
            self._hand_over(issued, consent, language, desk)
            return lambda: None  # the page says that nothing was kept, as of any act that failed

        answer = remote.do(act, issuer=signer, hand_over=hand_over, **arguments)
        self._forget_card()
        return {name: answer[name] for name in ("serial", "custody", "expires")}

    def _agreed(self, remote: Remote, said: Mapping[str, Any], language: str) -> ConsentReceipt:
        if said.get("agreed") is not True:
            raise ConsentMissing("the person did not agree", where="consent", remedy=self._alternative)
        self._contact = str(said.get("withdrawal", ""))
        given = datetime.fromtimestamp(remote.do("about")["now"], UTC).isoformat()
        words = {"subject": said.get("subject"), "withdrawal": said.get("withdrawal"), "language": language}
        return ConsentReceipt.from_mapping(
            {**words, "text_version": "edge/consent/v1", "given": given}, zone=self._zone
        )

    def _hand_over(self, issued: Issued, consent: Mapping[str, Any], language: str, desk: Desk) -> None:
        """Raises `NotHandedOver`: the operator says so, or said nothing."""
        card = issued.card
        kept = {name: value for name, value in consent.items() if name != "recorded"}
        words = CardText(
            issued.text or "",
            serial=card.serial_text,
            not_before=card.not_before,
            expires=card.expires,
            issued_by=self._device,
            custody=card.custody,
            consent=CardConsent(**kept, alternative=self._alternative) if kept else None,
            contact=self._alternative,
        )
        face = face_data(words)
        code = str(face.pop("code"))
        told = {**face, "language": words.language, "paper": page(words).as_data()}
        if not desk.hand_over(told, code[code.index("<svg") :]):
            raise NotHandedOver(
                "the card was not handed over; nothing was kept",
                where="card",
                remedy="do it again, and destroy what was printed of this one",
            )

    def _held(self, what: str) -> str:
        if what not in self._card:
            raise InputError("there is no card in hand", where="card", remedy="hold it to the reader first")
        return str(self._card[what])

    def _forget_card(self) -> None:
        token = self._card.pop("token", None)
        self._card = {}
        if token is not None:
            wipe(token)


class DoorSide:
    """What the pages ask beside the acts; see `edge.kiosk.desk.pages.Door`."""

    def __init__(self, folder: Path, acts: DoorActs) -> None:
        self._folder, self._acts, self._operator = folder, acts, ""
        self._journal = ThreadPoolExecutor(1, "journal")  # in the order in which it happened
        self.lockout = Lockout(_tries(folder), lambda count: _keep(folder, count), time.monotonic)

    def named(self, token: str) -> str | None:
        """Whose token it is. Raises `KeyringError`: nobody has one, or the file cannot be read."""
        if not operators.names(self._folder):
            raise KeyringError("no operator has a token", where="operators", remedy="edge keys operator NAME")
        return operators.named(self._folder, token)

    def seated(self, operator: str) -> None:
        """Journal that a sitting begins. Raises `EdgeError`."""
        self._journal.submit(_sit, self._folder, operator, "opened").result()
        self._operator = operator

    def ended(self, operator: str, why: str, desk: Desk) -> None:
        """Journal that a sitting has ended, before the next one begins. Returns at once."""
        self._journal.submit(_end, desk, self._folder, operator, why)

    def refused(self, failures: int) -> None:
        """Journal wrong tokens. Never raises."""
        with contextlib.suppress(EdgeError):
            _sit(self._folder, "nobody", "refused", failures=failures)

    def unlock(self, passphrase: bytearray) -> None:
        """See `DoorActs.unlock`."""
        self._acts.unlock(passphrase)

    def consent(self) -> dict[str, list[str]]:
        """See `DoorActs.consent`."""
        return self._acts.consent(self._operator)


def main(descriptor: int) -> None:
    """Serve until the input ends."""
    import uvicorn

    told = json.loads(sys.stdin.readline())
    folder, listener = Path(told["folder"]), socket.socket(fileno=descriptor)
    acts = DoorActs(
        folder,
        Path(told["issuer"]),
        **{name: told[name] for name in ("device", "alternative", "custody", "zone")},
    )

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        desk = Desk(acts, changed=lambda: pages.changed(loop))

        door = DoorSide(folder, acts)
        sittings = Sittings(
            lambda: secrets.token_urlsafe(32), time.monotonic, lambda operator, why: door.ended(operator, why, desk)
        )
        pages = Pages(desk, sittings, door, told["page"])
        config = uvicorn.Config(
            application(pages, listener.getsockname()[1]),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            limit_concurrency=32,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
            ws="none",
            loop="asyncio",
            http="h11",
        )
        server = uvicorn.Server(config)
        threading.Thread(target=_follow, args=(server, acts), name="input", daemon=True).start()
        sweeping = asyncio.create_task(_sweep(sittings))
        await server.serve(sockets=[listener])
        sweeping.cancel()

    asyncio.run(serve())


async def _sweep(sittings: Sittings) -> None:
    """A sitting ends on time, also when no browser asks any more."""
    while True:
        await asyncio.sleep(2.0)
        sittings.sweep()


def _sit(folder: Path, operator: str, change: str, **more: Any) -> None:
    Remote(folder, operator).do("sit", change=change, **more)


def _end(desk: Desk, folder: Path, operator: str, why: str) -> None:
    desk.end()
    with contextlib.suppress(EdgeError):  # the door may be gone: its journal has its own end
        _sit(folder, operator, why)


def _follow(server: Any, acts: DoorActs) -> None:
    sys.stdin.read()
    server.should_exit = True
    acts.close()
    time.sleep(1.0)
    os._exit(0)  # a browser that does not let go does not keep this process


def _progress(desk: Desk) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if isinstance(event, EnrolmentProgress):
            desk.progress(event.have, event.want, tuple(item.value for item in event.advice))

    return tell


def _tries(folder: Path) -> int:
    try:
        return min(_MANY, max(0, int((folder / TRIES).read_text("ascii"))))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError):
        return _MANY


def _keep(folder: Path, count: int) -> None:
    try:
        write_atomic(folder / TRIES, f"{min(count, _MANY)}\n".encode("ascii"), mode=0o600)
    except OSError as error:
        what = f"wrong tokens cannot be counted ({error.strerror})"
        raise StateError(what, where=TRIES, remedy="make room on the disk") from error


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main(int(sys.argv[1]))
