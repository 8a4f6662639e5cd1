"""A device with canaries, watched from inside: everything that leaves it is kept, to be searched by `captured`.

    python -m tests.prove.canary OUT [--leak KIND]        # a process of its own, started by test_by_running.py

Two fictional people are enrolled, one with the template on the card and one with it on the device; then the service's
own loop answers five claims (right, somebody else's, garbage, one bit flipped, right again). Kept are: every file that
was opened for writing, as it is in the end and as it was before it was removed, renamed or cut; the whole state folder
before and after the device is closed (with SQLite's log still full); what went to sockets, the system log, `logging`,
standard output and error; the text of every exception, also of those that were caught. What must not be in it, the
canaries, is written beside it after the watch has ended.

Comparisons are counted by the audit events of `edge.session`, outside of what the device tells of itself.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from edge._isolated import command

EDGE = str(Path(__file__).resolve().parents[2] / "edge")


class Watch:
    """Keeps what leaves the process."""

    def __init__(self, out: Path) -> None:
        self.out, self.count, self.busy, self.on = out, 0, threading.local(), True
        self.paths: set[str] = set()
        self.comparisons: dict[str, int] = {}
        self.sockets: list[str] = []
        self.texts: list[str] = []
        (out / "captured").mkdir(parents=True)

    def keep(self, name: str, data: bytes) -> None:
        self.count += 1
        handle = os.open(self.out / "captured" / f"{self.count:05}-{name}", os.O_WRONLY | os.O_CREAT)
        os.write(handle, data)
        os.close(handle)

    def keep_file(self, path: str) -> None:
        try:
            if path and Path(path).is_file():
                self.keep("file-" + Path(path).name[-60:], Path(path).read_bytes())
        except OSError:
            pass

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called by Python for every audit event (PEP 578)."""
        if not self.on or getattr(self.busy, "now", False):
            return
        self.busy.now = True
        try:
            self._heard(event, arguments)
        finally:
            self.busy.now = False

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
            if writes and isinstance(path, str | bytes):
                self.paths.add(os.fsdecode(path))
        elif event in ("os.remove", "os.rename", "os.truncate", "shutil.move", "os.link"):
            self.keep_file(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")
        elif event == "edge.compare":
            self.comparisons[arguments[0]] = self.comparisons.get(arguments[0], 0) + 1
        elif event == "socket.__new__":
            self.sockets.append("a pair of this machine's own" if arguments[1] in (socket.AF_UNIX, -1) else event)
        elif event == "subprocess.Popen":
            ours = list(arguments[1]) == command("edge.session.cell_process")
            self.sockets.append("the process that sessions are forked from" if ours else event)
        elif event.startswith(("socket.", "os.exec", "os.system", "os.posix_spawn", "os.fork")):
            self.sockets.append(event)
        elif event.startswith("syslog."):
            self.keep("syslog", repr(arguments).encode())

    def exceptions(self, frame: FrameType, event: str, _: Any) -> Any:
        """A trace function for the product's own frames: every exception that passes through one of them."""
        if not frame.f_code.co_filename.startswith(EDGE):
            return None
        frame.f_trace_lines = False

        def local(frame: FrameType, event: str, given: Any) -> Any:
            if event == "exception" and not getattr(self.busy, "now", False):
                value = given[1]
                text = f"{given[0].__name__} {value} {getattr(value, 'args', ())!r} {getattr(value, '__notes__', ())!r}"
                self.texts.append(text)
            return local

        return local


class Kept(logging.Handler):
    """Every log record, with its arguments."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.args!r} {record.exc_info!r}")


def record_sockets(watch: Watch) -> None:
    """Keep what is given to a socket, besides noticing that there is one."""
    for name in ("send", "sendall", "sendto"):
        original = getattr(socket.socket, name)

        def sent(self: socket.socket, data: Any, *rest: Any, _original: Any = original) -> Any:
            if self.family != socket.AF_UNIX or self.getpeername():  # a pair is how a session's own process is told
                watch.keep("socket", bytes(data))
            return _original(self, data, *rest)

        setattr(socket.socket, name, sent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--leak", default="")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    watch = Watch(given.out)
    work = Path(tempfile.mkdtemp(prefix="canary-", dir=given.out))
    os.environ["TMPDIR"] = tempfile.tempdir = str(work)
    logging.basicConfig(level=logging.DEBUG, handlers=[Kept(watch.texts)])
    from tests.prove.aviary import Aviary  # imports the product, before the watch begins

    aviary = Aviary(work / "state")
    record_sockets(watch)
    if given.leak:
        from tests.prove.leaks import plant

        plant(given.leak, aviary, work)
    sys.addaudithook(watch.hook)
    threading.settrace(watch.exceptions)
    sys.settrace(watch.exceptions)
    aviary.run(io.BytesIO, before_closing=lambda: _keep_folder(watch, work))
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    for path in sorted(watch.paths):
        watch.busy.now = True
        watch.keep_file(path)
    _keep_folder(watch, work)
    watch.on = False
    watch.keep("texts", "\n".join(watch.texts).encode("utf-8", "surrogateescape"))
    aviary.write_canaries(given.out / "canaries.npz")
    facts = {
        "outcomes": aviary.outcomes,
        "looks": aviary.looks,
        "comparisons": watch.comparisons,
        "allowed": aviary.allowed,
        "sockets": watch.sockets,
        "exceptions": len(watch.texts),
        "written": sorted(Path(path).name for path in watch.paths),
    }
    (given.out / "facts.json").write_text(json.dumps(facts))
    shutil.rmtree(work, ignore_errors=True)
    return 0


def _keep_folder(watch: Watch, folder: Path) -> None:
    """Everything below the working folder, as it is now."""
    watch.busy.now = True
    try:
        for path in sorted(folder.rglob("*")):
            watch.keep_file(str(path))
    finally:
        watch.busy.now = False


if __name__ == "__main__":
    sys.exit(main())
