"""Whose pictures they are, from folders and tars: nobody counts twice, and nothing is missing without a word.

Most cases follow public reports of people who measured on sets of their own (shared/reports/10-lab-people).
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.lab.pictures import PictureSet, gather

PEOPLE = ("ada", "bela", "chen", "dara")
GREY = cv2.imencode(".jpg", np.full((24, 20, 3), 120, np.uint8))[1].tobytes()


def put(folder: Path, *names: str, data: bytes = GREY) -> Path:
    """Files below a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def crowd(folder: Path, people: tuple[str, ...] = PEOPLE, each: int = 2) -> Path:
    return put(folder, *(f"{name}/{name}_{k:04d}.jpg" for name in people for k in range(1, each + 1)))


def tar_of(folder: Path, **more: tarfile.TarInfo) -> Path:
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        tar.add(folder, folder.name)
        for member in more.values():
            tar.addfile(member)
    return path


def names(source: Path) -> tuple[str, ...]:
    return PictureSet.open(source).names


def test_one_name_below_two_folders_is_refused(tmp_path):
    for part in ("train", "test"):
        crowd(tmp_path / "split" / part)
    for source in (tmp_path / "split", tar_of(tmp_path / "split")):
        with pytest.raises(InputError, match=r"ada is in two places, split.*/te.*ada and split.*/train/ada") as error:
            PictureSet.open(source)
        assert "one folder" in error.value.remedy


@pytest.mark.parametrize(
    "files",
    [
        ("ada.jpg", "ada/1.jpg"),
        ("ada.jpg", "ada.png"),
        ("a/ada.jpg", unicodedata.normalize("NFC", "é/1.jpg"), unicodedata.normalize("NFD", "é/2.jpg")),
        ("train/Ada/1.jpg", "test/ada/2.jpg"),
        ("ada/1.jpg", "ada /2.jpg"),
    ],
    ids=["folder and picture", "two endings", "two Unicode forms", "two cases", "a space"],
)
def test_a_person_in_two_places_is_refused_however_it_came_about(tmp_path, files):
    with pytest.raises(InputError, match="is in two places"):
        gather([put(tmp_path / "set", *files)])


def test_pictures_in_a_folder_and_in_a_folder_inside_it_are_refused(tmp_path):
    put(crowd(tmp_path / "set"), "ada/2024/ada_0009.jpg")
    with pytest.raises(InputError, match="ada/2024 lies inside ada, and both hold pictures") as error:
        gather([tmp_path / "set"])
    assert "one folder a person" in error.value.remedy


def test_a_person_in_two_sources_is_refused(tmp_path):
    with pytest.raises(InputError, match="ada is in two places, one/ada and two/ada"):
        gather([crowd(tmp_path / "one"), crowd(tmp_path / "two")])
    assert set(gather([crowd(tmp_path / "three", ("eva",)), tmp_path / "one"]).people) == {"eva", *PEOPLE}


def test_people_may_lie_below_other_folders_when_each_does_once(tmp_path):
    crowd(tmp_path / "set" / "train", PEOPLE[:2])
    crowd(tmp_path / "set" / "test", PEOPLE[2:])
    found = PictureSet.open(tmp_path / "set")
    assert found.persons == 4
    assert found.names[0] == "ada/ada_0001.jpg"
    assert found.notes == ("set: the last folder is taken for the person: test/chen is chen",)


def test_the_published_lfw_s_own_layout_is_read(tmp_path):
    crowd(tmp_path / "lfw")
    packed = PictureSet.open(tar_of(tmp_path / "lfw"))
    assert packed.names == names(tmp_path / "lfw")
    assert packed.load(0).shape == (24, 20, 3)
    assert re.search(r"the last folder is taken for the person: lfw/\w+ is \w+$", packed.notes[0])


