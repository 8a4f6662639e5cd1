"""The environment around the product: what else Python would load, and what it would be told.

packages     only the declared dependencies and what those need (`edge.prove.allow_list.PACKAGES`)
start-up     ``.pth`` files, ``sitecustomize`` and ``usercustomize``, which run before any program
variables    PYTHONPATH and its like, in units, profiles and this shell
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from edge.prove.model import Evidence, Level, counted
from edge.prove.records import distributions
from edge.prove.source import PACKAGES, known
from edge.prove.subject import Site, Subject

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
    findings += [Evidence(site.where, text, Level.WARNING) for site in subject.sites if site.system and site.names]
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
                yield Evidence(str(path), text, Level.WARNING)
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
