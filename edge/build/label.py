"""The version that hatchling puts on what it builds: ``0.1.0+device``, ``0.1.0+lab``, ``0.1.0+development``.

The label is PEP 440's local version. pyproject.toml names this file; it runs while something is built and is in no
wheel. A build file that cannot be read gives no label: the build hook refuses it a moment later, with every finding.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge._version import __version__
from edge.build.backend import EDITABLE
from edge.build.plan import profile_named

_ROOT = Path(__file__).resolve().parents[2]


def version() -> str:
    """The labelled version of what is being built."""
    label = "development" if EDITABLE.get() else profile_named(_ROOT, os.environ)
    return f"{__version__}+{label}" if label else __version__
