"""The process that serves the page: ``python -I server.py FD [PINS]``, screens as lines of JSON on its standard input.

It imports nothing of this product, so that what listens holds neither keys nor camera nor a way to them. The first
line is the page (`edge.kiosk.words.page_of`), the others are screens; at the end of the input it ends. Every browser
is told the newest screen, and when it is slow, only that one. FD is a socket on loopback that listens already; PINS,
given where the settings say `kiosk.pin_pad`, is a pipe for PINs that people type, one each time that one is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Container, Mapping
from pathlib import Path
from typing import Any

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.datastructures import MutableHeaders
    from starlette.requests import Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError:
    sys.exit(69)  # EX_UNAVAILABLE (sysexits.h); whoever started this says it in words

PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/pin.js": ("pin.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
#: Browsers at a time: a kiosk has one, somebody at work on it a second.
STREAMS, CONNECTIONS = 8, 48
#: All that the page may ever send; the door takes nothing else either (`edge.kiosk.pin_pad`).
PIN, PIN_BODY = re.compile(r"[0-9]{4,12}", re.ASCII), 64
#: A stream says at least so often that it is alive, seconds; a PIN that led to no other screen can be typed again.
BEAT_S, AGAIN_S = 5.0, 10.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Hub:
    """The newest screen, and who waits for the next one.

    Args:
        pins: the pipe for PINs; None: none is taken.
    """

    def __init__(self, pins: int | None = None) -> None:
        self.pins, self._wanted, self._again = pins, False, 0.0
        self.page: dict[str, Any] = {}
        self.screen: dict[str, Any] = {"name": "starting", "at_ns": 0}
        self.picture = b""
        self.version, self.streams = 0, 0
        self._changed, self._pictured = asyncio.Event(), asyncio.Event()

    def take(self, line: str) -> None:
        """One line of the input."""
        said = json.loads(line)
        if "jpeg" in said:
            self.picture = base64.b64decode(said["jpeg"])
            self._pictured.set()
            self._pictured = asyncio.Event()
            return
        self.page = said.get("page", self.page)
        self.screen = said.get("screen", self.screen)
        self._wanted, self._again = said.get("pin", False), 0.0
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def typed(self, pin: str) -> bool:
        """Pass a PIN on, the first one since it was asked for; whether one was."""
        now = time.monotonic()
        if not self._wanted or self.pins is None or now < self._again:
            return False
        self._again = now + AGAIN_S
        os.write(self.pins, pin.encode("ascii") + b"\n")
        return True

    async def stream(self) -> AsyncIterator[str]:
        """The newest screen whenever it is another one, with its age; a beat in between."""
        seen = -1
        self.streams += 1
        try:
            while True:
                if self.version != seen:
                    seen = self.version
                    age_ms = max(0, (time.monotonic_ns() - self.screen["at_ns"]) // 1_000_000)
                    yield f"data: {json.dumps({**self.screen, 'age_ms': age_ms})}\n\n"
                try:
                    await asyncio.wait_for(self._changed.wait(), BEAT_S)
                except TimeoutError:
                    yield "event: beat\ndata: 1\n\n"
        finally:
            self.streams -= 1

    async def pictures(self) -> AsyncIterator[bytes]:
        """The preview as long as there is one: each picture in the place of the one before (RFC 2046, 5.1.1)."""
        self.streams += 1
        try:
            while True:
                await asyncio.wait_for(self._pictured.wait(), BEAT_S)
                if not self.picture:
                    return
                yield b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + self.picture + b"\r\n"
        except TimeoutError:
            return
        finally:
            self.streams -= 1


def application(hub: Hub, port: int) -> ASGIApp:
    """The page: its files, its words, its codes, and the stream of screens; by its own name only, and with GET.

    Where the settings ask for it, a PIN can be posted; else there is nothing that anybody could send.
    """

    async def file(request: Request) -> Response:
        name, media = FILES[request.url.path]
        return Response((PAGE / name).read_bytes(), media_type=media)

    async def page(_: Request) -> Response:
        return JSONResponse({key: value for key, value in hub.page.items() if key != "codes"})

    async def code(request: Request) -> Response:
        svg = hub.page.get("codes", {}).get(request.path_params["language"])
        return Response(svg, media_type="image/svg+xml") if svg else PlainTextResponse("none", 404)

    async def screens(_: Request) -> Response:
        return followed(hub.stream(), "text/event-stream")

    async def preview(_: Request) -> Response:
        return followed(hub.pictures(), "multipart/x-mixed-replace; boundary=picture")

    async def pin(request: Request) -> Response:
        if not writes_from_here(dict(request.scope["headers"]), hosts):
            return PlainTextResponse("not here", 421)
        said = await _small(request)
        if said is None or not PIN.fullmatch(said):
            return PlainTextResponse("not a PIN", 400)
        return Response(status_code=204) if hub.typed(said) else PlainTextResponse("none is asked for", 409)

    def followed(stream: AsyncIterator[str] | AsyncIterator[bytes], media: str) -> Response:
        if hub.streams >= STREAMS:
            return PlainTextResponse("too many", 503)
        return StreamingResponse(stream, media_type=media)

    hosts = {b"127.0.0.1:%d" % port, b"localhost:%d" % port}
    routes = [Route(path, file) for path in FILES]
    routes += [Route("/pin", pin, methods=["POST"])] if hub.pins is not None else []
    routes += [Route("/page.json", page), Route("/code/{language}.svg", code), Route("/screens", screens)]
    routes += [Route("/preview", preview)]
    return Guarded(Starlette(routes=routes), hosts)


async def _small(request: Request) -> str | None:
    """The PIN of a body, ``{"pin": "402916"}``; None for anything else, and for what is longer."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > PIN_BODY:
            return None
    try:
        said = json.loads(body)
    except ValueError:
        return None
    finally:
        body[:] = bytes(len(body))
    return str(said["pin"]) if isinstance(said, dict) and set(said) == {"pin"} else None


