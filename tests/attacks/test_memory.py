"""What a claim leaves in the memory of a running door, looked for from outside in every page of the process.

A parent may read the memory of its child (``/proc/PID/mem``), and it knows what to look for: it made the card.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edge.claim import decode
from edge.service import open_device
from edge.types.rotation import quantised
from tests.cells import opened

PEOPLE = Path(__file__).resolve().parents[2] / "edge" / "fictional" / "people"
SETTINGS = """\
version: edge/settings/v1
device: {name: desk, state_dir: state, trust_dir: trust}
camera: {driver: fictional, pace: fast}
alternative: Please ask at the reception.
"""
CONSENT = "subject: Ada Example\ntext_version: '1'\nlanguage: en\ngiven: 2026-11-01\nwithdrawal: me@example.org\n"


@dataclass
class Door:
    """A door that runs in a process of its own, and a card for it."""

    config: Path
    token: str
    process: subprocess.Popen[str]

    def present(self) -> str:
        """Present the card; the reason of the decision."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(self.token + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] in ("session.decided", "claim.refused"):
                return str(event["decision"]["reason"])
        raise AssertionError("the door has stopped")


def pages_of(process: int) -> Iterator[bytes]:
    """Every readable page of a process, a mapping at a time."""
    maps = Path(f"/proc/{process}/maps").read_text().splitlines()
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found and "[v" not in line:
                start, end = (int(part, 16) for part in found.groups())
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    continue


def memory_of(process: int, secrets: Mapping[str, bytes]) -> set[str]:
    """Which of some byte strings stand in the memory of a process."""
    found: set[str] = set()
    for pages in pages_of(process):
        found |= {name for name, value in secrets.items() if value in pages}
    return found


def edge(*arguments: object) -> str:
    command = [sys.executable, "-m", "edge", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    config, consent = folder / "device.yaml", folder / "consent.yaml"
    config.write_text(SETTINGS)
    consent.write_text(CONSENT)
    edge("keys", "init", "--development", "--config", config)
    pictures = [part for k in (1, 2) for part in ("--image", PEOPLE / f"ada-{k}.jpg")]
    answer = edge("enrol", "--config", config, "--operator", "kim", "--consent", consent, "--json", *pictures)
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", config, "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield Door(config, json.loads(answer)["token"], process)
    process.stdin.close()
    process.wait(30)


def secrets_of(door: Door) -> dict[str, bytes]:
    """What is looked for, by name."""
    with open_device(door.config) as device:
        claim = decode(door.token, trust=device._keyring.trust, site_id=device._keyring.site_id, received_ns=0)
        with opened(device._vault, claim, bytes.fromhex(device._chain.model)) as template:
            sealed, plain = template.read("s").copy(), quantised(template.unrotated("s"))
        return {
            "card's text": door.token[80:200].encode(),
            "card's secret": claim.secret,
            **forms("template as sealed", sealed),
            **forms("template", plain),
            "site key": device._keyring.site_key,
        }


def forms(name: str, vector: np.ndarray) -> dict[str, bytes]:
    """An embedding as the types that arithmetic brings it into."""
    types = (np.int8, np.int16, np.int32, np.int64, np.float32, np.float64)
    return {f"{name}, {kind.__name__}": vector.astype(kind).tobytes() for kind in types}


def test_after_claims_neither_card_nor_template_is_in_the_door_s_memory(door: Door):
    """What is left is named in THREATS: the device's own keys. They are also the sign that what is there is found."""
    secrets = secrets_of(door)
    told = [door.present() for _ in range(3)]
    assert "matching" in told
    for _ in range(20):  # the door is told about before it has acted, and only then the card's text goes
        left = memory_of(door.process.pid, secrets)
        if left == {"site key"}:
            break
    assert left == {"site key"}


COMPARES = """
import sys
import numpy as np
from edge.face.match import compare
from edge.types import Probe, Template
from edge.types.rotation import Rotation, quantised
from edge.types.wipe import wipe

data = bytearray(2 * 128)
sys.stdin.buffer.raw.readinto(data)
seen, person = np.frombuffer(data, np.int8, 128), np.frombuffer(data, np.int8, 128, 128)
key = bytes(range(32))
for _ in range(3):
    probe = Probe(seen, model="m", session="s")
    rotation = Rotation(key, 128)
    turned = rotation.turn(person)
    with Template(quantised(turned), model="m", session="s", rotation=rotation) as template:
        compare(template, probe, "s")
    wipe(turned)
data[:] = bytes(len(data))
print("done", flush=True)
sys.stdin.buffer.raw.read(1)
"""


def test_a_comparison_leaves_neither_probe_nor_template_in_memory():
    dice = np.random.default_rng(9)
    probe, person = (dice.integers(-127, 128, 128).astype(np.int8) for _ in range(2))
    process = subprocess.Popen([sys.executable, "-c", COMPARES], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(probe.tobytes() + person.tobytes())
    process.stdin.flush()
    assert process.stdout.readline() == b"done\n"
    secrets = {**forms("probe", probe), **forms("template", person), "control": bytes(range(32))}
    found = memory_of(process.pid, secrets)
    process.stdin.close()
    process.wait(30)
    assert found == {"control"}
