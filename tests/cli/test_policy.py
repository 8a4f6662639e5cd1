"""`edge policy`, as a deployer, a reviewer and somebody at a device use it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.build.plan import plan
from edge.cli import main
from edge.errors import BuildRefused
from edge.profile import current
from edge.settings import load_settings
from tests.build.test_added_packs import PACK
from tests.cli.conftest import SETTINGS, make_desk
from tests.policy.rules import ROOT

EXAMPLES = ROOT / "config" / "examples"
OFFICE = EXAMPLES / "build-office.yaml"
PHRASE = "four words are enough"


@pytest.fixture
def signer(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """``signer(role, folder)`` makes a key of a role; its public half lies in tmp/trust/folder."""

    def make(role: str, folder: str) -> list[str]:
        phrase = tmp_path / "phrase"
        phrase.write_text(PHRASE + "\n")
        phrase.chmod(0o600)
        options = ["--role", role, "--name", "acme", "--out", str(tmp_path / role), "--passphrase-file", str(phrase)]
        assert main(["keys", "signer", *options]) == 0
        (tmp_path / "trust" / folder).mkdir(parents=True)
        (tmp_path / "trust" / folder / "acme.pem").write_bytes((tmp_path / role / "acme.pem").read_bytes())
        capsys.readouterr()
        return ["--key", str(tmp_path / role / "acme.key"), "--passphrase-file", str(phrase)]

    return make


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    text = OFFICE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "build.yaml"
    file.write_text(text)
    return file


def test_check_explains_every_rule_of_a_deployment_that_passes(capsys):
    assert main(["policy", "check", str(OFFICE), "--on", "2026-11-22"]) == 0
    said = capsys.readouterr().out
    assert "passes; 12 rules apply" in said
    assert "Engineering aid, not legal advice" in said
    assert "does not apply (deny): operator.type is company, not police; FR does not lie in US" in said
    assert "NOT CONFIRMED" in said
    assert "https://ai-act-law.eu/recital/15/" in said
    assert "record dpia: Impact assessment of the doors, ends on 2029-09-13" in said


def test_check_tells_what_is_refused_where_and_what_would_satisfy(tmp_path: Path, capsys):
    file = changed(tmp_path, ("custody: card", "custody: device"))
    assert main(["policy", "check", str(file), "--on", "2026-11-22"]) == 1
    said = capsys.readouterr().out
    line = next(number for number, row in enumerate(file.read_text().splitlines(), 1) if "custody: device" in row)
    assert "REFUSED with 1 finding" in said
    assert f"{file}:{line}:" in said
    assert "to satisfy: Keep templates on the person's own card" in said


def test_check_on_another_day_looks_ahead(capsys):
    assert main(["policy", "check", str(OFFICE), "--on", "2029-09-12"]) == 0
    assert main(["policy", "check", str(OFFICE), "--on", "2029-09-13"]) == 1
    assert "ended on 2029-09-13" in capsys.readouterr().out


def test_check_as_json_is_one_object_with_every_rule(tmp_path: Path, capsys):
    file = changed(tmp_path, ("type: company", "type: police"))
    assert main(["policy", "check", str(file), "--on", "2026-11-22", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["passes"], said["declared"]) == ("edge/policy-check/v1", False, True)
    assert {finding["id"] for finding in said["findings"]} == {"amazon-2020/further-notice"}
    rules = {rule["rule"]: rule for rule in said["rules"]}
    assert rules["amazon-2020/further-notice"]["state"] == "applies"
    assert rules["illinois-bipa/three-years"]["state"] == "does not apply"
    assert all(rule["citation"]["url"].startswith("http") and rule["read"] for rule in rules.values())


def test_check_and_the_build_hook_say_the_same(tmp_path: Path, capsys):
    file = changed(tmp_path, ("  own_claim: true\n", ""), ("use_case: employee", "use_case: passer-by"))
    assert main(["policy", "check", str(file), "--json"]) == 1
    told = {finding["id"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    with pytest.raises(BuildRefused) as refused:
        plan(ROOT, "0.1.0", {"EDGE_BUILD_CONFIG": str(file)})
    assert told == {line.split(": ")[1] for line in refused.value.findings}


def test_a_file_older_than_a_capability_is_refused_for_that_and_its_rules_are_explained_all_the_same(
    tmp_path: Path, capsys
):
    file = changed(tmp_path, ("  keyboard_reader: false\n", ""), ("  serial_reader: false\n", ""))
    file.write_text(file.read_text().replace("date: 2026-09-14", "date: 2020-09-14"))
    assert main(["policy", "check", str(file), "--on", "2026-11-22"]) == 1
    said = capsys.readouterr().out
    assert "REFUSED with 3 findings" in said
    assert "FAIL impact-assessment" in said
    assert "capability/keyboard_reader: it is not listed" in said
    with pytest.raises(BuildRefused):
        plan(ROOT, "0.1.0", {"EDGE_BUILD_CONFIG": str(file)})


def test_a_file_that_declares_nothing_may_be_built_and_drives_only_the_log_door(capsys):
    assert main(["policy", "check", str(ROOT / "config" / "build.yaml")]) == 0
    assert "declares no deployment, so it can be built and drives only the log door" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "deployment: [", "version: edge/build/v1\n"])
def test_a_file_that_does_not_hold_together_is_bad_input(tmp_path: Path, capsys, text: str):
    file = tmp_path / "build.yaml"
    file.write_text(text)
    assert main(["policy", "check", str(file)]) == 3
    assert str(file) in capsys.readouterr().err
    assert main(["policy", "check", str(tmp_path / "none.yaml"), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "BuildRefused"
    assert main(["policy", "check", str(OFFICE), "--on", "tomorrow"]) == 3


def test_list_and_show_tell_what_there_is(capsys):
    assert main(["policy", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("microsoft-2020", "portland-34.10", "US PDX", "everywhere"))
    assert main(["policy", "show", "amazon-2020"]) == 0
    shown = capsys.readouterr().out
    assert "in force from 2020-06-10 until 2021-06-10 (UTC)" in shown
    assert "NOT CONFIRMED" in shown
    assert "“We’re implementing" in shown
    assert main(["policy", "show", "amazon-2021"]) == 3
    assert "known are" in capsys.readouterr().err
    assert main(["policy", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["packs"]) == 15


def test_a_reviewer_signs_and_the_printed_record_makes_a_large_deployment_pass(tmp_path: Path, signer, capsys):
    file = changed(tmp_path, ("devices: 6", "devices: 600"))
    trust = ["--trust", str(tmp_path / "trust")]
    key = signer("reviewer", "reviewers")
    assert main(["policy", "check", str(file), "--on", "2026-11-22", *trust]) == 1
    capsys.readouterr()
    dates = ["--on", "2026-11-22", "--until", "2027-05-01"]
    assert main(["policy", "review", str(file), *key, "--reviewer", "Anna Example", *dates]) == 0
    record = capsys.readouterr().out.strip().splitlines()[-1].strip()
    file.write_text(file.read_text().replace("  records:\n", f"  records:\n  {record}\n"))
    assert main(["policy", "check", str(file), "--on", "2026-11-22", *trust]) == 0
    assert "ends on 2027-05-01" in capsys.readouterr().out
    assert main(["policy", "check", str(file), "--on", "2027-05-01", *trust]) == 1
    assert main(["policy", "check", str(file), "--on", "2026-11-22", "--trust", str(tmp_path)]) == 1


def test_a_signed_pack_is_added_on_a_device_listed_and_journalled_and_an_unsigned_one_is_not(
    tmp_path: Path, signer, capsys
):
    key = signer("packs", "packs")
    desk = make_desk(tmp_path)
    pack = tmp_path / "ibm-2020.yaml"
    pack.write_text(PACK)
    assert main(["policy", "sign", str(pack), *key]) == 0
    config = ["--config", str(desk.config)]
    assert main(["policy", "add", str(pack), "--operator", "kim", *config]) == 3  # the pack itself is no signed file
    assert main(["policy", "add", str(tmp_path / "ibm-2020.dsse.json"), "--operator", "kim", *config]) == 0
    capsys.readouterr()
    assert main(["policy", "list", *config]) == 0
    assert "(added under the signature of acme)" in capsys.readouterr().out
    assert main(["journal", "show", "--json", *config]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    (added,) = [entry["fields"] for entry in entries if entry["kind"] == "pack"]
    assert (added["pack"], added["signer"], added["operator"]) == ("ibm-2020", "acme", "kim")
    assert main(["policy", "status", "--json", *config]) == 0
    assert json.loads(capsys.readouterr().out)["standing"] == "passes"  # a checkout that declares nothing


def test_status_needs_no_keys_and_says_what_the_self_test_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """A declaration that the settings contradict stops the self-test, and was told as `passes` once."""
    config = tmp_path / "device.yaml"
    config.write_text(SETTINGS)
    assert main(["policy", "status", "--config", str(config)]) == 0
    told = capsys.readouterr()
    assert "passes; no deployment is declared" in told.out
    assert "keys init" not in told.out + told.err
    assert not (tmp_path / "state").exists(), "a question writes nothing"
    other = {"card": "device", "device": "card"}[load_settings(config).vault.custody]
    declares = replace(current(), statement={"deployment": {"custody": other}})
    monkeypatch.setattr("edge.profile.current", lambda *_: declares)
    assert main(["policy", "status", "--config", str(config)]) == 4
    told = capsys.readouterr()
    assert "no-claims" in told.out
    assert f"the build declares {other} custody" in told.err
    assert main(["policy", "status", "--json", "--config", str(config)]) == 4
    assert json.loads(capsys.readouterr().out)["standing"] == "no-claims"


def test_status_without_a_settings_file_names_the_one_that_it_used(capsys):
    assert main(["policy", "status"]) == 0
    told = capsys.readouterr()
    assert "device.yaml)" in told.out
    assert "keys init" not in told.out + told.err


def test_a_pack_that_is_none_is_not_signed_and_told_with_its_line(tmp_path: Path, signer, capsys):
    key = signer("packs", "packs")
    pack = tmp_path / "bad.yaml"
    pack.write_text(PACK.replace("effect: deny", "effect: allow"))
    assert main(["policy", "sign", str(pack), *key]) == 3
    assert "write deny, require, limit" in capsys.readouterr().err
    assert not (tmp_path / "bad.dsse.json").exists()
