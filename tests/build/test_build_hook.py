"""The build hook, by building for real: what is in a wheel, what is not, and what is never built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIME = tuple(f"edge/build/{name}.py" for name in ("backend", "hook", "plan"))
FORBIDDEN = ("edge/lab/", "edge/cli/compare.py", "edge/cli/lab", "edge/cli/_pictures.py", *BUILD_TIME)


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return set(opened.namelist())


def statement(archive: Path) -> dict[str, object]:
    with zipfile.ZipFile(archive) as opened:
        loaded = json.loads(opened.read("edge/_build/statement.json"))
    assert isinstance(loaded, dict)
    return loaded


def change(tree: Path, old: str, new: str) -> None:
    file = tree / "config" / "build.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def pip_wheel(tree: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", "dist", "."]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, env={**os.environ, **environ}, check=False)


def test_pip_builds_a_device_with_what_it_needs_and_nothing_more(tree: Path):
    answer = pip_wheel(tree)
    assert answer.returncode == 0, answer.stderr
    (wheel,) = (tree / "dist").glob("*.whl")
    held = names(wheel)
    assert {"edge/__init__.py", "edge/LAYERS.txt", "edge/_build/statement.json", "edge/_data/config/build.yaml"} <= held
    assert {"edge/_data/models/embedder.tflite", "edge/_data/models/embedder.card.yaml"} <= held
    assert {
        "edge/fictional/people/fara-0.jpg",
        "edge/fictional/people/mesh.npz",
        "edge/_data/config/device.yaml",
    } <= held
    assert not [name for name in held if name.startswith(FORBIDDEN)]
    assert not [name for name in held if "training" in name or name.endswith(".png") or "test" in name.split("/")[0]]
    assert statement(wheel)["profile"] == "device"


def test_pip_shows_every_finding_with_its_line_and_builds_nothing(tree: Path):
    change(tree, "one_to_many_search: false", "one_to_many_search: true")
    change(tree, "score_output: false", "score_output: true")
    line = (tree / "config" / "build.yaml").read_text().splitlines()
    at = next(number for number, text in enumerate(line, 1) if "one_to_many_search:" in text)
    answer = pip_wheel(tree)
    told = answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert not list(tree.glob("dist/*.whl"))
    assert f"config/build.yaml:{at}:23: capability/one_to_many_search: true is refused in every profile" in told
    assert "no code exists to enable it" in told
    assert "capability/score_output" in told
    assert "Traceback" not in told


def test_the_wheel_runs_as_a_device_whatever_the_environment_says(tree: Path, wheel: Callable[[], Path]):
    installed = tree.parent / "installed"
    with zipfile.ZipFile(wheel()) as opened:
        opened.extractall(installed)
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "from edge.profile import current; from edge.cli import main; b = current()\n"
        "print(b.profile, b.is_device, b.fault == '', b.can('claimed_verification'))\n"
        "sys.exit(main(['compare', 'a.jpg', 'b.jpg']))"
    )
    environ = {**os.environ, "EDGE_BUILD_CONFIG": "lab.yaml", "EDGE_PROFILE": "development"}
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tree, capture_output=True, text=True, env=environ, check=False
    )
    assert answer.stdout.strip() == "device True True True", answer.stderr
    assert answer.returncode == 3
    assert "not in this build" in answer.stderr


def test_the_statement_says_what_was_built(tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    said = statement(wheel())
    assert said["schema"] == "edge/build-statement/v1"
    assert said["version"] == "0.1.0+device"
    assert said["built"] == "2023-11-14"
    assert (said["commit"], said["committed"], said["dirty"]) == (None, None, None)  # the copy has no git
    assert said["capabilities"]["one_to_many_search"] is False
    assert str(tree) not in json.dumps(said)


def git(tree: Path, *arguments: str, at: int | None = None) -> None:
    """Run git in the tree; ``at``: the time of a commit."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    when = {} if at is None else {"GIT_COMMITTER_DATE": f"{at} +0000", "GIT_AUTHOR_DATE": f"{at} +0000"}
    subprocess.run(
        ["git", *identity, *arguments], cwd=tree, capture_output=True, check=True, env={**os.environ, **when}
    )


def commit(tree: Path, at: int) -> None:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "all", at=at)


