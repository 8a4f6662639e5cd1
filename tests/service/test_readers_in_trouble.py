"""Every way in, and what can happen to it: a row for each reader, a cell for each trouble, on a whole device that runs.

`TABLE` says what each cell must be: the errors that are told, each once, as one event and one entry of the journal; or
none, since what comes in is no card and no PIN. In every cell the door stays locked and the other reader is answered
(but for a camera that is gone, without which nobody is), the reader is tried again at growing distances, and once the
trouble is over its own card, or PIN, opens the door.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pty
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import zxingcpp

from edge.claim import attended, keyboard, open_readers, serial
from edge.errors import CameraError, SourceUnavailable
from edge.fictional import FictionalSource, OnePerson
from edge.kiosk import kiosk as people
from edge.service import Loop, Operator, loop
from edge.service.page import kiosk_page
from edge.settings.model import ClaimSettings, KioskSettings
from edge.testing import FakeDoor, Site, site
from edge.types import Frame
from edge.types import events as ev
from tests.claim.test_scanners import keys
from tests.kiosk.conftest import free_port, serving
from tests.kiosk.test_pin_pad import post

pytestmark = pytest.mark.timeout(900)  # on a busy machine; a quiet one needs seconds

TROUBLES = ("unplugged", "garbage", "flood", "no permission")
LOST, NONE = (("ReaderError", "reader"),), ()
GONE, SHUT = (("CameraError", "source"),), (("CameraError", "source"), ("SourceUnavailable", "source"))
FELL = (("KioskError", "page"),)
TABLE = {
    #            unplugged garbage flood no permission
    "qr":       (GONE,     NONE,   NONE, SHUT),
    "keyboard": (LOST,     NONE,   NONE, LOST),
    "serial":   (LOST,     NONE,   NONE, LOST),
    "keypad":   (LOST,     NONE,   NONE, LOST),  # the PIN
    "page":     (FELL,     NONE,   NONE, FELL),  # the PIN; killed, and at a port that is another program's
}  # fmt: skip
PIN = "402916"
NOISE = random.Random(26)
#: Whole events of the kernel, in one piece.
_WHOLE = 4096 // keyboard.EVENT.size * keyboard.EVENT.size


class Beside:
    """The other reader: of a card that another person presents."""

    name, ended = "beside", False

    def __init__(self) -> None:
        self.cards: list[str] = []

    def poll(self, _frame: object) -> str | None:
        return self.cards.pop() if self.cards else None

    def close(self) -> None:
        """Nothing to close."""


class Stage(FictionalSource):
    """The camera: somebody who stands there, and what is held up before it."""

    trouble: ClassVar[Exception | None] = None
    shut: ClassVar[Exception | None] = None
    held: ClassVar[Callable[[], np.ndarray] | None] = None
    runs: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__((OnePerson("ada", 3600.0, walk_up=False),))

    def open(self) -> None:
        if Stage.shut is not None:
            raise Stage.shut
        super().open()
        self.began = time.monotonic_ns() if Stage.runs else 0  # younger than the trouble before

    def read(self, timeout_s: float) -> Frame:
        if Stage.trouble is not None:
            raise Stage.trouble
        time.sleep(0.02)
        frame = super().read(timeout_s)
        image = frame.image if Stage.held is None else Stage.held()
        return Frame(image, self.began + frame.monotonic_ns, frame.sequence, frame.source)


class Opens:
    """`os` for a reader that opens its device as a user who may not, as long as ``forbidden`` says so."""

    forbidden = False

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int) -> int:
        if not Opens.forbidden:
            return os.open(path, flags)
        libc = ctypes.CDLL(None)
        libc.setfsuid(65534)  # of this thread alone; without root the path's own mode says no
        try:
            return os.open(path, flags)
        finally:
            libc.setfsuid(0)


class Grabs:
    """`fcntl` for a device that can be grabbed, which a named pipe in its place cannot."""

    ioctl = staticmethod(lambda *_: 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(fcntl, name)


class Way:
    """One row: how its reader is broken, mended and used."""

    def __init__(self, here: Site, path: Path, card: str, beside: Beside) -> None:
        self.here, self.path, self.card, self.beside = here, path, card, beside
        self.end, self.more = -1, -1

    def unplugged(self) -> None:
        self.unplug()

    def no_permission(self) -> None:
        self.unplug()
        Opens.forbidden = True
        self.plug()
        self.path.chmod(0)

    def mend(self) -> None:
        if Opens.forbidden:
            self.unplug()
        Opens.forbidden = False
        if self.end < 0:
            self.plug()

    def unplug(self) -> None:
        self.path.unlink()
        for end in {self.end, self.more} - {-1}:
            os.close(end)
        self.end = self.more = -1

    def ask(self) -> None:
        """Another reader has read the card, and its PIN is waited for."""
        since = len(self.here.events)
        self.beside.cards.append(self.card)
        wait_for(self.here, ev.PinWanted, since)

    def sent(self, data: bytes, seconds: float = 3.0) -> None:
        """As much as goes into the device in so long."""
        os.set_blocking(self.end, False)
        until = time.monotonic() + seconds
        while data and time.monotonic() < until:
            try:
                data = data[os.write(self.end, data[:_WHOLE]) :]
            except BlockingIOError:
                time.sleep(0.01)


class Typing(Way):
    """A scanner that types: a named pipe in the place of its event device."""

    def plug(self) -> None:
        os.mkfifo(self.path)
        self.end = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def garbage(self) -> None:
        noise = (
            keyboard.EVENT.pack(0, 0, NOISE.randrange(6), NOISE.randrange(300), NOISE.randrange(3)) for _ in range(500)
        )
        self.sent(b"".join(noise) + keys("[[[ ;;;"))

    def flood(self) -> None:
        self.sent(keys("A" * 900) * 100)

    def use(self) -> None:
        lifted = (keyboard.EVENT.pack(0, 0, keyboard.EV_KEY, shift, 0) for shift in (42, 54))
        self.sent(b"".join(lifted) + keys("") + keys(self.card), 60.0)


class Pad(Typing):
    """A keypad, for the PIN of a card that another reader has read."""

    def garbage(self) -> None:
        self.ask()
        super().garbage()

    def flood(self) -> None:
        self.ask()
        super().flood()

    def use(self) -> None:
        self.ask()
        self.sent(keys("") + keys(PIN), 60.0)


class Line(Way):
    """A scanner on a serial line: a pseudo-terminal."""

    def plug(self) -> None:
        self.end, self.more = pty.openpty()
        self.path.symlink_to(os.ttyname(self.more))

    def no_permission(self) -> None:
        self.unplug()
        Opens.forbidden = True
        self.plug()

    def garbage(self) -> None:
        self.sent(NOISE.randbytes(3000) + b"\n")

    def flood(self) -> None:
        self.sent(b"x" * 1_000_000)

    def use(self) -> None:
        self.sent(f"\n{self.card}\r\n".encode(), 60.0)


class View(Way):
    """Codes held before the camera."""

    def plug(self) -> None:
        Stage.trouble = Stage.shut = Stage.held = None

    def unplugged(self) -> None:
        Stage.trouble = CameraError("the camera is gone", where="v4l2", remedy="check its cable")

    def no_permission(self) -> None:
        Stage.shut = SourceUnavailable("this user may not use the camera", where="v4l2")
        self.unplugged()

    def garbage(self) -> None:
        shown = [code("https://example.org/EV1:"), code("EV2:" + "A" * 900), code("EV1:AAAA", "DataMatrix")]
        Stage.held = lambda: seen(NOISE.choice(shown))

    def flood(self) -> None:
        shown = [code(f"EV1:{number:08}") for number in range(40)]
        Stage.held = lambda: seen(NOISE.choice(shown))

    def mend(self) -> None:
        self.plug()

    def use(self) -> None:
        shown, since = code(self.card), len(self.here.events)
        Stage.held = lambda: seen(shown)
        wait_for(self.here, ev.SessionOpened, since)
        Stage.held = None

    def unplug(self) -> None:
        self.plug()


class Page(Way):
    """The PIN typed on the page, for a card that another reader has read."""

    def plug(self) -> None:
        """The page is served by the test."""

    def unplug(self) -> None:
        """So it ends with it."""

    def unplugged(self) -> None:
        os.kill(self.kiosk._process.pid, signal.SIGKILL)

    def no_permission(self) -> None:
        """Somebody else has the port: it was taken before this page came (`run`)."""

    def garbage(self) -> None:
        self.ask()
        assert {post(self.kiosk, body) for body in (b"\xff\x00", b"[]", {"pin": self.card}, {"pin": "12"})} == {400}
        os.write(self.kiosk.pin_pad.far_end, NOISE.randbytes(300) + b"\n" + self.card.encode() + b"\n")

    def flood(self) -> None:
        self.ask()
        with suppress(BlockingIOError):
            while True:
                os.write(self.kiosk.pin_pad.far_end, b"x\n" * 2000)

    def mend(self) -> None:
        if self.squatter is not None:
            self.squatter.close()

    def use(self) -> None:
        serving(self.kiosk)
        self.ask()
        until(lambda: post(self.kiosk, {"pin": PIN}) == 204, "the page takes the PIN")


def code(text: str, kind: str = "QRCode") -> np.ndarray:
    """A code on white, as large as a frame."""
    drawn = np.array(zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=4))
    drawn, page = drawn[:470, :630], np.full((480, 640), 255, np.uint8)
    page[5 : 5 + drawn.shape[0], 5 : 5 + drawn.shape[1]] = drawn
    return np.repeat((30 + page * 0.6).astype(np.uint8)[..., None], 3, axis=2)


def seen(picture: np.ndarray) -> np.ndarray:
    """As a camera sees it, never twice the same."""
    return picture + np.random.default_rng().integers(0, 4, picture.shape, np.uint8)


def until(holds: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


def wait_for(here: Site, kind: type[ev.Event], since: int | None = None) -> None:
    """Until the device tells one more of these, than there are now or than there were before event ``since``."""
    before = len([event for event in here.events[:since] if isinstance(event, kind)])
    until(lambda: len(told(here, kind)) > before, kind.__name__)


def told(here: Site, *kinds: type[ev.Event]) -> list[Any]:
    return [event for event in list(here.events) if isinstance(event, kinds)]


def faults(here: Site) -> list[tuple[object, object]]:
    entries = [entry for entry in here.device._ledger.journal.last(400) if entry.kind == "fault"]
    return [(entry.fields["error"], entry.fields["room"]) for entry in entries]


WAYS = {"qr": View, "keyboard": Typing, "serial": Line, "keypad": Pad, "page": Page}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Way]]:
    """The row of a reader, its device made when it is first asked for."""
    made: dict[str, Way] = {}
    with ExitStack() as opened:

        def row(name: str) -> Way:
            if name in made:
                return made[name]
            folder, beside = tmp_path_factory.mktemp(name), Beside()
            path = folder / "device"
            claim: dict[str, Any] = {"readers": ("stdin",) if name in ("keypad", "page") else (name,)}
            if name in ("keyboard", "keypad", "serial"):
                claim[name] = str(path)
            if name in ("keypad", "page"):
                claim |= {"pin": "with_card", "pin_s": 60.0}
            shown = KioskSettings(port=free_port(), pin_pad=True) if name == "page" else None
            claimed = ClaimSettings(**claim)
            here = opened.enter_context(site(folder, camera=Stage, door=FakeDoor(), claim=claimed, kiosk=shown))
            Stage.runs = False
            card = here.enrol("ada")
            Stage.runs = True
            if "pin" in claim:
                here.device._clock.confirm("kim")
                Operator(here.device, "kim").set_pin(card, PIN)
            made[name] = WAYS[name](here, path, card, beside)
            return made[name]

        yield row


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is tried again is tried soon; each device may be opened as somebody else."""
    for room, name, value in (
        (attended, "AGAIN_S", 0.05), (attended, "AGAIN_MAX_S", 0.4), (loop, "_RETRY_S", 0.05),
        (people, "_AGAIN_S", 0.1), (people, "_LIVED_S", 2.0),
        (keyboard, "os", Opens()), (serial, "os", Opens()), (keyboard, "fcntl", Grabs()),
    ):  # fmt: skip
        monkeypatch.setattr(room, name, value)
    Stage.runs = True
    yield
    Stage.runs = Opens.forbidden = False
    Stage.trouble = Stage.shut = Stage.held = None


