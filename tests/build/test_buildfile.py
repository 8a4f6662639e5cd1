"""``config/build.yaml``: every capability said in so many words, and every contradiction told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.build.buildfile import load_build
from edge.profile import BY_NAME, CAPABILITIES, of

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "build.yaml"


@pytest.fixture
def told(tmp_path: Path):
    """``told(old, new)`` -> findings about the shipped file with one piece of text replaced."""

    def findings(old: str, new: str) -> list[str]:
        text = SHIPPED.read_text()
        assert old in text
        file = tmp_path / "build.yaml"
        file.write_text(text.replace(old, new))
        build, found = load_build(file)
        assert (build is None) == bool(found)
        return [str(finding).replace(str(file), "f") for finding in found]

    return findings


def line_of(text: str) -> int:
    return next(number for number, row in enumerate(SHIPPED.read_text().splitlines(), 1) if text in row)


def test_the_shipped_file_builds_a_device_that_can_do_nothing_forbidden():
    build, findings = load_build(SHIPPED)
    assert not findings
    assert build is not None
    assert build.profile == "device"
    assert build.capabilities == of("device")
    assert [name for name, value in build.capabilities.items() if value] == ["claimed_verification", "operator_socket"]


@pytest.mark.parametrize("name", ["one_to_many_search", "attribute_inference", "image_retention"])
@pytest.mark.parametrize("profile", ["device", "lab"])
def test_what_no_code_can_do_is_refused_in_every_profile(tmp_path: Path, name: str, profile: str):
    values = of(profile) | {name: True}
    file = tmp_path / "build.yaml"
    lines = [f"  {key}: {str(value).lower()}" for key, value in values.items()]
    file.write_text(f"version: edge/build/v1\nprofile: {profile}\ncapabilities:\n" + "\n".join(lines) + "\n")
    build, found = load_build(file)
    assert build is None
    assert [str(finding) for finding in found] == [
        f"{file}:{list(values).index(name) + 4}:{len(name) + 5}: capability/{name}: true is refused in every profile: "
        "no code exists to enable it; write false"
    ]


def test_the_refusal_names_the_line_of_the_file(told):
    (line,) = told("one_to_many_search: false", "one_to_many_search: true")
    assert line.startswith(f"f:{line_of('one_to_many_search:')}:23: capability/one_to_many_search: true is refused")


def test_what_only_a_lab_holds_is_refused_on_a_device(told):
    (line,) = told("file_comparison: false", "file_comparison: true")
    assert "true is refused in the profile device: a device build has no way from a picture to a score" in line


def test_a_build_may_not_deny_what_it_holds(told):
    (line,) = told("claimed_verification: true", "claimed_verification: false")
    assert "false is not true: a build of the profile device captures a face" in line


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_capability_must_be_listed(told, name: str):
    (line,) = told(f"  {name}:", "  # no")
    assert f"capability/{name}: it is not listed" in line


def test_a_mistyped_capability_is_told_with_the_nearest_one(told):
    lines = told("image_retention:", "image_retension:")
    assert any('unknown key "image_retension", did you mean image_retention?' in line for line in lines)
    assert any("capability/image_retention: it is not listed" in line for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("profile: device", "profile: development", 'profile: "development" cannot be built; write device or lab'),
        ("profile: device", "profile: [device]", 'profile: ["device"] cannot be built'),
        ("profile: device", "profil: device", "the key profile is missing"),
        ("edge/build/v1", "edge/build/v2", 'version: "edge/build/v2" is not known; write edge/build/v1'),
        ("score_output: false", "score_output: no", '"no" is not true or false; write false'),
        ("score_output: false", "score_output: false\n  score_output: true", "the key is given twice"),
        ("score_output: false", "score_output: &a false", "anchors (&name) are not supported"),
    ],
)  # fmt: skip
def test_any_other_mistake_is_a_finding(told, old: str, new: str, part: str):
    assert any(part in line for line in told(old, new))


def test_all_findings_come_at_once(told):
    assert len(told("false", "true")) == 5


@pytest.mark.parametrize("text", ["", "- a", "capabilities: yes", "a: [", "capabilities:\n\tx: 1"])
def test_what_is_no_build_file_is_a_finding(tmp_path: Path, text: str):
    file = tmp_path / "build.yaml"
    file.write_text(text)
    build, found = load_build(file)
    assert build is None
    assert found


@given(st.text(max_size=80))
def test_any_text_is_a_build_file_or_findings(tmp_path_factory: pytest.TempPathFactory, text: str):
    file = tmp_path_factory.getbasetemp() / "any-build.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    build, found = load_build(file)
    assert (build is None) == bool(found)


def test_every_capability_is_said_in_words_for_both_cases():
    for capability in CAPABILITIES:
        assert capability.can
        assert capability.cannot
        assert capability.why
