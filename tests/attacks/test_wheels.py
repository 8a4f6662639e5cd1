"""A wheel is changed on its way, in ways that one program sees and another does not: `verify` and `prove` refuse it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.build.attest import examine, sign_wheel
from edge.build.files import WheelFiles
from edge.cli import main
from edge.errors import SignatureError
from edge.prove.records import check_records
from edge.prove.static import check_signature
from edge.prove.subject import open_subject
from edge.trust.envelopes import Signer
from tests.build.conftest import build_in, copy_tree

ANNA = Signer.generate("anna")
TRUST = {ANNA.public.key_id: ANNA.public}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    return sign_wheel(build_in(copy_tree(folder / "source"), folder / "dist"), ANNA)


def end(data: bytes) -> int:
    return data.rfind(b"PK\5\6")


def directory(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, end(data) + 16)[0])


def poked(place: Callable[[bytes], int], form: str, value: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        struct.pack_into(form, changed, place(data), value)
        return bytes(changed)

    return change


def content(data: bytes) -> int:
    """A byte inside of the first file's compressed content."""
    name, extra = struct.unpack_from("<HH", data, 26)
    return 30 + int(name) + int(extra) + 60


def unnamed(data: bytes) -> bytes:
    """A file that the directory does not name."""
    name, planted, at = b"edge/door/extra.py", b"raise SystemExit('planted')\n", directory(data)
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0x5A21, zlib.crc32(planted), len(planted), len(planted), len(name), 0
    )
    record = bytearray(data[end(data) :])
    struct.pack_into("<I", record, 16, at + len(head + name + planted))
    return data[:at] + head + name + planted + data[at : end(data)] + bytes(record)


def in_front(data: bytes) -> bytes:
    """Another archive before it, which a program that reads from the front takes for the wheel."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("edge/__init__.py", b"raise SystemExit('planted')\n")
    return out.getvalue() + data


ATTACKS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another name where the file lies": (
        poked(lambda d: 30 + struct.unpack_from("<H", d, 26)[0] - 1, "B", 88),
        "damaged",
    ),
    "a flipped byte": (lambda d: poked(content, "B", d[content(d)] ^ 0xFF)(d), "damaged"),
    "a wrong checksum": (poked(lambda d: directory(d) + 16, "<I", 12345), "damaged"),
    "called encrypted": (poked(lambda d: directory(d) + 8, "<H", 1), "damaged"),
    "called larger": (poked(lambda d: directory(d) + 24, "<I", 99), "damaged"),
    "a file without a row": (unnamed, "stray"),
    "another archive in front": (in_front, "stray"),
    "a script in front": (lambda d: b"#!/bin/sh\nexit\n" + d, "stray"),
    "something behind": (lambda d: d + b"\n", "stray"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_wheel_that_was_changed_on_its_way_is_refused_by_both_and_never_an_internal_error(
    signed: Path, tmp_path: Path, name: str
):
    change, kind = ATTACKS[name]
    wheel = tmp_path / signed.name
    wheel.write_bytes(change(signed.read_bytes()))
    found = examine(WheelFiles.of(wheel), TRUST)
    assert kind in {problem.kind for problem in found.problems}
    assert not found.ok
    with open_subject(wheel=wheel) as subject:
        _, evidence = check_records(subject, lambda _: None)
        assert any(words in one.what for one in evidence for words in ("or is damaged", "does not name"))
        assert not check_signature(subject, "device", TRUST).holds
    if kind == "damaged":
        (damaged,) = {problem.name for problem in found.problems if problem.kind == "damaged"}
        assert damaged in {one.where for one in evidence}, "the file is named"
        with pytest.raises(SignatureError):
            sign_wheel(wheel, ANNA)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("INSTALLER", b"evil", "extra"),
        ("direct_url.json", b"{}", "extra"),
        ("RECORD", b"../../../bin/evil,,\r\n", "record"),
        ("RECORD", b"", "record"),
    ],
)
def test_what_only_an_installer_writes_is_not_believed_in_a_wheel(
    signed: Path, tmp_path: Path, name: str, data: bytes, kind: str
):
    """RECORD cannot be among the files that a signature names, so it must be exactly their list."""
    wheel = tmp_path / signed.name
    with zipfile.ZipFile(signed) as old, zipfile.ZipFile(wheel, "w") as new:
        (record,) = (entry for entry in old.namelist() if entry.endswith("/RECORD"))
        place = record.replace("RECORD", name)
        for entry in old.namelist():
            if entry != place:
                new.writestr(entry, old.read(entry))
        new.writestr(place, (old.read(record) if name == "RECORD" and data else b"") + data)
    assert {problem.kind for problem in examine(WheelFiles.of(wheel), TRUST).problems} == {kind}


def test_an_untouched_wheel_is_accepted_by_both(signed: Path):
    assert examine(WheelFiles.of(signed), TRUST).ok
    with open_subject(wheel=signed) as subject:
        assert check_records(subject, lambda _: None)[1] == []
        assert check_signature(subject, "device", TRUST).holds


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_the_commands_end_with_1_and_say_why(signed: Path, tmp_path: Path, name: str, capsys):
    wheel, builders = tmp_path / signed.name, tmp_path / "trust" / "builders"
    wheel.write_bytes(ATTACKS[name][0](signed.read_bytes()))
    builders.mkdir(parents=True)
    (builders / "anna.pem").write_bytes(ANNA.public.pem())
    trust = ("--trust", str(builders.parent))
    assert main(["build", "verify", str(wheel), *trust]) == 1
    assert main(["build", "sign", str(wheel), "--key", "none"]) == 3
    assert "cannot be signed" in capsys.readouterr().err
    assert main(["prove", "--wheel", str(wheel), *trust, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert {"files", "signature"} <= {check["id"] for check in said["checks"] if check["mark"] == "violation"}
