"""A session's own process: it answers as the same code does here, holds one template, reaches nothing, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import ModelError, ModelMismatch, SealBroken, SessionLost, SpentError
from edge.face import Chain, load_card
from edge.face.match import average
from edge.session.cell import Cell
from edge.session.cell_process import ANSWER
from edge.session.cells import Cells, ClosedCell
from edge.settings.model import FaceSettings
from edge.types import Custody, Frame
from edge.vault.seal import SEVERAL, VERSION, Header, Lock, new_lock
from tests.attacks.test_memory import forms, memory_of
from tests.cells import OWN

KEY, SECRET = bytes(range(32)), bytes(range(100, 132))


@pytest.fixture(scope="module", autouse=True)
def _as_the_product_does() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cells, "_start", OWN[0])
        patch.setattr(Cells, "_stop", OWN[1])
        yield


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(FaceSettings(threads=1))


@pytest.fixture(scope="module")
def model(chain: Chain) -> bytes:
    return bytes.fromhex(chain.model)


@pytest.fixture(scope="module")
def faces(chain: Chain, picture) -> dict[str, list[np.ndarray]]:
    """Aligned faces of two people, three pictures each, as a cell is given them."""
    found: dict[str, list[np.ndarray]] = {}
    for name in ("hana", "chen"):
        for variant in (0, 1, 2):
            look = chain.look(Frame(picture(name, variant), 0, 0, "picture"), gate=False)
            found.setdefault(name, []).append(chain.pixels(replace(look, reason=None)))
    return found


@pytest.fixture(scope="module")
def cells(chain: Chain) -> Iterator[Cells]:
    with Cells([chain.embedder.card]) as begun:
        yield begun


def lock_for(model: bytes, references: int = 1) -> Lock:
    version = VERSION if references == 1 else SEVERAL
    header = Header(Custody.CARD, bytes(16), model, 128, 0, 2**31, version)
    return new_lock(header, secret=SECRET, key=KEY, random_bytes=os.urandom)


def enrolled(cell: Cell | ClosedCell, faces: list[np.ndarray], lock: Lock) -> bytes:
    assert all(cell.keep(face, alike=0.2) for face in faces)
    assert cell.settle(0.2)
    return cell.seal(lock, opened=False, kept=True).ciphertext


def running(process: int) -> bool:
    """Whether it runs; one that nobody has waited for is a zombie, and does not."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def gone(*processes: int) -> bool:
    """Whether none of them runs, a moment after it was killed."""
    for _ in range(200):
        if not any(running(process) for process in processes):
            return True
        threading.Event().wait(0.02)
    return False


def test_a_cell_answers_bit_for_bit_as_the_same_code_does_here(cells: Cells, chain: Chain, model: bytes, faces):
    lock = lock_for(model)
    here = Cell({model: chain.embedder.runner.embed}, model)
    with cells._begin("s") as there:
        sealed = enrolled(there, faces["hana"], lock)
    assert sealed == enrolled(here, faces["hana"], lock)
    with cells._begin("s") as there:
        for cell in (here, there):
            cell.open(lock, sealed, model=model, references=1, threshold=0.5, most=6)
        answers = [(here.compare(face), there.compare(face)) for name in faces for face in faces[name]]
    assert [a for a, _ in answers] == [b for _, b in answers]
    assert [a.passed for a, _ in answers] == [True] * 3 + [False] * 3


def test_it_has_one_descriptor_and_walls_and_is_gone_with_its_session(cells: Cells):
    with cells._begin("s") as cell:
        assert cell.walls.seccomp
        assert os.listdir(f"/proc/{cell.process}/fd") == ["3"]  # noqa: PTH208
        status = dict(line.split(":\t") for line in Path(f"/proc/{cell.process}/status").read_text().splitlines())
        assert (status["Seccomp"], status["NoNewPrivs"], status["Threads"].strip()) == ("2", "1", "1")
        assert running(cell.process)
    assert gone(cell.process)


def test_what_waits_was_never_told_anything_of_a_card(cells: Cells, chain: Chain, model: bytes, faces):
    """Looked for in every page of it, after a session: of the template, of what was seen, and of the card's keys."""
    lock = lock_for(model)
    with cells._begin("s") as cell:
        sealed = enrolled(cell, faces["hana"], lock)
    with cells._begin("s") as cell:
        cell.open(lock, sealed, model=model, references=1, threshold=0.5, most=1)
        assert cell.compare(faces["hana"][0]).passed
        plain = average([chain.embedder.runner.embed(face) for face in faces["hana"]])
        with lock.open(sealed, model_digest=model, session="s") as template:
            secrets = {**forms("template", plain), **forms("as sealed", template.read("s")), "key": lock.key}
        assert {"key", "as sealed, int8"} <= memory_of(cell.process, secrets), "the search finds what is there"
    assert cells._process is not None
    assert memory_of(cells._process.pid, secrets) == set()


