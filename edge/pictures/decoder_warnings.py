"""What libjpeg says while it decodes: it prints warnings on standard error and returns a picture all the same.

    with Complaints() as complaints:
        image = cv2.imdecode(buffer, flags)
    complaints.lines            # ["Corrupt JPEG data: premature end of data segment"]

A JPEG that is damaged in its middle decodes to a picture that is partly grey; libjpeg's warning is the only sign of
it, and neither OpenCV nor its logging hands it on. So file descriptor 2 is turned aside for the few milliseconds of
the decoding. What was written meanwhile by anybody else is passed on afterwards. One thread at a time.
"""

from __future__ import annotations

import os
import tempfile
import threading
from types import TracebackType
from typing import IO

_LOCK = threading.Lock()
# The first words of libjpeg's warnings (jerror.h: JWRN_*) and of OpenCV's own when a decoder gives up.
_OURS = (
    "Corrupt JPEG",
    "Premature end of",
    "Invalid SOS",
    "Invalid JPEG",
    "Warning: unknown JFIF",
    "Application transferred",
)
_OPENCV = ("[ WARN:", "[ERROR:", "libpng ")


class Complaints:
    """Collects what a decoder prints on standard error inside the block.

    Attributes:
        lines: the decoder's own lines, after the block.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._saved = -1

    def __enter__(self) -> Complaints:
        _LOCK.acquire()
        # In memory, where the system has such files: a camera's JPEGs come 15 times a second, and cards wear out.
        memory = hasattr(os, "memfd_create")
        self._file: IO[bytes] = os.fdopen(os.memfd_create("edge"), "w+b") if memory else tempfile.TemporaryFile()
        try:
            self._saved = os.dup(2)
            os.dup2(self._file.fileno(), 2)
        except OSError:  # a process without standard error: nothing to turn aside
            self._saved = -1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._saved >= 0:
                os.dup2(self._saved, 2)
                os.close(self._saved)
            self._file.seek(0)
            for line in self._file.read().splitlines(keepends=True):
                text = line.decode(errors="replace").strip()
                if text.startswith((*_OURS, *_OPENCV)):
                    self.lines.append(text)
                elif text and self._saved >= 0:
                    os.write(2, line)
        finally:
            self._file.close()
            _LOCK.release()