def reads_from_here(scope: Scope, given: Mapping[bytes, bytes], hosts: Container[bytes]) -> bool:
    """Whether a GET comes by the address's own name and from its own page.

    By another name is DNS rebinding. The people's page and the operators' link to each other: another port is the same
    site and another origin, so such a link may lead to the page itself, and do nothing else.
    """
    site = given.get(b"sec-fetch-site", b"none")
    walks_in = scope["path"] == "/" and given.get(b"sec-fetch-mode") == b"navigate" and site == b"same-site"
    return given.get(b"host", b"") in hosts and (site in (b"none", b"same-origin") or walks_in)


def writes_from_here(given: Mapping[bytes, bytes], hosts: Container[bytes]) -> bool:
    """Whether what changes something comes from the page itself: no other one can send JSON with this origin."""
    host = given.get(b"host", b"")
    own = given.get(b"origin") == b"http://" + host and given.get(b"sec-fetch-site", b"same-origin") == b"same-origin"
    return host in hosts and own and given.get(b"content-type", b"").split(b";")[0] == b"application/json"


class Guarded:
    """Every answer has the headers; who asks by another name or from another page gets none."""

    def __init__(self, app: ASGIApp, hosts: set[bytes]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["type"] != "http":
            return
        if not reads_from_here(scope, dict(scope["headers"]), self._hosts):
            await PlainTextResponse("not here", 421)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def main(descriptor: int, pins: int | None = None) -> None:
    """Serve until the input ends."""
    listener = socket.socket(fileno=descriptor)
    hub = Hub(pins)
    config = uvicorn.Config(
        application(hub, listener.getsockname()[1]),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        ws="none",
        loop="asyncio",
        http="h11",
    )
    server = uvicorn.Server(config)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(target=follow, args=(loop,), name="input", daemon=True).start()
        await server.serve(sockets=[listener])

    def follow(loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(hub.take, line)
        server.should_exit = True
        time.sleep(1.0)
        os._exit(0)  # a browser that does not let go does not keep this process

    asyncio.run(serve())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
