"""The operator's pages over HTTP: who may ask what, and the stream that a page is drawn from.

    uvicorn.run(application(desk, sittings, door, page, port))

Every request must be meant for this address; one that changes anything comes from the page itself (its Origin, JSON,
and during a sitting the word that only that page was told). The browser is known by a cookie that no script can read
and no other site can send. Nothing is cached, and nothing of a body is kept longer than its answer takes.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.errors import EdgeError, KeyringError
from edge.kiosk.desk.desk import Busy, Desk
from edge.kiosk.desk.sittings import Lockout, Sitting, Sittings
from edge.kiosk.server import BEAT_S, HEADERS, STREAMS, reads_from_here, writes_from_here
from edge.types.wipe import wipe

_PAGE, _PEOPLES = Path(__file__).with_name("page"), Path(__file__).parent.with_name("page")
FILES = {
    "/": (_PAGE / "index.html", "text/html"),
    "/desk.css": (_PAGE / "desk.css", "text/css"),
    "/desk.js": (_PAGE / "desk.js", "text/javascript"),
    "/ui.js": (_PAGE / "ui.js", "text/javascript"),
    "/keys.js": (_PAGE / "keys.js", "text/javascript"),
    "/screens.js": (_PAGE / "screens.js", "text/javascript"),
    "/page.css": (_PEOPLES / "page.css", "text/css"),
    "/icon.svg": (_PEOPLES / "icon.svg", "image/svg+xml"),
}
COOKIE = "edge-sitting"
#: No request is larger: a name, an address and a passphrase.
MAX_BODY = 16_384
#: So many wrong passphrases of the issuer's key end a sitting.
PASSPHRASES = 5


class Door(Protocol):
    """What the pages ask beside the acts; each may take a while, and is called in a thread."""

    lockout: Lockout

    def named(self, token: str) -> str | None:
        """Whose token it is; None: nobody's. Raises `EdgeError`."""

    def seated(self, operator: str) -> None:
        """Journal that a sitting begins; there is none when this raises `EdgeError`."""

    def refused(self, failures: int) -> None:
        """Journal wrong tokens in a row. Never raises."""

    def unlock(self, passphrase: bytearray) -> None:
        """Open the issuer's key for this sitting; the passphrase is overwritten. Raises `EdgeError`."""

    def consent(self) -> Mapping[str, Any]:
        """What a person is asked before they are enrolled, by language. Raises `EdgeError`."""


