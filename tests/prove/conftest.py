"""A signed wheel of this checkout, and a workshop that plants something into it and signs it again."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.build.attest import sign_wheel
from edge.prove import Question, Severity
from edge.prove.static import examine
from edge.prove.subject import open_subject
from edge.trust.envelopes import PublicKey, Signer

ROOT = Path(__file__).resolve().parents[2]
_IGNORED = shutil.ignore_patterns("__pycache__", "_build", "_data", "*.npy", ".git", "people")


@dataclass(frozen=True)
class Workshop:
    """Where wheels are taken apart and put together again, as somebody would who holds the builder's key."""

    folder: Path
    signer: Signer

    @property
    def key(self) -> PublicKey:
        return self.signer.public

    def plant(self, files: dict[str, str | bytes], name: str = "planted") -> Path:
        """A signed wheel with these files put in or replaced. A value may change a text: see `changed`."""
        target = self.folder.parent / name
        target.mkdir()
        wheel = target / self.folder.name
        with zipfile.ZipFile(self.folder) as old, zipfile.ZipFile(wheel, "w") as new:
            record = next(n for n in old.namelist() if n.endswith(".dist-info/RECORD"))
            contents = {n: old.read(n) for n in old.namelist() if n != record}
            contents |= {n: text.encode() if isinstance(text, str) else text for n, text in files.items()}
            for path, data in contents.items():
                new.writestr(path, data)
            new.writestr(record, _record(contents, record))
        return sign_wheel(wheel, self.signer)

    def changed(self, name: str, old: str, new: str) -> dict[str, str | bytes]:
        """A file of the wheel with one passage replaced."""
        with zipfile.ZipFile(self.folder) as archive:
            text = archive.read(name).decode()
        assert old in text, f"{name} has no {old!r} any more: mend this test"
        return {name: text.replace(old, new, 1)}

    def checks(self, *, wheel: Path | None = None, root: Path | None = None) -> dict[str, Question]:
        """What the static part says, by check."""
        with open_subject(wheel=wheel, root=root) as subject:
            builders = {self.key.key_id: self.key}
            return {check.id: check for check in examine(subject, "device", builders, lambda _: None)}


def _record(contents: dict[str, bytes], record: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        writer.writerow([path, f"sha256={digest}", str(len(data))])
    writer.writerow([record, "", ""])
    return text.getvalue().encode()


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The wheel of this checkout, from a copy without git, models and pictures (large, and nothing to examine)."""
    root = tmp_path_factory.mktemp("prove") / "source"
    root.mkdir()
    for name in ("edge", "config"):
        shutil.copytree(ROOT / name, root / name, ignore=_IGNORED)
    (root / "models").mkdir()
    for card in (ROOT / "models").glob("*.card.yaml"):
        shutil.copy(card, root / "models")
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, root / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "../dist", "."]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = (root.parent / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer.generate("acme")


@pytest.fixture(scope="session")
def signed(built: Path, signer: Signer, tmp_path_factory) -> Path:
    """The wheel as the builder signs it."""
    wheel = tmp_path_factory.mktemp("signed") / built.name
    shutil.copy(built, wheel)
    return sign_wheel(wheel, signer)


@pytest.fixture
def workshop(signed: Path, signer: Signer, tmp_path: Path) -> Workshop:
    (tmp_path / "original").mkdir()
    return Workshop(Path(shutil.copy(signed, tmp_path / "original")), signer)


@pytest.fixture(scope="session")
def installed(signed: Path, tmp_path_factory) -> Path:
    """A virtual environment with the signed wheel in it, and nothing else. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("installed")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    command = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "-q", "--no-deps"]
    subprocess.run([*command, "--no-index", str(signed)], check=True, capture_output=True)
    return venv


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> Callable[[], Path]:
    """``environment()`` gives a copy that may be spoiled."""

    def copy() -> Path:
        target = tmp_path / "venv"
        shutil.copytree(installed, target, symlinks=True)
        return target

    return copy


def site(venv: Path) -> Path:
    """The folder with packages of an environment."""
    (found,) = (venv / "lib").glob("python3.*/site-packages")
    return found


def violations(checks: dict[str, Question]) -> dict[str, list[str]]:
    """Question -> its violations as text, where there are any."""
    found = {
        name: [f"{f.where} {f.what}" for f in check.findings if f.level is Severity.VIOLATION]
        for name, check in checks.items()
    }
    return {name: texts for name, texts in found.items() if texts}
