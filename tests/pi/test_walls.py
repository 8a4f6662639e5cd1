"""Debian's arm64 kernel in a VM, a session's walls and the self-test: `pytest -m pi tests/pi/test_walls.py`.

Needs root on Debian or Ubuntu x86-64, a Debian mirror and PyPI; installs what is missing; 5 minutes on two cores.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.pi.guest import HERE, ROOT, work
from tests.session.ways_out import NEEDED, WAYS

pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def told() -> str:
    """What the guest printed."""
    command = [str(HERE / "arm64_walls.sh"), str(work()), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert "WALLS aarch64" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def answers(told: str) -> dict[str, object]:
    """All its JSON objects in one."""
    found: dict[str, object] = {}
    for line in told.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    return found


def test_every_way_out_that_arm64_has_is_refused_by_seccomp_alone(told: str):
    found = answers(told)
    tried = [name for name, (_, arm, _) in WAYS.items() if arm is not None]
    assert len(tried) >= 30
    assert {name: found[name] for name in tried} == dict.fromkeys(tried, -31)
    assert {name: found[name] for name in NEEDED} == dict.fromkeys(NEEDED, 0)


def test_a_cell_with_the_shipped_embedder_works_behind_its_walls(told: str):
    found = answers(told)
    assert found["cell"] == [True, True, True], told[-3000:]
    assert found["seccomp"] is True
    assert found["landlock"] >= 4  # type: ignore[operator]


def test_the_self_test_is_fit_on_an_arm64_kernel_and_knows_its_known_answers(told: str):
    answer: Any = answers(told)["selftest"]
    failed = {check["id"]: check["what"] for check in answer["checks"] if check["needed"] and not check["ok"]}
    assert answer["fit"], failed
    passed = {check["id"] for check in answer["checks"] if check["ok"]}
    assert {"model-detector", "model-embedder", "cryptography", "session-process", "session-walls"} <= passed
    assert {"known-person", "known-impostor", "known-attack"} <= passed
