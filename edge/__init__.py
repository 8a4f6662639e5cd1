"""On-device 1:1 face verification for doors and kiosks.

A person says who they are with a card, a QR code or a PIN; the device looks once and answers yes or no about that one
person. The public API, loaded on first use (PEP 562):

    from edge import Device, load_settings

    settings = load_settings("device.yaml")
    with Device.open(settings) as device:
        decision = device.verify(token_text)     # a Decision: outcome, reason, never an image or an embedding

There is no search among people here, and no function that takes a collection of templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge._version import __version__

if TYPE_CHECKING:
    from edge import errors
    from edge.service import Device
    from edge.session import Verifier
    from edge.settings import load_settings
    from edge.types import Decision

__all__ = ["Decision", "Device", "Verifier", "__version__", "errors", "load_settings"]

_HOMES = {
    "Device": "edge.service",
    "Verifier": "edge.session",
    "Decision": "edge.types",
    "load_settings": "edge.settings",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "errors":
        return import_module("edge.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge' has no attribute {name!r}")
