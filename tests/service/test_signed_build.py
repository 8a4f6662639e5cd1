"""A signed device build, installed by pip from a real wheel, may drive a relay; anything less drives the log door.

Each case is a copy of one installation with one thing changed, run in a process of its own, with a fake GPIO chip.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.build.attest import sign_wheel
from edge.build.files import SIGNATURE
from edge.trust.envelopes import Signer
from tests.build.conftest import held
from tests.cli.conftest import Desk, make_desk
from tests.installed import ANNA, build, camera_settings, edge, edge_before_ada, pip, python

BEN = Signer.generate("ben")

RELAY = """
import json, sys
from pathlib import Path
from edge.door import FakeChip, fake
from edge.door.holders import dismiss
from edge.errors import EdgeError
from edge.service import open_device
from edge.types import Decision, Outcome, Reason

chip = FakeChip.make(Path(sys.argv[2]))
fake.KernelChip = lambda path: chip
told = {"energised": False, "error": ""}
with open_device(Path(sys.argv[1])) as device:
    try:
        device._door.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))
        told["energised"] = chip.energised(17, active_high=True)
    except EdgeError as error:
        told["error"] = error.what
dismiss(chip, 17)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A device whose settings name a relay, and whose trust folder names anna as a builder."""
    made = make_desk(tmp_path_factory.mktemp("desk"))
    builders = made.folder / "trust" / "builders"
    builders.mkdir()
    (builders / "anna.pem").write_bytes(ANNA.public.pem())
    lines = ("camera: {driver: v4l2, device: /dev/v4l/by-id/none}", "door: {driver: relay}", "alternative: Reception")
    text = made.config.read_text()
    (made.folder / "relay.yaml").write_text(text[: text.index("camera:")] + "\n".join(lines) + "\n")
    (made.folder / "log.yaml").write_text(camera_settings(text))
    return made


def relay(site: Path, desk: Desk) -> dict[str, object]:
    done = python(site, RELAY, str(desk.folder / "relay.yaml"), str(desk.folder / "chip"))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_signed_build_of_a_trusted_builder_opens_a_relay(office: Path, desk: Desk):
    assert relay(office, desk) == {"energised": True, "error": ""}


def test_the_wheel_holds_the_files_of_its_profile_and_no_other(office_wheel: Path):
    with zipfile.ZipFile(office_wheel) as opened:
        own = {name for name in opened.namelist() if ".dist-info/" not in name and name != SIGNATURE}
    assert own == held("device")


EVERY_MODULE = """
import importlib, sys
from pathlib import Path
site, wrong = Path(sys.argv[1]), []
for path in sorted((site / "edge").rglob("*.py")):
    name = ".".join(path.relative_to(site).with_suffix("").parts).removesuffix(".__init__")
    if name.endswith("__main__"):
        continue
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "edge":
            wrong.append(f"{name} needs {error.name}")
