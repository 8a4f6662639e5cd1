"""`deploy/install` on a bare Debian root: `pytest -m pi tests/pi/test_install.py`.

Needs root, mmdebstrap, a Debian mirror and PyPI; 3 to 6 minutes a release.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]
SETTINGS = (
    "version: edge/settings/v1\ncamera: {driver: v4l2, device: /dev/v4l/by-id/none}\n"
    "door: {driver: relay, active_high: false}\nalternative: Reception\n"
)


class Machine:
    """A root folder that commands run in."""

    def __init__(self, folder: Path, release: str) -> None:
        self.folder = folder
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd,systemd-sysv,ca-certificates"]
        subprocess.run([*command, release, str(folder)], check=True)
        for name in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            (folder / name[1:]).write_bytes(Path(name).read_bytes())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environ = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        return subprocess.run(["chroot", str(self.folder), *environ, *command], capture_output=True, text=True)


@pytest.fixture(params=["bookworm", "trixie"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    made = Machine(tmp_path / "root", request.param)
    mounts = [(["-t", "proc", "proc"], made.folder / "proc"), (["--bind", "/dev"], made.folder / "dev")]
    for what, where in mounts:
        subprocess.run(["mount", *what, str(where)], check=True)
    yield made
    for _, where in reversed(mounts):
        subprocess.run(["umount", str(where)], check=True)


def test_a_bare_root_becomes_a_door_and_the_second_run_changes_nothing(machine, tmp_path):
    shutil.copytree(ROOT / "deploy", machine.folder / "root" / "deploy")
    (machine.folder / "root" / "device.yaml").write_text(SETTINGS)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w"]
    environ = {**os.environ, "EDGE_BUILD_CONFIG": "config/examples/build-office.yaml"}
    subprocess.run([*wheel, str(machine.folder / "root"), str(ROOT)], env=environ, check=True)
    (name,) = (machine.folder / "root").glob("*.whl")
    install = ["/root/deploy/install", "--wheel", f"/root/{name.name}", "--settings", "/root/device.yaml"]

    rehearsal = machine.run(*install, "--dry-run")
    assert rehearsal.returncode == 0, rehearsal.stderr
    assert not (machine.folder / "etc" / "edge").exists(), "a rehearsal changes nothing"
    first = machine.run(*install)
    assert first.returncode == 4, "what is missing now is made by hand: keys\n" + first.stdout + first.stderr
    assert "edge keys init" in first.stdout + first.stderr
    second = machine.run(*install)
    assert "\n0 change(s)\n" in second.stdout, second.stdout
    assert machine.run(*install, "--dry-run").stdout.endswith("0 change(s) would be made\n")

    for place, wanted in {
        "/etc/edge/trust/issuers": "755 root root",
        "/var/lib/edge": "700 edge edge",
        "/etc/edge/device.yaml": "644 root root",
        "/etc/systemd/system/edge-verifier.service.d/relay.conf": "644 root root",
    }.items():
        assert machine.run("stat", "-c", "%a %U %G", place).stdout.strip() == wanted, place
    assert machine.run("systemctl", "is-enabled", "edge-verifier").stdout == "enabled\n"
    verify = machine.run("systemd-analyze", "verify", "/etc/systemd/system/edge-verifier.service")
    assert verify.returncode == 0, verify.stderr
