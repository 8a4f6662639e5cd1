"""Which files of a folder are its pictures, and in which order."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.pictures import ENDINGS, in_order, is_picture, pictures_in


def test_numbers_are_counted_and_names_are_spelt(tmp_path):
    names = ["10.jpg", "9.jpg", "1.jpg", "b2-10.png", "b2-9.png", "b10-1.png", "B.JPG", "007.webp", "7.webp", "a.jfif"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    found = [path.name for path in pictures_in(tmp_path)]
    assert found == [
        "1.jpg",
        "007.webp",
        "7.webp",
        "9.jpg",
        "10.jpg",
        "B.JPG",
        "a.jfif",
        "b2-9.png",
        "b2-10.png",
        "b10-1.png",
    ]


def test_folders_are_counted_as_well():
    paths = [Path(f"ada {n}/{k}.jpg") for n in (10, 2) for k in (11, 3)]
    assert [str(path) for path in in_order(paths)] == ["ada 2/3.jpg", "ada 2/11.jpg", "ada 10/3.jpg", "ada 10/11.jpg"]


def test_hidden_empty_and_other_files_and_folders_are_no_pictures(tmp_path):
    for ending in ENDINGS:
        path = tmp_path / f"a{ending.upper()}"
        path.write_bytes(b"x")
        assert is_picture(path)
    for name, data in (("._a.jpg", b"x"), ("empty.jpg", b""), ("notes.txt", b"x"), (".jpg", b"x"), ("clip.heic", b"x")):
        path = tmp_path / name
        path.write_bytes(data)
        assert not is_picture(path), name
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    assert not is_picture(tmp_path / "folder.jpg")
    assert not is_picture(tmp_path / "dangling.jpg")
    assert len(pictures_in(tmp_path)) == len(ENDINGS)


@given(st.lists(st.text("ab019-. ²٣", min_size=1, max_size=8), max_size=8))
def test_any_names_have_one_order(names):
    paths = [Path(name) for name in names if name not in (".", "..")]
    assert in_order(paths) == in_order(reversed(paths))