def test_linked_folders_and_pictures_are_followed(tmp_path):
    crowd(tmp_path / "elsewhere", ("emil", "fara"))
    crowd(tmp_path / "set")
    for name in ("emil", "fara"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "set" / "ada" / "ada_0003.jpg").symlink_to(tmp_path / "elsewhere" / "emil" / "emil_0001.jpg")
    found = PictureSet.open(tmp_path / "set")
    assert (found.persons, len(found)) == (6, 13)
    assert found.load(12).shape == (24, 20, 3)


@pytest.mark.parametrize(
    ("link", "target", "what"),
    [
        ("ada2", "ada", "leads to the same pictures as"),
        ("ada/round", "..", "leads to the same pictures as|Too many levels"),
        ("eva", "nowhere", "is a link that leads nowhere"),
        ("ada/ada_0009.jpg", "nowhere.jpg", "is a link that leads nowhere"),
    ],
)
def test_a_link_that_leads_nowhere_or_twice_to_one_place_is_refused(tmp_path, link, target, what):
    (crowd(tmp_path / "set") / link).symlink_to(target)
    with pytest.raises(InputError, match=what) as error:
        gather([tmp_path / "set"])
    assert link in error.value.where


def test_a_folder_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    crowd(tmp_path / "set")
    scandir = os.scandir

    def closed(path):  # as it is for a user who is not root
        if str(path).endswith("chen"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InputError, match="cannot be read: Permission denied") as error:
        gather([tmp_path / "set"])
    assert error.value.where.endswith("set/chen")
    assert "make it readable" in error.value.remedy


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_in_one_unicode_form_whatever_the_file_system_keeps(tmp_path, form):
    name = unicodedata.normalize(form, "Zoë_Müller")
    crowd(tmp_path / "set", (name, "ada"))
    for source in (tmp_path / "set", tar_of(tmp_path / "set")):
        found = PictureSet.open(source)
        assert found.owners[0] == unicodedata.normalize("NFC", name)
        assert found.names[0] == unicodedata.normalize("NFC", f"{name}/{name}_0001.jpg")
        assert found.load(0).shape == (24, 20, 3)


def test_what_systems_leave_behind_is_no_picture(tmp_path):
    litter = ("ada/._ada_0001.jpg", "@eaDir/ada/x.jpg", "ada/@eaDir/x.jpg", "__MACOSX/ada/._x.jpg", ".cache/eva/1.jpg")
    put(crowd(tmp_path / "set"), *litter, data=b"no picture")
    for source in (tmp_path / "set", tar_of(tmp_path / "set")):
        assert PictureSet.open(source).persons == 4
        assert len(names(source)) == 8
    assert PictureSet.open(tmp_path / "set").notes == ()


def test_what_else_is_left_out_is_told(tmp_path):
    put(crowd(tmp_path / "set"), "ada/ada_0003.heic", "eva/eva_0001.TIF", "readme", data=b"x")
    (tmp_path / "set" / "fara").mkdir()
    assert PictureSet.open(tmp_path / "set").notes == (
        "set: left out, since they are no pictures that are read here: 1 no ending, 1 .heic, 1 .tif",
        "set: folders without a picture: eva, fara",
    )


def test_an_empty_file_is_left_out_and_a_picture_in_two_formats_is_told(tmp_path):
    put(put(crowd(tmp_path / "set"), "ada/ada_0003.jpg", data=b""), "bela/bela_0001.png")
    for source in (tmp_path / "set", tar_of(tmp_path / "set")):
        found = PictureSet.open(source)
        assert len(found) == 9
        told = " ".join(found.notes)
        assert "1 empty .jpg" in told
        assert "in more than one format, each counted as a picture of its own: " in told
        assert "bela/bela_0001" in told


def test_a_tar_of_a_neighbouring_folder_is_read(tmp_path):
    crowd(tmp_path / "set")
    with tarfile.open(tmp_path / "up.tar", "w") as tar:
        tar.add(tmp_path / "set", "../set")
    assert PictureSet.open(tmp_path / "up.tar").persons == 4


