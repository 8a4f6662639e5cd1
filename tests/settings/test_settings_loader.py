"""From a file to settings: every error at once, in plain words, at its place."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError, available_timezones

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.errors import SettingsError
from edge.settings import Settings, check, default_file, device_file, load_settings, origins, warnings
from edge.settings.describe import allowed, leaves, node
from edge.settings.kinds import _other_names
from edge.settings.loader import checked
from edge.settings.problems import KeyPath

CONFIG = Path(__file__).resolve().parents[2] / "config"
#: Examples of settings; build files and model specs lie there, too, and say another version.
EXAMPLES = [file for file in (CONFIG / "examples").glob("*.yaml") if "edge/settings/v1" in file.read_text()]


@pytest.fixture
def told(tmp_path: Path):
    """``told("camera: {fps: 0}")`` -> the problems as lines, with ``f`` for the file."""

    def problems(text: str) -> list[str]:
        file = tmp_path / "f.yaml"
        file.write_text(text)
        settings, found = check(file)
        assert (settings is None) == bool(found)
        return [str(problem).replace(str(file), "f") for problem in found]

    return problems


def test_what_the_file_leaves_out_has_the_model_s_default(tmp_path: Path):
    file = tmp_path / "f.yaml"
    file.write_text("camera: {fps: 10}\n")
    loaded = load_settings(file)
    assert loaded.camera.fps == 10
    assert loaded.camera.width == Settings().camera.width


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("camera: {fpss: 1}", "f:1:10: camera.fpss: unknown key, did you mean fps?"),
        ("camra: {}", "f:1:1: camra: unknown key, did you mean camera?"),
        ("target_fmr: 1e-4", "f:1:1: target_fmr: unknown key here, did you mean decision.target_fmr?"),
        ("door:\n  zzz: 1", "f:2:3: door.zzz: unknown key, allowed: the keys driver, chip, pin"),
        ("camera: {fps: 200}", "f:1:15: camera.fps: 200 is too large, allowed: a number from 1 to 60"),
        ("camera: {fps: fast}", 'f:1:15: camera.fps: "fast" is not a number, allowed: a number from 1 to 60'),
        ("camera: {width: '640'}", 'f:1:17: camera.width: "640" is not a whole number, allowed: a whole number from'),
        ("camera: {width: 640.5}", "f:1:17: camera.width: 640.5 is not a whole number"),
        ("camera: {loop: no}", 'f:1:16: camera.loop: "no" is not true or false, allowed: true or false'),
        ("camera: {loop: 1}", "f:1:16: camera.loop: 1 is not true or false"),
        ("camera: {rotate: true}", "f:1:18: camera.rotate: true is not allowed, allowed: one of 0, 90, 180, 270"),
        ("camera: {driver: usb}", 'f:1:18: camera.driver: "usb" is not allowed, allowed: one of picamera2'),
        ("camera: {timeout_s: 0}", "f:1:21: camera.timeout_s: 0 is too small, allowed: a number above 0 up to 60"),
        ("device: {name: 12}", "f:1:16: device.name: 12 is not text; put it in quotes, allowed: 1 to 48 letters"),
        ("device: {state_dir: ~/edge}", "f:1:21: device.state_dir: ~ is not expanded"),
        ("device: {state_dir: ''}", "f:1:21: device.state_dir: the path is empty"),
        ("device: [1]", "f:1:9: device: this is a list, not a section, allowed: the keys name"),
        ("device:", "f:1:8: device: nothing is not a section; indent its keys below it"),
        ("claim: {readers: qr}", 'f:1:18: claim.readers: "qr" is not a list; write [a, b] or one `- entry` a line'),
        ("claim: {readers: []}", "f:1:18: claim.readers: [] is too short"),
        ("claim: {readers: [qr, nfc]}", 'f:1:23: claim.readers[1]: "nfc" is not allowed, allowed: one of stdin, qr'),
        ("claim: {group: Front Door}", 'f:1:16: claim.group: "Front Door" is not allowed, allowed: 1 to 16 lower-case'),
        ("claim: {schedule: {mon: ['7-19']}}", 'f:1:26: claim.schedule.mon[0]: "7-19" is not allowed, allowed: hours'),
        ("claim: {schedule: {mon: ['19:00-07:00']}}", "f:1:26: claim.schedule.mon[0]: 19:00 is not before 07:00"),
        ("claim: {schedule: {timezone: Mars/Olympus}}", "f:1:30: claim.schedule.timezone: this machine knows no such"),
        ("decision: {target_fmr: 0.5}", "f:1:24: decision.target_fmr: 0.5 is too large, allowed: a number from 1e-6"),
        ("face: {min_height: 0.9, max_height: 0.5}", "f:1:20: face.min_height: 0.9 must be smaller than max_height"),
        ("camera: {driver: replay}", "f:1:1: camera.path: a replay source needs a video file or a folder of pictures"),
        ("camera: {driver: v4l2}", "f:1:1: camera.device: a v4l2 source needs the stable path of its camera"),
        ("\ndoor: {driver: relay}", "f:2:16: door.driver: a fictional source may drive only the log door"),
        ("alternati]ve: some text", 'f:1:1: "alternati]ve": unknown key, did you mean alternative?'),
        ("claim: {'[0]': 1}", 'f:1:9: claim."[0]": unknown key, allowed: the keys readers'),
        ("claim: {schedule: {'mon()': []}}", 'f:1:20: claim.schedule."mon()": unknown key, did you mean mon?'),
                ("alternative: ''", 'f:1:14: alternative: "" is too short, allowed: text of 3 to 200 characters'),
        ("version: edge/settings/v9", 'f:1:10: version: "edge/settings/v9" is not allowed, allowed: edge/settings/v1'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_plain_words_at_its_place(told, text: str, line: str):
    found = told(text)
    assert len(found) == 1
    assert found[0].startswith(line)


def test_all_mistakes_come_at_once_in_the_order_of_the_file(told):
    found = told("camera:\n  fps: 0\n  fps: 1\n  widht: 3\ndoor: {pin: 99}\nface: {threads: &a 2}\n")
    assert [line.split(": ")[1] for line in found] == [
        "camera.fps", "camera.fps", "camera.widht", "door.pin", "face.threads",
    ]  # fmt: skip


def test_two_rules_between_sections_are_both_told(told):
    assert len(told("camera: {driver: replay}\ndoor: {driver: relay}")) == 2


def test_a_duplicate_is_not_told_again_as_something_else(told):
    assert len(told("claim:\n  readers: [*x, qr]\n")) == 1


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "f.yaml"
    file.write_text("device: {state_dir: state, trust_dir: /etc/trust}\n")
    assert load_settings(file).device.state_dir == tmp_path / "sub" / "state"
    assert load_settings(file).device.trust_dir == Path("/etc/trust")
    monkeypatch.chdir(tmp_path)
    assert load_settings("sub/f.yaml").device.state_dir == tmp_path / "sub" / "state"


def test_the_error_of_load_settings_holds_every_problem(tmp_path: Path):
    file = tmp_path / "f.yaml"
    file.write_text("camera: {fps: 0, width: 1}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert len(caught.value.problems) == 2
    assert caught.value.exit_code == 3


def test_a_bom_with_windows_line_ends_is_read(tmp_path: Path):
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfcamera:\r\n  fps: 10\r\nalternative: the bell\r\n")
    assert (load_settings(file).camera.fps, load_settings(file).alternative) == (10, "the bell")
    file.write_bytes(b"\xef\xbb\xbfcamera:\r\n  fps: 0\r\n")
    assert str(check(file)[1][0]).startswith(f"{file}:2:8: camera.fps: 0 is too small")


def advised(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "f.yaml"
    file.write_text(text)
    assert check(file)[1] == []
    return [str(warning).removeprefix(f"{file}:") for warning in warnings(file)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("camera: {driver: v4l2, device: /dev/video0}", "1:32: camera.device: the kernel numbers cameras anew"),
        ("claim: {readers: [qr]}", "1:1: camera.width: at 640 pixels a QR code is read to 15 cm only"),
        ("camera:\n  width: 800\nclaim: {readers: [qr]}", "2:10: camera.width: at 800 pixels"),
        ("camera: {driver: replay, path: nowhere}", "1:32: camera.path: there is no "),
        ("alternative: Ask at room #5", "1:14: alternative: '#5' is read as a comment, allowed: quotes around"),
        ("\ufeffalternative: Ask at room #5 or #6", "1:14: alternative: '#5 or #6' is read as a comment"),
        ("alternative: Ask at room # 5", "1:14: alternative: '# 5' is read as a comment"),
        ("alternative: Ask at\n  room #5\n", "1:14: alternative: '#5' is read as a comment"),
        ("device:\n  state_dir: my #state", "2:14: device.state_dir: '#state' is read as a comment"),
        ("camera: {driver: v4l2, device: /dev/v4l/by-id/cam #2\n }", "1:32: camera.device: '#2' is read as a comment"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_told_though_it_is_valid(tmp_path: Path, text: str, line: str):
    (found,) = advised(tmp_path, text)
    assert found.startswith(line)


@pytest.mark.parametrize(
    "text",
    [
        "alternative: Ask at the bell  # until December",
        "alternative: 'Ask at room #5'",
        "alternative: Ask at room#5",
        "alternative: |\n  Ask at room #5",
        "camera: {driver: v4l2, device: /dev/v4l/by-id/cam}",
        "camera: {fps: 15 #fps\n }",
        "camera: {width: 1280, height: 720}\nclaim: {readers: [qr, stdin]}",
        "camera: {driver: replay, path: f.yaml}",
    ],
)
def test_what_is_meant_is_not_told(tmp_path: Path, text: str):
    assert advised(tmp_path, text) == []


@pytest.mark.parametrize("file", [CONFIG / "device.yaml", *sorted(EXAMPLES)], ids=lambda file: file.name)
def test_no_shipped_file_needs_advice_about_what_it_says(file: Path):
    assert [str(warning) for warning in warnings(file) if warning.key != "camera.path"] == []


def test_a_device_build_has_no_example_to_fall_back_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    package = tmp_path / "edge"
    example = package / "_data" / "config" / "device.yaml"
    example.parent.mkdir(parents=True)
    example.write_text("alternative: the bell\n")
    monkeypatch.setattr("edge._resources._PACKAGE", package)
    assert device_file(tmp_path / "none.yaml") == example, "a lab build holds no door"
    assert device_file(tmp_path / "none.yaml") == example
    assert caplog.text.count("the packaged example is used") == 1, "told once a process"
    caplog.clear()
    (package / "door").mkdir()
    assert default_file(tmp_path / "none.yaml") == example, "where the folders are may be asked"
    caplog.clear()
    with pytest.raises(SettingsError, match="never runs on the packaged example") as caught:
        device_file(tmp_path / "other.yaml")
    assert caplog.text == "", "nobody is told that the example is used, and then that it is not"
    (told,) = caught.value.problems  # all that a terminal and the self-test show
    assert told.startswith(f"{tmp_path / 'other.yaml'}: there is no settings file")
    assert told.endswith(f"sudo install -D -m 0644 {example} {tmp_path / 'other.yaml'}")


@pytest.mark.parametrize("zone", ["Berlin", "europe/berlin", "EU/Berlin"])
def test_a_zone_that_is_named_by_its_city_is_told_whole(told, zone: str):
    (found,) = told(f"claim: {{schedule: {{timezone: {zone}}}}}")
    assert found.endswith("an example is Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("right/Europe/Paris", "counts leap seconds, which this device's clock does not; write Europe/Paris"),
        ("posix/Europe/Paris", "write Europe/Paris"),
        ("posixrules", "is no place's time; name a place"),
        ("Factory", "is no place's time; name a place"),
        ("localtime", "is no place's time; name a place"),
        ("W. Europe Standard Time", "Windows' name of the zone; write Europe/Berlin"),
        ("eastern standard time", "Windows' name of the zone; write America/New_York"),
        ("Eastern Standard Time (Mexico)", "Windows' name of the zone; write America/Cancun"),
        ("UTC+1", "an offset is no time zone"),
        ("+01:00", "an offset is no time zone"),
        ("Europe/Berlim", "an example is Europe/Berlin"),
        ("New York", "an example is America/New_York"),
        ("CEST", "an example is Europe/Paris"),
        ("zone.tab", "an example is Europe/Paris"),
    ],
)
def test_what_is_no_place_s_zone_is_refused_with_what_to_write(told, zone: str, said: str):
    (found,) = told(f"claim: {{schedule: {{timezone: '{zone}'}}}}")
    assert said in found


def test_every_zone_that_is_named_instead_of_another_is_a_zone():
    assert set(_other_names().values()) <= available_timezones()


def test_without_a_time_zone_database_the_remedy_is_to_install_one(told, monkeypatch: pytest.MonkeyPatch):
    def nothing(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("edge.settings.kinds.ZoneInfo", nothing)
    (found,) = told("claim: {schedule: {timezone: US/Eastern}}")
    assert "now called America/New_York" in found
    assert "tzdata-legacy" in found
    monkeypatch.setattr("edge.settings.kinds.available_timezones", set)
    for zone in ("Europe/Paris", "US/Eastern"):
        (found,) = told(f"claim: {{schedule: {{timezone: {zone}}}}}")
        assert "no time zone database" in found
        assert "apt install tzdata" in found
    assert told("claim: {schedule: {timezone: UTC}}") == []


def test_the_origin_of_each_value_is_a_line_or_the_default(tmp_path: Path):
    file = tmp_path / "f.yaml"
    file.write_text("camera:\n  fps: 10\nclaim:\n  schedule:\n    mon: ['07:00-19:00']\n")
    found = origins(file)
    assert found["camera.fps"] == f"{file}:2"
    assert found["claim.schedule.mon"] == f"{file}:5"
    assert found["claim.schedule.tue"] == "default"
    assert found["door.pin"] == "default"


def test_without_a_system_file_the_packaged_example_is_read(tmp_path: Path):
    assert default_file(tmp_path / "none.yaml").name == "device.yaml"
    system = tmp_path / "device.yaml"
    system.write_text("device: {name: mine}\n")
    assert default_file(system) == system


@pytest.mark.parametrize("file", [CONFIG / "device.yaml", *sorted(EXAMPLES)])
def test_every_shipped_file_is_valid(file: Path):
    assert check(file)[1] == []


def test_the_packaged_file_shows_every_setting_and_changes_none():
    text = (CONFIG / "device.yaml").read_text()
    shown = Settings(alternative="Please ask at the reception.")  # it has no default: every site has its own
    assert load_settings(CONFIG / "device.yaml") == shown
    missing = [path for path, _ in leaves() if f"{path[-1]}:" not in text and path[-1] not in ("sat", "sun")]
    assert not missing


def test_the_environment_plays_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "f.yaml"
    file.write_text("camera: {fps: 10}\n")
    before = load_settings(file)
    for name in ("EDGE_CAMERA_FPS", "CAMERA__FPS", "EDGE_CONFIG", "HOME", "camera"):
        monkeypatch.setenv(name, "30")
    assert load_settings(file) == before


@given(st.text(max_size=100))
def test_any_text_is_settings_or_problems(tmp_path_factory: pytest.TempPathFactory, text: str):
    file = tmp_path_factory.getbasetemp() / "any-settings.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    loaded, problems = check(file)
    assert (loaded is None) == bool(problems)


#: Keys as they are, misspelt, and with what pydantic writes into the names of its validators and union members.
KNOWN = sorted({str(path[-1]) for path, _ in leaves()} | {"schedule", "xx", "fpss", ""})
SPELT = st.builds(
    lambda key, at, sign: key[:at] + sign + key[at:],
    st.sampled_from([*KNOWN, *Settings.model_fields]),
    st.integers(0, 9),
    st.text("[](){}.,:'\"- _\u00e9\u202e0", min_size=1, max_size=3),
)
SECTIONS = st.sampled_from([*Settings.model_fields, "x", ""]) | SPELT
KEYS = st.sampled_from(KNOWN) | SPELT
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["qr", "v4l2"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(SECTIONS, ANYTHING | st.dictionaries(KEYS, ANYTHING, max_size=4), max_size=4))
def test_any_wrong_settings_are_told_and_never_raise(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]
):
    file = tmp_path_factory.getbasetemp() / "wrong-settings.yaml"
    file.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    loaded, problems = check(file)
    assert (loaded is None) == bool(problems)
    assert all("\n" not in str(problem) for problem in problems)
    assert all(problem.file == str(file) and problem.line > 0 and problem.what for problem in problems)


def values_of(path: KeyPath) -> st.SearchStrategy[object]:
    """Valid values of one setting, from its own schema."""
    here = node(path)
    assert here is not None
    kind = here.get("type")
    if "enum" in here:  # a builder's own driver is in builds that name one only, see tests/build/test_own_driver.py
        return st.sampled_from([value for value in here["enum"] if (path, value) != (("camera", "driver"), "own")])
    if "const" in here:
        return st.just(here["const"])
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(here["minimum"], here["maximum"])
    if kind == "number":
        low = here.get("minimum", here.get("exclusiveMinimum"))
        return st.floats(low, here["maximum"], exclude_min="exclusiveMinimum" in here)
    if "pattern" in here:
        return st.from_regex(here["pattern"].replace("$", r"\Z")).filter(str.isascii)
    return st.just(here.get("default"))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_valid_settings_make_a_round_trip(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    wanted: dict[str, dict[str, object]] = {}
    single = [path for path, _ in leaves() if len(path) == 2]
    for path in data.draw(st.lists(st.sampled_from(single), unique=True, max_size=12)):
        wanted.setdefault(str(path[0]), {})[str(path[1])] = data.draw(values_of(path))
    try:
        expected = Settings.model_validate_json(json.dumps(wanted))
    except ValidationError:
        return  # the rules between keys have tests of their own
    file = tmp_path_factory.getbasetemp() / "round.yaml"
    # JSON is YAML, and its texts are quoted: PyYAML writes 0008 plain, which YAML 1.2 reads as a number
    file.write_text(json.dumps(expected.model_dump(mode="json")))
    assert load_settings(file) == expected


def test_what_is_allowed_is_said_for_every_setting():
    for path, leaf in leaves():
        assert allowed(leaf), path
        assert leaf.get("description"), path


def test_a_folder_that_is_moved_has_the_same_settings_for_the_journal(tmp_path: Path):
    """Relative paths count as they are written; what points elsewhere counts as the place that it is."""
    text = "device: {state_dir: state, trust_dir: %s}\nalternative: Ask\n"
    digests = []
    for name in ("before", "behind \u00e9 b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "device.yaml").write_text(text % "trust")
        here = load_settings(tmp_path / name / "device.yaml")
        assert here.device.state_dir == tmp_path / name / "state"
        digests += [here.digest, checked(here).digest, here.model_copy().digest]
    assert len(set(digests)) == 1
    file = tmp_path / "before" / "device.yaml"
    file.write_text(text % tmp_path)
    assert load_settings(file).digest not in digests
    assert here.model_copy(update={"alternative": "Ring"}).digest not in digests
