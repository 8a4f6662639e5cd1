"""`edge build` and `edge keys signer`, as a builder uses them: a key, a signature, a look at the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from tests.build.conftest import build_in, copy_tree

PHRASE = "four words are enough"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    return build_in(copy_tree(folder / "source"), folder / "dist")


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A builder's private half, made by the command; its public half lies in ``trust/builders``."""
    phrase(tmp_path)
    arguments = ["keys", "signer", "--role", "builder", "--name", "acme", "--out", str(tmp_path / "keys")]
    assert main([*arguments, "--passphrase-file", str(tmp_path / "phrase")]) == 0
    (tmp_path / "trust" / "builders").mkdir(parents=True)
    public = tmp_path / "keys" / "acme.pem"
    (tmp_path / "trust" / "builders" / "acme.pem").write_bytes(public.read_bytes())
    capsys.readouterr()
    return tmp_path / "keys" / "acme.key"


def phrase(folder: Path, text: str = PHRASE) -> Path:
    file = folder / "phrase"
    file.write_text(text + "\n")
    file.chmod(0o600)
    return file


def sign(wheel: Path, key: Path, folder: Path, *more: str) -> int:
    (folder / "out").mkdir(exist_ok=True)
    options = ("--key", str(key), "--out", str(folder / "out"), "--passphrase-file", str(folder / "phrase"))
    return main(["build", "sign", str(wheel), *options, *more])


def test_a_signer_is_two_files_and_the_private_one_is_nobody_else_s(key: Path):
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(key.read_bytes())["kdf"] == "argon2id"
    assert b"PUBLIC KEY" in key.with_suffix(".pem").read_bytes()


def test_a_signer_is_never_overwritten_and_a_short_passphrase_makes_none(key: Path, tmp_path: Path, capsys):
    arguments = ["keys", "signer", "--role", "builder", "--passphrase-file", str(tmp_path / "phrase"), "--out"]
    before = key.read_bytes()
    assert main([*arguments, str(tmp_path / "keys"), "--name", "acme"]) == 3
    assert key.read_bytes() == before
    phrase(tmp_path, "short")
    assert main([*arguments, str(tmp_path / "new")]) == 3
    assert "shorter than 12" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_keys_show_names_whose_builds_are_believed(key: Path, desk, capsys):
    assert main(["keys", "show", "--config", str(desk.config)]) == 0
    assert "acme, for builders" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../up", "a b", "", ".hidden", "x" * 33])
def test_a_signer_s_name_is_a_word(tmp_path: Path, name: str, capsys):
    phrase(tmp_path)
    arguments = ["keys", "signer", "--role", "packs", "--passphrase-file", str(tmp_path / "phrase")]
    assert main([*arguments, "--out", str(tmp_path / "k"), "--name", name]) == (0 if name == "" else 3)
    if name == "":
        assert (tmp_path / "k" / "packs.key").exists(), "without a name it is the role's"


def test_a_wheel_is_signed_verified_and_shown(wheel: Path, key: Path, tmp_path: Path, capsys):
    assert sign(wheel, key, tmp_path) == 0
    told = capsys.readouterr()
    assert "signed with key" in told.out
    assert "no one else can reproduce it" in told.err, "the tree has no commit"
    signed, trust = str(tmp_path / "out" / wheel.name), ("--trust", str(tmp_path / "trust"))
    assert main(["build", "verify", signed, *trust]) == 0
    assert "each as acme signed it" in capsys.readouterr().out
    assert main(["build", "show", signed, *trust]) == 0
    page = capsys.readouterr().out
    assert "Signed by acme" in " ".join(page.split())
    assert "Added on this device" not in page, "a wheel is no device"
    assert max(map(len, page.splitlines())) > 120, "nothing wraps where there is no terminal"
    assert main(["build", "show", signed, "--lang", "fr", *trust]) == 0
    assert "Ce qu'elle ne peut pas faire" in capsys.readouterr().out


def test_the_files_of_a_build_are_listed_as_sha256sum_lists_them(wheel: Path, tmp_path: Path, capsys):
    import subprocess
    import zipfile

    assert main(["build", "show", "--files", str(wheel)]) == 0
    told = capsys.readouterr().out
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
        assert {line.split("  ")[1] for line in told.splitlines()} == {
            name for name in opened.namelist() if not name.endswith("/RECORD")
        }
    subprocess.run(["sha256sum", "--check", "--quiet"], cwd=tmp_path, input=told, text=True, check=True)
    assert main(["build", "show", "--files", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert "edge/session/verifier.py" in files
    assert "edge/lab/__init__.py" not in files


def test_machines_get_one_object(wheel: Path, key: Path, tmp_path: Path, capsys):
    assert sign(wheel, key, tmp_path, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["error"]) == ("edge/build-sign/v1", None)
    trust = ("--trust", str(tmp_path / "trust"), "--json")
    assert main(["build", "show", answer["wheel"], *trust]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["ok"], shown["profile"], shown["signer"]["name"]) == (True, "device", "acme")
    assert shown["drives_doors"] is False, "it declares no deployment"
    assert main(["build", "verify", str(wheel), *trust]) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == [
        {"kind": "unsigned", "name": "", "what": "it is not signed"}
    ]


def test_a_wheel_of_an_unknown_builder_is_told_so(wheel: Path, key: Path, tmp_path: Path, capsys):
    sign(wheel, key, tmp_path)
    (tmp_path / "empty").mkdir()
    signed = str(tmp_path / "out" / wheel.name)
    assert main(["build", "verify", signed, "--trust", str(tmp_path / "empty")]) == 1
    assert "no key that this device trusts has signed it" in capsys.readouterr().err


def test_a_wrong_passphrase_signs_nothing(wheel: Path, key: Path, tmp_path: Path, capsys):
    phrase(tmp_path, "four words are wrong")
    assert sign(wheel, key, tmp_path) == 3
    told = capsys.readouterr().err
    assert "wrong passphrase" in told
    assert "four words" not in told
    assert not list((tmp_path / "out").iterdir())


def test_what_is_no_wheel_of_this_product_is_not_signed(key: Path, tmp_path: Path, capsys):
    import zipfile

    other = tmp_path / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as new:
        new.writestr("other/__init__.py", b"")
    assert sign(other, key, tmp_path) == 3
    assert "the build statement cannot be read" in capsys.readouterr().err
    assert sign(tmp_path / "missing.whl", key, tmp_path) == 3
    assert "this is not a wheel" in capsys.readouterr().err


def test_a_checkout_shows_itself_as_a_development_install(tmp_path: Path, capsys):
    assert main(["build", "show", "--trust", str(tmp_path)]) == 0
    assert "This is a development install" in capsys.readouterr().out
    assert main(["build", "verify", "--trust", str(tmp_path)]) == 1
    assert "a development install, which is never signed" in capsys.readouterr().err


def test_the_version_of_a_checkout_says_development(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "edge 0.1.0+development, a development install, drives the log door only\n"
