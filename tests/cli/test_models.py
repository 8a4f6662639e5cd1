"""`edge models`, as an integrator uses it: from a file and a spec to a door that opens with it; no code is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from edge.cli import main
from edge.face import load_card
from edge.models.importing import Imported, examine_file, install
from edge.models.spec import ModelSpec
from edge.trust.envelopes import MODEL, Signer, sign
from tests.cli.conftest import Desk
from tests.face import surgery
from tests.models.bring import SHIPPED_TEMPLATE, spec_of, write_spec

PHRASE = "correct horse battery"


class Shop:
    """A desk with a signer whose public half is trusted, and a file to bring."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.key = desk, desk.folder / "models.key"
        self.phrase = desk.folder / "phrase"
        signer = Signer.generate("acme")
        for path, data in ((self.key, signer.locked(PHRASE)), (self.phrase, PHRASE.encode())):
            path.write_bytes(data)
            path.chmod(0o600)
        pinned = desk.folder / "trust" / "models" / "acme.pem"
        pinned.parent.mkdir(parents=True, mode=0o755, exist_ok=True)
        pinned.write_bytes(signer.public.pem())
        pinned.chmod(0o644)
        self.pinned = pinned

    @property
    def folder(self) -> Path:
        return self.desk.folder / "state" / "models" / "mine"

    def models(self, *arguments: str) -> int:
        return main(["models", *arguments, "--config", str(self.desk.config)])

    def bring(self, model: bytes, *more: str, **changes) -> int:
        file = self.desk.folder / "brought.tflite"
        file.write_bytes(model)
        spec = write_spec(self.desk.folder / "mine.spec.yaml", **changes)
        return self.models("import", str(file), "--spec", str(spec), *more)

    def sign(self) -> int:
        return self.models("sign", "mine", "--key", str(self.key), "--passphrase-file", str(self.phrase))

    def calibrate(self) -> None:
        """As `edge lab calibrate` does; the net is the shipped one in float, so the shipped table is right for it."""
        from edge.lab.calibrate import write_calibration

        section = {k: v for k, v in load_card("embedder").raw["calibration"].items() if k != "arithmetic"}
        write_calibration(self.folder / "card.yaml", section | {"sha256": load_card(self.folder / "card.yaml").sha256})

    def runs(self) -> int:
        """`edge run`, whose device must not even open."""
        return main(["run", "--config", str(self.desk.config), "--skip-selftest"])

    def use(self, **face) -> None:
        """Name models in the settings."""
        settings = yaml.safe_load(self.desk.config.read_text())
        self.desk.config.write_text(yaml.safe_dump(settings | {"face": face}))


@pytest.fixture
def shop(desk: Desk) -> Shop:
    return Shop(desk)


@pytest.fixture
def answer(capsys):
    """``answer()``: the JSON object that the last command printed."""

    def read() -> dict:
        return json.loads(capsys.readouterr().out)

    return read


