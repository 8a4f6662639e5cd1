"""Compiled files: what Python really runs when a ``.pyc`` lies beside a source.

A ``.pyc`` whose date and size fit its source is run instead of it, whatever it holds, and no RECORD names it. Each one
made by the examiner's own version of Python is therefore compared with what its source compiles to. A few differ in how
they were written down only; those are read and compared in a process of their own, which a damaged file may end.
Python ignores compiled files of other versions, and so does this check, saying how many.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from edge.prove.model import Evidence, Level
from edge.prove.subject import Site, Subject

_HEADER = 16  # magic, flags, date and size (PEP 552)
_TAG = sys.implementation.cache_tag
_READER = """
import json, marshal, sys
for source, compiled in json.load(sys.stdin):
    code = compile(open(source, "rb").read(), "", "exec", dont_inherit=True)
    print(json.dumps(marshal.loads(open(compiled, "rb").read()[16:]) == code), flush=True)
"""


def check_bytecode(subject: Subject, tell: Callable[[str], None]) -> tuple[str, list[Evidence]]:
    """Compare every compiled file with its source; see the module's docstring."""
    findings: list[Evidence] = []
    unlike: list[tuple[Site, str, str]] = []
    compared = foreign = 0
    for site in subject.sites:
        if site.system:
            continue
        names = set(site.names)
        for name in site.names:
            if not name.endswith((".pyc", ".pyo")):
                continue
            source = _source_of(name)
            if source is None or source not in names:
                if source is None:
                    findings.append(Evidence(name, "is compiled code that can be imported without any source"))
                continue
            tell(name.split("/")[0])
            if not _is_ours(site, name):
                foreign += 1
                continue
            compared += 1
            if not _same(site, name, source):
                unlike.append((site, name, source))
    findings += _read_apart(unlike)
    if foreign:
        text = f"{foreign} compiled files are of another Python; delete them, or examine with that version"
        findings.append(Evidence("__pycache__", text, Level.WARNING))
    return f"{compared:,} compiled files", findings


def _source_of(name: str) -> str | None:
    """The source of a compiled file in ``__pycache__``; None when it would run without one."""
    parts = name.split("/")
    if len(parts) < 2 or parts[-2] != "__pycache__":
        return None
    return "/".join([*parts[:-2], parts[-1].split(".")[0] + ".py"])


def _is_ours(site: Site, name: str) -> bool:
    stem = name.rsplit("/", 1)[-1].split(".")
    if len(stem) < 3 or stem[1] != _TAG or ".opt-" in name:
        return False
    try:
        return site.read(name)[:4] == importlib.util.MAGIC_NUMBER
    except OSError:
        return True  # compared below, and found not to be its source


def _same(site: Site, name: str, source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(site.read(source), str(_path(site, source)), "exec", dont_inherit=True)
            return marshal.dumps(code) == site.read(name)[_HEADER:]
        except (SyntaxError, ValueError, RecursionError, OSError):
            return False


def _read_apart(unlike: list[tuple[Site, str, str]]) -> list[Evidence]:
    """Those that are not equal byte for byte: the same code, written down differently?"""
    if not unlike:
        return []
    pairs = [(str(_path(site, source)), str(_path(site, name))) for site, name, source in unlike]
    command = [sys.executable, "-I", "-W", "ignore", "-c", _READER]
    done = subprocess.run(
        command, input=json.dumps(pairs), capture_output=True, text=True, cwd="/", env={}, check=False
    )
    answers = done.stdout.split()
    answers += ["false"] * (len(unlike) - len(answers))
    text = "is not what its source compiles to; delete it, Python makes it again"
    return [Evidence(name, text) for (_, name, _), same in zip(unlike, answers, strict=True) if same != "true"]


def _path(site: Site, name: str) -> Path:
    assert site.folder is not None
    return (site.folder / name).absolute()  # the reader runs in another folder
