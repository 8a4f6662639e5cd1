"""The product on arm64 under qemu-user, bit for bit as here: `pytest -m pi tests/pi/test_arm64.py`.

Needs root on Debian or Ubuntu x86-64, a Debian mirror and PyPI; installs what is missing; 6 minutes on two cores.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.face.test_exact import KNOWN
from tests.pi.guest import HERE, ROOT, work

pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]
SETTINGS = (
    "device: {name: arm64, state_dir: state, trust_dir: trust}\ncamera: {driver: fictional, pace: fast}\n"
    "alternative: Ring the bell.\n"
)


class Arm64:
    """Python of a Debian release for arm64, with the product's packages."""

    def __init__(self, suite: str) -> None:
        made = subprocess.run([HERE / "arm64.sh", work(), ROOT, suite], capture_output=True, text=True, timeout=1800)
        assert made.returncode == 0, made.stdout + made.stderr
        self._python = work() / f"arm64-{suite}.sh"

    def run(self, *words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = ["nice", "-n", "5", str(self._python), *words]
        environ = {**os.environ, "EDGE_SOURCE": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=1800)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def arm64(request: pytest.FixtureRequest) -> Arm64:
    return Arm64(request.param)


def test_faces_crops_and_embeddings_have_the_bits_of_x86(arm64):
    done = arm64.run(
        "-c", "import platform; from tests.face.test_exact import digest; print(platform.machine(), digest())"
    )
    assert done.stdout.split() == ["aarch64", KNOWN], done.stdout + done.stderr


def test_the_self_test_is_fit_and_knows_its_known_answers(arm64, tmp_path):
    (tmp_path / "device.yaml").write_text(SETTINGS)
    made = arm64.run("-m", "edge", "keys", "init", "--development", "--config", "device.yaml", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    done = arm64.run("-m", "edge", "selftest", "--config", "device.yaml", "--json", folder=tmp_path)
    answer = json.loads(done.stdout)
    failed = {check["id"]: check["what"] for check in answer["checks"] if check["needed"] and not check["ok"]}
    assert (answer["fit"], failed) == (True, {})
    passed = {check["id"] for check in answer["checks"] if check["ok"]}
    assert {"model-detector", "model-embedder", "known-person", "known-impostor", "cryptography"} <= passed
