"""From deploy/ and a signed wheel to a running unit, inside the guest: one JSON object a line, for `test_door.py`.

The relay is active-low on gpio-sim; its level is looked at fifty times a second all the while.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HOST, LINE = Path("/host"), Path(sys.argv[1])
EDGE = "/opt/edge/.venv/bin/edge"
UNIT = "edge-verifier"
CONTACT, BUTTON, TAMPER = 27, 22, 23
energised: list[tuple[float, float]] = []  # from, to


def say(case: str, **what: object) -> None:
    print(json.dumps({"case": case, **what}), flush=True)


def watch() -> None:
    """Keep the spans in which the relay is energised: the line is low."""
    since, file = None, os.open(LINE / "value", os.O_RDONLY)
    while True:
        low = os.pread(file, 1, 0) == b"0"
        if low and since is None:
            since = time.monotonic()
        if not low and since is not None:
            energised.append((since, time.monotonic()))
            since = None
        time.sleep(0.02)


def pulses(before: int) -> list[float]:
    """The spans that have ended since so many had: the decision is told before the door moves."""
    until = time.monotonic() + 120
    while len(energised) <= before and time.monotonic() < until:
        time.sleep(0.1)
    return [round(end - start, 2) for start, end in energised[before:]]


def run(case: str, *command: str) -> None:
    out, err = HOST / f"{case}.out", HOST / f"{case}.err"  # files: what a command leaves running holds no pipe open
    with out.open("w") as told, err.open("w") as failed:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=told, stderr=failed, timeout=2400).returncode
    say(case, code=code, out=out.read_text()[-6000:], err=err.read_text()[-3000:])


def as_edge(case: str, *command: str) -> None:
    run(case, "setpriv", "--reuid", "edge", "--regid", "edge", "--groups", "video,gpio", EDGE, *command)


def journal(since: float) -> list[str]:
    """What the unit has said since a moment of the monotonic clock."""
    told = subprocess.run(["journalctl", "-u", UNIT, "-o", "json"], capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in told.splitlines()]
    return [str(one["MESSAGE"]) for one in lines if int(one["__MONOTONIC_TIMESTAMP"]) / 1e6 >= since]


def wait(since: float, word: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(word in line for line in journal(since)):
            return True
        time.sleep(1)
    return False


def state() -> dict[str, str]:
    keys = ("ActiveState", "NRestarts", "Result", "MemoryPeak")
    told = subprocess.run(["systemctl", "show", UNIT, "-p", ",".join(keys)], capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in told.splitlines())


def feed(folder: str, fps: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "feed.py", "/dev/video42", folder, "640", "480", str(fps)]
    feeder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert feeder.stdout is not None
    feeder.stdout.readline()
    return feeder


def patient() -> None:
    """What a unit is given for its start and between frames, on a machine that is emulated; the rest is as shipped."""
    place = Path(f"/etc/systemd/system/{UNIT}.service.d/emulated.conf")
    place.parent.mkdir(parents=True)
    place.write_text("[Service]\nTimeoutStartSec=1200\nWatchdogSec=300\n")


def install() -> None:
    patient()
    (wheel,) = HOST.glob("*.whl")
    command = ["src/deploy/install", "--wheel", str(wheel), "--settings", "/host/device.yaml"]
    run("rehearsed", *command, "--dry-run")
    run("installed", *command)
    # what a person does by hand: the site's keys, whom this door believes
    subprocess.run(["install", "-m", "600", "-o", "edge", "-g", "edge", "/host/site.key", "/run/site.key"], check=True)
    as_edge("keys", "keys", "init", "--recovery", "/host/recovery.pub", "--site", "/run/site.key")
    Path("/run/site.key").unlink()
    for kind in ("issuers", "builders"):
        for file in (HOST / kind).iterdir():
            subprocess.run(["install", "-m", "644", file, f"/etc/edge/trust/{kind}/"], check=True)
    run("again", *command)


def troubles(feeder: subprocess.Popen[bytes]) -> None:
    """The camera falls silent, tears its pictures, and is a dark one of 7 frames a second."""
    began = time.monotonic()
    feeder.send_signal(signal.SIGSTOP)
    silent = wait(began, "silent", 300)
    feeder.send_signal(signal.SIGCONT)
    back = time.monotonic()
    say("silent", told=silent, accepted=wait(back, "ACCEPT", 600), lines=journal(began), **state())
    began = time.monotonic()
    feeder.send_signal(signal.SIGUSR1)
    torn = wait(began, "damaged pictures", 300)
    feeder.send_signal(signal.SIGUSR1)
    back = time.monotonic()
    say("torn", told=torn, accepted=wait(back, "ACCEPT", 600), lines=journal(began), **state())
    feeder.kill()
    feeder.wait()
    began = time.monotonic()
    dark = feed("dark", 7)
    time.sleep(45)
    say("dark", lines=journal(began), **state())
    inputs()  # now, since nobody is let in by their face
    dark.kill()
    dark.wait()


def put(pin: int, closed: bool) -> None:
    """Close a switch to ground, or open it: what a wire to gpio-sim's line would do."""
    (LINE.parent / f"sim_gpio{pin}" / "pull").write_text("pull-down" if closed else "pull-up")
    time.sleep(1)


def press(case: str) -> None:
    """The button inside, and for how long the lock was released then."""
    before = len(energised)
    put(BUTTON, True)
    put(BUTTON, False)
    say(case, spans=pulses(before))


def inputs() -> None:
    """Somebody forces the door, opens the housing, wants to get out; that, too, while the verifier hangs."""
    for pin in (CONTACT, TAMPER):
        put(pin, True)
        time.sleep(4)
        put(pin, False)
    press("let out")
    subprocess.run(["systemctl", "kill", "--kill-whom=main", "-s", "STOP", UNIT], check=True)
    time.sleep(3)
    press("let out of a hang")
    subprocess.run(["systemctl", "kill", "--kill-whom=main", "-s", "CONT", UNIT], check=True)


def main() -> None:
    threading.Thread(target=watch, daemon=True).start()
    feeder = feed("frames", 5)
    began = time.monotonic()
    install()
    ready = wait(began, "ready", 600)
    say("ready", told=ready, **state())
    accepted = wait(began, "ACCEPT", 600)
    say("accepted", told=accepted, spans=pulses(0), lines=journal(began), **state())
    run("doctor", "setpriv", "--reuid", "edge", "--regid", "edge", "--clear-groups", EDGE, "doctor")
    before = len(energised)
    subprocess.run(["systemctl", "kill", "--kill-whom=main", "-s", "KILL", UNIT], check=True)
    killed = time.monotonic()
    say("killed", ready=wait(killed, "ready", 900), **state())
    accepted = wait(killed, "ACCEPT", 600)
    say("accepted again", told=accepted, spans=pulses(before))
    troubles(feeder)
    run("stop", "systemctl", "stop", UNIT)
    press("let out when it is stopped")
    as_edge("journal", "journal", "show", "--last", "200", "--kind", "door", "--kind", "tamper", "--json")
    held = subprocess.run(["grep", "-l", "edge/door/guard[.]py", *map(str, Path("/proc").glob("[0-9]*/cmdline"))],
                          capture_output=True, text=True).stdout.splitlines()  # fmt: skip
    say("stopped", level=(LINE / "value").read_text().strip(), guards=len(held), **state())
    run("security", "systemd-analyze", "security", UNIT, "--no-pager")
    run("verify", "systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}.service")
    say("end")


if __name__ == "__main__":
    main()
