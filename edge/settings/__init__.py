"""Field settings: YAML in, typed settings out, all errors at once.

    from edge.settings import load_settings

    settings = load_settings("/etc/edge/device.yaml")   # Settings; SettingsError lists every problem
    settings.camera.fps

The sections, such as `CameraSettings`, are in `edge.settings.model`. Names are loaded on first use (PEP 562): the build
hook imports `edge.settings.yaml_core`, which needs nothing but PyYAML, where pydantic is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.settings.loader import check, default_file, device_file, load_settings, origins, warnings
    from edge.settings.model import DeviceSettings, Settings
    from edge.settings.problems import Problem

__all__ = [
    "DeviceSettings",
    "Problem",
    "Settings",
    "check",
    "default_file",
    "device_file",
    "load_settings",
    "origins",
    "warnings",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'edge.settings' has no attribute {name!r}")
    home = {"Problem": "problems", "DeviceSettings": "model", "Settings": "model"}.get(name, "loader")
    return getattr(import_module(f"edge.settings.{home}"), name)
