"""Closes a process: it computes, answers on the one descriptor it keeps, and can do nothing else.

    walls = confine(3)        # Walls(seccomp=True, landlock=7); there is no way back, and no child gets out

Two walls. seccomp is an allow-list that looks at the architecture first: memory without executable pages, waiting on
locks, the time, reading and writing descriptor 3, the end. Anything else ends the process at once (SIGSYS). Landlock
(where the kernel has it; its version is asked first, since unknown flags are refused with EINVAL) denies files,
network and signals a second time. Beside them: no dumps, no new privileges, no new descriptors, no core file, and the
end of whoever forked it is its own.

Numbers are those of Linux: asm/unistd.h, linux/seccomp.h, linux/filter.h, linux/landlock.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
from dataclasses import dataclass

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS, _SECCOMP, _FILTER = 1, 4, 38, 22, 2
_KILL, _ALLOW = 0x8000_0000, 0x7FFF_0000
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
#: Where struct seccomp_data holds the call's number, the architecture, and argument k (its lower half).
_NUMBER, _ARCH = 0, 4
_EXEC, _ANONYMOUS = 0x4, 0x20
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
#: struct landlock_ruleset_attr by the version that brought a part: files 1, 2, 3 and 5; network 4; scopes 6.
_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}
_NETWORK, _SCOPES = 0x3, 0x3


@dataclass(frozen=True, slots=True)
class Machine:
    """The numbers of one architecture: AUDIT_ARCH of linux/audit.h, and the calls that are allowed."""

    audit: int
    reads: int
    writes: int
    maps: int
    protects: int
    free: tuple[int, ...]
    """Without a look at the arguments: munmap, mremap, madvise, brk, futex, rt_sigreturn, clock_gettime, sched_yield,
    restart_syscall, exit, exit_group."""


MACHINES = {
    "x86_64": Machine(0xC000_003E, 0, 1, 9, 10, (11, 25, 28, 12, 202, 15, 228, 24, 219, 60, 231)),
    "aarch64": Machine(0xC000_00B7, 63, 64, 222, 226, (215, 216, 233, 214, 98, 139, 113, 124, 128, 93, 94)),
}


@dataclass(frozen=True, slots=True)
class Walls:
    """What stands around a process. ``landlock``: the version of the kernel's; 0: there is none."""

    seccomp: bool
    landlock: int

    def __str__(self) -> str:
        files = f"Landlock {self.landlock}" if self.landlock else "no Landlock"
        return f"{'seccomp' if self.seccomp else 'no seccomp'}, {files}"


def program(machine: Machine, descriptor: int) -> bytes:
    """The seccomp filter, as an array of struct sock_filter.

    Args:
        descriptor: the one that may be read and written.
    """

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    def argument(k: int, *, high: bool = False) -> bytes:
        return step(_LOAD, 16 + 8 * k + 4 * high)

    allow, kill = step(_RETURN, _ALLOW), step(_RETURN, _KILL)

    def when(number: int, *test: bytes) -> bytes:
        """Allow a call whose arguments pass; ``test`` leaves by an answer of its own."""
        body = b"".join(test)
        return step(_EQUAL, number, 0, len(body) // 8) + body

    upon = [argument(0, high=True), step(_EQUAL, 0, 0, 3), argument(0), step(_EQUAL, descriptor, 0, 1), allow, kill]
    data = [argument(2), step(_AND, _EXEC), step(_EQUAL, 0, 0, 1)]
    own = [argument(3), step(_AND, _ANONYMOUS), step(_EQUAL, _ANONYMOUS, 0, 1), allow, kill]
    return b"".join(
        [
            step(_LOAD, _ARCH),
            step(_EQUAL, machine.audit, 1, 0),
            kill,
            step(_LOAD, _NUMBER),
            *(when(number, allow) for number in machine.free),
            when(machine.reads, *upon),
            when(machine.writes, *upon),
            when(machine.protects, *data, allow, kill),
            when(machine.maps, argument(2), step(_AND, _EXEC), step(_EQUAL, 0, 1, 0), kill, *own),
            kill,
        ]
    )


def architecture() -> str:
    """Whose numbers this process's calls have, by its program's ELF header (elf(5): 64 bits, e_machine).

    What the kernel says of itself (uname) is what whoever started this wants it to say (``setarch``). Empty: neither of
    those in `MACHINES`.
    """
    try:
        with open("/proc/self/exe", "rb") as program:  # noqa: PTH123
            header = program.read(20)
    except OSError:
        return ""
    machine = struct.unpack_from("<H", header, 18)[0]
    return {62: "x86_64", 183: "aarch64"}.get(machine, "") if header[:5] == b"\x7fELF\x02" else ""


def confine(descriptor: int, *, landlock: bool = True) -> Walls:
    """Close this process; it has one thread.

    Args:
        descriptor: stays open. landlock: off in the test that shows what seccomp alone refuses.

    Returns:
        Which walls stand: an old kernel, or one of another architecture, has fewer.
    """
    libc, machine = ctypes.CDLL(None, use_errno=True), MACHINES.get(architecture())
    os.closerange(0, descriptor)
    os.closerange(descriptor + 1, _most_descriptors())
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (0, 0))
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = _restrict_files(libc) if landlock else 0
    if machine is None:
        return Walls(seccomp=False, landlock=version)
    return Walls(_restrict_calls(libc, program(machine, descriptor)), version)


def _most_descriptors() -> int:
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 20)


def _restrict_files(libc: ctypes.CDLL) -> int:
    """Landlock without a rule: nothing that it knows of is allowed. Returns its version, or 0."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version <= 0:
        return 0
    files = max(bits for since, bits in _FILES.items() if since <= version)
    attributes = struct.pack("=QQQ", files, _NETWORK, _SCOPES)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        return 0
    stands = libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return int(version) if stands else 0


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _restrict_calls(libc: ctypes.CDLL, steps: bytes) -> bool:
    """Install a seccomp filter. Returns whether the kernel has taken it."""
    return bool(libc.prctl(_SECCOMP, _FILTER, ctypes.byref(_Program(len(steps) // 8, steps)), 0, 0) == 0)
