"""Signed wheels: the signature covers every file there is, in the wheel and where it is installed, and nothing else."""

from __future__ import annotations

import base64
import compileall
import csv
import hashlib
import importlib.util
import io
import json
import os
import py_compile
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.build.attest import Examination, examine, examine_installed, sign_wheel, unfit, verified
from edge.build.files import SIGNATURE, Discrepancy, InstalledFiles, WheelFiles
from edge.errors import SignatureError
from edge.profile import UNDECLARED, BuildInfo
from edge.trust.envelopes import BUILD, PublicKey, Signer, verify
from tests.build.conftest import build_in, copy_tree

ANNA, BEN = Signer.generate("anna"), Signer.generate("ben")
DIST = "edge_verifier-0.1.0+device.dist-info"


def known(*signers: Signer) -> dict[str, PublicKey]:
    return {signer.public.key_id: signer.public for signer in signers}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device wheel as the build hook makes it."""
    folder = tmp_path_factory.mktemp("attest")
    return build_in(copy_tree(folder / "source"), folder / "dist")


@pytest.fixture(scope="module")
def signed(plain: Path) -> Path:
    """The same, signed by anna."""
    out = plain.parent / "signed" / plain.name
    out.parent.mkdir()
    return sign_wheel(plain, ANNA, out)


@pytest.fixture
def site(signed: Path, tmp_path: Path) -> Path:
    """The signed wheel, unpacked as an installer does it."""
    with zipfile.ZipFile(signed) as opened:
        opened.extractall(tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A trust folder in which anna is a builder."""
    folder = tmp_path / "trust"
    (folder / "builders").mkdir(parents=True)
    (folder / "builders" / "anna.pem").write_bytes(ANNA.public.pem())
    return folder


def look(wheel: Path, *signers: Signer) -> Examination:
    return examine(WheelFiles.of(wheel), known(*signers))


