"""What is examined: a wheel, a virtual environment, the root of a mounted device, or this very installation.

    with open_subject(root=Path("/mnt/door")) as subject:
        subject.sites                # the folders of sys.path that hold packages, as names and bytes
        subject.edge                 # name -> bytes of the package `edge`

Nothing is imported. Symbolic links are not followed: on a mounted device they would lead into the auditor's own files.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge._resources import is_source_tree
from edge.build.archive import Archive, read_archive
from edge.errors import InputError, SignatureError

PACKAGES = ("site-packages", "dist-packages")
_DIST = re.compile(r"edge_verifier-[^/]+\.dist-info", re.ASCII)
_PRUNED = frozenset({"proc", "sys", "dev", "run", "__pycache__", ".git", "node_modules"})
_MAX_FILES = 400_000  # the whole of a desktop's /usr/lib/python3 has a tenth of it; more is the wrong folder


@dataclass(frozen=True, slots=True)
class Site:
    """One folder of ``sys.path``, or a whole wheel.

    Attributes:
        where: its path, for the report. names: every file, relative, in order. links: symbolic links, not followed.
        folder: on disk, None for a wheel. archive: of a wheel. prefix: of the environment, for files that RECORD names.
        system: whether the operating system's packages lie here (no RECORD; dpkg's own sums count).
    """

    where: str
    names: tuple[str, ...]
    links: tuple[str, ...] = ()
    folder: Path | None = None
    prefix: Path | None = None
    system: bool = False
    archive: Archive | None = field(default=None, repr=False)

    def read(self, name: str) -> bytes:
        """The content of one file. Raises `OSError`: it is not there, or cannot be read."""
        if self.archive is not None:
            if name not in self.archive.files:
                raise (OSError if name in self.archive.damaged else FileNotFoundError)(name)
            return self.archive.files[name]
        assert self.folder is not None
        with os.fdopen(os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read()

    def text(self, name: str) -> str:
        """The content of one file as text, whatever it is; empty when it cannot be read (another check says so)."""
        try:
            return self.read(name).decode("utf-8", "replace")
        except OSError:
            return ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined.

    Attributes:
        kind: ``wheel``, ``environment``, ``device root`` or ``this installation``. name: as given.
        sites: all folders with packages; ``home`` is the one that holds `edge`.
        root: of the mounted device, else None. venv: the environment's folder, if it is one.
        stdlib: the folder of its Python's standard library, if it could be found. python: its version, or ''.
        source: the folder of a development install's package, outside of every site.
    """

    kind: str
    name: str
    sites: tuple[Site, ...]
    home: Site
    root: Path | None = None
    venv: Path | None = None
    stdlib: Path | None = None
    python: str = ""
    development: bool = False

    @property
    def edge(self) -> tuple[str, ...]:
        """The files of the package `edge`."""
        return tuple(name for name in self.home.names if name.startswith("edge/"))

    @property
    def is_wheel(self) -> bool:
        return self.kind == "wheel"


@contextmanager
def open_subject(*, root: Path | None = None, wheel: Path | None = None) -> Iterator[Subject]:
    """Open what is to be examined; without arguments this very installation.

    Raises:
        InputError: nothing of this product is there.
    """
    if wheel is not None:
        try:
            yield _of_wheel(wheel, read_archive(wheel))
        except SignatureError as error:
            raise InputError(error.what, where=error.where, remedy=error.remedy) from error
    else:
        yield _of_root(root) if root is not None else _of_self()


def _of_wheel(path: Path, archive: Archive) -> Subject:
    names = tuple(sorted(archive.names))
    if not any(name.startswith("edge/") for name in names):
        raise InputError("this wheel holds no edge-verifier", where=str(path), remedy="name its wheel")
    site = Site(path.name, names, archive=archive)
    return Subject("wheel", str(path), (site,), site)