def test_from_a_float_file_to_an_open_door_without_touching_code(shop, capsys, answer):
    desk = shop.desk
    assert shop.bring(surgery.floated(surgery.shipped())) == 0
    told = capsys.readouterr().out
    assert "reference people" in told
    assert "edge lab calibrate --model" in told
    shop.calibrate()
    assert shop.sign() == 0
    shop.use(embedder="mine")
    token = desk.token("ada", capsys)
    arguments = ["verify", "--config", str(desk.config), "--token", str(token), "--json"]
    assert main([*arguments, "--image", desk.person("ada")]) == 0
    assert answer()["reason"] == "matching"
    assert main([*arguments, "--image", desk.person("goran")]) == 1
    capsys.readouterr()
    assert main(["selftest", "--config", str(desk.config), "--json"]) == 0
    report = answer()
    assert all(check["ok"] for check in report["checks"] if check["name"].startswith(("model", "calibration")))
    assert main(arguments) == 0  # the fictional camera: ada comes after two seconds
    assert answer()["outcome"] == "accept"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_the_whole_way_with_a_real_calibration(kind, shop, shared, tmp_path, capsys, answer):
    """Pictures of 600 different people, laid out one a person, as an integrator would have them."""
    import tarfile

    people = tmp_path / "people"
    people.mkdir()
    with tarfile.open(shared / "data" / "train" / "aaf-0.tar") as archive:
        for count, member in enumerate(m for m in archive if m.isfile()):
            if count == 600:
                break
            (people / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    model = surgery.shipped() if kind == "int8" else surgery.floated(surgery.shipped())
    assert shop.bring(model, template="arcface-112") == 0
    card = shop.folder / "card.yaml"
    where = ["--images", str(people), "--out", str(tmp_path / "out"), "--rounds", "50", "--json"]
    assert main(["lab", "calibrate", "--model", str(card), *where]) == 0
    assert load_card(card).calibration.smallest_fmr <= 1e-2
    assert shop.sign() == 0
    shop.use(embedder="mine")
    settings = yaml.safe_load(shop.desk.config.read_text())
    smallest = load_card(card).calibration.smallest_fmr
    shop.desk.config.write_text(yaml.safe_dump(settings | {"decision": {"target_fmr": min(0.01, 3 * smallest)}}))
    token = shop.desk.token("ada", capsys)
    arguments = ["verify", "--config", str(shop.desk.config), "--token", str(token), "--json"]
    assert main([*arguments, "--image", shop.desk.person("ada")]) == 0
    assert main([*arguments, "--image", shop.desk.person("goran")]) == 1


def test_an_unsigned_model_never_loads(signed, capsys):
    shop = signed
    (shop.folder / "card.dsse.json").unlink()
    shop.calibrate()
    shop.use(embedder="mine")
    capsys.readouterr()
    assert shop.runs() == 3
    assert "this model is not signed" in capsys.readouterr().err


def test_a_calibrated_card_loads_only_after_it_is_signed_again(signed, capsys):
    shop = signed
    shop.calibrate()
    shop.use(embedder="mine")
    capsys.readouterr()
    assert shop.runs() == 3
    assert "changed since it was signed" in capsys.readouterr().err
    assert shop.sign() == 0
    assert "changed: calibration" in capsys.readouterr().out
    assert shop.models("verify", "mine") == 0


def test_an_uncalibrated_model_is_unfit_with_the_command_that_helps(signed, capsys):
    shop = signed
    shop.use(embedder="mine")
    capsys.readouterr()
    assert main(["selftest", "--config", str(shop.desk.config)]) == 4
    told = capsys.readouterr().out
    assert "never calibrated" in told
    assert "edge lab calibrate --model" in told


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Imported:
    """Examined once for all tests that only need an installed model."""
    path = tmp_path_factory.mktemp("brought") / "brought.tflite"
    path.write_bytes(surgery.shipped())
    return examine_file(path, ModelSpec.model_validate(spec_of()))


@pytest.fixture(scope="module")
def floats(tmp_path_factory) -> Imported:
    """The same net in float32: another digest, so another model."""
    path = tmp_path_factory.mktemp("brought") / "brought.tflite"
    path.write_bytes(surgery.floated(surgery.shipped()))
    return examine_file(path, ModelSpec.model_validate(spec_of()))


@pytest.fixture
def signed(shop, imported) -> Shop:
    signer = Signer.load(shop.key, PHRASE)
    install(imported, shop.desk.folder / "state", sign=lambda card: sign(card, MODEL, signer))
    return shop


def test_a_signer_who_is_not_pinned_counts_for_nothing(signed, capsys):
    signed.pinned.unlink()
    assert signed.models("verify", "mine") == 4
    assert "not signed by a key that this device trusts" in capsys.readouterr().out


def test_a_signer_of_another_role_counts_for_nothing(signed, capsys):
    elsewhere = signed.desk.folder / "trust" / "builders"
    elsewhere.mkdir(exist_ok=True)
    signed.pinned.rename(elsewhere / "acme.pem")
    assert signed.models("verify", "mine") == 4


@pytest.mark.parametrize("name", ["model.tflite", "card.yaml", "card.dsse.json"])
def test_one_altered_byte_anywhere_and_the_model_does_not_load(signed, name, capsys):
    path = signed.folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert signed.models("verify", "mine") == 4
    signed.use(embedder="mine")
    assert signed.runs() == 3


def test_a_signed_card_of_another_model_does_not_fit(signed, capsys):
    other = signed.folder.with_name("other")
    signed.folder.rename(other)
    assert signed.models("verify", "other") == 4
    assert "the card is of 'mine'" in capsys.readouterr().out


def test_list_shows_build_and_added_with_what_speaks_against_them(signed, answer):
    assert signed.models("list", "--json") == 0
    rows = {row["name"]: row for row in answer()["models"]}
    assert rows["embedder"]["from"] == "build"
    assert (rows["mine"]["from"], rows["mine"]["signed_by"], rows["mine"]["fault"]) == ("added", "acme", "")
    assert rows["mine"]["smallest_fmr"] is None
    (signed.folder / "card.yaml").write_text("nonsense")
    assert signed.models("list", "--json") == 0
    [mine] = [row for row in answer()["models"] if row["name"] == "mine"]
    assert "changed since it was signed" in mine["fault"]


def test_the_build_lists_an_added_model_by_its_signer(signed, capsys):
    assert main(["build", "show", "--config", str(signed.desk.config), "--json"]) == 0
    added = json.loads(capsys.readouterr().out)["added"]
    assert {"kind": "model", "name": "mine", "signer": "acme"} in added


def test_verify_without_a_name_verifies_every_model(signed, answer):
    assert signed.models("verify", "--json") == 0
    assert [row["name"] for row in answer()["models"]] == ["detector", "embedder", "passive", "mine"]


def test_show_prints_the_whole_card(signed, capsys):
    for name in ("detector", "embedder", "mine", "passive"):
        assert signed.models("show", name) == 0
        told = " ".join(capsys.readouterr().out.split())
        card = load_card(signed.folder / "card.yaml" if name == "mine" else name)
        assert card.sha256 in told
        for key in ("intended_use", "licence"):
            assert " ".join(str(card.raw[key]).split()) in told
        for row in card.raw["data"]:
            assert row["terms"] in told
        for row in card.raw.get("accuracy", []):
            assert all(f"missed: {text}" in told for text in row.get("missed", []))


def test_a_model_in_use_is_not_removed(signed, capsys):
    signed.use(embedder="mine")
    assert signed.models("remove", "mine") == 3
    signed.use(embedder="embedder")
    assert signed.models("remove", "mine") == 0
    assert not signed.folder.exists()
    assert signed.models("remove", "mine") == 3


@pytest.mark.parametrize("command", ["show", "verify", "remove"])
@pytest.mark.parametrize("name", ["nowhere", "../..", "", "/"])
def test_a_name_that_is_no_models_is_refused(command, name, desk, capsys):
    code = main(["models", command, name, "--config", str(desk.config)])
    assert code == (4 if command == "verify" and name else 0 if command == "verify" else 3)


def test_a_bad_file_is_one_line_and_leaves_nothing(shop, capsys):
    assert shop.bring(b"no model at all") == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert shop.bring(surgery.dead(surgery.shipped(), float("nan")), "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "ModelError"
    assert not (shop.desk.folder / "state" / "models").exists()


def test_a_bad_spec_lists_every_mistake_with_its_line(shop, capsys):
    assert shop.bring(surgery.shipped(), name="A", licence=None) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"edge: {shop.desk.folder / 'mine.spec.yaml'}:") for line in lines)


