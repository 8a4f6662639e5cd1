"""Standard error that is turned aside comes back, whoever else turns it aside at that time."""

from __future__ import annotations

import os
import threading
import time

import cv2
import numpy as np

from edge.face.card import load_card
from edge.face.runner import Runner
from edge.pictures import decode_image
from edge.types.aside import Aside

JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()


def place() -> tuple[int, int]:
    """What file descriptor 2 leads to."""
    about = os.fstat(2)
    return about.st_dev, about.st_ino


def test_what_is_meant_is_kept_and_everything_else_passed_on(capfd):
    with Aside(lambda line: line.startswith(b"INFO: ")) as aside:
        os.write(2, b"INFO: made a delegate\nfault: the camera is silent\n")
    assert aside.taken == [b"INFO: made a delegate"]
    assert capfd.readouterr().err == "fault: the camera is silent\n"


def test_a_picture_that_is_decoded_while_a_model_is_loaded_leaves_standard_error_where_it_was(capfd):
    """A door that tests itself while its camera runs: the one's end lay between the other's beginning and end."""
    before = place()
    decoding = threading.Thread(target=decode_image, args=(JPEG,), kwargs={"where": "frame"})
    with Aside(lambda _: False):
        decoding.start()
        decoding.join(0.3)
        assert decoding.is_alive(), "one at a time"
    decoding.join()
    assert place() == before
    os.write(2, b"fault: the camera is silent\n")
    assert "silent" in capfd.readouterr().err


def test_models_and_pictures_side_by_side_for_a_while(capfd):
    before, until = place(), time.monotonic() + 1.5

    def decode() -> None:
        while time.monotonic() < until:
            decode_image(JPEG, where="frame")

    threads = [threading.Thread(target=decode) for _ in range(2)]
    for thread in threads:
        thread.start()
    card = load_card("passive")
    while time.monotonic() < until:
        Runner(card)
    for thread in threads:
        thread.join()
    assert place() == before
    os.write(2, b"the end\n")
    assert capfd.readouterr().err.endswith("the end\n")
