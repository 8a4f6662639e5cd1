"""Bad input: one line on stderr, exit code 3, no traceback, and nothing that was accepted is lost."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import _resources
from edge.cli import main
from tests.cli.conftest import PEOPLE, make_desk


def refused(capsys, arguments: list[str]) -> str:
    """Run a command that must be refused; gives the one line."""
    capsys.readouterr()
    assert main(arguments) == 3
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert "Traceback" not in captured.err
    assert lines[0].startswith("edge: ")
    return lines[0]


def huge_png(path: Path) -> None:
    """8000 x 8000 pixels in a few hundred bytes: the header alone must be enough to refuse it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 8000, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b""))


def bad_picture(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.jpg"
    data = (PEOPLE / "ada-0.jpg").read_bytes()
    if kind == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "random":
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        huge_png(path)
    elif kind == "no-face":
        cv2.imwrite(str(path), np.full((300, 300, 3), 127, np.uint8))
    return path  # "missing" is not made


PICTURES = ["truncated", "random", "empty", "folder", "huge", "missing", "no-face"]


@pytest.mark.parametrize("kind", PICTURES)
def test_a_bad_picture_is_refused_by_compare(desk, capsys, kind):
    path = bad_picture(kind, desk.folder)
    line = refused(capsys, ["compare", str(path), desk.person("ada"), "--config", str(desk.config)])
    assert path.name in line


@pytest.mark.parametrize("kind", PICTURES)
def test_a_bad_picture_is_refused_by_enrol(desk, capsys, kind):
    path = bad_picture(kind, desk.folder)
    command = ["enrol", "--config", str(desk.config), "--operator", "kim", "--consent", str(desk.consent)]
    line = refused(capsys, [*command, "--image", str(path)])
    assert path.name in line


@pytest.mark.parametrize("kind", ["grey", "alpha", "rotated"])
def test_an_unusual_picture_of_the_person_still_matches(desk, capsys, kind):
    image = cv2.imread(desk.person("ada", 0))
    path = desk.folder / "unusual.png"
    if kind == "grey":
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    elif kind == "alpha":
        cv2.imwrite(str(path), np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]))
    else:  # a phone held upright: the pixels lie on their side, EXIF orientation 6 says how to turn them
        path = desk.folder / "phone.jpg"
        ok, data = cv2.imencode(".jpg", cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))
        assert ok
        tiff = (
            b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<I", 0)
        )
        segment = b"\xff\xe1" + struct.pack(">H", len(tiff) + 2) + tiff
        path.write_bytes(bytes(data[:2]) + segment + bytes(data[2:]))
    assert main(["compare", str(path), desk.person("ada", 1), "--config", str(desk.config)]) == 0


BAD_SETTINGS = {
    "tabs": "device:\n\tname: x\n",
    "anchors": "device: &a {name: x}\ncamera: *a\n",
    "duplicate keys": "device: {name: x}\ndevice: {name: y}\n",
    "deep nesting": "a: " + "[" * 2000 + "]" * 2000,
    "unknown key": "device: {nmae: x}\n",
    "binary": "\x00\x01",
    "10 MB": "# " + "x" * 10_000_000,
    "empty": "",
    "several documents": "device: {name: x}\n---\ndevice: {name: y}\n",
}


@pytest.mark.parametrize("kind", BAD_SETTINGS)
def test_bad_settings_never_start_anything(tmp_path, capsys, kind):
    path = tmp_path / "device.yaml"
    path.write_text(BAD_SETTINGS[kind])
    for command in (["config", "check", str(path)], ["run", "--config", str(path)]):
        assert main(command) == 3
        error = capsys.readouterr().err
        assert error.strip()
        assert "Traceback" not in error
        assert "device.yaml" in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["device.yaml"]


@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty", "not a model"])
def test_a_corrupt_model_is_refused_by_its_digest(desk, capsys, monkeypatch, damage):
    folder = desk.folder / "models"
    shutil.copytree(_resources.path("models"), folder, ignore=shutil.ignore_patterns("training"))
    model = folder / "embedder.tflite"
    data = bytearray(model.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    model.write_bytes({"flipped": data, "truncated": data[:1000], "empty": b"", "not a model": b"x" * 1000}[damage])
    genuine = _resources.path
    monkeypatch.setattr(
        _resources, "path", lambda kind, name="": folder / name if kind == "models" else genuine(kind, name)
    )
    line = refused(capsys, ["compare", desk.person("ada"), desk.person("ada", 1), "--config", str(desk.config)])
    assert "embedder" in line


def test_the_vault_of_another_device_is_refused_and_left_as_it_is(desk, capsys, tmp_path_factory):
    desk.token("ada", capsys)
    other = make_desk(tmp_path_factory.mktemp("other"))
    before = {p.name: p.read_bytes() for p in (other.folder / "state").iterdir()}
    for path in (desk.folder / "state").glob("vault*"):
        shutil.copy(path, other.folder / "state" / path.name)
    refused(capsys, ["verify", "--config", str(other.config), "--token", str(desk.folder / "ada.token")])
    for name, data in before.items():
        if name.endswith(".key"):
            assert (other.folder / "state" / name).read_bytes() == data
    # and the first device's own store still opens
    answer = desk.enrol("hana", capsys)
    assert answer["token"].startswith("EV1:")


def test_after_any_refusal_an_accepted_card_still_opens(desk, capsys):
    token = desk.token("fara", capsys)
    for kind in PICTURES:
        main(["enrol", "--config", str(desk.config), "--operator", "k", "--image", str(bad_picture(kind, desk.folder))])
    command = ["verify", "--config", str(desk.config), "--token", str(token), "--image", desk.person("fara")]
    assert main(command) == 0