class Pages:
    """The requests."""

    def __init__(self, desk: Desk, sittings: Sittings, door: Door, page: Mapping[str, Any]) -> None:
        self._desk, self._sittings, self._door, self._page = desk, sittings, door, page
        self._changed, self._loop = asyncio.Event(), None
        self._signing, self._wrong, self._streams = asyncio.Lock(), 0, 0

    def changed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have every stream look again; from any thread."""
        loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _sitting(self, request: Request) -> Sitting | None:
        return self._sittings.of(request.cookies.get(COOKIE, ""))

    # -- what is given

    async def file(self, request: Request) -> Response:
        path, media = FILES[request.url.path]
        return Response(path.read_bytes(), media_type=media)

    async def page(self, _: Request) -> Response:
        return JSONResponse(dict(self._page))

    async def consent(self, request: Request) -> Response:
        if self._sitting(request) is None:
            return _no("no sitting", 401)
        try:
            return JSONResponse(dict(await run_in_threadpool(self._door.consent)))
        except EdgeError as error:
            return _told(error)

    async def code(self, request: Request) -> Response:
        code = self._desk.shown() if self._sitting(request) is not None else ""
        return Response(code, media_type="image/svg+xml") if code else _no("none", 404)

    async def view(self, request: Request) -> Response:
        if self._sitting(request) is None:
            return _no("no sitting", 401)
        return StreamingResponse(self._pictures(request), media_type="multipart/x-mixed-replace; boundary=picture")

    async def state(self, request: Request) -> Response:
        if self._streams >= STREAMS:
            return _no("too many", 503)
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    def _state(self, request: Request) -> dict[str, Any]:
        sitting = self._sitting(request)
        if sitting is None:
            return {
                "sitting": None,
                "wait_s": math.ceil(self._door.lockout.wait_s),
                "taken": bool(self._sittings.taken),
            }
        left_s = self._sittings.left_s(sitting)
        ending = {"left_s": math.ceil(left_s)} if left_s <= 60 else {}
        told = {"operator": sitting.operator, "page": sitting.page, **ending}
        return {"sitting": told, "about": dict(self._desk.about()), "now": self._desk.state()}

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        told: dict[str, Any] | None = None
        quiet_s = 0.0
        self._streams += 1
        try:
            while True:
                if (now := self._state(request)) != told:
                    told, quiet_s = now, 0.0
                    yield f"data: {json.dumps(now)}\n\n"
                elif quiet_s >= BEAT_S:
                    quiet_s = 0.0
                    yield "event: beat\ndata: 1\n\n"
                try:
                    await asyncio.wait_for(self._changed.wait(), 1.0)  # a wait is counted down in between
                except TimeoutError:
                    quiet_s += 1.0
        finally:
            self._streams -= 1

    async def _pictures(self, request: Request) -> AsyncIterator[bytes]:
        shown, waited_s = b"", 0.0
        while self._sitting(request) is not None and waited_s < 2 * BEAT_S:
            picture = self._desk.picture
            if picture and picture is not shown:
                shown, waited_s = picture, 0.0
                yield b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n"
            elif shown and not picture:
                return
            try:
                await asyncio.wait_for(self._changed.wait(), 0.5)
            except TimeoutError:
                waited_s += 0.5

    # -- what is asked

    async def sign_in(self, request: Request, said: dict[str, Any]) -> Response:
        if self._signing.locked():
            return _no("one at a time", 429)
        async with self._signing:
            lockout = self._door.lockout
            if lockout.wait_s > 0:
                return JSONResponse({"wait_s": math.ceil(lockout.wait_s)}, 429)
            token = str(said.pop("token", ""))
            try:
                await run_in_threadpool(lockout.failing)
                try:
                    operator = await run_in_threadpool(self._door.named, token)
                except EdgeError:
                    await run_in_threadpool(lockout.not_compared)
                    raise
                finally:
                    wipe(token)
                if operator is None:
                    if lockout.wait_s > 0:
                        await run_in_threadpool(self._door.refused, lockout.failures)
                    self._tell()
                    return JSONResponse({"wait_s": math.ceil(lockout.wait_s)}, 403)
                await run_in_threadpool(lockout.clear)
                if self._sittings.taken not in ("", operator):
                    return _no("taken", 409)
                self._sittings.close()
                await run_in_threadpool(self._door.seated, operator)
            except EdgeError as error:
                return _told(error)
            sitting, self._wrong = self._sittings.open(operator), 0
        self._tell()
        answer = JSONResponse({})
        answer.set_cookie(COOKIE, sitting.cookie, httponly=True, samesite="strict", path="/")
        return answer

    async def sign_out(self, request: Request, said: dict[str, Any]) -> Response:
        self._sittings.close()
        self._tell()
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
        return answer

    async def do(self, request: Request, said: dict[str, Any]) -> Response:
        sitting, more = self._sitting(request), said.get("said") or {}
        assert sitting is not None
        if not isinstance(more, dict):
            return _no("not an object", 400)
        try:
            self._desk.begin(sitting.operator, str(said.get("act")), more)
        except Busy:
            return _no("busy", 409)
        return JSONResponse({})

    async def cancel(self, request: Request, said: dict[str, Any]) -> Response:
        await run_in_threadpool(self._desk.cancel)
        return JSONResponse({})

    async def answer(self, request: Request, said: dict[str, Any]) -> Response:
        self._desk.answer(said.get("handed") is True)
        return JSONResponse({})

    async def stay(self, request: Request, said: dict[str, Any]) -> Response:
        return JSONResponse({})

    async def unlock(self, request: Request, said: dict[str, Any]) -> Response:
        typed = str(said.pop("passphrase", ""))
        passphrase = bytearray(typed.encode("utf-8", "surrogatepass"))
        wipe(typed)
        try:
            await run_in_threadpool(self._door.unlock, passphrase)
        except KeyringError as error:
            self._wrong += 1
            if self._wrong >= PASSPHRASES:
                self._sittings.close()
            self._tell()
            return _told(error, 403)
        except EdgeError as error:
            return _told(error)
        finally:
            wipe(passphrase)
        self._wrong = 0
        self._tell()
        return JSONResponse({})

    def asked(
        self, perform: Callable[[Request, dict[str, Any]], Awaitable[Response]], *, sitting: bool = True
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler of what changes something: from the page itself, and in its sitting."""

        async def handler(request: Request) -> Response:
            now = self._sitting(request)
            if sitting and (now is None or request.headers.get("x-edge-page") != now.page):
                return _no("no sitting", 401)
            body = await _body(request)
            try:
                said = json.loads(body)
            except (ValueError, RecursionError):
                said = None
            finally:
                wipe(body)
            if not isinstance(said, dict):
                return _no("not an object", 400)
            if now is not None:
                self._sittings.touch(now)
            return await perform(request, said)

        return handler


def application(pages: Pages, port: int) -> ASGIApp:
    """The pages as an ASGI application.

    Args:
        pages: the requests. port: on 127.0.0.1.
    """
    routes = [Route(path, pages.file) for path in FILES]
    routes += [Route("/page.json", pages.page), Route("/state", pages.state), Route("/view", pages.view)]
    routes += [Route("/consent.json", pages.consent), Route("/code.svg", pages.code)]
    routes += [Route("/sign-in", pages.asked(pages.sign_in, sitting=False), methods=["POST"])]
    during = {
        "/sign-out": pages.sign_out,
        "/do": pages.do,
        "/cancel": pages.cancel,
        "/answer": pages.answer,
        "/stay": pages.stay,
        "/unlock": pages.unlock,
    }
    routes += [Route(path, pages.asked(perform), methods=["POST"]) for path, perform in during.items()]
    return _Guarded(Starlette(routes=routes), port)


class _Guarded:
    """Every answer has the headers; who asks by another name, or from another page, gets none."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app, self._hosts = app, {b"127.0.0.1:%d" % port, b"localhost:%d" % port}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["type"] != "http":
            return
        if not self._fits(scope, dict(scope["headers"])):
            await _no("not here", 421)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _fits(self, scope: Scope, given: Mapping[bytes, bytes]) -> bool:
        if scope["method"] in ("GET", "HEAD"):
            return reads_from_here(scope, given, self._hosts)
        return writes_from_here(given, self._hosts)


async def _body(request: Request) -> bytearray:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return bytearray()
    return body


def _no(why: str, code: int) -> Response:
    return PlainTextResponse(why, code)


def _told(error: EdgeError, code: int = 503) -> Response:
    return JSONResponse({"what": error.what, "remedy": error.remedy}, code)
