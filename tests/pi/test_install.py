"""`deploy/install` on a bare Debian root: `pytest -m pi tests/pi/test_install.py`.

Bookworm as a door, trixie as a door with a screen. Needs root, a Debian mirror and PyPI; 3 to 10 minutes a release.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import OFFICE, build
from tests.pi.guest import HERE, ROOT, work

pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]
SETTINGS = (
    "version: edge/settings/v1\ncamera: {driver: v4l2, device: /dev/v4l/by-id/none}\n"
    "door: {driver: relay, active_high: false}\nalternative: Reception\nkiosk: {house: Meridian Works}\n"
)


class Machine:
    """A root folder that commands run in. ``screen``: whether it becomes a kiosk as well."""

    def __init__(self, folder: Path, release: str) -> None:
        self.folder, self.screen = folder, release == "trixie"
        subprocess.run([HERE / "host.sh", "mmdebstrap", "debian-archive-keyring"], check=True)
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd,systemd-sysv,ca-certificates"]
        subprocess.run([*command, release, str(folder)], check=True)
        for name in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            (folder / name[1:]).write_bytes(Path(name).read_bytes())
        if Path("/etc/pip.conf").exists():
            shutil.copy("/etc/pip.conf", folder / "etc")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environ = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        return subprocess.run(["chroot", str(self.folder), *environ, *command], capture_output=True, text=True)


@pytest.fixture(params=["bookworm", "trixie"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    work()  # skips where nothing can be made
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
    (tmp_path / "build.yaml").write_text((ROOT / OFFICE).read_text().replace("local_page: false", "local_page: true"))
    wheel = build(machine.folder / "root", str(tmp_path / "build.yaml"))
    install = ["/root/deploy/install", "--wheel", f"/root/{wheel.name}", "--settings", "/root/device.yaml"]
    install += ["--requirements", "/root/deploy/requirements.txt", *(["--kiosk"] if machine.screen else [])]

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
    units = ["edge-verifier.service", *(["edge-kiosk.socket", "edge-browser.service"] if machine.screen else [])]
    for unit in units:
        assert machine.run("systemctl", "is-enabled", unit).stdout == "enabled\n"
        verify = machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{unit}")
        assert verify.returncode == 0, verify.stderr
    drop_ins = sorted(path.name for path in (machine.folder / "etc/systemd/system/edge-verifier.service.d").iterdir())
    assert drop_ins == (["kiosk.conf", "relay.conf"] if machine.screen else ["relay.conf"])
    page = machine.run("/opt/edge/.venv/bin/python", "-I", "-c", "import edge.kiosk.server, uvicorn, starlette")
    assert (page.returncode == 0) == machine.screen, page.stderr