def test_it_holds_one_template_and_has_its_comparisons(cells: Cells, model: bytes, faces):
    lock = lock_for(model)
    with cells._begin("s") as cell:
        sealed = enrolled(cell, faces["hana"], lock)
    with cells._begin("s") as cell:
        with pytest.raises(SpentError, match="comparison limit"):
            cell.compare(faces["hana"][0])
        cell.open(lock, sealed, model=model, references=1, threshold=0.5, most=2)
        with pytest.raises(SpentError):
            cell.open(lock, sealed, model=model, references=1, threshold=0.5, most=2)
        for _ in range(2):
            cell.compare(faces["chen"][0])
        for _ in range(3):
            with pytest.raises(SpentError, match="comparison limit"):
                cell.compare(faces["hana"][0])


def test_what_does_not_open_is_said_in_the_vault_s_words(cells: Cells, model: bytes, faces):
    lock = lock_for(model)
    with cells._begin("s") as cell:
        sealed = enrolled(cell, faces["hana"], lock)
    for wrong, cipher in ((replace(lock, key=KEY), sealed), (lock, sealed[:-1] + bytes(1)), (lock, sealed[:-1])):
        with cells._begin("s") as cell, pytest.raises(SealBroken, match="does not open with this card"):
            cell.open(wrong, cipher, model=model, references=1, threshold=0.5, most=2)
    with cells._begin("s") as cell, pytest.raises(ModelMismatch):
        cell.open(lock, sealed, model=bytes(32), references=1, threshold=0.5, most=2)


def test_captures_that_are_unlike_are_not_kept_and_nothing_is_sealed_without_any(cells: Cells, model: bytes, faces):
    with cells._begin("s") as cell:
        with pytest.raises(SpentError):
            cell.seal(lock_for(model), opened=False, kept=True)
        assert cell.keep(faces["hana"][0], alike=0.5)
        assert not cell.keep(faces["chen"][0], alike=0.5)
        cell.start_over()
        assert cell.keep(faces["chen"][0], alike=0.5)


def test_references_are_sealed_together(cells: Cells, model: bytes, faces):
    first, both = lock_for(model), lock_for(model, references=2)
    with cells._begin("s") as cell:
        one = enrolled(cell, faces["hana"][:1], first)
    with cells._begin("s") as cell:
        cell.open(first, one, model=model, references=1, threshold=0.5, most=1)
        assert cell.keep(faces["hana"][1], alike=0.5)
        sealed = cell.seal(both, opened=True, kept=True)
    with both.open(sealed.ciphertext, model_digest=model, session="s") as template:
        assert template.references == 2


def test_a_cell_that_is_killed_ends_its_session_and_no_other(cells: Cells, faces):
    with cells._begin("s") as cell:
        _ = cell.walls
        os.kill(cell.process, signal.SIGKILL)
        with pytest.raises(SessionLost, match="signal 9"):
            cell.keep(faces["hana"][0], alike=0.5)
    with cells._begin("s") as cell:
        assert cell.keep(faces["hana"][0], alike=0.5)


def test_a_waiting_process_that_is_killed_takes_its_cells_along_and_is_started_anew(chain: Chain, faces):
    with Cells([chain.embedder.card]) as cells:
        with cells._begin("s") as cell:
            _ = cell.walls
            assert cells._process is not None
            cells._process.kill()
            cells._process.wait()
            with pytest.raises(SessionLost):
                _ = [cell.keep(faces["hana"][0], alike=0.5) for _ in range(100)]
        with cells._begin("s") as cell:
            assert cell.keep(faces["hana"][0], alike=0.5)


def test_a_door_that_ignores_the_end_of_its_children_has_sessions_all_the_same(chain: Chain, faces):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Cells([chain.embedder.card]) as cells:
            for _ in range(3):
                with cells._begin("s") as cell:
                    assert cell.keep(faces["hana"][0], alike=0.5)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_waiting_process_that_hangs_holds_no_door_up_for_long(chain: Chain, faces, monkeypatch):
    monkeypatch.setattr("edge.session.cells.PATIENCE_S", 3.0)
    with Cells([chain.embedder.card]) as cells:
        cells.ready()
        assert cells._process is not None
        os.kill(cells._process.pid, signal.SIGSTOP)
        with pytest.raises(SessionLost):
            cells._begin("s")
        with cells._begin("s") as cell:
            assert cell.keep(faces["hana"][0], alike=0.5)