def unpacked_sdist(tree: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the tree's sdist unpacks to."""
    from edge.build.backend import build_sdist

    out.mkdir()
    monkeypatch.chdir(tree)
    with tarfile.open(out / build_sdist(str(out))) as opened:
        opened.extractall(out, filter="data")
    (unpacked,) = (path for path in out.iterdir() if path.is_dir())
    return unpacked


def test_commit_and_changes_are_read_from_git(tree: Path):
    from edge.build.plan import source

    commit(tree, 1_700_000_000)
    clean = source(tree)
    assert len(str(clean["commit"])) == 40
    assert (clean["committed"], clean["dirty"]) == (1_700_000_000, False)
    (tree / "edge" / "extra.py").write_text("")
    assert source(tree) == clean | {"dirty": True}


@pytest.mark.parametrize("changed", [False, True])
def test_the_sdist_carries_what_git_knows_and_its_wheel_is_the_same_bytes(
    tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, changed: bool
):
    from edge.build.backend import build_wheel

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    commit(tree, 1_690_000_000)
    if changed:
        (tree / "README.md").write_text("changed after the commit\n")
    direct = wheel()
    said = statement(direct)
    unpacked = unpacked_sdist(tree, tree.parent / "sdist", monkeypatch)
    assert not (unpacked / ".git").exists()
    monkeypatch.chdir(unpacked)
    again = unpacked.parent / build_wheel(str(unpacked.parent))
    assert again.name == direct.name
    assert again.read_bytes() == direct.read_bytes()
    assert len(str(said["commit"])) == 40
    assert (said["committed"], said["dirty"]) == (1_690_000_000, changed)


def test_the_version_says_the_profile_in_the_name_and_in_the_metadata(tree: Path, wheel: Callable[[], Path]):
    archive = wheel()
    assert archive.name == "edge_verifier-0.1.0+device-py3-none-any.whl"
    with zipfile.ZipFile(archive) as opened:
        metadata = opened.read("edge_verifier-0.1.0+device.dist-info/METADATA").decode()
    assert "\nVersion: 0.1.0+device\n" in metadata


def test_a_device_s_wheel_leaves_bookworm_s_numpy_where_it_is(tree: Path, wheel: Callable[[], Path]):
    """Installed by pip alone beside apt's picamera2, on any machine; a lab takes the numpy that its libraries need."""

    def newest_numpy(built: Path, python: str) -> set[str]:
        (name,) = (each for each in names(built) if each.endswith("/METADATA"))
        with zipfile.ZipFile(built) as opened:
            wanted = [
                Requirement(line) for line in Parser().parsestr(opened.read(name).decode()).get_all("Requires-Dist")
            ]
        here = {"python_version": python, "platform_machine": "x86_64", "extra": ""}
        numpy = [one for one in wanted if one.name == "numpy" and (one.marker is None or one.marker.evaluate(here))]
        assert numpy
        return {each for each in ("1.26.4", "2.4.6") if all(one.specifier.contains(each) for one in numpy)}

    built = wheel()
    assert newest_numpy(built, "3.11") == {"1.26.4"}
    assert newest_numpy(built, "3.13") == {"1.26.4", "2.4.6"}
    built.unlink()
    lab(tree)
    assert newest_numpy(wheel(), "3.11") == {"1.26.4", "2.4.6"}


def lab(tree: Path) -> None:
    """Make the tree's build file one of a lab, and give it a room to build."""
    from edge.profile import of

    lines = [f"  {name}: {str(value).lower()}" for name, value in of("lab").items()]
    text = "version: edge/build/v1\nprofile: lab\ncapabilities:\n" + "\n".join(lines) + "\n"
    (tree / "config" / "build.yaml").write_text(text)
    (tree / "edge" / "lab").mkdir(exist_ok=True)
    (tree / "edge" / "lab" / "__init__.py").touch()


def test_a_lab_is_labelled_lab_and_holds_neither_camera_nor_vault_nor_door_nor_keys(
    tree: Path, wheel: Callable[[], Path]
):
    lab(tree)
    archive = wheel()
    rooms = {name.split("/")[1] for name in names(archive) if name.startswith("edge/")}
    assert archive.name.startswith("edge_verifier-0.1.0+lab-")
    assert statement(archive)["profile"] == "lab"
    assert {"lab", "face", "policy"} <= rooms
    assert not {"camera", "vault", "door", "keys", "claim", "session", "service", "journal", "state"} & rooms
    assert "edge/cli/compare.py" in names(archive)


EARLIER, LATER, NOW = 1_690_000_000, 1_700_000_000, 1_710_000_000


@pytest.mark.parametrize(
    ("epoch", "now", "part"),
    [
        (str(LATER), NOW, ""),
        (str(EARLIER), NOW, ""),  # the very second of the commit
        ("", NOW, ""),
        (str(NOW + 86_399), NOW, ""),
        (
            str(EARLIER - 1),
            NOW,
            "SOURCE_DATE_EPOCH says 2023-07-22 04:26:39 UTC, which is before the source was committed",
        ),
        (
            "",
            EARLIER - 1,
            "machine says 2023-07-22 04:26:39 UTC, which is before the source was committed (2023-07-22 04:26:40 UTC)",
        ),
        (str(NOW + 86_401), NOW, "more than a day ahead of the clock of this machine (2024-03-09 16:00:00 UTC)"),
        ("yesterday", NOW, "SOURCE_DATE_EPOCH is not a time in whole seconds"),
        ("9" * 30, NOW, "SOURCE_DATE_EPOCH is not a time in whole seconds"),
    ],
)
def test_a_build_has_a_date_between_its_commit_and_tomorrow(tree: Path, epoch: str, now: int, part: str):
    from edge.build.plan import plan
    from edge.errors import BuildRefused

    commit(tree, EARLIER)
    environ = {"SOURCE_DATE_EPOCH": epoch}
    if not part:
        assert plan(tree, "0.1.0", environ, now=now).statement["built"]
        return
    with pytest.raises(BuildRefused) as refused:
        plan(tree, "0.1.0", environ, now=now)
    (finding,) = refused.value.findings
    assert finding.startswith("environment: build-date: ")
    assert part in finding


def test_a_build_from_an_sdist_may_not_be_older_than_its_commit_either(tree: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.build.plan import plan
    from edge.errors import BuildRefused

    commit(tree, LATER)
    unpacked = unpacked_sdist(tree, tree.parent / "sdist", monkeypatch)
    with pytest.raises(BuildRefused, match="before the source was committed"):
        plan(unpacked, "0.1.0", {"SOURCE_DATE_EPOCH": str(EARLIER)})


def test_an_editable_install_holds_everything_and_no_statement(tree: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.build.backend import build_editable
    from edge.profile import current

    change(tree, "score_output: false", "score_output: true")  # whatever build.yaml says
    out = tree.parent / "editable"
    out.mkdir()
    monkeypatch.chdir(tree)
    archive = out / build_editable(str(out))
    with zipfile.ZipFile(archive) as opened:
        (path,) = (name for name in opened.namelist() if name.endswith(".pth"))
        assert opened.read(path).decode().strip() == str(tree)
    assert archive.name.startswith("edge_verifier-0.1.0+development-")
    assert not [name for name in names(archive) if name.startswith("edge/")]
    assert current(tree / "edge").profile == "development"


@pytest.mark.parametrize("name", ["one_to_many_search", "attribute_inference"])
def test_not_even_an_editable_install_is_made_with_what_no_code_can_enable(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
):
    from edge.build.backend import build_editable

    change(tree, f"{name}: false", f"{name}: true")
    monkeypatch.chdir(tree)
    with pytest.raises(SystemExit):
        build_editable(str(tree.parent))
    told = capsys.readouterr()
    assert f"capability/{name}: true is refused in every profile: no code exists to enable it" in told.out + told.err


def test_another_build_file_is_taken_from_the_environment(
    tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
):
    other = tree.parent / "site.yaml"
    other.write_text((tree / "config" / "build.yaml").read_text() + "# our site\n")
    monkeypatch.setenv("EDGE_BUILD_CONFIG", str(other))
    archive = wheel()
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("edge/_data/config/build.yaml").endswith(b"# our site\n")
    assert statement(archive)["build_file"]["name"] == "site.yaml"


def test_an_example_that_is_the_build_file_in_use_stands_in_the_wheel_under_both_names(
    wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EDGE_BUILD_CONFIG", "config/examples/build-office.yaml")
    with zipfile.ZipFile(wheel()) as opened:
        example = opened.read("edge/_data/config/examples/build-office.yaml")
        assert opened.read("edge/_data/config/build.yaml") == example


@pytest.mark.parametrize("named", ["missing.yaml", ".", "config/device.yaml"])
def test_a_build_file_that_is_none_is_refused(
    tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, named: str
):
    monkeypatch.setenv("EDGE_BUILD_CONFIG", named)
    with pytest.raises(SystemExit):
        wheel()


def test_a_build_whose_hooks_are_switched_off_is_empty(
    tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HATCH_BUILD_NO_HOOKS", "true")
    assert not [name for name in names(wheel()) if name.startswith("edge/")]


def test_building_needs_nothing_but_pyyaml(tree: Path):
    code = (
        "import sys\n"
        "for name in ('pydantic', 'numpy', 'cv2', 'cryptography', 'click', 'rich'): sys.modules[name] = None\n"
        "from hatchling.build import build_wheel\n"
        "print(build_wheel('.'))"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_no_temporary_file_is_left(tree: Path, wheel: Callable[[], Path], monkeypatch: pytest.MonkeyPatch):
    room = tree.parent / "tmp"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    wheel()
    change(tree, "one_to_many_search: false", "one_to_many_search: true")
    with pytest.raises(SystemExit):
        wheel()
    assert not [path.name for path in room.iterdir() if path.name.startswith("edge-build-")]


# -- whose commit it is ----------------------------------------------------------------------------------------------


def test_a_foreign_git_dir_of_the_environment_says_nothing_of_this_source(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from edge.build.plan import source

    commit(tree, EARLIER)
    clean = source(tree)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("x")
    commit(other, LATER)
    for name, value in (
        ("GIT_DIR", other / ".git"),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", other / ".git/index"),
    ):
        monkeypatch.setenv(name, str(value))
    assert source(tree) == clean


def test_the_settings_of_whoever_builds_change_nothing(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.build.plan import source

    commit(tree, EARLIER)
    clean = source(tree)
    (tmp_path / ".gitconfig").write_text(
        "[log]\n showSignature = true\n[status]\n showUntrackedFiles = no\n[core]\n autocrlf = true\n pager = false\n"
        "[color]\n ui = always\n[alias]\n status = log\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert source(tree) == clean
    (tree / "edge" / "extra.py").write_text("")
    assert source(tree)["dirty"] is True


def test_a_checkout_of_another_user_gives_the_same_commit(tree: Path):
    from edge.build.plan import source

    commit(tree, EARLIER)
    clean = source(tree)
    if os.geteuid():
        pytest.skip("only root can give files away")
    for path in (tree, *tree.rglob("*")):
        os.chown(path, 4242, 4242, follow_symlinks=False)
    assert source(tree) == clean
    assert clean["dirty"] is False


@pytest.mark.parametrize(
    "harm",
    [
        lambda git: (git / "HEAD").write_text("garbage\n"),
        lambda git: (git / "HEAD").write_text("ref: refs/heads/none\n"),
        lambda git: [path.unlink() for path in (git / "objects").rglob("*") if path.is_file()],
        lambda git: (git / "index").write_bytes(b"garbage"),
        lambda git: git.rename(git.with_name("gone")) and git.write_text("gitdir: /nowhere\n"),
        lambda git: (git / "config").write_text("[core\n"),
    ],
)
def test_a_damaged_repository_refuses_the_build_and_says_what_git_says(tree: Path, harm: Callable[[Path], object]):
    """Never another repository's commit: the tree lies inside of one here."""
    from edge.build.plan import plan, source
    from edge.errors import BuildRefused

    (tree.parent / "file").write_text("x")
    commit(tree, EARLIER)
    git(tree.parent, "init", "-q")
    git(tree.parent, "add", "file")
    git(tree.parent, "commit", "-q", "-m", "another", at=LATER)
    harm(tree / ".git")
    with pytest.raises(BuildRefused, match=r"source: the source cannot be identified: git cannot read it: \w+"):
        source(tree)
    with pytest.raises(BuildRefused, match="build from the sdist"):
        plan(tree, "0.1.0", {}, now=NOW)


def test_without_git_a_checkout_is_not_built_and_an_sdist_is(tree: Path, monkeypatch: pytest.MonkeyPatch):
    from edge.build.plan import source
    from edge.errors import BuildRefused

    commit(tree, EARLIER)
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(BuildRefused, match="install git"):
        source(tree)
    shutil.rmtree(tree / ".git")
    assert source(tree)["commit"] is None


def test_line_ends_that_git_converts_behind_its_own_back_are_changes(tree: Path):
    """core.autocrlf writes CR LF and calls the file unchanged."""
    from edge.build.plan import source

    (tree / "edge" / "camera" / "visitor.png").unlink()
    commit(tree, EARLIER)
    clone = tree.with_name("crlf")
    git(tree, "clone", "-q", "-c", "core.autocrlf=true", str(tree), str(clone))
    assert b"\r\n" in (clone / "edge" / "errors.py").read_bytes(), "the tree has no .gitattributes"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert (status.stdout, source(clone)["dirty"]) == ("", True)


def test_a_clone_of_this_project_holds_the_committed_bytes_whatever_git_is_told(tree: Path):
    from edge.build.plan import source

    shutil.copy(ROOT / ".gitattributes", tree)
    commit(tree, EARLIER)
    clone = tree.with_name("crlf")
    git(tree, "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(tree), str(clone))
    assert source(clone) == source(tree)
    assert source(clone)["dirty"] is False


@pytest.mark.parametrize("hide", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_the_index_is_told_to_hide_is_a_change(tree: Path, hide: str):
    from edge.build.plan import source

    commit(tree, EARLIER)
    git(tree, "update-index", hide, "edge/door/choose.py")
    (tree / "edge" / "door" / "choose.py").write_text("planted = True\n")
    assert source(tree)["dirty"] is True


def test_a_file_that_git_ignores_and_the_wheel_holds_is_a_change(tree: Path):
    from edge.build.plan import plan

    commit(tree, EARLIER)
    assert plan(tree, "0.1.0", {}, now=NOW).statement["dirty"] is False
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "exclude").write_text("edge/door/planted.py\n")
    (tree / "edge" / "door" / "planted.py").write_text("")
    planned = plan(tree, "0.1.0", {}, now=NOW)
    assert "edge/door/planted.py" in planned.files
    assert planned.statement["dirty"] is True
