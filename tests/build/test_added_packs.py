"""Packs that are added in the field: only signed by a trusted key, only beside the build's, only tighter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.build.added import added, install, load_added, sign_pack
from edge.errors import InputError, PackRefused, SignatureError
from edge.policy.packs import NOTICE
from edge.trust.envelopes import BUILD, Signer, sign

ANNA, BEN = Signer.generate("anna"), Signer.generate("ben")
PACK = f"""\
schema: edge/policy-pack/v1
id: ibm-2020
kind: core
title: A newer pack of the same name
summary: s
notice: {NOTICE}
rules:
- id: no-mondays
  title: t
  citation: {{title: c, url: "https://example.org", section: s}}
  read: 2026-11-22
  confirmed: true
  satisfy: s
  effect: deny
"""


@pytest.fixture
def device(tmp_path: Path) -> tuple[Path, Path]:
    """State and trust folder of a device that trusts anna for packs, and ben for builds only."""
    state, trust = tmp_path / "state", tmp_path / "trust"
    state.mkdir(mode=0o700)
    for role, signer in (("packs", ANNA), ("builders", BEN)):
        (trust / role).mkdir(parents=True)
        (trust / role / f"{signer.name}.pem").write_bytes(signer.public.pem())
    return state, trust


def signed(folder: Path, signer: Signer = ANNA, text: str = PACK, payload_type: str = "") -> Path:
    file = folder / "update.dsse.json"
    envelope = sign(text.encode(), payload_type, signer) if payload_type else sign_pack(text, "pack.yaml", signer)
    file.write_text(json.dumps(envelope))
    return file


def test_a_pack_of_a_trusted_signer_is_put_beside_the_build_and_named_after_them(
    tmp_path: Path, device: tuple[Path, Path]
):
    pack, target = install(signed(tmp_path), *device)
    assert (pack.id, pack.added) == ("ibm-2020", "anna")
    assert target.parent == device[0] / "packs"
    assert target.stat().st_mode & 0o077 == 0
    packs, faults = load_added(*device)
    assert [(one.id, one.added) for one in packs] == [("ibm-2020", "anna")]
    assert faults == ()
    assert [(one.kind, one.signer) for one in added(*device)] == [("pack", "anna")]  # what `edge build show` reads out


def test_the_same_pack_twice_is_one_and_another_of_its_name_stands_beside_it(tmp_path: Path, device: tuple[Path, Path]):
    install(signed(tmp_path), *device)
    install(signed(tmp_path), *device)
    assert len(load_added(*device)[0]) == 1
    install(signed(tmp_path, text=PACK.replace("no-mondays", "no-tuesdays")), *device)
    assert sorted(rule.id for pack in load_added(*device)[0] for rule in pack.rules) == ["no-mondays", "no-tuesdays"]


@pytest.mark.parametrize("signer", [BEN, Signer.generate("anna")], ids=["another role", "another key of that name"])
def test_nobody_elses_signature_counts(tmp_path: Path, device: tuple[Path, Path], signer: Signer):
    with pytest.raises(SignatureError, match="not signed by a key that this device trusts"):
        install(signed(tmp_path, signer), *device)
    assert not (device[0] / "packs").exists()


def test_a_signature_over_something_else_or_an_altered_pack_does_not_count(tmp_path: Path, device: tuple[Path, Path]):
    with pytest.raises(SignatureError, match="something else"):
        install(signed(tmp_path, payload_type=BUILD), *device)
    _, target = install(signed(tmp_path), *device)
    envelope = json.loads(target.read_text())
    envelope["payload"] = json.loads(
        signed(tmp_path, text=PACK.replace("deny", "require") + "  require: {own_claim: true}\n").read_text()
    )["payload"]
    target.write_text(json.dumps(envelope))
    packs, (fault,) = load_added(*device)
    assert packs == ()
    assert "altered" in fault.why


def test_what_is_no_pack_is_neither_signed_nor_installed(tmp_path: Path, device: tuple[Path, Path]):
    with pytest.raises(PackRefused, match="effect"):
        sign_pack(PACK.replace("deny", "allow"), "pack.yaml", ANNA)
    unchecked = signed(
        tmp_path, text=PACK.replace("deny", "allow"), payload_type="application/vnd.edge.policy-pack+yaml"
    )
    with pytest.raises(PackRefused, match="write deny, require, limit"):
        install(unchecked, *device)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff" * 100, b"[" * 100_000, b"x" * 2_000_001])
def test_a_bad_file_is_refused_and_one_in_the_folder_is_told_and_not_used(
    tmp_path: Path, device: tuple[Path, Path], content: bytes
):
    file = tmp_path / "bad.dsse.json"
    file.write_bytes(content)
    with pytest.raises((SignatureError, InputError)):
        install(file, *device)
    (device[0] / "packs").mkdir()
    (device[0] / "packs" / "bad.dsse.json").write_bytes(content)
    packs, faults = load_added(*device)
    assert packs == ()
    assert [fault.name for fault in faults] == ["bad.dsse.json"]


def test_a_key_that_is_taken_out_of_the_trust_folder_ends_the_trust(tmp_path: Path, device: tuple[Path, Path]):
    install(signed(tmp_path), *device)
    (device[1] / "packs" / "anna.pem").unlink()
    packs, faults = load_added(*device)
    assert (packs, len(faults)) == ((), 1)
