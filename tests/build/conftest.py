"""A copy of the source tree that tests may change and build."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "_build", "_data", "*.npy")

#: As much of an embedder's card as the build hook reads: the rates by group that nist-8280 asks for.
CARD = "schema: edge/card/v1\ncalibration: {groups: [{name: one, fmr: 0.001}, {name: two, fmr: 0.002}]}\n"


#: Written by the build itself, into every wheel.
WRITTEN = ("edge/_build/statement.json", "edge/_data/config/build.yaml")


def held(profile: str) -> set[str]:
    """The files of a profile, as they are named in its wheel; the wheel's own metadata aside."""
    from edge.build.contents import contents
    from edge.profile import of

    return set(contents(ROOT, profile, of(profile)).files) | set(WRITTEN)


def copy_tree(root: Path) -> Path:
    """The source tree without git, with a recipe and a stray picture that must not get into a wheel."""
    root.mkdir()
    for name in ("edge", "config"):
        shutil.copytree(ROOT / name, root / name, ignore=IGNORED)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, root / name)
    (root / "models" / "training").mkdir(parents=True)
    (root / "models" / "embedder.tflite").write_bytes(b"a model")
    (root / "models" / "embedder.card.yaml").write_text(CARD)
    (root / "models" / "training" / "recipe.py").write_text("print('not for a device')\n")
    (root / "models" / "training" / "teacher.tflite").write_bytes(b"not for a device")
    (root / "edge" / "camera" / "visitor.png").write_bytes(b"a stray picture")
    return root


def build_in(root: Path, out: Path) -> Path:
    """The wheel of a tree, by its own backend, in this process."""
    from edge.build.backend import build_wheel

    out.mkdir(exist_ok=True)
    with contextlib.chdir(root):
        return out / build_wheel(str(out))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of its own."""
    return copy_tree(tmp_path / "source")


@pytest.fixture
def wheel(tree: Path) -> Callable[[], Path]:
    """``wheel()`` builds the tree."""
    return lambda: build_in(tree, tree.parent / "dist")