def test_a_model_may_be_signed_as_it_is_imported_and_drawn(shop, capsys):
    sheet = shop.desk.folder / "crops.png"
    key = ["--key", str(shop.key), "--passphrase-file", str(shop.phrase)]
    assert shop.bring(surgery.shipped(), *key, "--sheet", str(sheet)) == 0
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert shop.models("verify", "mine") == 0


def test_renewing_leads_over_to_a_new_model(shop, floats, capsys, answer):
    """A card of the old model is refused as such; renewed under an operator's word, it opens with the new one."""
    desk = shop.desk
    old = desk.token("ada", capsys)
    install(floats, desk.folder / "state", sign=None)
    shop.calibrate()
    shop.sign()
    shop.use(embedder="mine")
    verify = ["verify", "--config", str(desk.config), "--json", "--image", desk.person("ada"), "--token"]
    capsys.readouterr()
    assert main([*verify, str(old)]) == 1
    assert answer()["reason"] == "model_mismatch"
    renew = ["enrol", "--config", str(desk.config), "--operator", "kim", "--renew", str(old), "--json"]
    images = ["--image", desk.person("ada", 1), "--image", desk.person("ada", 2)]
    assert main([*renew, *images]) == 1
    assert "previous_embedder" in answer()["error"]["remedy"]
    assert main([*renew, *images, "--override"]) == 0
    new = desk.folder / "new.token"
    new.write_text(answer()["token"])
    assert main([*verify, str(new)]) == 0
    assert main([*verify, str(old)]) == 1