print(*wrong, sep="\\n")
"""


def test_every_module_of_a_device_finds_what_it_imports_in_the_device(office: Path):
    done = python(office, EVERY_MODULE, str(office))
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.slow
def test_a_lab_installs_runs_and_says_what_it_is(tmp_path: Path, desk: Desk):
    build(tmp_path / "dist", "config/examples/build-lab.yaml")
    site = tmp_path / "site"
    pip("install", "--no-index", "--target", str(site), *map(str, (tmp_path / "dist").glob("*.whl")))
    assert edge(site, "--version").stdout == "edge 0.1.0+lab, a lab build, drives no door\n"
    assert not {"camera", "vault", "door", "keys", "session", "service"} & {p.name for p in (site / "edge").iterdir()}
    page = edge(site, "build", "show", "--trust", str(desk.folder / "trust")).stdout
    assert "It compares the faces of two picture files." in page
    assert edge(site, "lab", "--help").returncode == 0
    refused = edge(site, "run")
    assert (refused.returncode, "a lab build works on picture files" in refused.stderr) == (3, True)
    done = python(site, EVERY_MODULE, str(site))
    rooms = {line.split()[0].rpartition(".")[0] for line in done.stdout.splitlines() if line}
    assert rooms <= {"edge.prove"}, "what prove tries on a store needs a vault, and a lab has none"


def alter(site: Path) -> None:
    file = site / "edge" / "door" / "relay.py"
    file.write_text(file.read_text() + "\n")


def by_a_stranger(site: Path) -> None:
    """The very same files under a signature of somebody whom the device does not know."""
    rewrapped = site.parent / "stranger.whl"
    with zipfile.ZipFile(rewrapped, "w") as new:
        for path in sorted(site.rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and path.parts[len(site.parts)] != "bin":
                new.write(path, path.relative_to(site).as_posix())
    sign_wheel(rewrapped, BEN)
    with zipfile.ZipFile(rewrapped) as opened:
        (site / SIGNATURE).write_bytes(opened.read(SIGNATURE))


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "an altered file": (alter, "edge/door/relay.py was altered after it was signed"),
    "an added module": (
        lambda site: (site / "edge" / "search.py").write_text("def search(faces): ...\n"),
        "edge/search.py was added after it was signed",
    ),
    "a removed signature": (lambda site: (site / SIGNATURE).unlink(), "it is not signed"),
    "a stranger's signature": (by_a_stranger, "no key that this device trusts has signed it"),
    "a removed build statement": (
        lambda site: (site / "edge" / "_build" / "statement.json").unlink(),
        "this installation has no build statement",
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_anything_less_drives_only_the_log_door_and_says_why(case: str, office: Path, desk: Desk, tmp_path: Path):
    harm, reason = CASES[case]
    site = tmp_path / "site"
    shutil.copytree(office, site)
    harm(site)
    told = relay(site, desk)
    assert told["energised"] is False
    assert str(told["error"]).startswith("this build may drive only the log door: ")
    assert reason in str(told["error"])


@pytest.fixture(scope="module")
def altered(office: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("altered") / "site"
    shutil.copytree(office, site)
    alter(site)
    return site


REASON = "edge/door/relay.py was altered after it was signed"


def test_an_altered_build_is_unfit_for_a_relay_in_the_self_test_and_does_not_run(altered: Path, desk: Desk):
    config = str(desk.folder / "relay.yaml")
    done = edge(altered, "selftest", "--config", config, "--json")
    (check,) = (check for check in json.loads(done.stdout)["checks"] if check["name"] == "build")
    assert (done.returncode, check["ok"], check["needed"]) == (4, False, True)
    assert REASON in check["what"]
    done = edge(altered, "run", "--config", config)
    assert done.returncode == 4
    assert REASON in done.stderr


def test_an_altered_build_runs_a_log_door_and_says_so_aloud_and_in_the_journal(altered: Path, desk: Desk):
    done = edge_before_ada(altered, "run", "--config", str(desk.folder / "log.yaml"), "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = ["upkeep.selftest", "device.starting", "device.ready", "device.stopped"]
    assert (done.returncode, [event["event"] for event in events]) == (0, kinds)
    (starting,) = (event for event in events if event["event"] == "device.starting")
    assert starting["log_only"] == REASON
    shown = edge(altered, "journal", "show", "--config", str(desk.folder / "log.yaml"), "--json")
    (started,) = (e["fields"] for e in json.loads(shown.stdout)["entries"] if e["kind"] == "started")
    assert (started["signed"], started["may_drive"]) == (False, "log-only")


def test_build_show_and_verify_say_it_of_the_installation(altered: Path, office: Path, desk: Desk):
    config = ("--config", str(desk.folder / "log.yaml"))
    good = edge(office, "build", "verify", "installed", *config)
    assert (good.returncode, "each as anna signed it" in good.stdout) == (0, True)
    assert "It may open a real door." in edge(office, "build", "show", *config).stdout
    bad = edge(altered, "build", "verify", "installed", *config)
    assert (bad.returncode, REASON in bad.stderr) == (1, True)
    page = " ".join(edge(altered, "build", "show", "--lang", "fr", *config).stdout.split())
    assert "Elle n'ouvre rien." in page
    assert "edge/door/relay.py a été modifié après la signature" in page


def test_the_version_says_what_it_is_without_reading_every_file(altered: Path, office: Path, tmp_path: Path):
    assert edge(office, "--version").stdout.startswith("edge 0.1.0+device, a device build, with a signature")
    bare = tmp_path / "site"
    shutil.copytree(office, bare)
    (bare / SIGNATURE).unlink()
    assert edge(bare, "--version").stdout == "edge 0.1.0+device, a device build, unsigned: drives the log door only\n"


def test_a_signed_build_that_declares_no_deployment_drives_only_the_log_door(desk: Desk, tmp_path: Path):
    wheel = sign_wheel(build(tmp_path / "dist", "config/build.yaml"), ANNA)
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "site")
    told = relay(tmp_path / "site", desk)
    assert told["energised"] is False
    assert "what for is not declared" in str(told["error"])