def killed_door(chain: Chain, *, child: bool) -> list[int]:
    """A door that is killed in a session: the processes of what waits, of the cell, and of a child of the door's."""
    reading, writing = os.pipe()
    door = os.fork()
    if door == 0:
        cells = Cells([chain.embedder.card])
        cell = cells._begin("s")
        _ = cell.walls
        assert cells._process is not None
        left = os.fork() if child else -1
        if left == 0:
            os.close(writing)
            time.sleep(60)
            os._exit(0)
        os.write(writing, f"{cells._process.pid} {cell.process} {left}".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    processes = [int(word) for word in os.read(reading, 100).split()]
    os.close(reading)
    os.waitpid(door, 0)
    return processes


def test_nothing_is_left_when_the_door_s_process_has_gone(chain: Chain):
    *processes, _ = killed_door(chain, child=False)
    assert len(processes) == 2
    assert gone(*processes)


def test_sessions_beside_each_other_do_not_meet(cells: Cells, model: bytes, faces):
    lock, wrong = lock_for(model), []
    with cells._begin("s") as cell:
        sealed = enrolled(cell, faces["hana"], lock)

    def session(name: str) -> None:
        for _ in range(5):
            with cells._begin("s") as cell:
                cell.open(lock, sealed, model=model, references=1, threshold=0.5, most=1)
                if cell.compare(faces[name][0]).passed != (name == "hana"):
                    wrong.append(name)

    threads = [threading.Thread(target=session, args=(name,)) for name in ("hana", "chen") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([b"o", b"c", b"k", b"t", b"a", b"z", b"j", b"\0"]), st.binary(max_size=300))))
def test_whatever_it_is_told_it_answers_or_ends(cells: Cells, requests: list[tuple[bytes, bytes]]):
    with cells._begin("s") as cell:
        for what, data in requests:
            try:
                cell._ask(what, data)
            except (SealBroken, ModelMismatch, SpentError, ModelError):
                continue
    assert gone(cell.process)


def test_a_model_that_is_not_its_card_s_is_refused_where_it_is_loaded(tmp_path: Path):
    card = load_card("embedder")
    damaged = tmp_path / "embedder.tflite"
    damaged.write_bytes(card.path.read_bytes()[:-1] + b"x")
    with Cells([replace(card, path=damaged)]) as cells, pytest.raises(ModelError, match="SHA-256"):
        cells.ready()


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER.pack(b"y", float("nan"), 0) + ANSWER.pack(b"?", 0.0, 0),
        ANSWER.pack(b"y", float("inf"), 0) + ANSWER.pack(b"\0", 0.0, 0),
        ANSWER.pack(b"y", 7.0, 0) + ANSWER.pack(b"y", 0.0, 2**32 - 1),
        ANSWER.pack(b"y", 7.0, 2**31),
        ANSWER.pack(b"y", 7.0, 0) + ANSWER.pack(b"y", 0.0, 0)[:-1],
        b"",
    ],
)
def test_a_cell_that_was_taken_over_costs_its_session_and_nothing_else(cells: Cells, monkeypatch, answer: bytes):
    monkeypatch.setattr("edge.session.cells.PATIENCE_S", 0.3)
    mine, its = socket.socketpair()
    with its, ClosedCell(cells, mine, 2**22, "s") as cell:
        its.sendall(answer)
        with pytest.raises(SessionLost):
            cell.settle(0.5)


def test_a_cell_that_drips_is_given_up_in_time(cells: Cells, monkeypatch):
    monkeypatch.setattr("edge.session.cells.PATIENCE_S", 0.5)
    mine, its = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        for byte in ANSWER.pack(b"y", 7.0, 0) + ANSWER.pack(b"y", 0.0, 0):
            if stop.wait(0.2):
                return
            its.sendall(bytes([byte]))

    dripping = threading.Thread(target=drip)
    dripping.start()
    with ClosedCell(cells, mine, 2**22, "s") as cell, pytest.raises(SessionLost, match="did not answer for"):
        cell.settle(0.5)
    stop.set()
    dripping.join()
    its.close()


def test_no_other_program_gets_a_descriptor_of_it(cells: Cells):
    with cells._begin("s") as cell:
        assert not os.get_inheritable(cell._connection.fileno())


def test_it_ends_with_the_door_though_a_child_of_the_door_s_lives_on(chain: Chain):
    *processes, left = killed_door(chain, child=True)
    assert gone(*processes)
    assert running(left)
    os.kill(left, signal.SIGKILL)


def test_a_program_that_was_started_under_python_s_name_is_not_started_again():
    code = "import os, sys; sys.executable = '/bin/true'; from edge._isolated import command; command('edge')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "is not the Python that runs" in done.stderr
