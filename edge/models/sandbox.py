"""Runs `edge.models.examine` in a process of its own, and tells its end, whatever it is, as a typed error.

    report = run("import", data, card, where="mine.tflite")      # dict, or ModelError with the reason

The bytes that are examined are a private copy, so that what was looked at is what is installed.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Literal

from edge._isolated import command, environment
from edge.errors import ModelError
from edge.models.examine import CPU_S, MEMORY_BYTES

#: Wall-clock time for an examination: a slow machine beside other work.
WAIT_S = 300.0
_DAMAGED = "the file is damaged or made for another runtime: export the model again"
_MODULE = "edge.models.examine"


def run(
    mode: Literal["import", "verify"],
    data: bytes,
    card: Any,
    *,
    where: str,
    size: tuple[int, int] | None = None,
    file: str = "model.tflite",
    wait_s: float = WAIT_S,
) -> dict[str, Any]:
    """Examine a model.

    Args:
        mode: see `edge.models.examine`. data: content of the .tflite. card: the card so far, or its text to verify.
        where: the file's name for messages. size: (width, height) that the spec says, to import.
        file: what the card calls it. wait_s: seconds until it is given up.

    Raises:
        ModelError: refused, crashed, or out of time.
    """
    if data[4:8] != b"TFL3":
        raise ModelError("this is not a .tflite file", where=where, remedy="give a LiteRT (TensorFlow Lite) model")
    with tempfile.TemporaryDirectory(prefix="edge-model-") as folder:
        (Path(folder) / file).write_bytes(data)
        request = json.dumps({"mode": mode, "folder": folder, "card": card, "size": size})
        try:
            done = subprocess.run(
                command(_MODULE),
                input=request.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                cwd="/",
                timeout=wait_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ModelError(f"it was not done within {wait_s:.0f} s", where=where, remedy=_DAMAGED) from None
    return _report(done, where)


def _report(done: subprocess.CompletedProcess[bytes], where: str) -> dict[str, Any]:
    """The report of a process that has ended, or why there is none."""
    if done.returncode == -signal.SIGXCPU:
        raise ModelError(f"it was not done within {CPU_S} s of processor time", where=where, remedy=_DAMAGED)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        limit = MEMORY_BYTES // 2**30
        text = f"the runtime crashed on it ({name}), or it needs more than {limit} GiB of memory"
        raise ModelError(text, where=where, remedy=_DAMAGED)
    report: Any = None
    with contextlib.suppress(ValueError):
        report = json.loads(done.stdout)
    if done.returncode or not isinstance(report, dict):
        raise ModelError("the runtime could not examine it", where=where, remedy=_DAMAGED)
    if refused := report.get("refused"):
        raise ModelError(str(refused["what"]), where=where, remedy=str(refused["remedy"]) or _DAMAGED)
    return report
