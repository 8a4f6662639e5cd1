"""Only what was signed runs: nothing beside an installed package, nor put into it later, becomes a part of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge._resources import is_source_tree
from edge.build.attest import verified
from edge.profile import current
from tests.cli.conftest import make_desk
from tests.installed import ANNA, camera_settings, edge

ROOT = Path(__file__).resolve().parents[2]

ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from edge import _resources
from edge.errors import InputError
told = {}
for kind, name in (("models", "evil.card.yaml"), ("models", "embedder.card.yaml"), ("config", "policy/evil.yaml")):
    try:
        told[name] = str(_resources.path(kind, name))
    except InputError as error:
        told[name] = error.what
print(json.dumps(told))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """As much of an installed package as answers where its files are."""
    package = tmp_path / "site" / "edge"
    (package / "_build").mkdir(parents=True)
    (package / "_data" / "models").mkdir(parents=True)
    for name in ("_resources.py", "errors.py"):
        shutil.copy(ROOT / "edge" / name, package)
    (package / "__init__.py").write_text("")
    (package / "_build" / "statement.json").write_text("{}")
    (package / "_data" / "models" / "embedder.card.yaml").write_text("")
    return package.parent


def plant(site: Path) -> None:
    """Everything that a source tree has beside the package, and the hook inside of it."""
    for name in ("models/evil.card.yaml", "models/embedder.card.yaml", "config/policy/evil.yaml", "pyproject.toml"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("")
    (site / "edge" / "build").mkdir(exist_ok=True)
    (site / "edge" / "build" / "hook.py").write_text("")


def ask(site: Path) -> dict[str, str]:
    done = subprocess.run([sys.executable, "-I", "-c", ASK, str(site)], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_folders_beside_an_installed_package_are_never_looked_at(site: Path):
    plant(site)
    assert not is_source_tree(site / "edge")
    told = ask(site)
    assert told["evil.card.yaml"] == told["policy/evil.yaml"] == "this file does not come with this build"
    assert told["embedder.card.yaml"] == str(site / "edge" / "_data" / "models" / "embedder.card.yaml")


def test_without_its_statement_a_package_is_no_device_that_opens_anything(site: Path):
    """Who removes the statement to get the folders of a source tree has a development install: log and mock doors."""
    plant(site)
    (site / "edge" / "_build" / "statement.json").unlink()
    assert current(site / "edge").profile == "development"
    assert not current(site / "edge").drives_doors


def test_a_link_out_of_the_product_s_own_folder_is_refused(site: Path, tmp_path: Path):
    (tmp_path / "evil.yaml").write_text("")
    (site / "edge" / "_data" / "models" / "evil.card.yaml").symlink_to(tmp_path / "evil.yaml")
    assert "leaves the product's own folder" in ask(site)["evil.card.yaml"]


@pytest.mark.slow
def test_an_unsigned_model_beside_or_inside_a_signed_device_decides_nothing(tmp_path: Path, office: Path):
    """An embedder that calls everybody the same, under a card of its own, named in the settings."""
    site = tmp_path / "site"
    shutil.copytree(office, site)
    trust = tmp_path / "trust" / "builders"
    trust.mkdir(parents=True)
    (trust / "anna.pem").write_bytes(ANNA.public.pem())
    assert verified(trust.parent, package=site / "edge").signed
    own = site / "edge" / "_data" / "models"
    (site / "models").mkdir()
    for folder in (site / "models", tmp_path / "inside"):
        folder.mkdir(exist_ok=True)
        shutil.copy(own / "embedder.tflite", folder / "evil.tflite")
        card = (own / "embedder.card.yaml").read_text().replace("embedder.tflite", "evil.tflite")
        (folder / "evil.card.yaml").write_text(card)
    plant(site)
    (site / "edge" / "build" / "hook.py").unlink()
    (tmp_path / "desk").mkdir()
    desk = make_desk(tmp_path / "desk")
    desk.config.write_text(camera_settings(desk.config.read_text()) + "face: {embedder: evil}\n")
    done = edge(site, "selftest", "--config", str(desk.config), "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, checks["model embedder"]["ok"]) == (4, False)
    assert "there is no model named 'evil'" in checks["model embedder"]["what"]
    assert verified(trust.parent, package=site / "edge").signed, "and what was signed is as it was"
    for file in (tmp_path / "inside").iterdir():
        shutil.copy(file, own)
    now = verified(trust.parent, package=site / "edge")
    assert not now.drives_doors
    assert "evil.card.yaml was added after it was signed" in now.unsigned
