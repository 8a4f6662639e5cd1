"""A virtual machine with real parts of a Pi's stack: made once, booted to a script.

    Guest().run("guest_v4l2.sh", folder)     # runs as root in the guest, where `folder` is /host; returns what it wrote

`make_guest.sh` says what it needs. EDGE_PI_WORK names the folder that keeps the guest (default /var/tmp/edge-pi).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
_MAKE_S, _BOOT_S = 3600, 6000


def work() -> Path:
    """The folder that keeps what is made once; skips where nothing can be made."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("needs root on Debian or Ubuntu: it installs what it needs")
    return Path(os.environ.get("EDGE_PI_WORK", "/var/tmp/edge-pi"))


class Guest:
    """The guest; making it takes some minutes, once."""

    def __init__(self) -> None:
        self._work = work()
        command = [str(HERE / "make_guest.sh"), str(self._work)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MAKE_S)
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, script: str, folder: Path) -> str:
        """Boot, run a script of this folder, switch off; nothing of it stays in the guest.

        /host holds this folder's files, the product's source in ``src``, and what else the caller has put there.
        """
        shutil.copytree(HERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("edge", "models", "config", "deploy"):
            leave = shutil.ignore_patterns("training", "__pycache__")
            shutil.copytree(ROOT / name, folder / "src" / name, ignore=leave)
        shutil.copy(ROOT / "pyproject.toml", folder / "src")  # what makes it a source tree (`edge._resources`)
        shutil.copy(HERE / script, folder / "guest.sh")
        # no KVM: where it is virtual itself, KVM starts and then dies; `max` has AVX2, as the models want
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"]
        command += ["-smp", "2", "-m", "2048"]
        command += ["-nographic", "-no-reboot", "-nic", "none", "-kernel", str(self._work / "kernel")]
        command += ["-initrd", str(self._work / "initrd")]
        command += ["-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1"]
        command += ["-drive", f"file={self._work / 'guest.img'},format=raw,if=virtio,snapshot=on"]
        command += ["-virtfs", f"local,path={folder},mount_tag=host,security_model=none"]
        command += ["-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0"]
        with (folder / "console.log").open("wb") as console:
            # a session of its own: a busy kernel shares its processors between sessions (autogroup), not processes
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": console, "stderr": console}
            subprocess.run(command, **streams, timeout=_BOOT_S, start_new_session=True)
        log = folder / "guest.log"
        assert log.exists(), f"the guest did not run the script; see {folder / 'console.log'}"
        return log.read_text(errors="replace")


def cases(log: str) -> dict[str, list[dict[str, Any]]]:
    """What a script said as JSON, one object a line, by its ``case``."""
    said: dict[str, list[dict[str, Any]]] = {}
    for line in log.splitlines():
        if line.startswith('{"case"'):
            said.setdefault(json.loads(line)["case"], []).append(json.loads(line))
    return said