def test_in_an_overlap_an_old_card_is_verified_with_the_old_model_at_its_own_threshold(shop, floats, capsys, answer):
    desk = shop.desk
    old = desk.token("ada", capsys)
    install(floats, desk.folder / "state", sign=None)
    shop.calibrate()
    shop.sign()
    shop.use(embedder="mine", previous_embedder="embedder", previous_until="2100-01-01")
    verify = ["verify", "--config", str(desk.config), "--json", "--image", desk.person("ada"), "--token"]
    capsys.readouterr()
    assert main([*verify, str(old)]) == 0
    assert answer()["threshold"] == round(load_threshold("embedder"), 4)
    renew = ["enrol", "--config", str(desk.config), "--operator", "kim", "--renew", str(old), "--json"]
    assert main([*renew, "--image", desk.person("ada", 1)]) == 0  # verified by the old model, in front of the camera
    new = desk.folder / "new.token"
    new.write_text(json.loads(capsys.readouterr().out)["token"])
    assert main([*verify, str(new)]) == 0


def test_after_the_overlap_an_old_card_is_refused(shop, floats, capsys, answer):
    desk = shop.desk
    old = desk.token("ada", capsys)
    install(floats, desk.folder / "state", sign=None)
    shop.calibrate()
    shop.sign()
    shop.use(embedder="mine", previous_embedder="embedder", previous_until="2026-11-02")
    capsys.readouterr()
    verify = ["verify", "--config", str(desk.config), "--json", "--image", desk.person("ada"), "--token", str(old)]
    assert main(verify) == 1
    assert answer()["reason"] == "model_mismatch"


def load_threshold(name: str) -> float:
    from edge.face import threshold
    from edge.settings.model import DecisionSettings

    return threshold(load_card(name), DecisionSettings().target_fmr)


def test_the_public_layout_tells_the_reference_people_apart(shop, answer):
    """112x112, RGB, InsightFace's five points: not what ours was trained for, and still near enough to be noticed."""
    fed = {"size": [112, 112], "channels": "RGB", "mean": 127.5, "std": 127.5}
    assert shop.bring(surgery.floated(surgery.shipped()), "--json", template="arcface-112", input=fed) == 0
    assert answer()["people"]["given"]["separation"] > 4
    assert load_card(shop.folder / "card.yaml").align.template != SHIPPED_TEMPLATE
