"""Pictures in place of a camera, for ``--image`` of `edge enrol` and `edge verify`, and a card's own: development only.

No build holds this file: a device has no way from a picture to an embedding or a score without a signed claim and its
own camera, and a lab holds neither vault nor door (`edge compare` goes through `edge.lab`).
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.claim.qr import find_codes
from edge.errors import ClaimError, InputError, ModelMismatch, NotInThisBuild
from edge.pictures import read_image
from edge.profile import current
from edge.service import Device
from edge.types import Decision, Frame, Outcome, Reason


def refuse_on_a_device() -> None:
    """Raises NotInThisBuild when this file was copied into a device build."""
    if current().is_device:
        raise NotInThisBuild("pictures are not accepted by a device build", where="build", remedy="use its camera")


def as_frame(path: Path, sequence: int = 0) -> Frame:
    """A picture as a frame. Raises InputError (see `edge.pictures.decode.read_image`)."""
    return Frame(read_image(path), time.monotonic_ns(), sequence, "picture", meta={"name": str(path)})


def token_of(path: Path) -> str:
    """The token on a picture of a card, as its camera would read it.

    Raises:
        InputError: no picture, or not exactly one card is on it.
    """
    refuse_on_a_device()
    luma = np.asarray(cv2.cvtColor(read_image(path), cv2.COLOR_BGR2GRAY), np.uint8)
    found = find_codes(luma) or find_codes(luma, enlarge=luma.size < 4_000_000)
    if len(found) != 1:
        what = "there is no card's code on this picture" if not found else "there are several cards on this picture"
        raise InputError(what, where=str(path), remedy="name a sharp picture of one card, or its .token")
    return found[0]


def verify_picture(device: Device, text: str, path: Path) -> Decision:
    """Decide about a claim from one picture: one look, at the threshold for the whole target FMR."""
    refuse_on_a_device()
    started = time.perf_counter()
    frame = as_frame(path)
    session = device._verifier.new_session()
    verifier, target = device._verifier, device.settings.decision.target_fmr
    try:
        claim = device._admission.receive(text, frame.monotonic_ns)
        chain = verifier.chain_of(claim)
        with device._cells._begin(session) as cell:
            threshold = verifier.open(cell, claim, chain, most=1, looks=1)
            seen = chain.look(frame)
            compared = cell.compare(chain.pixels(seen)) if seen.reason is None else None
    except (ClaimError, ModelMismatch) as error:
        return verifier.refuse(error)
    outcome, reason = Outcome.NO_DECISION, seen.reason or Reason.QUALITY
    if compared is not None:
        outcome = Outcome.ACCEPT if compared.passed else Outcome.REJECT
        reason = Reason.MATCHING if compared.passed else Reason.NOT_MATCHING
    decision = Decision(outcome, reason, target, frames_looked_at=1, advice=seen.advice)
    if compared is not None:
        decision = replace(decision, looks=1, advice=(), score=compared.score, threshold=threshold)
    timings = {"session": round(1e3 * (time.perf_counter() - started), 3)}
    return replace(decision, timings_ms=timings, serial=claim.serial.hex(), credential=claim.credential)
