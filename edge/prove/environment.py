"""What Python would run besides the sources that were examined, and what it would be told.

packages     only the declared dependencies and what those need (`edge.prove.allow_list.PACKAGES`)
compiled     a ``.pyc`` whose date and size fit its source is run instead of it, and no RECORD names it
start-up     ``.pth`` files, ``sitecustomize`` and ``usercustomize``, which run before any program
variables    PYTHONPATH and its like, in units, profiles and this shell
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.prove.model import Evidence, Severity, counted
from edge.prove.records import distributions
from edge.prove.source import PACKAGES, known
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
        findings.append(Evidence("__pycache__", text, Severity.WARNING))
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


_CUSTOM = re.compile(r"(?:^|/)(sitecustomize|usercustomize)(?:\.py|\.pyc|\.[^/]*\.so|\.so|/__init__\.py)$")
_VARIABLES = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONINSPECT", "LD_PRELOAD", "LD_AUDIT")
_ASSIGNED = re.compile(rf"\b({'|'.join(_VARIABLES)})\s*=\s*[\"']?(?P<value>[^\s\"']*)")
#: Where a device may be told such a variable, below its root.
_FILES = ("etc/environment", "etc/profile", "etc/ld.so.preload", "etc/security/pam_env.conf", "root/.profile")
_FOLDERS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system", "etc/default", "etc/profile.d")
_DEBIAN = re.compile(
    rb"^(#[^\n]*\n|\s*\n|try:\n|    import apport_python_hook\n|except ImportError:\n|    pass\n|else:\n"
    rb"|    apport_python_hook\.install\(\)\n)*$"
)


def check_packages(subject: Subject) -> tuple[str, list[Evidence]]:
    """Unknown distributions, the product itself installed once, and the system's own packages where they are seen."""
    findings: list[Evidence] = []
    names: list[str] = []
    for site in subject.sites:
        if site.system:
            continue
        for distribution in distributions(site):
            names.append(distribution.name)
            if distribution.name not in PACKAGES:
                text = "is not among the declared dependencies and what those need"
                findings.append(Evidence(f"{distribution.name} {distribution.version}", text))
    twice = {name for name in names if names.count(name) > 1}
    findings += [Evidence(name, "is installed twice; which one runs depends on the path") for name in sorted(twice)]
    homes = [s for s in subject.sites if any(n.startswith("edge/") for n in s.names)]
    if len(homes) > 1 and not subject.development:
        findings.append(Evidence(homes[1].where, "holds a second package `edge`"))
    text = "the operating system's Python packages are visible; dpkg vouches for them, not RECORD"
    findings += [Evidence(site.where, text, Severity.WARNING) for site in subject.sites if site.system and site.names]
    return counted(len(names), "package"), findings


def check_startup(subject: Subject) -> tuple[str, list[Evidence]]:
    """What runs before any program."""
    findings: list[Evidence] = []
    looked = 0
    for site in subject.sites:
        for name in site.names:
            if name.endswith(".pth") and "/" not in name:
                looked += 1
                findings += _pth(site, name, subject)
            elif _CUSTOM.search(name) and "/" not in name.removesuffix("/__init__.py"):
                findings.append(Evidence(name, "runs whenever Python starts"))
    if subject.stdlib is not None:
        findings += _customised(subject.stdlib)
    return f"{counted(looked, '.pth file')}, sitecustomize, usercustomize", findings


def _pth(site: Site, name: str, subject: Subject) -> Iterator[Evidence]:
    if subject.is_wheel:
        yield Evidence(name, "a .pth file runs or redirects Python whenever it starts")
        return
    text = site.text(name)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if " ".join(lines) in known("pth"):
        return
    runs = any(line.startswith(("import ", "import\t")) for line in lines)
    what = "runs code whenever Python starts" if runs else "adds a folder to the path"
    yield Evidence(name, what)


def _customised(stdlib: Path) -> Iterator[Evidence]:
    for kind in ("sitecustomize", "usercustomize"):
        for path in (stdlib / f"{kind}.py", stdlib / kind / "__init__.py"):
            if path.is_symlink():
                target = Path(str(path.readlink()))
                text = f"leads to {target}, which was not followed; read it (Debian's own is empty)"
                yield Evidence(str(path), text, Severity.WARNING)
            elif path.is_file() and not _DEBIAN.fullmatch(path.read_bytes()):
                yield Evidence(str(path), "runs whenever Python starts")


def check_variables(subject: Subject) -> tuple[str, list[Evidence]]:
    """PYTHONPATH and its like: in this process for a self-check, in the device's own files for a mounted root."""
    findings: list[Evidence] = []
    if subject.kind == "this installation":
        found = [name for name in _VARIABLES if os.environ.get(name)]
        findings += [Evidence(name, "is set: Python loads what it names before anything else") for name in found]
        return "this shell", findings
    if subject.venv is not None:
        activate = subject.venv / "bin" / "activate"
        findings += _assigned(activate, subject.venv) if activate.is_file() and not activate.is_symlink() else []
    files = list(_configuration(subject.root)) if subject.root is not None else []
    for path in files:
        findings += _assigned(path, subject.root or path.parent)
    return counted(len(files), "configuration file"), findings


def _configuration(root: Path) -> Iterator[Path]:
    for name in _FILES:
        if (root / name).is_file() and not (root / name).is_symlink():
            yield root / name
    for folder in _FOLDERS:
        for path, _, names in os.walk(root / folder):
            yield from (p for name in sorted(names) if not (p := Path(path) / name).is_symlink() and p.is_file())


def _assigned(path: Path, root: Path) -> list[Evidence]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    where = path.relative_to(root).as_posix()
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ASSIGNED.search(line)
        if (
            match
            and match["value"]
            and not line.lstrip().startswith(("#", ";", "unset"))
            and "_OLD_VIRTUAL" not in line
        ):
            found.append(Evidence(f"{where}:{number}", f"sets {match.group(1)}"))
    if path.name == "ld.so.preload" and text.strip():
        found.append(Evidence(where, "loads a library into every program"))
    return found
