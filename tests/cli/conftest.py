"""A development device in a folder, made by the commands themselves: keys, settings, one enrolled person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = ROOT / "edge" / "fictional" / "people"

CONSENT = """\
subject: Ada Example
text_version: "2026-11"
language: en
given: 2026-11-01
withdrawal: privacy@example.org
"""

SETTINGS = """\
version: edge/settings/v1
device:
  name: desk
  state_dir: state
  trust_dir: trust
camera:
  driver: fictional   # ada comes first, after two seconds of nobody
  pace: fast
alternative: Please ask at the reception.
"""


@dataclass(frozen=True)
class Desk:
    """Where things are on the test's device."""

    folder: Path
    config: Path
    consent: Path

    def person(self, name: str, variant: int = 0) -> str:
        return str(PEOPLE / f"{name}-{variant}.jpg")

    def enrol(self, name: str, capsys, *more: str) -> dict:
        """Enrol from variants 1 and 2; gives the command's JSON answer."""
        arguments = [
            "enrol",
            "--config",
            str(self.config),
            "--consent",
            str(self.consent),
            "--operator",
            "kim",
            "--json",
        ]
        images = ["--image", self.person(name, 1), "--image", self.person(name, 2)]
        capsys.readouterr()
        assert main([*arguments, *images, *more]) == 0
        return json.loads(capsys.readouterr().out)

    def token(self, name: str, capsys) -> Path:
        """Enrol and put the token into a file."""
        file = self.folder / f"{name}.token"
        file.write_text(self.enrol(name, capsys)["token"])
        return file


def make_desk(folder: Path, extra: str = "") -> Desk:
    """Settings, consent record and development keys in an empty folder."""
    desk = Desk(folder, folder / "device.yaml", folder / "consent.yaml")
    desk.config.write_text(SETTINGS + extra)
    desk.consent.write_text(CONSENT)
    assert main(["keys", "init", "--development", "--config", str(desk.config)]) == 0
    return desk


@pytest.fixture
def desk(tmp_path: Path, capsys) -> Desk:
    """A fresh development device."""
    made = make_desk(tmp_path)
    capsys.readouterr()
    return made
