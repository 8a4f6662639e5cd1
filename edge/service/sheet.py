"""The self-test as a page for the installer's file: what was checked on which device, by which build, with what result.

It is plain HTML without scripts, to be printed or kept; it names no person. What the camera saw is in it only when
asked for: the hall, with a grey patch over each face that the device's own detector finds.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from edge import _resources
from edge.errors import InputError
from edge.files import check_writable
from edge.profile import current
from edge.selftest import FitnessReport
from edge.types import Face, Frame

#: A detector's box ends at forehead and chin: so much of it more on every side is covered.
_MORE = 0.35


def check_sheet(path: Path) -> None:
    """Return when the page may be written there; asked before anything is checked.

    Raises:
        InputError: no .html, a name that is taken, or no such folder.
    """
    wrong = (
        "the page is HTML" if path.suffix.lower() not in (".html", ".htm") else
        "there is a file of this name" if path.exists() else
        "there is no such folder" if not path.parent.is_dir() else ""
    )  # fmt: skip
    if wrong:
        raise InputError(wrong, where=str(path), remedy="name a new .html file in a folder that is there")
    check_writable(path)


def write_sheet(path: Path, report: FitnessReport, name: str, view: Frame | None = None) -> None:
    """Write the page.

    Args:
        path: see `check_sheet`. name: of the device. view: what its camera saw; None leaves it out.

    Raises:
        InputError: it cannot be written.
    """
    from jinja2 import Environment, StrictUndefined

    pages = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    pages.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    page = _resources.path("papers", "selftest.html.j2").read_text(encoding="utf-8")
    text = pages.from_string(page).render(
        report=report,
        name=name,
        build=current(),
        failed=sum(result.mark == "FAIL" for result in report.results),
        view=_png(view) if view is not None else "",
        when=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    )
    try:
        if view is not None:
            path.touch(mode=0o600)  # it may show a person
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path), remedy="check the disk") from error


def without_faces(frame: Frame, faces: Sequence[Face]) -> Frame:
    """A copy with a grey patch over each face, hair and chin included."""
    image = frame.image.copy()
    for face in faces:
        x, y, w, h = face.box
        top, left = max(0, round(y - h * _MORE)), max(0, round(x - w * _MORE))
        image[top : round(y + h * (1 + _MORE)), left : round(x + w * (1 + _MORE))] = 128
    return replace(frame, image=image)


def _png(frame: Frame) -> str:
    """A picture as base64."""
    import cv2

    return b64encode(bytes(cv2.imencode(".png", frame.image)[1])).decode("ascii")
