"""Python without what its caller, its folder or its environment could put into it.

    run_isolated()                                              # the entry point of a device build, before any import
    subprocess.run(command("edge.models.examine"), env=environment(), cwd="/")     # a child of any build

A plain ``python -m edge`` imports ``argparse.py`` from the current folder, and whatever PYTHONPATH, PYTHONSTARTUP or
LD_PRELOAD name. Only what was signed runs: so a device build starts itself once more with ``-I`` and an environment of
known names. Nothing but `os` and `sys`, which are loaded already, is imported here, in `edge` itself or its `__main__`.
"""

import os
import sys

_THIS = "/proc/self/exe"
_PACKAGE = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
#: Names that are handed on: the terminal's, the language's, our own and systemd's. Everything else is left out.
_KNOWN = (
    *("PATH", "HOME", "USER", "LOGNAME", "TERM", "COLUMNS", "LINES", "TZ", "LANG", "LANGUAGE", "NO_COLOR"),
    *("EDGE_LOG", "OMP_NUM_THREADS", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID"),
    *("JOURNAL_STREAM", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"),
)
#: The package's folder, behind the standard library and before other packages, then the module, as ``python -m`` does.
_BEGIN = (
    "import sys; root, module = sys.argv[1:3]; del sys.argv[1:3];"
    "places = [k for k, p in enumerate(sys.path) if p.endswith('-packages')];"
    "root in sys.path or sys.path.insert(min(places, default=len(sys.path)), root);"
    "import runpy; runpy.run_module(module, run_name='__main__', alter_sys=True)"
)


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this very package in an isolated Python.

    Args:
        module: such as ``edge.models.examine``. arguments: its own.
    """
    if os.path.exists(_THIS) and os.path.realpath(sys.executable) != os.path.realpath(_THIS):  # noqa: PTH110
        raise RuntimeError(f"{sys.executable} is not the Python that runs, which was started under another's name")
    return [sys.executable, "-I", "-c", _BEGIN, os.path.dirname(_PACKAGE), module, *arguments]  # noqa: PTH120


def environment() -> dict[str, str]:
    """What a child is told of this process's environment."""
    return {name: value for name, value in os.environ.items() if name in _KNOWN or name.startswith("LC_")}


def isolated() -> bool:
    """Whether this Python was started isolated."""
    return bool(sys.flags.isolated)


def run_isolated() -> None:
    """Return in an isolated Python; a device build that was started otherwise starts anew, in the same process.

    A source tree (which has the build hook, as no wheel does) and a lab build (which holds no door) go on as they are.
    """
    device = os.path.isdir(f"{_PACKAGE}/door") and not os.path.isfile(f"{_PACKAGE}/build/hook.py")  # noqa: PTH112, PTH113
    if device and not isolated():
        os.execve(sys.executable, command("edge", *sys.argv[1:]), environment())  # noqa: S606
