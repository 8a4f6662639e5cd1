"""Field settings: YAML in, typed settings out, all errors at once.

    from edge.settings import load_settings

    settings = load_settings("/etc/edge/device.yaml")   # Settings; SettingsError lists every problem
    settings.camera.fps

Names are loaded on first use (PEP 562): the build hook imports `edge.settings.yaml_core`, which needs nothing but
PyYAML, where pydantic is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.settings.loader import check, default_file, load_settings, origins, warnings
    from edge.settings.model import (
        CameraSettings,
        ClaimSettings,
        DecisionSettings,
        DeviceSettings,
        DoorSettings,
        FaceSettings,
        JournalSettings,
        LimitSettings,
        Schedule,
        Settings,
        VaultSettings,
    )
    from edge.settings.problems import Problem

_HOMES = {
    "edge.settings.loader": ("check", "default_file", "load_settings", "origins", "warnings"),
    "edge.settings.problems": ("Problem",),
    "edge.settings.model": (
        "CameraSettings",
        "ClaimSettings",
        "DecisionSettings",
        "DeviceSettings",
        "DoorSettings",
        "FaceSettings",
        "JournalSettings",
        "LimitSettings",
        "Schedule",
        "Settings",
        "VaultSettings",
    ),
}

__all__ = [
    "CameraSettings",
    "ClaimSettings",
    "DecisionSettings",
    "DeviceSettings",
    "DoorSettings",
    "FaceSettings",
    "JournalSettings",
    "LimitSettings",
    "Problem",
    "Schedule",
    "Settings",
    "VaultSettings",
    "check",
    "default_file",
    "load_settings",
    "origins",
    "warnings",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'edge.settings' has no attribute {name!r}")