def changed(wheel: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of a wheel with other content, its RECORD left as it is."""
    with zipfile.ZipFile(wheel) as old:
        content = {name: old.read(name) for name in old.namelist()}
    change(content)
    with zipfile.ZipFile(out, "w") as new:
        for name, data in content.items():
            new.writestr(name, data)
    return out


# -- signing ---------------------------------------------------------------------------------------------------------


def test_a_signed_wheel_is_as_it_was_signed(signed: Path):
    found = look(signed, ANNA)
    assert found.ok
    assert found.signer is not None
    assert (found.signer.name, found.build.profile) == ("anna", "device")


def test_the_statement_names_every_file_but_itself_and_record_with_its_digest(signed: Path):
    with zipfile.ZipFile(signed) as opened:
        envelope = json.loads(opened.read(SIGNATURE))
        statement = json.loads(verify(envelope, BUILD, known(ANNA)).payload)
        there = {name for name in opened.namelist() if name not in (SIGNATURE, f"{DIST}/RECORD")}
        digests = {name: hashlib.sha256(opened.read(name)).hexdigest() for name in there}
        predicate = json.loads(opened.read("edge/_build/statement.json"))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {entry["name"]: entry["digest"]["sha256"] for entry in statement["subject"]} == digests
    assert f"{DIST}/METADATA" in digests
    assert statement["predicate"] == predicate


def test_record_knows_every_file_and_stands_last(signed: Path):
    with zipfile.ZipFile(signed) as opened:
        names = opened.namelist()
        rows = {row[0]: row for row in csv.reader(io.StringIO(opened.read(f"{DIST}/RECORD").decode()))}
        assert names[-2:] == [SIGNATURE, f"{DIST}/RECORD"]
        assert set(rows) == set(names)
        for name, (_, digest, size) in rows.items():
            if name.endswith("/RECORD"):
                assert (digest, size) == ("", "")
                continue
            raw = base64.urlsafe_b64encode(hashlib.sha256(opened.read(name)).digest()).decode().rstrip("=")
            assert (digest, int(size)) == (f"sha256={raw}", opened.getinfo(name).file_size)


def test_signing_twice_gives_the_same_bytes_and_another_signer_replaces_the_first(signed: Path, plain: Path, tmp_path):
    again = sign_wheel(plain, ANNA, tmp_path / plain.name)
    assert again.read_bytes() == signed.read_bytes()
    assert sign_wheel(again, ANNA).read_bytes() == signed.read_bytes()
    other = look(sign_wheel(again, BEN), ANNA, BEN)
    assert other.ok
    assert other.signer is not None
    assert other.signer.name == "ben"


def test_signing_leaves_every_other_file_and_its_date_as_it_was(plain: Path, signed: Path):
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(signed) as after:
        for entry in before.infolist():
            if not entry.filename.endswith("/RECORD"):
                assert after.read(entry.filename) == before.read(entry.filename)
                assert after.getinfo(entry.filename).date_time == entry.date_time
                assert after.getinfo(entry.filename).external_attr == entry.external_attr


def test_nothing_is_left_beside_the_wheel(signed: Path):
    assert [path.name for path in signed.parent.iterdir()] == [signed.name]


def test_a_sound_wheel_may_be_signed_and_one_with_a_lab_inside_may_not(plain: Path, tmp_path: Path):
    assert unfit(WheelFiles.of(plain))[0] == []
    bad = changed(plain, tmp_path / plain.name, lambda c: c.update({"edge/lab/pairs.py": b"", "evil.pth": b"x"}))
    reasons, _ = unfit(WheelFiles.of(bad))
    assert "edge/lab/pairs.py does not belong in a build of this profile" in reasons
    assert "evil.pth does not belong in a build of this profile" in reasons


# -- a wheel that does not hold --------------------------------------------------------------------------------------


def test_an_unsigned_wheel_is_told_so(plain: Path):
    assert look(plain, ANNA).problems == (Discrepancy("unsigned"),)


def test_a_wheel_signed_by_a_stranger_is_told_so(signed: Path):
    assert look(signed, BEN).problems == (Discrepancy("untrusted"),)
    assert look(signed).problems == (Discrepancy("untrusted"),)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edge/door/choose.py", Discrepancy("altered", "edge/door/choose.py")),
        ("edge/_data/models/embedder.tflite", Discrepancy("altered", "edge/_data/models/embedder.tflite")),
        (f"{DIST}/entry_points.txt", Discrepancy("altered", f"{DIST}/entry_points.txt")),
    ],
)
def test_an_altered_file_of_a_wheel_is_named(signed: Path, tmp_path: Path, name: str, expected: Discrepancy):
    bad = changed(signed, tmp_path / signed.name, lambda c: c.update({name: c[name] + b" "}))
    assert look(bad, ANNA).problems == (expected,)


def test_missing_and_added_files_of_a_wheel_are_named_all_at_once(signed: Path, tmp_path: Path):
    def change(content: dict[str, bytes]) -> None:
        del content["edge/door/log.py"]
        content["edge/door/search.py"] = b""
        content["other/module.py"] = b""

    found = look(changed(signed, tmp_path / signed.name, change), ANNA)
    assert set(found.problems) == {
        Discrepancy("missing", "edge/door/log.py"),
        Discrepancy("extra", "edge/door/search.py"),
        Discrepancy("extra", "other/module.py"),
    }


def test_another_build_s_statement_does_not_fit(signed: Path, tmp_path: Path):
    def looser(content: dict[str, bytes]) -> None:
        statement = json.loads(content["edge/_build/statement.json"])
        content["edge/_build/statement.json"] = json.dumps({**statement, "built": "2020-01-01"}).encode()

    kinds = {problem.kind for problem in look(changed(signed, tmp_path / signed.name, looser), ANNA).problems}
    assert kinds == {"contradiction", "altered"}


def test_a_lab_room_in_a_freshly_signed_device_wheel_is_named(plain: Path, tmp_path: Path):
    bad = changed(plain, tmp_path / plain.name, lambda c: c.update({"edge/lab/__init__.py": b""}))
    found = look(sign_wheel(bad, ANNA), ANNA)
    assert found.problems == (Discrepancy("foreign", "edge/lab/__init__.py"),)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"subject": 3}', b'{"_type": "x", "subject": []}'])
def test_a_trusted_signature_over_nonsense_does_not_count(signed: Path, tmp_path: Path, payload: bytes):
    from edge.trust.envelopes import sign

    forged = json.dumps(sign(payload, BUILD, ANNA)).encode()
    bad = changed(signed, tmp_path / signed.name, lambda c: c.update({SIGNATURE: forged}))
    assert look(bad, ANNA).problems == (Discrepancy("broken"),)


def test_what_is_no_wheel_is_a_typed_error(tmp_path: Path):
    file = tmp_path / "x.whl"
    for data in (b"", b"PK", b"not a zip"):
        file.write_bytes(data)
        with pytest.raises(SignatureError):
            WheelFiles.of(file)
    with pytest.raises(SignatureError):
        WheelFiles.of(tmp_path / "missing.whl")


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "edge//x.py", "edge/./x.py", "edge\\x.py"])
def test_names_that_no_wheel_has_are_refused(tmp_path: Path, name: str):
    file = tmp_path / "x.whl"
    with zipfile.ZipFile(file, "w") as new:
        entry = zipfile.ZipInfo("edge/x.py")
        entry.filename = name
        new.writestr(entry, b"")
    with pytest.raises(SignatureError, match="no wheel has"):
        WheelFiles.of(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path: Path):
    file = tmp_path / "x.whl"
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("edge/x.py", b"1")
        new.writestr("edge/x.py", b"2")
    with pytest.raises(SignatureError, match="no wheel has"):
        WheelFiles.of(file)


# -- an installation -------------------------------------------------------------------------------------------------


def installed(site: Path, *signers: Signer) -> tuple[Discrepancy, ...]:
    return examine_installed(known(*signers), package=site / "edge").problems


def test_an_installation_is_as_it_was_signed_with_the_installer_s_notes_and_compiled_files(site: Path):
    for note in ("INSTALLER", "REQUESTED", "direct_url.json"):
        (site / DIST / note).write_text("pip\n")
    compile_all(site)
    (site / "other_package.py").write_text("# other distributions are not this check's business\n")
    assert installed(site, ANNA) == ()


def compile_all(site: Path) -> list[Path]:
    assert compileall.compile_dir(site / "edge", quiet=2, optimize=[0, 1])
    return sorted(site.rglob("*.pyc"))


def test_what_runs_is_device_and_signed_by_name(site: Path, trust: Path):
    build = verified(trust, package=site / "edge")
    assert (build.profile, build.signed, build.signer, build.unsigned) == ("device", True, "anna", "")
    assert build.signer_id == ANNA.public.key_id
    assert build.log_only == UNDECLARED  # signed or not: no rule of any pack has passed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"profile": "lab"}, "it is no device build"),
        ({"profile": "development"}, "it is no device build"),
        ({"signed": False, "unsigned": "it is not signed"}, "it is not signed"),
        ({"signed": False}, "no trusted signature covers it"),
        ({"fault": "the build statement cannot be read"}, "the build statement cannot be read"),
        ({"statement": {}}, UNDECLARED),
        ({"statement": {"policy": {"standing": "undeclared"}}}, UNDECLARED),
        ({"statement": {"policy": "declared"}}, UNDECLARED),
    ],
)
def test_a_real_door_needs_a_device_build_a_signature_and_a_declaration(change: dict[str, object], reason: str):
    whole = {"profile": "device", "version": "0.1.0", "signed": True, "statement": {"policy": {"standing": "declared"}}}
    build = BuildInfo(**{**whole, **change})  # type: ignore[arg-type]
    assert (build.drives_doors, build.log_only) == (not reason, reason)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda site: append(site / "edge/door/choose.py"), "edge/door/choose.py was altered after it was signed"),
        (lambda site: (site / "edge/errors.py").unlink(), "edge/errors.py is missing"),
        (lambda site: append(site / "edge/door/search.py"), "edge/door/search.py was added after it was signed"),
        (lambda site: append(site / "edge/door/fast.so"), "edge/door/fast.so was added after it was signed"),
        (lambda site: append(site / "edge/search.pyc"), "edge/search.pyc was added after it was signed"),
        (lambda site: append(site / "edge/__pycache__/search.py"), "edge/__pycache__/search.py was added after it was"),
        (lambda site: append(site / "edge/_data/config/device.yaml"), "edge/_data/config/device.yaml was altered"),
        (lambda site: append(site / DIST / "METADATA"), f"{DIST}/METADATA was altered after it was signed"),
        (lambda site: append(site / DIST / "evil.txt"), f"{DIST}/evil.txt was added after it was signed"),
        (lambda site: (site / SIGNATURE).unlink(), "it is not signed"),
        (lambda site: (site / SIGNATURE).write_text("{}"), "its signature does not hold"),
        (lambda site: (site / "edge/_build/statement.json").unlink(), "its build statement is not valid"),
        (lambda site: link(site / "edge/gallery", site / "edge/door"), "edge/gallery was added after it was signed"),
    ],
)  # fmt: skip
def test_an_installation_that_differs_is_not_signed_and_says_where(
    site: Path, trust: Path, harm: Callable[[Path], object], reason: str
):
    harm(site)
    build = verified(trust, package=site / "edge")
    assert not build.signed
    assert not build.drives_doors
    assert reason in build.unsigned


def append(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")


def link(name: Path, target: Path) -> None:
    name.symlink_to(target, target_is_directory=True)


def test_a_compiled_file_that_is_not_what_its_source_gives_is_named(site: Path):
    source = site / "edge" / "door" / "log.py"
    compiled = Path(importlib.util.cache_from_source(str(source)))
    compile_all(site)
    genuine = source.read_bytes()
    when = source.stat()
    source.write_bytes(genuine.replace(b"locked", b"opened"))
    os.utime(source, ns=(when.st_atime_ns, when.st_mtime_ns))
    py_compile.compile(str(source), str(compiled))
    source.write_bytes(genuine)  # the source is as signed, the compiled file beside it is not, and Python would run it
    os.utime(source, ns=(when.st_atime_ns, when.st_mtime_ns))
    assert installed(site, ANNA) == (Discrepancy("compiled", compiled.relative_to(site).as_posix()),)


@pytest.mark.parametrize("data", [b"", b"x" * 16, b"x" * 40])
def test_a_damaged_compiled_file_is_named(site: Path, data: bytes):
    compiled = Path(importlib.util.cache_from_source(str(site / "edge" / "errors.py")))
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(data)
    assert {problem.kind for problem in installed(site, ANNA)} == {"compiled"}


def test_a_compiled_file_older_than_its_source_is_never_run_and_does_no_harm(site: Path):
    compile_all(site)
    for source in (site / "edge").rglob("*.py"):
        os.utime(source, (1, 1))
    assert installed(site, ANNA) == ()


def test_a_stranger_s_build_drives_no_door(site: Path, trust: Path):
    (trust / "builders" / "anna.pem").unlink()
    (trust / "builders" / "ben.pem").write_bytes(BEN.public.pem())
    build = verified(trust, package=site / "edge")
    assert build.unsigned == "no key that this device trusts has signed it"


def test_a_key_in_another_role_is_no_builder_s(site: Path, trust: Path):
    (trust / "builders").rename(trust / "models")
    assert not verified(trust, package=site / "edge").signed


def test_a_trust_folder_that_others_can_write_trusts_nobody(site: Path, trust: Path):
    (trust / "builders").chmod(0o777)
    build = verified(trust, package=site / "edge")
    assert not build.signed
    assert "someone besides root could change which keys this device trusts" in build.unsigned
    assert verified(trust, package=site / "edge", strict=False).signed


def test_a_checkout_is_never_signed(trust: Path):
    build = verified(trust)
    assert (build.profile, build.signed, build.drives_doors) == ("development", False, False)
    assert build.unsigned == "it is a development install, which is never signed"


def test_a_signed_lab_drives_no_door(tmp_path: Path, trust: Path):
    from tests.build.test_build_hook import lab

    tree = copy_tree(tmp_path / "source")
    lab(tree)
    wheel = sign_wheel(build_in(tree, tmp_path / "dist"), ANNA)
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "site")
    build = verified(trust, package=tmp_path / "site" / "edge")
    assert (build.profile, build.signed, build.unsigned) == ("lab", True, "")
    assert not build.drives_doors


def test_two_installations_in_one_folder_are_told(site: Path):
    shutil.copytree(site / DIST, site / "edge_verifier-0.0.9.dist-info")
    assert {problem.kind for problem in installed(site, ANNA)} == {"extra"}


def test_the_names_are_the_wheel_s_own(site: Path, signed: Path):
    assert InstalledFiles.of(site / "edge").names() == WheelFiles.of(signed).names()
