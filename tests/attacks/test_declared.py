"""Settings of an installed, signed build that are not what it declares; the declaration is the wheel's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Desk
from tests.installed import edge

DECLARED = "camera: {driver: v4l2, device: /dev/v4l/by-id/none}\nalternative: Reception\n"


def config(desk: Desk, name: str, text: str) -> str:
    told = desk.config.read_text()
    file = desk.folder / f"{name}.yaml"
    file.write_text(told[: told.index("camera:")] + text)
    return str(file)


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("custody", "vault: {custody: device}\n", "the build declares card custody"),
        ("listener", "claim: {readers: [keyboard], keyboard: /dev/input/by-id/x}\n", "keyboard_reader: false"),
        ("page", "kiosk: {}\n", "local_page: false"),
    ],
)
def test_claims_and_enrolments_stop(office: Path, desk: Desk, name: str, more: str, said: str):
    as_declared = edge(office, "policy", "status", "--config", config(desk, "as-declared", DECLARED))
    assert as_declared.returncode == 0, as_declared.stdout + as_declared.stderr
    done = edge(office, "policy", "status", "--config", config(desk, name, DECLARED + more))
    assert (done.returncode == 0, said in " ".join((done.stdout + done.stderr).split())) == (False, True), done.stdout


def test_the_journal_does_not_leave_a_device_whose_build_declares_no_exports(office: Path, desk: Desk):
    done = edge(office, "journal", "export", "--config", config(desk, "as-declared", DECLARED))
    assert done.returncode != 0
    assert "the build declares that no access log leaves this device" in done.stderr
