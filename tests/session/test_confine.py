"""The walls around a session's process: the filter step by step for both machines, and ways out that are tried."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.session.confine import MACHINES, Walls, program
from tests.session.ways_out import WAYS

ALLOW, KILL, DESCRIPTOR = 0x7FFF_0000, 0x8000_0000, 3
ROOT = Path(__file__).resolve().parents[2]
ANONYMOUS, WRITABLE, EXECUTABLE = 0x22, 3, 4


def answer(steps: bytes, audit: int, number: int, arguments: tuple[int, ...]) -> int:
    """What a kernel answers: the filter, run as linux/filter.h says."""
    data = struct.pack("<iIQ6Q", number, audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    at, held = 0, 0
    for _ in range(len(steps)):
        code, yes, no, value = struct.unpack_from("=HBBI", steps, 8 * at)
        at += 1
        if code == 0x20:
            held = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            held &= value
        elif code == 0x15:
            at += yes if held == value else no
        else:
            assert code == 0x06
            return value
    raise AssertionError("the filter does not end")


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest):
    return MACHINES[request.param]


def test_what_is_not_on_the_list_ends_the_process(machine):
    steps = program(machine, DESCRIPTOR)
    looked_at = {machine.reads, machine.writes, machine.maps, machine.protects}
    for number in {*range(700), 0x4000_0000, 0x4000_0027, 2**31 - 1}:
        if number not in looked_at:
            allowed = answer(steps, machine.audit, number, ()) == ALLOW
            assert allowed == (number in machine.free), number


def test_another_architecture_s_numbers_are_not_read(machine):
    steps = program(machine, DESCRIPTOR)
    for audit in {0x4000_0003, 0x4000_0028, *(other.audit for other in MACHINES.values())} - {machine.audit}:
        assert {answer(steps, audit, number, (DESCRIPTOR,)) for number in range(500)} == {KILL}


@given(st.integers(0, 2**64 - 1))
def test_one_descriptor_is_read_and_written(descriptor: int):
    for machine in MACHINES.values():
        for number in (machine.reads, machine.writes):
            got = answer(program(machine, DESCRIPTOR), machine.audit, number, (descriptor,))
            assert (got == ALLOW) == (descriptor == DESCRIPTOR)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_no_memory_is_executable_or_a_file_s(protection: int, flags: int):
    for machine in MACHINES.values():
        steps = program(machine, DESCRIPTOR)
        harmless = not protection & EXECUTABLE
        assert (answer(steps, machine.audit, machine.protects, (0, 1, protection)) == ALLOW) == harmless
        mapped = answer(steps, machine.audit, machine.maps, (0, 1, protection, flags)) == ALLOW
        assert mapped == (harmless and bool(flags & 0x20))


def test_the_list_is_as_short_as_it_is():
    """What is added here opens a wall: say why in `edge.session.confine`."""
    assert {name: len(machine.free) for name, machine in MACHINES.items()} == {"x86_64": 11, "aarch64": 11}


def test_what_the_kernel_is_told_to_say_of_itself_opens_no_wall():
    """``setarch i686`` changes what uname says, and no call's number."""
    code = "from edge.session.confine import architecture; print(architecture())"
    for start in ([], ["setarch", "i686"], ["setarch", "armv7l"]):
        done = subprocess.run(
            [*start, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:  # the kernel knows that personality
            assert done.stdout.strip() == platform.machine()


@pytest.fixture(scope="module")
def tried() -> dict[str, int]:
    """Every way out, each in a process of its own behind seccomp alone: how it ended, 0 where the call came back."""
    if platform.machine() not in MACHINES:
        pytest.skip("the filter knows x86-64 and arm64")
    command = [sys.executable, "-m", "tests.session.ways_out"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_at_least_thirty_ways_out_are_refused_by_seccomp_alone(tried: dict[str, int]):
    assert len(set(tried) & set(WAYS)) >= 30
    assert {name: how for name, how in tried.items() if how != -31 and not name.startswith("may ")} == {}, "SIGSYS"


def test_what_a_cell_needs_comes_back(tried: dict[str, int]):
    """Else the test above could not fail: a process that dies of anything refuses everything."""
    assert {name: how for name, how in tried.items() if name.startswith("may ")} == {
        "may write its own descriptor": 0,
        "may take memory": 0,
        "may ask the time": 0,
    }


def test_walls_are_told_in_words():
    assert str(Walls(seccomp=True, landlock=7)) == "seccomp, Landlock 7"
    assert str(Walls(seccomp=False, landlock=0)) == "no seccomp, no Landlock"
