"""The build hook: runs inside ``pip wheel .`` and ``python -m build``, and is in no wheel.

Workflow: hatchling loads this file by path (pyproject.toml names it); it puts the project's root on ``sys.path`` and
asks `edge.build.plan` what the wheel holds. A refusal lists every finding and ends the build. Otherwise each file is
added by name, with models, settings and the build statement as package data; pyproject.toml itself selects nothing, so
that a build whose hooks were switched off is an empty wheel and not one with everything.

An editable install gets no statement: it is `development` whatever build.yaml says, and is refused only for what no
code can enable. The sdist carries the commit, its date, and whether the source differed from it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: A device's wheel may go into a venv that sees apt's packages, and on Debian 12 those (picamera2, simplejpeg) are
#: built against numpy 1.24 and cannot be imported beside numpy 2. A checkout and a lab want today's numpy (jax needs
#: it), so this is no line of pyproject.toml.
BESIDE_APT = "numpy<2; python_version < '3.12'"


def version() -> str:
    """The version that hatchling puts on what it builds: ``0.1.0+device``, ``0.1.0+lab``, ``0.1.0+development``.

    The label is PEP 440's local version; pyproject.toml names this function. A build file that cannot be read gives no
    label: the hook refuses it a moment later, with every finding.
    """
    from edge._version import __version__
    from edge.build.backend import EDITABLE
    from edge.build.plan import profile_named

    label = "development" if EDITABLE.get() else profile_named(Path(__file__).resolve().parents[2], os.environ)
    return f"{__version__}+{label}" if label else __version__


class EdgeBuildHook(BuildHookInterface[Any]):
    """Adds to a wheel what its profile holds, or refuses."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        if version == "editable":
            self._editable()
            return
        self._folder = Path(tempfile.mkdtemp(prefix="edge-build-"))
        if self.target_name == "sdist":
            self._sdist(build_data)
        elif self.target_name == "wheel":
            self._wheel(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called by hatchling after the archive is written."""
        if version != "editable":
            shutil.rmtree(self._folder, ignore_errors=True)

    def _editable(self) -> None:
        from edge.build.plan import impossible

        if findings := impossible(Path(self.root)):
            self._refuse(findings)

    def _refuse(self, findings: Iterable[str]) -> NoReturn:
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder, ignore_errors=True)
        lines = "\n".join(f"  {finding}" for finding in findings)
        self.app.abort(f"the build is refused:\n{lines}")
        raise SystemExit(1)  # abort has ended the process; were it ever to return, nothing must be built

    def _sdist(self, build_data: dict[str, Any]) -> None:
        from edge.build.plan import SOURCE, source
        from edge.errors import BuildRefused

        try:
            said = source(Path(self.root))
        except BuildRefused as refused:
            self._refuse(refused.findings)
        self._add(build_data, SOURCE, json.dumps(said, sort_keys=True) + "\n")

    def _wheel(self, build_data: dict[str, Any]) -> None:
        from edge.build.plan import as_text, plan
        from edge.errors import BuildRefused
        from edge.profile import STATEMENT

        try:
            planned = plan(Path(self.root), self.metadata.version)
        except BuildRefused as refused:
            self._refuse(refused.findings)
        for name, path in planned.files.items():
            self._include(build_data, path, name)
        self._add(build_data, STATEMENT, as_text(planned.statement))
        if planned.statement["profile"] == "device":
            build_data["dependencies"].append(BESIDE_APT)

    def _include(self, build_data: dict[str, Any], path: Path, name: str) -> None:
        """Add a file of the source tree; one that stands under two names, as an example in use does, is copied."""
        if str(path) in build_data["force_include"]:
            copy = self._folder / name.replace("/", "--")
            shutil.copy(path, copy)
            path = copy
        build_data["force_include"][str(path)] = name

    def _add(self, build_data: dict[str, Any], name: str, text: str) -> None:
        """Add a generated file."""
        file = self._folder / Path(name).name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644)
        build_data["force_include"][str(file)] = name
