"""The environment of an installation, and the disk of a device: what else Python would load and run there."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import marshal
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.prove import Question
from edge.prove.environment import check_bytecode
from edge.prove.static import check_signature, examine, surroundings
from edge.prove.subject import open_subject
from edge.trust.envelopes import Signer
from tests.prove.conftest import site, violations

Copy = Callable[[], Path]


def look(root: Path, signer: Signer) -> dict[str, Question]:
    with open_subject(root=root) as subject:
        return {c.id: c for c in examine(subject, "device", {signer.public.key_id: signer.public}, lambda _: None)}


def around(root: Path, signer: Signer) -> dict[str, list[str]]:
    """The violations, without those of the product's own source."""
    with open_subject(root=root) as subject:
        checks = [check_signature(subject, "device", {signer.public.key_id: signer.public})]
        checks += surroundings(subject, "device", lambda _: None)
    return violations({check.id: check for check in checks})


def add_distribution(packages: Path, name: str, files: dict[str, str]) -> None:
    """As pip leaves it, RECORD included."""
    rows = []
    for path, text in files.items():
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(text)}")
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")


def test_an_installed_signed_wheel_has_nothing_against_it(installed: Path, signer: Signer):
    checks = look(installed, signer)
    assert violations(checks) == {}
    assert "signed by acme" in checks["signature"].examined
    assert checks["compiled"].examined != "0 compiled files"


def test_a_monkeypatch_by_pth_an_added_distribution_and_stray_files_are_found(environment: Copy, signer: Signer):
    venv = environment()
    packages = site(venv)
    add_distribution(packages, "helper", {"helper.pth": "import helper\n", "helper.py": "import edge\n"})
    (packages / "stray.py").write_text("")
    (packages / "sitecustomize.py").write_text("import edge.face.match\n")
    (packages / "linked").symlink_to("/tmp")
    found = around(venv, signer)
    assert any("helper.pth" in text and "runs code" in text for text in found["start-up"])
    assert any("sitecustomize" in text for text in found["start-up"])
    assert any("helper 1.0" in text and "not among the declared" in text for text in found["packages"])
    assert any(text.startswith("stray.py belongs to no distribution") for text in found["files"])
    assert any("linked is a symbolic link" in text for text in found["files"])


def test_a_distribution_that_claims_a_file_of_this_product_is_found(environment: Copy, signer: Signer):
    venv = environment()
    add_distribution(site(venv), "helper", {"edge/face/match.py": "def compare(*_): return 1.0\n"})
    found = around(venv, signer)
    assert any("claims a file of this product" in text for text in found["files"])
    assert any("edge/face/match.py was altered" in text for text in found["files"])
    assert any("altered after it was signed" in text for text in found["signature"])


def test_an_environment_may_be_named_by_a_relative_path(installed: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(installed.parent)
    with open_subject(root=Path(installed.name)) as subject:
        examined, evidence = check_bytecode(subject, lambda _: None)
    assert (examined != "0 compiled files", evidence) == (True, [])


def test_a_compiled_file_that_is_not_its_source_is_found(environment: Copy, signer: Signer):
    """With the date and size of the source in its head Python would run it instead of the source."""
    venv = environment()
    source = site(venv) / "edge" / "face" / "match.py"
    compiled = Path(importlib.util.cache_from_source(str(source)))
    compiled.parent.mkdir(exist_ok=True)
    stat = source.stat()
    head = importlib.util.MAGIC_NUMBER + bytes(4) + int(stat.st_mtime).to_bytes(4, "little")
    code = compile("def compare(*_): return 1.0", str(source), "exec")
    compiled.write_bytes(head + stat.st_size.to_bytes(4, "little") + marshal.dumps(code))
    found = around(venv, signer)
    assert [text for text in found["compiled"] if "face/__pycache__/match" in text]


def test_a_compiled_file_that_would_end_the_reader_is_a_finding_and_no_crash(environment: Copy, signer: Signer):
    venv = environment()
    source = site(venv) / "edge" / "errors.py"
    compiled = Path(importlib.util.cache_from_source(str(source)))
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(importlib.util.MAGIC_NUMBER + bytes(12) + b"\xe3" + os.urandom(200))
    assert any("errors" in text for text in around(venv, signer)["compiled"])


def test_compiled_code_that_needs_no_source_is_found(environment: Copy, signer: Signer):
    venv = environment()
    (site(venv) / "hidden.pyc").write_bytes(b"")
    assert any("without any source" in text for text in around(venv, signer)["compiled"])


def mounted(environment: Copy, tmp_path: Path) -> Path:
    """A device's disk with the environment below /opt."""
    root = tmp_path / "disk"
    shutil.copytree(environment(), root / "opt" / "edge" / "venv", symlinks=True)
    (root / "etc" / "systemd" / "system").mkdir(parents=True)
    return root


def test_the_disk_of_a_device_is_searched_for_the_installation(environment: Copy, tmp_path: Path, signer: Signer):
    root = mounted(environment, tmp_path)
    with open_subject(root=root) as subject:
        assert subject.kind == "device root"
        assert subject.venv == root / "opt" / "edge" / "venv"
    assert around(root, signer) == {}


def test_a_unit_that_tells_python_to_load_other_code_is_found(environment: Copy, tmp_path: Path, signer: Signer):
    root = mounted(environment, tmp_path)
    lines = ["[Service]", "# PYTHONPATH=/harmless", "Environment=PYTHONPATH=/x", "Environment='LD_PRELOAD=/x.so'"]
    (root / "etc" / "systemd" / "system" / "edge-verifier.service").write_text("\n".join(lines))
    found = around(root, signer)["variables"]
    assert found == [
        "etc/systemd/system/edge-verifier.service:3 sets PYTHONPATH",
        "etc/systemd/system/edge-verifier.service:4 sets LD_PRELOAD",
    ]


def test_a_second_installation_is_found(environment: Copy, tmp_path: Path, signer: Signer):
    root = mounted(environment, tmp_path)
    second = root / "usr" / "lib" / "python3" / "dist-packages"
    shutil.copytree(site(root / "opt" / "edge" / "venv"), second)
    assert any("second package `edge`" in text for text in around(root, signer)["packages"])


def test_a_folder_without_this_product_is_bad_input(tmp_path: Path):
    with pytest.raises(InputError, match="no installation"), open_subject(root=tmp_path):
        pass
    with pytest.raises(InputError, match="not a folder"), open_subject(root=tmp_path / "missing"):
        pass
    (tmp_path / "x.whl").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a wheel"), open_subject(wheel=tmp_path / "x.whl"):
        pass