def test_links_inside_a_tar_are_followed_or_refused(tmp_path):
    crowd(tmp_path / "set")
    (tmp_path / "set" / "ada" / "ada_0003.jpg").symlink_to("../bela/bela_0001.jpg")
    os.link(tmp_path / "set" / "chen" / "chen_0001.jpg", tmp_path / "set" / "dara" / "dara_0003.jpg")
    found = PictureSet.open(tar_of(tmp_path / "set"))
    assert len(found) == 10
    assert {found.load(k).shape for k in range(10)} == {(24, 20, 3)}
    (tmp_path / "set" / "eva").symlink_to("/elsewhere/eva")
    with pytest.raises(InputError, match="set/eva is a link to /elsewhere/eva") as error:
        PictureSet.open(tar_of(tmp_path / "set"))
    assert "--dereference" in error.value.remedy


def test_of_two_members_of_one_name_the_last_counts_as_in_tar(tmp_path):
    path = tar_of(crowd(tmp_path / "set"))
    larger = cv2.imencode(".jpg", np.zeros((40, 30, 3), np.uint8))[1].tobytes()
    member = tarfile.TarInfo("set/ada/ada_0001.jpg")
    member.size = len(larger)
    with tarfile.open(path, "a") as tar:
        tar.addfile(member, io.BytesIO(larger))
    found = PictureSet.open(path)
    assert len(found) == 8
    assert found.load(0).shape == (40, 30, 3)


def test_a_compressed_tar_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "lfw.tgz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(crowd(tmp_path / "lfw"), "lfw")
    with pytest.raises(InputError, match="it is not a whole, uncompressed") as error:
        PictureSet.open(path)
    assert "tar xf" in error.value.remedy


def test_another_picture_makes_another_set(tmp_path):
    before = PictureSet.open(crowd(tmp_path / "set")).digest
    put(tmp_path / "set", "ada/ada_0001.jpg", data=GREY + b"\0")
    assert PictureSet.open(tmp_path / "set").digest != before


def pgm(image: np.ndarray, head: bytes, most: int) -> bytes:
    height, width = image.shape
    return head % (width, height, most) + image.astype(">u2" if most > 255 else "u1").tobytes()


@pytest.mark.parametrize("head", [b"P5\n%d %d\n%d\n", b"P5 %d %d %d ", b"P5\n# by hand\n%d\n# and\n %d\n%d\n"])
@pytest.mark.parametrize("most", [255, 1023, 100])
def test_pgm_pictures_are_read(tmp_path, head, most):
    grey = np.linspace(0, most, 48 * 32).reshape(48, 32).astype(int)
    put(tmp_path / "set", "ada/1.pgm", data=pgm(grey, head, most))
    put(tmp_path / "set", "bela/1.jpg")
    for source in (tmp_path / "set", tar_of(tmp_path / "set")):
        image = PictureSet.open(source).load(0)
        assert image.shape == (48, 32, 3)
        assert np.abs(image[..., 1].astype(float) - grey * 255 / most).max() <= 0.51


@pytest.mark.parametrize(
    "data", [b"P5", b"P5\n2 2\n255\nabc", b"P2\n1 1\n255\n0", b"P5\n0 3\n255\n", b"P5\n99999 99999\n65535\n "]
)
def test_a_pgm_that_is_not_whole_is_refused(tmp_path, data):
    put(tmp_path / "set", "ada/1.pgm", data=data)
    with pytest.raises(InputError, match="not a whole PGM"):
        gather([tmp_path / "set"]).people["ada"][0].load()


@given(st.binary(max_size=60).map(lambda data: b"P5" + data))
def test_whatever_calls_itself_pgm_is_a_picture_or_a_refusal(tmp_path_factory, data):
    folder = put(tmp_path_factory.mktemp("pgm"), "ada/1.pgm", data=data)
    try:
        image = gather([folder]).people["ada"][0].load()
    except InputError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
