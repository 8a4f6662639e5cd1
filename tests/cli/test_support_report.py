"""`edge support-report`: helps a maintainer, and holds nothing that an operator must not share."""

from __future__ import annotations

import dataclasses
import json
import types
import typing

import pytest
import yaml

from edge.cli import main
from edge.errors import StateError, place_of
from edge.service import support
from edge.service.parts import Parts
from edge.settings import check
from edge.settings.describe import leaves
from tests.cli.conftest import SETTINGS, Desk

#: Every text of the settings that a person writes, as something that must not leave.
CANARIES = {
    "device.name": "canary-name",
    "device.state_dir": "canary-state",
    "device.trust_dir": "canary-trust",
    "camera.device": "/dev/v4l/by-id/canary",
    "camera.path": "canary-pictures",
    "camera.identity": "canary-eye",
    "claim.group": "canary-group",
    "claim.schedule.timezone": "Africa/Lagos",
    "claim.schedule.mon": ["03:17-04:19"],
    "face.previous_embedder": "canary-old",
    "face.previous_until": "2031-07-09",
    "alternative": "Ask Canary Kim at extension 4711.",
    "door.chip": "/dev/canary-chip",
    "camera.fourcc": "CNRY",
    "claim.keyboard": "/dev/input/by-id/canary",
    "claim.pin_reason": "Canary gate, gloves, no cards",
    "claim.keypad": "/dev/input/by-id/canary-pad",
    "claim.serial": "/dev/serial/by-id/canary",
    "kiosk.house": "Canary House",
    "kiosk.privacy_url": "https://canary.example.org/privacy",
}


def report(desk: Desk, *more: str) -> dict:
    file = desk.folder / "report.json"
    assert main(["support-report", str(file), "--config", str(desk.config), *more]) == 0
    return json.loads(file.read_text("ascii"))


def typed_by_people(where: dict) -> bool:
    return where.get("type") == "string" and not {"enum", "const"} & set(where)


def words(annotation: object) -> set[object]:
    """The plain types that a field may hold, whatever they are wrapped in."""
    if dataclasses.is_dataclass(annotation):
        return set().union(*(words(kind) for kind in typing.get_type_hints(annotation).values()))
    if (inside := typing.get_args(annotation)) and typing.get_origin(annotation) in (tuple, dict, types.UnionType):
        return set().union(*(words(each) for each in inside if each is not ...))
    return {annotation}


def test_no_field_of_a_report_can_hold_a_text_that_is_not_a_declared_word():
    allowed = {int, float, bool, type(None), support.Term, support.Version, support.Digest, support.Raised}
    assert words(support.SupportReport) == allowed


@pytest.mark.parametrize("word", [support.Term, support.Version, support.Digest, support.Raised])
@pytest.mark.parametrize("text", ["", "x" * 200, "ada@example.org", "/var/lib/edge\n", "EV1:A", "né", "a\x00"])
def test_a_word_takes_no_other_text_and_does_not_repeat_it(word, text):
    with pytest.raises(ValueError, match=r"^no \w+$"):
        word(text)


def test_everything_typed_by_people_stays_on_the_device(desk, capsys):
    settings = yaml.safe_load(SETTINGS)
    settings.setdefault("claim", {})["pin"] = "alone"  # a choice; without it nothing asks for a keypad, or a reason
    settings.setdefault("vault", {})["custody"] = "device"
    for key, value in CANARIES.items():
        *sections, name = key.split(".")
        here = settings
        for section in sections:
            here = here.setdefault(section, {})
        here[name] = value
    desk.config.write_text(yaml.safe_dump(settings))
    assert check(desk.config)[0] is not None, check(desk.config)[1]
    text = json.dumps(report(desk))
    for value in ("anary", "Lagos", "03:17", "2031", "4711", "CNRY", str(desk.folder)):
        assert value not in text
    told = json.loads(text)["settings"]
    assert {told[key] for key in CANARIES} == {"set"}
    typed = {".".join(map(str, path)) for path, where in leaves() if typed_by_people(where)}
    assert typed - {"face.detector", "face.embedder", "face.passive"} <= set(CANARIES)  # a new text must join them


def test_nothing_of_people_cards_and_keys_is_in_it(desk, capsys):
    card = desk.enrol("ada", capsys)
    arguments = ["--token", "-", "--config", str(desk.config)]
    (desk.folder / "ada.token").write_text(card["token"])
    assert main(["verify", *arguments[:1], str(desk.folder / "ada.token"), *arguments[2:]]) == 0
    assert main(["revoke", card["serial"], "--operator", "kim", "--config", str(desk.config)]) == 0
    text = json.dumps(report(desk))
    keys = [path.read_text("utf-8", "replace") for path in (desk.folder / "state").glob("*.key")]
    secrets = [line for key in keys for line in key.split() if len(line) > 20]
    assert secrets
    for secret in (card["token"], card["serial"], card["serial"].replace("-", ""), "kim", "Ada", *secrets):
        assert secret not in text


def test_it_says_what_helps(desk, capsys):
    assert main(["selftest", "--config", str(desk.config), "--level", "periodic"]) == 0
    found = report(desk)
    assert found["fit"]
    assert {one["id"] for one in found["checks"]} > {"keys", "vault", "journal", "model-embedder"}
    assert found["settings"]["camera.driver"] == "fictional"
    assert found["settings"]["claim.readers"] == "stdin"
    assert len(found["models"]["embedder"]) == 32
    assert found["programs"]["numpy"]
    assert found["unread"] is None


def test_faults_are_told_by_the_line_that_raised_them(desk, capsys):
    (desk.folder / "state" / "site.key").unlink()
    found = report(desk)
    raised = {one["id"]: one["raised"] for one in found["checks"]}
    assert raised["keys"].startswith("KeyringError at edge/trust/")
    assert found["unread"].startswith("KeyringError at edge/")
    assert not found["fit"]


def test_a_mistake_in_the_settings_is_told_by_its_place(desk, capsys):
    desk.config.write_text(SETTINGS + "canary_key: 1\n")
    found = report(desk)
    assert found["problems"] == [[len(SETTINGS.splitlines()) + 1, 1]]
    assert "canary" not in json.dumps(found)


def test_neither_camera_nor_door_is_opened(desk):
    class Opened(Exception):
        """Not one of ours: it would end the report."""

    def opened(*_: object) -> None:
        raise Opened

    door = types.SimpleNamespace(name="mine", open=opened, act=opened, close=lambda: None)
    found = support.collect(desk.config, now_s=0.0, parts=Parts(source=opened, door=door))
    assert not {"source", "door"} & {one.id for one in found.checks}


def test_an_earlier_report_is_not_overwritten(desk, capsys):
    report(desk)
    assert main(["support-report", str(desk.folder / "report.json"), "--config", str(desk.config)]) == 3
    assert "report.json" in capsys.readouterr().err


def test_the_place_of_an_error_holds_none_of_its_values():
    with pytest.raises(AttributeError) as raised:
        check("secret")  # type: ignore[arg-type]
    assert "secret" not in place_of(raised.value)
    assert place_of(raised.value).startswith("AttributeError at edge/settings/")
    assert place_of(StateError("secret", where="secret")) == "StateError at an unknown place"