#: One trouble a reader belongs to the fast set; all twenty take two minutes, most of it pauses that are waited for.
FAST = {
    *(("qr", "garbage"), ("keyboard", "unplugged"), ("serial", "flood")),
    *(("keypad", "garbage"), ("page", "no permission")),
}
CELLS = [
    pytest.param(name, trouble, marks=[] if (name, trouble) in FAST else [pytest.mark.slow])
    for name in TABLE
    for trouble in TROUBLES
]


@pytest.mark.parametrize(("name", "trouble"), CELLS)
@pytest.mark.usefixtures("quick")
def test_each_reader_in_each_trouble(rows: Callable[[str], Way], name: str, trouble: str):
    way, expected = rows(name), TABLE[name][TROUBLES.index(trouble)]
    here, door, beside = way.here, way.here.door, way.beside
    before, opened = len(faults(here)), door.released
    since = len(here.events)
    stop, ended = threading.Event(), []
    with ExitStack() as running:
        way.plug()
        running.callback(lambda: way.end >= 0 and way.unplug())
        readers = open_readers(
            here.device.settings.claim, stdin=running.enter_context(Path(os.devnull).open("rb")),
            clock=time.monotonic, tell=here.device.tell, now_ns=here.device.now_ns,
        )  # fmt: skip
        if isinstance(way, Page):
            taken = trouble == "no permission"
            way.squatter = socket.create_server(("127.0.0.1", here.device.settings.kiosk.port)) if taken else None
            way.kiosk = running.enter_context(kiosk_page(here.device))
            readers = [*readers, way.kiosk.pin_pad]
            if not taken:
                serving(way.kiosk)
        for reader in readers:
            running.callback(reader.close)
        serve = threading.Thread(target=lambda: ended.append(Loop(here.device, [*readers, beside]).run(stop)))
        serve.start()
        running.callback(serve.join, 60.0)
        running.callback(stop.set)
        wait_for(here, ev.Ready, since)

        getattr(way, trouble.replace(" ", "_"))()
        until(lambda: len(faults(here)) - before >= len(expected), f"{len(expected)} faults")
        if name != "qr" or not expected:
            for _ in range(2):
                asked = len(here.events)
                beside.cards.append("EV1:ANOTHER CARD")
                wait_for(here, ev.ClaimRefused, asked)
        time.sleep(1.0)  # long enough for a dozen tries
        assert tuple(faults(here)[before:]) == expected, "once each, in the journal"
        assert door.released == opened, "locked meanwhile"
        if expected == LOST:
            assert 3 <= readers[-1 if name == "keypad" else 0]._failures <= 9, "tried again at growing distances"

        way.mend()
        if expected:
            until(lambda: any(isinstance(event, ev.Recovered) for event in here.events[since:]), "recovered")
        for _ in range(5):  # a machine that is busy may see too little of somebody in time
            used = len(here.events)
            way.use()
            wait_for(here, ev.Decided, used)
            if door.released > opened:
                break
        assert door.released == opened + 1, "its own card, or PIN, opens the door"
    assert ended == [None], "the loop went on to its own end"
    events = here.events[since:]
    spoken = [event for event in events if isinstance(event, ev.Faulted)]
    assert tuple((event.error, event.room) for event in spoken) == expected, "once each, as an event"
    assert all(event.what and event.where for event in spoken)
    assert {event.room for event in events if isinstance(event, ev.Recovered)} == {room for _, room in expected}
    assert tuple(faults(here)[before:]) == expected
