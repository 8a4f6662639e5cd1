"""A copy of the source tree that tests may change and build."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "_build", "_data", "*.npy")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The source tree without git, with a recipe and a stray picture that must not get into a wheel."""
    root = tmp_path / "source"
    root.mkdir()
    for name in ("edge", "config"):
        shutil.copytree(ROOT / name, root / name, ignore=IGNORED)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, root / name)
    (root / "models" / "training").mkdir(parents=True)
    (root / "models" / "embedder.tflite").write_bytes(b"a model")
    (root / "models" / "embedder.card.yaml").write_text("schema: edge/card/v1\n")
    (root / "models" / "training" / "recipe.py").write_text("print('not for a device')\n")
    (root / "models" / "training" / "teacher.tflite").write_bytes(b"not for a device")
    (root / "edge" / "camera" / "visitor.png").write_bytes(b"a stray picture")
    return root


@pytest.fixture
def wheel(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """``wheel()`` builds the tree by its own backend, in this process."""

    def build() -> Path:
        from edge.policy.backend import build_wheel

        out = tree.parent / "dist"
        out.mkdir(exist_ok=True)
        monkeypatch.chdir(tree)
        return out / build_wheel(str(out))

    return build
