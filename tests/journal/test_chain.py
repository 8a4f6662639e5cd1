"""The journal's chain: whatever is altered, left out, added or cut off shows."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from edge.errors import JournalBroken
from edge.journal import Entry, begin_anew, verify

KEY = bytes(range(32))


def lines(folder: Path) -> list[bytes]:
    return (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)


def rewrite(folder: Path, content: list[bytes]) -> None:
    (folder / "journal.jsonl").write_bytes(b"".join(content))


def test_ten_entries_verify_also_after_a_restart(journal, start):
    assert str(journal.verify()) == "the chain holds: 10 entries, 1 to 10"
    journal.close()
    again = start()
    assert again.sequence == 10
    again.write("stopped", cause="signal")
    assert again.verify().entries == 11
    assert [entry.kind for entry in again.last(2)] == ["revoked", "stopped"]


def test_an_empty_journal_verifies(start):
    journal = start()
    assert journal.verify().ok
    assert journal.last(5) == []
    journal.close()
    assert start().verify().entries == 0


def test_files_are_the_owner_s_alone(journal, folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_each_entry_is_one_line_of_json_that_names_the_one_before(journal, folder):
    entries = [json.loads(line) for line in lines(folder)]
    assert [entry["seq"] for entry in entries] == list(range(1, 11))
    assert all(entry["prev"] == before["hash"] for before, entry in itertools.pairwise(entries))


def test_an_altered_byte_anywhere_is_found_in_its_line(journal, folder):
    content = lines(folder)
    dice = random.Random(8)
    for number in range(10):
        for place in dice.sample(range(len(content[number]) - 1), 25):
            altered = bytearray(content[number])
            altered[place] ^= 1 << dice.randrange(8)
            rewrite(folder, [*content[:number], bytes(altered), *content[number + 1 :]])
            report = journal.verify()
            assert not report.ok or report.torn, (number, place)
            # the very last line may read as cut off by a power cut, but then the head file misses it
            assert not report.ok
    rewrite(folder, content)
    assert journal.verify().ok


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("an entry left out", lambda x: x[:4] + x[5:]),
        ("the first left out", lambda x: x[1:]),
        ("two exchanged", lambda x: [*x[:4], x[5], x[4], *x[6:]]),
        ("one doubled", lambda x: [*x[:4], x[4], *x[4:]]),
        ("the end cut off", lambda x: x[:7]),
        ("everything cut off", lambda x: []),
        ("a blank line", lambda x: [*x[:4], b"\n", *x[4:]]),
        ("a line of junk", lambda x: [*x[:4], b"junk\n", *x[4:]]),
        ("an end in mid-line", lambda x: [*x[:9], x[9][:50]]),
        ("spaces added", lambda x: [*x[:4], x[4].replace(b'":', b'": '), *x[5:]]),
    ],
)
def test_tampering_shows_in_the_report_and_at_the_next_start(journal, folder, start, name, edit):
    rewrite(folder, edit(lines(folder)))
    assert not journal.verify().ok, name
    journal.close()
    broken_at_start = name in ("the end cut off", "everything cut off", "an end in mid-line")
    if broken_at_start:  # the start looks at the end only; the self-test verifies the whole
        with pytest.raises(JournalBroken) as refused:
            start()
        assert "begin" in refused.value.remedy


def test_the_first_broken_line_is_named(journal, folder):
    content = lines(folder)
    content[3] = content[3].replace(b"olga", b"emil")
    rewrite(folder, content)
    report = journal.verify()
    assert (report.line, report.entries) == (4, 3)
    assert "entry 4" in report.problem


def test_an_entry_added_by_somebody_without_the_device_s_key_shows(journal, folder):
    last = Entry.parse(lines(folder)[-1].rstrip())
    forged = Entry.make(11, last.at, "revoked", {"operator": "emil"}, last.hash, bytes(32))
    rewrite(folder, [*lines(folder), forged.line()])
    assert "altered" in journal.verify().problem


def test_a_chain_recomputed_without_the_key_shows(journal, folder):
    prev, forged = "0" * 64, []
    for k in range(1, 11):
        entry = Entry.make(k, 1_790_000_000, "revoked", {"operator": "emil"}, prev, bytes(32))
        forged.append(entry.line())
        prev = entry.hash
    rewrite(folder, forged)
    assert journal.verify().line == 1


def test_a_genuine_entry_of_another_past_of_the_device_shows(journal, folder):
    """A device put back and run again writes a second entry 11; one of them does not continue the other's chain."""
    journal.write("stopped", cause="signal")
    content = lines(folder)
    eleventh = Entry.parse(content[10].rstrip())
    other = Entry.make(11, eleventh.at, "stopped", {"cause": "other"}, eleventh.prev, KEY)
    twelfth = Entry.make(12, eleventh.at, "started", {}, other.hash, KEY)
    rewrite(folder, [*content, twelfth.line()])
    assert journal.verify().problem == "entry 12 does not follow the entry before it"