def _of_root(root: Path) -> Subject:
    if not root.is_dir():
        raise InputError("this is not a folder", where=str(root), remedy="name an environment or a mounted root")
    venv = root if (root / "pyvenv.cfg").is_file() else None
    homes = _homes(root)
    if not homes:
        raise InputError(
            "no installation of edge-verifier was found below this folder",
            where=str(root),
            remedy="name the virtual environment, or the root of the mounted device",
        )
    inside = None if venv else root
    folder = homes[0]
    venv = venv or next((parent for parent in folder.parents if (parent / "pyvenv.cfg").is_file()), None)
    return _subject("environment" if inside is None else "device root", str(root), folder, homes[1:], venv, inside)


def _of_self() -> Subject:
    package = Path(__file__).resolve().parent.parent
    folder = package.parent
    development = is_source_tree(package)
    prefix = Path(sys.prefix)
    venv = prefix if (prefix / "pyvenv.cfg").is_file() else None
    if development:
        home = _site(folder, None, only=("edge",))
        others = tuple(_site(Path(p), prefix) for p in sys.path if Path(p).name in PACKAGES and Path(p).is_dir())
    else:
        home = _site(folder, prefix)
        paths = [Path(p) for p in sys.path if Path(p).name in PACKAGES and Path(p).is_dir()]
        others = tuple(_site(p, prefix) for p in paths if p.resolve() != folder)
    python = ".".join(map(str, sys.version_info[:3]))
    stdlib = Path(os.__file__).resolve().parent
    kind = "this installation"
    return Subject(kind, str(folder), (home, *others), home, None, venv, stdlib, python, development)


def _subject(kind: str, name: str, folder: Path, more: list[Path], venv: Path | None, root: Path | None) -> Subject:
    settings = _venv_settings(venv)
    version = re.match(r"python(3\.\d+)", folder.parent.name)
    minor = version.group(1) if version else ".".join(settings.get("version", "").split(".")[:2])
    home_bin = settings.get("home", "/usr/bin")
    base = (root / home_bin.lstrip("/") if root else Path(home_bin)).parent
    stdlib = base / "lib" / f"python{minor}"
    home = _site(folder, venv or folder.parent.parent.parent)
    sites = [home, *(_site(other, other.parent.parent.parent) for other in more)]
    if venv is None or settings.get("include-system-site-packages", "false").lower() == "true":
        prefix = root or Path("/")
        system = [prefix / "usr/lib/python3/dist-packages", prefix / f"usr/local/lib/python{minor}/dist-packages"]
        system.append(stdlib / "site-packages")
        known = {site.folder for site in sites}
        sites += [_site(path, prefix, system=True) for path in system if path.is_dir() and path not in known]
    python = settings.get("version", settings.get("version_info", ""))
    return Subject(kind, name, tuple(sites), home, root, venv, stdlib if stdlib.is_dir() else None, python)


def _homes(root: Path) -> list[Path]:
    """The folders with packages that hold `edge`, below a folder."""
    found: list[Path] = []
    for path, below, _ in os.walk(root):
        below[:] = sorted(name for name in below if name not in _PRUNED and not (Path(path) / name).is_symlink())
        if Path(path).name in PACKAGES:
            if "edge" in below or any(_DIST.fullmatch(name) for name in below):
                found.append(Path(path))
            below[:] = []
    return sorted(found)


def _site(folder: Path, prefix: Path | None, *, only: tuple[str, ...] = (), system: bool = False) -> Site:
    names: list[str] = []
    links: list[str] = []
    for path, below, files in os.walk(folder):
        if only and Path(path) == folder:
            below[:], files = [name for name in below if name in only], []
        for name in list(below):
            if (Path(path) / name).is_symlink():
                links.append((Path(path) / name).relative_to(folder).as_posix())
                below.remove(name)
        for name in files:
            full = Path(path) / name
            (links if full.is_symlink() else names).append(full.relative_to(folder).as_posix())
        if len(names) > _MAX_FILES:
            raise InputError("too many files", where=str(folder), remedy="name the environment itself")
    return Site(str(folder), tuple(sorted(names)), tuple(sorted(links)), folder, prefix, system)


def _venv_settings(venv: Path | None) -> dict[str, str]:
    if venv is None:
        return {}
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}
