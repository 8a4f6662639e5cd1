"""One way to write a file, whole or not at all; one way to read one, which says whose it must be when it cannot."""

from __future__ import annotations

import ast
import errno
import os
import pwd
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import EdgeError, InputError, KeyringError
from edge.files import atomic, check_writable, read_file, refusal, utf8, visible_files, write_atomic

EDGE = Path(__file__).resolve().parent.parent / "edge"
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
#: A user without a name on this machine.
STRANGER = next(uid for uid in range(54321, 65000) if uid not in {known.pw_uid for known in pwd.getpwall()})


def read(path: Path, **more: object) -> bytes:
    return read_file(path, limit=100, kind=KeyringError, **more)


def as_user(uid: int, act: Callable[[], object]) -> str:
    """What an act gives, or says of why not, as another user (in a fork: our Python may not be theirs to start)."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            told = str(act())
        except EdgeError as error:
            told = str(error)
        except Exception as error:  # else this child goes on with the suite
            told = repr(error)
        os.write(into, told.encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of a user who has a number and no name, which that user can reach."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("test_", "popen-", "pytest-")):  # pytest's own
            folder.chmod(0o755)
    place = tmp_path / "state"
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(place, STRANGER, STRANGER)
    return place


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_a_file_has_its_content_and_its_exact_mode_whatever_the_umask(tmp_path: Path, mode: int):
    before = os.umask(0o077)
    try:
        write_atomic(tmp_path / "a", b"one", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_without_a_mode_the_old_file_s_is_kept(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_new_file_takes_no_name_that_is_taken_not_even_by_a_link_to_nowhere(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            write_atomic(tmp_path / name, b"new", new=True)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path):
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    write_atomic(tmp_path / "a", b"mine", mode=0o600)
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


def test_the_old_content_stays_when_the_block_fails(tmp_path: Path):
    write_atomic(tmp_path / "a", b"old")
    with pytest.raises(TypeError), atomic(tmp_path / "a") as file:
        file.writelines([b"half", "of it"])
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


@pytest.mark.parametrize("new", [True, False])
def test_a_full_disk_leaves_nothing_of_the_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: bool):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(tmp_path / "a", b"secret", new=new)
    assert list(tmp_path.iterdir()) == []


def test_the_content_is_synced_before_the_name_and_the_name_before_it_returns(tmp_path, monkeypatch):
    steps: list[str] = []
    fsync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda h: (steps.append(stat.filemode(os.fstat(h).st_mode)[0]), fsync(h))[1])
    monkeypatch.setattr(Path, "replace", lambda self, target: (steps.append("name"), rename(self, target))[1])
    write_atomic(tmp_path / "a", b"x")
    assert steps == ["-", "name", "d"]


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path):
    code = """
    import os, signal, sys
    from pathlib import Path
    from edge.files import atomic
    with atomic(Path(sys.argv[1]), mode=0o600) as file:
        file.write(b"secret")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    script = f"import sys\nsys.path.insert(0, {str(EDGE.parent)!r})\n{textwrap.dedent(code)}"
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"secret"
    with atomic(tmp_path / "a") as alive:
        assert not left.exists()
        alive.write(b"first")
        write_atomic(tmp_path / "a", b"second")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"first")]


