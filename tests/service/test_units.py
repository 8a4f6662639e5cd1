"""What deploy/ ships: the exposure by systemd's own tool, users and folders in a root of their own, the script."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = (DEPLOY / "edge-verifier.service").read_text(encoding="utf-8")
KIOSK = (DEPLOY / "kiosk" / "edge-kiosk.conf").read_text(encoding="utf-8")
OPERATOR = (DEPLOY / "kiosk" / "edge-operator.conf").read_text(encoding="utf-8")
RELAY = (DEPLOY / "edge-relay.conf").read_text(encoding="utf-8")
KEYS = (DEPLOY / "edge-keys.conf").read_text(encoding="utf-8")


def values(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def needs(tool: str) -> str:
    if (found := shutil.which(tool)) is None:
        pytest.skip(f"needs {tool}")
    return found


@pytest.mark.parametrize("drop_in", ["", RELAY, RELAY + KEYS, KIOSK, KIOSK + OPERATOR])
def test_systemd_itself_says_that_the_unit_exposes_little(tmp_path, drop_in):
    analyze = needs("systemd-analyze")
    unit = tmp_path / "edge-verifier.service"
    unit.write_text(UNIT + drop_in)
    done = subprocess.run([analyze, "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True)
    (exposure,) = re.findall(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    assert float(exposure) <= 1.5
    # keys that bookworm's systemd does not know yet, and nothing else
    unknown = set(re.findall(r"Unknown key '(\w+)'", done.stderr))
    assert unknown <= {"RestartSteps", "RestartMaxDelaySec"}


def test_systemd_itself_says_that_the_browser_exposes_little_and_the_unit_says_why_what_is_open_is(tmp_path):
    analyze = needs("systemd-analyze")
    text = (DEPLOY / "kiosk" / "edge-browser.service").read_text(encoding="utf-8")
    unit = tmp_path / "edge-browser.service"
    unit.write_text(text.replace("/usr/bin/cage", "/bin/true"))
    done = subprocess.run([analyze, "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True)
    (exposure,) = re.findall(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    assert float(exposure) <= 2.2, done.stdout
    for setting in re.findall(r"✗ (\w+)=", done.stdout):
        assert re.search(rf"^# .*{setting}|^{setting}=", text, re.MULTILINE), f"why is {setting} open?"
    assert values(text, "SupplementaryGroups") == ["render"], "it opens no camera (video) and hears no scanner (input)"
    assert not [one for one in values(text, "DeviceAllow") if "video" in one or "input" in one]


def test_the_unit_needs_nothing_that_plain_debian_lacks():
    assert values(UNIT, "SupplementaryGroups") == ["video"], "gpio is for relay doors, whose drop-in has it"
    assert not values(UNIT, "ExecStopPost"), "a log door that is stopped has nothing to lock, and has not failed"
    assert not values(UNIT + RELAY, "ProcSubset"), "the model runtime needs /proc/cpuinfo"
    assert not values(UNIT + RELAY, "PrivateUsers"), "the next start must see the guard that holds the line"


def test_the_unit_never_ends_the_guard_that_holds_the_line():
    assert values(UNIT, "KillMode") == ["process"]
    (after,) = values(RELAY, "ExecStopPost")
    assert "-m edge.door.hold %t/edge/door" in after


def test_the_unit_is_told_when_it_is_ready_and_starts_in_a_folder_of_its_own():
    assert values(UNIT, "Type") == ["notify"]
    assert values(UNIT, "WatchdogSec")
    assert values(UNIT, "WorkingDirectory") == ["%t/" + values(UNIT, "RuntimeDirectory")[0]]


def test_user_and_folders_are_made_with_their_owners_and_modes(tmp_path):
    sysusers, tmpfiles = needs("systemd-sysusers"), needs("systemd-tmpfiles")
    if os.geteuid() != 0:
        pytest.skip("needs root: owners are set")
    (tmp_path / "etc").mkdir()
    for tool, name in ((sysusers, "edge.sysusers"), (tmpfiles, "edge.tmpfiles")):
        command = [tool, f"--root={tmp_path}", *(["--create"] if tool is tmpfiles else []), str(DEPLOY / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    passwd = (tmp_path / "etc" / "passwd").read_text()
    (uid,) = re.findall(r"^edge:x:(\d+):", passwd, re.MULTILINE)
    state, trust = (tmp_path / "var/lib/edge").stat(), (tmp_path / "etc/edge/trust/issuers").stat()
    assert (state.st_mode & 0o777, state.st_uid) == (0o700, int(uid))
    assert (trust.st_mode & 0o777, trust.st_uid) == (0o755, 0)


def test_the_install_script_is_sound_and_its_rehearsal_changes_nothing():
    script = DEPLOY / "install"
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    done = subprocess.run([script, "--dry-run"], capture_output=True, text=True)
    if done.returncode == 3:  # it says so on any other system
        assert "Debian and Raspberry Pi OS" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert "would be made" in done.stdout
        assert "\nchange: " not in done.stdout
    refused = subprocess.run([script, "--wheel", "/nowhere.whl"], capture_output=True, text=True)
    assert (refused.returncode, refused.stderr) == (3, "install: there is no file /nowhere.whl\n")


def test_config_txt_says_one_level_for_the_relay_s_pin_whatever_was_installed_before(tmp_path):
    script = (DEPLOY / "install").read_text(encoding="utf-8")
    helpers = re.findall(r"^change\(\) \{.*?^\}\n|^ok\(\).*?\n", script, re.MULTILINE | re.DOTALL)
    (board,) = re.findall(r"^# -- the board -+\n(.*?^fi\n)", script, re.MULTILINE | re.DOTALL)
    text = "set -euo pipefail\ndry= changes=0 pi=yes driver=relay pin=$1 active_high=$2\n" + "".join(helpers) + board
    text = (text + 'echo "$changes"\n').replace("/boot/firmware", str(tmp_path))
    config = tmp_path / "config.txt"
    # as the pin's line was written until it had a comment
    config.write_text("camera_auto_detect=1\ngpio=22=ip\n\n[all]\ngpio=17=op,dl\n\n[all]\ngpio=17=op,dh\n")
    for pin, high, line in (
        ("17", "True", "gpio=17=op,dl"),
        ("17", "False", "gpio=17=op,dh"),
        ("17", "True", "gpio=17=op,dl"),
        ("27", "True", "gpio=27=op,dl"),
    ):
        for changes in ("some", "0"):
            done = subprocess.run(["bash", "-c", text, "bash", pin, high], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert changes == "some" or done.stdout.endswith("\n0\n"), "a second run changes nothing"
            said = [row for row in config.read_text().splitlines() if row.startswith("gpio=")]
            assert said == ["gpio=22=ip", line]
    assert config.read_text().count("\n[all]\n# edge: the relay\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["config.txt"]


def test_the_page_is_served_on_the_port_and_loopback_that_the_settings_have_by_default():
    from edge.settings.model import KioskSettings

    address = f"127.0.0.1:{KioskSettings().port}"
    assert values((DEPLOY / "kiosk" / "edge-kiosk.socket").read_text(), "ListenStream") == [address]
    browser = (DEPLOY / "kiosk" / "edge-browser.service").read_text()
    assert f"http://{address}/" in browser
    assert values(browser, "IPAddressDeny") == ["any"]
    assert values(KIOSK, "IPAddressAllow") == ["localhost"]
    assert not values(KIOSK, "PrivateNetwork"), "the socket is handed over; the service has no network"


def test_systemd_understands_the_units_of_a_kiosk(tmp_path):
    analyze = needs("systemd-analyze")
    names = ("edge-kiosk.socket", "edge-operator.socket", "edge-browser.service")
    units = [DEPLOY / "kiosk" / name for name in names]
    for unit in [*units, DEPLOY / "edge-verifier.service"]:
        text = unit.read_text().replace("/usr/bin/cage", "/bin/true").replace("/opt/edge/.venv/bin/edge", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    (tmp_path / "edge-verifier.service.d").mkdir()
    (tmp_path / "edge-verifier.service.d" / "kiosk.conf").write_text(KIOSK)
    (tmp_path / "edge-verifier.service.d" / "operator.conf").write_text(OPERATOR)
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:/usr/lib/systemd/system:/lib/systemd/system"}
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(tmp_path / unit.name for unit in units)],
        capture_output=True,
        text=True,
        env=environment,
    )
    ours = [line for line in done.stderr.splitlines() if "edge-" in line and "Restart" not in line]
    assert not ours