def test_an_entry_is_synced_and_then_its_head_before_write_returns(journal, folder, monkeypatch):
    synced = []
    real = os.fdatasync

    def told(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", told)
    journal.write("stopped", cause="signal")
    assert synced == ["journal.jsonl", "journal.head"]


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head"])
def test_a_missing_file_shows(journal, folder, start, name):
    journal.close()
    (folder / name).unlink()
    with pytest.raises(JournalBroken, match="missing"):
        start()


def test_an_older_journal_put_back_shows(journal, folder, start, tmp_path):
    shutil.copytree(folder, tmp_path / "old")
    journal.write("stopped", cause="signal")
    journal.close()
    shutil.copy(tmp_path / "old" / "journal.jsonl", folder)
    with pytest.raises(JournalBroken, match="end is missing"):
        start()
    shutil.copy(tmp_path / "old" / "journal.head", folder)
    start().close()  # both together do not show by themselves ...
    with pytest.raises(JournalBroken, match="older journal"):
        start(at_least=11)  # ... but by the counter in edge.state


def test_both_files_deleted_show_by_the_counter(journal, folder, start):
    journal.close()
    for name in ("journal.jsonl", "journal.head"):
        (folder / name).unlink()
    with pytest.raises(JournalBroken):
        start(at_least=10)


def test_another_device_s_journal_is_refused(journal, start):
    journal.close()
    with pytest.raises(JournalBroken):
        start(key=bytes(32))


def test_a_deleted_file_is_noticed_while_running(journal, folder):
    (folder / "journal.jsonl").unlink()
    with pytest.raises(JournalBroken, match="missing"):
        journal.write("stopped", cause="signal")
    assert "missing" in journal.verify().problem


def test_begin_anew_keeps_the_old_files_and_goes_on_counting(journal, folder, clock, start):
    rewrite(folder, lines(folder)[:5])
    journal.close()
    with pytest.raises(JournalBroken):
        start()
    with begin_anew(folder, KEY, now=clock, operator="olga", stamp="x") as new:
        assert new.verify().ok
        assert new.sequence == 11
        assert new.last(1)[0].fields == {"operator": "olga", "after": 10}
    assert len((folder / "journal.jsonl.broken-x").read_bytes().splitlines()) == 5
    again = start(at_least=11)
    again.write("stopped", cause="signal")
    assert again.verify().ok


# -- power cuts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 40, 150, -2])
def test_a_line_cut_off_by_a_power_cut_is_kept_noted_and_the_chain_goes_on(journal, folder, start, cut):
    journal.close()
    content = lines(folder)
    extra = Entry.make(11, 1, "stopped", {}, Entry.parse(content[-1].rstrip()).hash, KEY).line()
    rewrite(folder, [*content, extra[:cut]])
    again = start()
    report = again.verify()
    assert (report.ok, report.recovered, report.entries) == (True, 1, 11)
    assert again.last(1)[0].kind == "recovered"
    assert extra[:cut] in (folder / "journal.jsonl").read_bytes()
    again.write("stopped", cause="signal")
    assert again.verify().entries == 12


@pytest.mark.parametrize("junk", [b"\0" * 300, b"\0" * 300 + b"\n", b"a\rb\n\xff\nc", b"{}\n{}\n"])
def test_blocks_that_the_file_system_left_behind_are_noted_too(journal, folder, start, junk):
    journal.close()
    rewrite(folder, [*lines(folder), junk])
    again = start()
    assert again.verify().ok
    assert again.verify().recovered == 1
    # and nothing may be added to the trace afterwards
    content = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(content.replace(junk, junk[:-1] + b"x" + junk[-1:]))
    assert not again.verify().ok


def test_an_entry_whose_head_was_not_yet_written_counts(journal, folder, start):
    journal.close()
    head = (folder / "journal.head").read_bytes()
    start().write("stopped", cause="signal")
    (folder / "journal.head").write_bytes(head)
    again = start()
    assert again.sequence == 11
    again.write("stopped", cause="signal")
    assert again.verify().entries == 12


def test_an_entry_that_lacks_nothing_but_its_newline_counts(journal, folder, start):
    journal.close()
    head = (folder / "journal.head").read_bytes()
    start().write("stopped", cause="signal")
    (folder / "journal.head").write_bytes(head)
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    again = start()
    assert again.sequence == 11
    assert (again.verify().recovered, again.verify().torn) == (0, False)


def test_a_head_slot_cut_off_by_a_power_cut_leaves_the_other(journal, folder, start):
    journal.close()
    content = bytearray((folder / "journal.head").read_bytes())
    content[10:40] = bytes(30)  # the slot of the even numbers: entry 10
    (folder / "journal.head").write_bytes(bytes(content))
    again = start()
    again.write("stopped", cause="signal")
    assert again.verify().entries == 11


def test_a_process_killed_while_writing_leaves_a_journal_that_verifies(folder, start):
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from edge.journal import Journal
        journal = Journal(Path({str(folder)!r}), bytes(range(32)), now=lambda: 1790000000)
        while True:
            journal.write("revoked", serial="{"0" * 32}", operator="olga")
            print(journal.sequence, flush=True)
    """)
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root, env=environment
        )
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split()]
        process.wait()
        with start() as journal:
            assert journal.sequence >= told[-1], "an entry that was reported as written is there"
            assert journal.verify().ok


# -- pruning ---------------------------------------------------------------------------------------------------------


def test_pruning_drops_old_entries_and_the_rest_still_verifies(journal, folder, start):
    cut = journal.last(10)[6].at
    assert journal.prune(cut) == 6
    report = journal.verify()
    assert (report.ok, report.pruned, report.last) == (True, 6, 11)
    assert journal.last(1)[0].fields == {"through": 6, "entries": 6}
    assert f"{2:032x}".encode() not in (folder / "journal.jsonl").read_bytes()
    journal.close()
    again = start(at_least=11)
    again.write("stopped", cause="signal")
    assert again.prune(cut) == 0
    assert again.prune(2**40) == 6
    report = again.verify()
    assert (report.ok, report.pruned, report.entries) == (True, 12, 2)
    again.write("stopped", cause="signal")
    assert again.verify().ok
    again.close()
    assert start().verify().ok


def test_a_checkpoint_cannot_hide_more_than_was_pruned(journal, folder):
    journal.prune(journal.last(10)[6].at)
    content = lines(folder)
    rewrite(folder, [content[0], *content[2:]])
    assert "missing" in journal.verify().problem
    rewrite(folder, content[1:])
    assert not journal.verify().ok
    rewrite(folder, [*content[:3], content[0], *content[3:]])
    assert "checkpoint" in journal.verify().problem


def test_a_broken_journal_is_not_pruned(journal, folder):
    rewrite(folder, [line.replace(b"olga", b"emil") for line in lines(folder)])
    before = (folder / "journal.jsonl").read_bytes()
    with pytest.raises(JournalBroken):
        journal.prune(2**40)
    assert (folder / "journal.jsonl").read_bytes() == before


# -- threads and processes -------------------------------------------------------------------------------------------


def test_threads_and_processes_write_one_chain(journal, start):
    other = start()
    failures: list[BaseException] = []

    def work(own) -> None:
        try:
            for _ in range(15):
                own.write("stopped", cause="signal")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(own,)) for own in (journal, journal, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert journal.verify().entries == 70
    other.prune(2**40)
    journal.write("stopped", cause="signal")
    assert other.verify().ok


def test_a_closed_journal_says_so(journal):
    journal.close()
    journal.close()
    with pytest.raises(JournalBroken, match="closed"):
        journal.write("stopped", cause="signal")


def test_a_disk_that_cannot_be_written_is_a_typed_error_and_nothing_is_lost(journal, monkeypatch):
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.journal.journal.os.write", full)
    with pytest.raises(JournalBroken, match="no space"):
        journal.write("stopped", cause="signal")
    monkeypatch.undo()
    journal.write("stopped", cause="signal")
    assert journal.verify().entries == 11


def test_half_a_line_written_to_a_full_disk_is_noted_by_the_next_write(journal, monkeypatch):
    real = os.write
    calls = []

    def full(handle: int, data: bytes) -> int:
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(handle, data[:30])

    monkeypatch.setattr("edge.journal.journal.os.write", full)
    with pytest.raises(JournalBroken):
        journal.write("stopped", cause="signal")
    monkeypatch.undo()
    journal.write("stopped", cause="signal")
    report = journal.verify()
    assert (report.ok, report.recovered, report.entries) == (True, 1, 12)


@pytest.mark.parametrize(
    ("fill", "size"),
    [(b"\0", 1), (b"\0", 20_000), (b"\0", 64 * 1024), (b"\0", 3_000_000), (b"junk\n", 70_000)],
)
def test_any_number_of_bytes_that_a_power_cut_left_behind_is_recovered(journal, folder, start, size, fill):
    journal.close()
    left = (fill * size)[:size]
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes() + left)
    assert verify(path, folder / "journal.head", KEY).ok
    again = start()
    assert again.last(1)[0].fields["bytes"] == size
    assert again.verify().ok
    again.write("stopped", cause="signal")
    assert again.verify().entries == 12
