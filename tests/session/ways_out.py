"""Ways out of a confined process, tried for real: each by its system call, in a process behind seccomp alone.

    python -m tests.session.ways_out            # prints, as JSON, how each one ended: -31 is SIGSYS, 0 came back

A way is its number on x86-64 and on arm64 (None: there is none), and its arguments.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
import tempfile

from edge.session.confine import MACHINES, architecture, confine

_PATH = ctypes.create_string_buffer(b"/etc/hostname")
_PAGE = ctypes.create_string_buffer(4096)
_HERE = -100
_WORD = ctypes.addressof(_PAGE)
_PAGES = mmap.mmap(-1, 8192)
_ALIGNED = ctypes.addressof(ctypes.c_char.from_buffer(_PAGES))

WAYS: dict[str, tuple[int | None, int | None, tuple[int, ...]]] = {
    "open a file": (257, 56, (_HERE, ctypes.addressof(_PATH), 0)),
    "open a file, the newer way": (437, 437, (_HERE, ctypes.addressof(_PATH), _WORD, 24)),
    "open a file, the oldest way": (2, None, (ctypes.addressof(_PATH), 0)),
    "read a link": (267, 78, (_HERE, ctypes.addressof(_PATH), _WORD, 64)),
    "list a folder": (217, 61, (3, _WORD, 64)),
    "look at a file": (262, 79, (_HERE, ctypes.addressof(_PATH), _WORD, 0)),
    "rename a file": (316, 276, (_HERE, ctypes.addressof(_PATH), _HERE, ctypes.addressof(_PATH), 0)),
    "remove a file": (263, 35, (_HERE, ctypes.addressof(_PATH), 0)),
    "a socket": (41, 198, (2, 1, 0)),
    "a pair of sockets": (53, 199, (1, 1, 0, _WORD)),
    "connect": (42, 203, (3, _WORD, 16)),
    "send a message with a descriptor": (46, 211, (3, _WORD, 0)),
    "take a message with a descriptor": (47, 212, (3, _WORD, 0)),
    "fork": (57, None, ()),
    "clone": (56, 220, (17, 0, 0, 0, 0)),
    "clone3": (435, 435, (_WORD, 64)),
    "run a program": (59, 221, (ctypes.addressof(_PATH), 0, 0)),
    "run a program by its descriptor": (322, 281, (3, ctypes.addressof(_PATH), 0, 0, 0x1000)),
    "trace a process": (101, 117, (16, os.getppid(), 0, 0)),
    "read another process": (310, 270, (os.getppid(), _WORD, 1, _WORD, 1, 0)),
    "write to another process": (311, 271, (os.getppid(), _WORD, 1, _WORD, 1, 0)),
    "signal another process": (62, 129, (os.getppid(), 0)),
    "a process's descriptor": (434, 434, (os.getppid(), 0)),
    "another process's file": (438, 438, (3, 0, 0)),
    "prctl": (157, 167, (38, 1, 0, 0, 0)),
    "another filter": (317, 277, (1, 0, _WORD)),
    "io_uring": (425, 425, (8, _WORD)),
    "a program in the kernel": (321, 280, (0, _WORD, 64)),
    "watch the processor": (298, 241, (_WORD, 0, -1, -1, 0)),
    "faults by hand": (323, 282, (0,)),
    "a file in memory": (319, 279, (ctypes.addressof(_PATH), 0)),
    "shared memory": (29, 194, (0, 4096, 0o1600)),
    "the kernel's keys": (250, 219, (0, -3, 0)),
    "namespaces": (272, 97, (0x1000_0000,)),
    "mount": (165, 40, (0, ctypes.addressof(_PATH), 0, 0, 0)),
    "control a device": (16, 29, (3, 0x5413, _WORD)),
    "executable memory": (9, 222, (0, 4096, 7, 0x22, -1, 0)),
    "a descriptor mapped": (9, 222, (0, 4096, 1, 1, 3, 0)),
    "memory made executable": (10, 226, (_ALIGNED, 4096, 5)),
    "memory made executable by key": (329, 288, (_ALIGNED, 4096, 5, -1)),
    "an inherited descriptor": (0, 63, (9, _WORD, 16)),
    "standard output": (1, 64, (1, _WORD, 1)),
    "a call of the x32 kind": (0x4000_0027, None, ()),
}
#: What a cell does all the time.
NEEDED: dict[str, tuple[int | None, int | None, tuple[int, ...]]] = {
    "may write its own descriptor": (1, 64, (3, _WORD, 1)),
    "may take memory": (9, 222, (0, 4096, 3, 0x22, -1, 0)),
    "may ask the time": (228, 113, (1, _WORD)),
}


def ended(number: int, arguments: tuple[int, ...]) -> int:
    """How a confined process ends that makes one call."""
    child = os.fork()
    if child == 0:
        mine, _its = socket.socketpair()
        os.dup2(mine.fileno(), 3)
        os.dup2(os.open(tempfile.gettempdir(), os.O_RDONLY), 9)
        libc = ctypes.CDLL(None)
        call, given = libc.syscall, [ctypes.c_long(argument) for argument in arguments]
        walls = confine(3, landlock=False)
        if walls.seccomp:
            call(ctypes.c_long(number), *given)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Try them all."""
    column = list(MACHINES).index(architecture())
    found = {}
    for name, (x86, arm, arguments) in {**WAYS, **NEEDED}.items():
        number = (x86, arm)[column]
        if number is not None:
            found[name] = ended(number, arguments)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
