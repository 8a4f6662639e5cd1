"""The build backend that pyproject.toml names: hatchling's, told whether it makes an editable install.

An editable install is `development`, and its version has to say so (``0.1.0+development``); hatchling asks for the
version without saying what for. This file runs while something is built or installed, and is in no wheel.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from hatchling import build as _hatchling
from hatchling.build import (
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

#: Whether an editable install is being made.
EDITABLE: ContextVar[bool] = ContextVar("EDITABLE", default=False)

__all__ = [
    "EDITABLE",
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]


def build_editable(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """PEP 660: the wheel of an editable install, labelled development."""
    token = EDITABLE.set(True)
    try:
        return str(_hatchling.build_editable(wheel_directory, config_settings, metadata_directory))
    finally:
        EDITABLE.reset(token)


# Hatchling has these two only where pip does not run it, for the reason that it gives there; so do we.
if hasattr(_hatchling, "prepare_metadata_for_build_wheel"):
    prepare_metadata_for_build_wheel = _hatchling.prepare_metadata_for_build_wheel

    def prepare_metadata_for_build_editable(
        metadata_directory: str, config_settings: dict[str, Any] | None = None
    ) -> str:
        """PEP 660: its metadata, with the same label."""
        token = EDITABLE.set(True)
        try:
            return str(_hatchling.prepare_metadata_for_build_editable(metadata_directory, config_settings))
        finally:
            EDITABLE.reset(token)

    __all__ += ["prepare_metadata_for_build_editable", "prepare_metadata_for_build_wheel"]
