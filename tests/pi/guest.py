"""A virtual machine with real parts of a Pi's stack: made once, booted to a script.

    rows = Guest().run(script, folder)         # `script` runs as root in the guest, where `folder` is /host

`make_guest.sh` says what it needs. EDGE_PI_WORK names the folder that keeps the guest (default /var/tmp/edge-pi).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
_MAKE_S, _BOOT_S = 3600, 3000


class Guest:
    """The guest; making it takes 4 to 8 minutes, once."""

    def __init__(self) -> None:
        self._work = Path(os.environ.get("EDGE_PI_WORK", "/var/tmp/edge-pi"))
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip("needs root on Debian or Ubuntu: it installs qemu and mmdebstrap")
        done = subprocess.run(
            [str(HERE / "make_guest.sh"), str(self._work)], capture_output=True, text=True, timeout=_MAKE_S
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, script: str, folder: Path) -> str:
        """Boot, run a script, switch off; returns what the script wrote. Nothing of it stays in the guest."""
        (folder / "guest.sh").write_text(script)
        shutil.copytree(ROOT / "edge", folder / "edge", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        # no KVM: where it is virtual itself, KVM starts and then dies; `max` has AVX2, as the models want
        command = ["nice", "-n", "15", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"]
        command += ["-smp", "2", "-m", "1024"]
        command += ["-nographic", "-no-reboot", "-nic", "none", "-kernel", str(self._work / "kernel")]
        command += ["-initrd", str(self._work / "initrd")]
        command += ["-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1"]
        command += ["-drive", f"file={self._work / 'guest.img'},format=raw,if=virtio,snapshot=on"]
        command += ["-virtfs", f"local,path={folder},mount_tag=host,security_model=none"]
        command += ["-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0"]
        with (folder / "console.log").open("wb") as console:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=_BOOT_S)
        log = folder / "guest.log"
        assert log.exists(), f"the guest did not run the script; see {folder / 'console.log'}"
        return log.read_text()