@pytest.mark.parametrize("new", [True, False])
def test_a_stick_without_modes_and_links_is_written_all_the_same(tmp_path, monkeypatch, new: bool):
    """As FAT answers: chmod and link are not permitted there."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refuse)
    monkeypatch.setattr(os, "link", refuse)
    write_atomic(tmp_path / "card", b"x", mode=0o600, new=new, stick=True)
    assert (tmp_path / "card").read_bytes() == b"x"
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "card", b"y", mode=0o600, new=True, stick=True)
    assert [path.name for path in tmp_path.iterdir()] == ["card"]
    with pytest.raises(PermissionError):
        write_atomic(tmp_path / "key", b"x", mode=0o600, new=True)


def test_a_long_name_has_room_for_its_draft(tmp_path: Path):
    path = tmp_path / ("ü" * 127)
    write_atomic(path, b"x", new=True)
    assert path.read_bytes() == b"x"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_else_in_the_product_writes_a_file_in_its_own_way():
    alone = {"fsync", "O_EXCL", "mkstemp", "NamedTemporaryFile"}
    found = {
        f"{path.relative_to(EDGE)}: {node.attr}"
        for path in EDGE.rglob("*.py")
        if path != EDGE / "files.py" and "_build" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in alone
    }
    assert found == set()


def test_it_needs_the_standard_library_alone():
    code = "import sys, edge.files; sys.exit(bool({'cryptography', 'yaml', 'numpy', 'click'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=EDGE.parent).returncode == 0


# -- reading ---------------------------------------------------------------------------------------------------------


def test_a_link_a_folder_a_pipe_a_socket_a_giant_and_a_bad_name_are_told_apart(tmp_path: Path):
    import socket

    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "giant").write_bytes(bytes(101))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        told = {}
        for name in ("link", "folder", "pipe", "socket", "giant", "missing", "real/below", "nul\0"):
            with pytest.raises(KeyringError) as caught:
                read(tmp_path / name)
            told[name] = str(caught.value)
    for name, words in {
        "link": "it is a link); name the file that it leads to",
        "folder": "not a regular file",
        "pipe": "not a regular file",
        "socket": "a socket or a device",
        "giant": "too large",
        "missing": "there is no such file; check the name",
        "real/below": "a part of it is a file",
        "nul\0": "not a file name",
    }.items():
        assert words in told[name]
    assert read(tmp_path / "real") == b"x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_private_file_that_others_can_reach_is_refused_and_its_remedy_works(tmp_path: Path, mode: int):
    file = tmp_path / "a.key"
    file.write_bytes(b"x")
    file.chmod(mode)
    with pytest.raises(KeyringError, match="others may access this key file") as caught:
        read(file, noun="key file", private=True)
    subprocess.run(caught.value.remedy.split(",", 1)[0].split(), check=True)
    assert read(file, noun="key file", private=True) == b"x"


def as_stranger(file: Path) -> str:
    return as_user(STRANGER, lambda: read(file, noun="key file", private=True))


def test_a_remedy_can_be_pasted_where_the_path_has_a_space(tmp_path: Path):
    place = tmp_path / "my keys é"
    place.mkdir()
    path = place / "a key"
    path.write_bytes(b"x")
    path.chmod(0o644)
    with pytest.raises(KeyringError) as refused:
        read(path, private=True)
    subprocess.run(["sh", "-c", refused.value.remedy.split(",", 1)[0]], check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@ROOT_ONLY
def test_root_is_sent_to_the_owner_of_a_key_instead_of_taking_it_from_them(home: Path):
    """`chown it to this user` left a door that did not start."""
    file = home / "site.key"
    write_atomic(file, b"x", mode=0o600)
    os.chown(file, STRANGER, STRANGER)
    with pytest.raises(KeyringError, match="belongs to another user") as caught:
        read(file, noun="key file", private=True)
    assert "chown" not in caught.value.remedy
    way = caught.value.remedy.partition("sudo ")[2].removesuffix("edge ...").split()
    assert way[:1] == ["setpriv"], "sudo knows no user without a name"
    done = subprocess.run([*way, "cat", str(file)], capture_output=True, check=True)
    assert done.stdout == b"x", "the remedy was tried"


@ROOT_ONLY
@pytest.mark.parametrize(
    ("sudo", "way"),
    [("/usr/bin/sudo", "sudo -u nobody"), (None, "setpriv --reuid=nobody --regid=65534 --init-groups")],
)
def test_an_owner_with_a_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sudo: str | None, way: str):
    """A bare Debian has no sudo."""
    monkeypatch.setattr("edge.files.which", lambda name: sudo)
    file = tmp_path / "site.key"
    write_atomic(file, b"x", mode=0o600)
    nobody = pwd.getpwnam("nobody")
    os.chown(file, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(KeyringError) as caught:
        read(file, private=True)
    assert caught.value.remedy == f"run it as the owner: {way} edge ..."


@ROOT_ONLY
def test_a_key_that_root_has_taken_is_said_to_be_the_folder_s_user_s_and_the_remedy_works(home: Path):
    file = home / "site.key"
    write_atomic(file, b"x", mode=0o600)
    told = as_stranger(file)
    assert "Permission denied" in told
    assert f"it belongs to root and lies in a folder of {STRANGER}: sudo chown {STRANGER} {file}" in told
    subprocess.run(told.partition("sudo ")[2].split(), check=True)
    assert as_stranger(file) == "b'x'"


@ROOT_ONLY
def test_a_stranger_is_sent_to_the_owner_of_the_folder_that_keeps_them_out(tmp_path: Path, home: Path):
    write_atomic(home / "site.key", b"x", mode=0o600)
    os.chown(home, 0, 0)
    assert "it belongs to root: sudo edge ..." in as_stranger(home / "site.key")


@ROOT_ONLY
def test_one_s_own_file_without_the_permission_to_read_it_is_said_to_need_it(home: Path):
    write_atomic(home / "a", b"x", mode=0o000)
    os.chown(home / "a", STRANGER, STRANGER)
    assert f"chmod u+rw {home / 'a'}" in as_stranger(home / "a")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "make room"), (errno.EROFS, "read-only"), (errno.EEXIST, "another name"), (errno.EIO, "the disk")],
)
def test_each_cause_has_its_own_remedy(tmp_path: Path, code: int, words: str):
    error = refusal(InputError, OSError(code, os.strerror(code)), tmp_path / "a", "the card cannot be written")
    assert words in error.remedy
    assert os.strerror(code) in error.what


# -- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"a\nb", b"a\r\nb", b"\xef\xbb\xbfa\r\nb", b"a\rb"])
def test_text_is_read_as_editors_write_it(data: bytes):
    assert utf8(data, where="f", kind=InputError) == "a\nb"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("ü".encode("latin-1"), "not UTF-8 text"),
        ("ü".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
        *(("ab\n".encode(coding), "UTF-16") for coding in ("utf-16-le", "utf-16-be")),
    ],
)
def test_another_encoding_is_told_and_the_content_is_not(data: bytes, words: str):
    with pytest.raises(InputError, match=words) as caught:
        utf8(data, where="f", kind=InputError)
    assert "UTF-8" in caught.value.remedy
    assert "ü" not in str(caught.value)


def test_hidden_files_are_not_listed(tmp_path: Path):
    for name in ("b.pub", "a.pub", "._a.pub", ".pub", "a.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in visible_files(tmp_path, ".pub")] == ["a.pub", "b.pub"]
    assert visible_files(tmp_path / "nowhere", ".pub") == []


@pytest.mark.parametrize(
    ("name", "suffix", "what", "remedy"),
    [
        ("none/sheet.png", ".png", "No such file or directory", "its folder must exist"),
        ("file/sheet.png", ".png", "Not a directory", "a part of it is a file"),
        ("", "", "Is a directory", "name a file"),
        ("sheet.jpg", ".png", "what is written is a .png file", "name a .png file"),
        ("a\0b.png", ".png", "not a file name", "check the name"),
        ("x" * 300, "", "File name too long", "check the name"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_the_work(
    tmp_path: Path, name: str, suffix: str, what: str, remedy: str
):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=what) as caught:
        check_writable(tmp_path / name, suffix=suffix)
    assert remedy in caught.value.remedy


def test_a_place_that_was_tried_looks_as_before(tmp_path: Path):
    (tmp_path / "old.PNG").write_bytes(b"old")
    check_writable(tmp_path / "new.png", suffix=".png")
    check_writable(tmp_path / "old.PNG", suffix=".png")
    check_writable(Path("/dev/null"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old.PNG": b"old"}
