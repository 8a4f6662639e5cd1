"""Where pins come from: this machine's, or gpiozero's mock. Both are imported only when chosen."""

from __future__ import annotations

from typing import Any

from edge.errors import DoorError


def hardware_factory() -> Any:
    """The pins of this machine (gpiozero over lgpio).

    Raises:
        DoorError: a package is missing, or this machine has no such pins.
    """
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        package = "python3-gpiozero" if (error.name or "").startswith("gpiozero") else "python3-lgpio"
        raise DoorError(
            f"the Python package {error.name} is missing",
            where="relay",
            remedy=f"sudo apt install {package} (and make the venv with --system-site-packages), or use the extra [pi]",
        ) from error
    try:
        return LGPIOFactory()
    except Exception as error:  # lgpio raises its own kinds, none of them documented
        raise DoorError(
            f"the GPIO pins cannot be opened ({type(error).__name__}: {error})",
            where="relay",
            remedy="is this a Raspberry Pi, and is the user in the group gpio?",
        ) from error


def mock_factory() -> Any:
    """Pins that exist only in memory.

    Raises:
        DoorError: gpiozero is missing.
    """
    try:
        from gpiozero.pins.mock import MockFactory
    except ImportError as error:
        raise DoorError(
            "the Python package gpiozero is missing", where="relay", remedy="pip install gpiozero"
        ) from error
    return MockFactory()
