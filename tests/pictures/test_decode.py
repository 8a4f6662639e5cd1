"""Pictures from files: what is read, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import base64
import os
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.pictures import decode_image, read_image
from edge.pictures.decode import Complaints
from edge.pictures.header import read_header
from tests.camera.pictures import encoded, noise_picture, webp_with_exif, with_exif

LOSSLESS = (cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
JPEG, PNG = encoded(noise_picture()), encoded(noise_picture(), ".png")
# A JPEG of 16 x 16 pixels in cyan, magenta, yellow and black, as print shops send them; compressed and in base 85.
CMYK = (
    "c-s4a<NrGbKF5^&q*R6!1`zmvo57iZjfItsm4%Ism5rU9je|>oi;I(!ON5V~M?hReLPA_bOiW5vRbEP3Sw>7uK}SJZO<hw<Q&L{nKv%;+"
    "RYOzb{{aRO4h8`R0TyRL246vjNI?c~L5BZF7~~lk7+D#?fB^~^nV5mLv2$>8aRU`>6<}auWM*b!VP<7zVFAk40_7Q41X+a?4ISBp0~6Vm3Pp?>"
    "CobercG`GQH0a_772~9$CQdFfaS2H&RW)@DO)V2sGjj_|D`yv1H+K(Dui%i-u<(e;sN|H?wDgS3tm2Z=vhs?`s^*r~w)T$Bu1S-pOr17;#>`oZ"
    "7B5-4Z25|nt2S-kvUS_`9Xod&I(+2lvEwIBp1O4T%GGPvZ`{1~@X_NZPoF)1@$%KjPoKYh{r3IG&tLy<G4QcCGx#z@GI%pE*facEwx?=O)xJ54"
    "x-=kY{r{T)COUO&"
)


@pytest.fixture
def small() -> np.ndarray:
    return noise_picture()


def put(folder, data: bytes, name: str = "a.jpg"):
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(data: bytes, **limits) -> InputError:
    with pytest.raises(InputError) as caught:
        decode_image(data, where="x", **limits)
    assert caught.value.where == "x"
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp"])
def test_a_lossless_picture_comes_back_exactly(tmp_path, small, suffix):
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ()
    image = read_image(put(tmp_path, encoded(small, suffix, *options)))
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert np.array_equal(image, small)


def test_a_jpeg_comes_back_in_bgr(tmp_path, small):
    image = read_image(put(tmp_path, encoded(small, ".jpg", *LOSSLESS)))
    assert cv2.absdiff(image, small).mean() < 3


# How a viewer shows what is stored, by EXIF orientation (CIPA DC-008): written without the code under test.
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.rot90(np.fliplr(a)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.flipud(a)),
    8: np.rot90,
}


@pytest.mark.parametrize("kind", "BHIbhi")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_shown_upright(small, orientation, order, kind):
    plain = encoded(small, ".jpg", *LOSSLESS)
    stored = decode_image(plain)
    image = decode_image(with_exif(plain, orientation, order, kind=kind))
    assert np.array_equal(image, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("flag", [8, 0], ids=["announced", "not-announced"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"], ids=["tiff", "with-jpeg-s-mark"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_webp_is_turned_as_its_own_exif_chunk_says(small, orientation: int, flag: int, prefix: bytes):
    plain = encoded(small, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101)
    size = (small.shape[1], small.shape[0])
    image = decode_image(webp_with_exif(plain, size, orientation, flag=flag, prefix=prefix))
    assert np.array_equal(image, UPRIGHT[orientation](decode_image(plain)))


def test_an_orientation_agrees_with_opencv(small):
    data = with_exif(JPEG, 6)
    assert np.array_equal(decode_image(data), cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def test_a_nonsense_orientation_counts_as_none():
    for number in (0, 9, 77, 0xFFFF):
        assert np.array_equal(decode_image(with_exif(JPEG, number)), decode_image(JPEG))
    assert np.array_equal(decode_image(with_exif(JPEG, 0x0006_0006, kind="I")), decode_image(JPEG))


def test_greyscale_becomes_three_equal_channels(small):
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    image = decode_image(encoded(grey, ".png"))
    assert all(np.array_equal(image[..., channel], grey) for channel in range(3))
    assert decode_image(encoded(grey, ".jpg")).shape == (*grey.shape, 3)


def test_transparency_is_composited_on_mid_grey(small):
    alpha = np.full((*small.shape[:2], 1), 255, np.uint8)
    alpha[:, :20] = 0
    image = decode_image(encoded(np.dstack([small, alpha]), ".png"))
    assert (image[:, :20] == 128).all()
    assert np.array_equal(image[:, 20:], small[:, 20:])


def test_a_transparent_webp_is_composited_too(small):
    alpha = np.zeros((*small.shape[:2], 1), np.uint8)
    data = encoded(np.dstack([small, alpha]), ".webp", cv2.IMWRITE_WEBP_QUALITY, 101)
    assert (decode_image(data) == 128).all()


def test_sixteen_bits_a_channel_become_eight(small):
    deep = small.astype(np.uint16) * 257
    assert cv2.absdiff(decode_image(encoded(deep, ".png")), small).max() <= 1
    opaque = np.full((*small.shape[:2], 1), 65535, np.uint16)
    assert cv2.absdiff(decode_image(encoded(np.dstack([deep, opaque]), ".png")), small).max() <= 1


def test_a_missing_file_a_directory_and_an_empty_file_are_refused(tmp_path):
    for path, word in ((tmp_path / "no.jpg", "no such file"), (tmp_path, "directory"), (put(tmp_path, b""), "empty")):
        with pytest.raises(InputError, match=word) as caught:
            read_image(path)
        assert caught.value.where == str(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="regular file"):
        read_image(tmp_path / "pipe")


def test_a_path_with_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(InputError):
        read_image(tmp_path / "a\0b.jpg")


def test_a_file_over_the_byte_limit_is_refused(tmp_path):
    with pytest.raises(InputError, match="MiB"):
        read_image(put(tmp_path, JPEG), max_bytes=len(JPEG) - 1)
    read_image(put(tmp_path, JPEG), max_bytes=len(JPEG))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_a_truncated_file_is_refused_at_every_length(small, suffix):
    data = encoded(small, suffix)
    for length in (*range(1, len(data), max(1, len(data) // 60)), len(data) - 1, len(data) - 2):
        assert refusal(data[:length]).exit_code == 3


def test_a_truncated_progressive_jpeg_is_refused(small):
    data = encoded(small, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert decode_image(data).shape == small.shape
    for share in (0.4, 0.7, 0.9):
        assert "truncated" in refusal(data[: int(len(data) * share)]).what


def test_a_jpeg_with_a_thumbnail_or_with_bytes_after_its_end_is_read(small):
    thumbnail = b"\xff\xe2" + struct.pack(">H", len(JPEG) + 2) + JPEG
    assert np.array_equal(decode_image(JPEG[:2] + thumbnail + JPEG[2:]), decode_image(JPEG))
    assert np.array_equal(decode_image(JPEG + b"motion photo" * 50), decode_image(JPEG))


def test_a_truncated_jpeg_is_not_saved_by_the_end_mark_of_its_thumbnail():
    thumbnail = b"\xff\xe2" + struct.pack(">H", len(JPEG) + 2) + JPEG
    assert "truncated" in refusal((JPEG[:2] + thumbnail + JPEG[2:])[:-40]).what


def bomb(kind: str, width: int, height: int) -> bytes:
    """A small file that claims to be a huge picture."""
    if kind == "png":
        chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + PNG[33:]
    if kind == "jpeg":
        place = JPEG.index(b"\xff\xc0")
        return JPEG[: place + 5] + struct.pack(">HH", height, width) + JPEG[place + 9 :]
    return encoded(noise_picture(), ".bmp")[:18] + struct.pack("<ii", width, height) + bytes(32)


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp"])
@pytest.mark.parametrize(("width", "height"), [(8000, 5000), (40_000, 60_000)])
def test_forty_megapixel_and_more_are_refused_from_the_header(kind, width, height, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("the decoder was called"))
    assert "megapixel" in refusal(bomb(kind, width, height)).what


def test_a_real_picture_at_the_pixel_limit_is_refused_and_one_below_it_is_read(small):
    pixels = small.shape[0] * small.shape[1]
    assert "megapixel" in refusal(PNG, max_pixels=pixels).what
    assert decode_image(PNG, max_pixels=pixels + 1).shape == small.shape


def test_a_damaged_png_is_refused_by_its_checksum():
    place = PNG.index(b"IDAT") + 10
    assert "damaged" in refusal(PNG[:place] + bytes([PNG[place] ^ 1]) + PNG[place + 1 :]).what


def test_a_jpeg_damaged_in_its_middle_is_refused_and_nothing_is_printed(capfd):
    place = len(JPEG) * 2 // 3
    error = refusal(JPEG[:place] + b"\xff\x00" * 40 + JPEG[place + 80 :])
    assert "damaged" in error.what
    assert capfd.readouterr().err == ""


def test_what_others_print_meanwhile_is_passed_on(capfd):
    with Complaints() as complaints:
        os.write(2, b"Corrupt JPEG data: bad Huffman code\nhello\n")
    assert complaints.lines == ["Corrupt JPEG data: bad Huffman code"]
    assert capfd.readouterr().err == "hello\n"


def test_a_cmyk_jpeg_becomes_bgr():
    image = decode_image(zlib.decompress(base64.b85decode(CMYK)))
    assert image.shape == (16, 16, 3)
    assert np.abs(image.astype(int) - (54, 54, 245)).max() < 12  # 0, 78, 78, 4 % ink: a red


def test_a_file_of_nothing_but_marks_is_refused_quickly():
    began = time.process_time()
    empty_chunk = bytes(4) + b"aaaa" + bytes(4)
    refusal(b"\xff\xd8" + b"\xff\x00" * 4_000_000)
    refusal(b"\xff\xd8" + b"\xff\xe2\0\2" * 4_000_000)
    refusal(PNG[:33] + empty_chunk * 500_000)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "data", [b"hello", b"GIF89a" + bytes(50), b"%PDF-1.7", bytes(1000), b"\xff\xd8\xff", b"BM", b"RIFF1234WEBP"]
)
def test_other_files_are_refused(data):
    assert refusal(data).exit_code == 3


def test_the_fictional_people_are_read(picture):
    from edge import _resources

    path = _resources.path("people", "fara-0.jpg")
    assert np.array_equal(read_image(path), picture("fara"))


def picture_or_refusal(data: bytes) -> None:
    try:
        image = decode_image(data, max_pixels=1_000_000)
    except InputError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    header = read_header(data)
    assert header is not None
    assert {*image.shape[:2]} == {header.width, header.height}


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\xff\0\0\0WEBPVP8X"]),
)
def test_random_bytes_are_a_picture_or_a_refusal(data, start):
    picture_or_refusal(start + data)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([".jpg", ".png", ".bmp", ".webp"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.2, 1),
)
def test_mutated_pictures_are_a_picture_or_a_refusal(suffix, changes, kept):
    data = bytearray(encoded(noise_picture(), suffix))
    for place, value in changes:
        data[int(place * len(data))] = value
    picture_or_refusal(bytes(data))
    picture_or_refusal(bytes(data[: int(kept * len(data))]))
