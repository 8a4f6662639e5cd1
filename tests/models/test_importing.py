"""From somebody's file to a model beside the build: what is refused, and with what reason.

Files are the shipped nets in another dress (see `surgery`). Each is examined in a process of its own, as in the
product; tests that ask different things about one file share its examination.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.build.contents import profiles_of
from edge.errors import InputError, ModelError
from edge.face import Chain, Embedder, load_card
from edge.face.card import parse_card
from edge.face.write import card_text
from edge.models.examine import examine
from edge.models.importing import MAX_MODEL_BYTES, MOST_ON_A_CARD, Imported, examine_file, install
from edge.models.installed import CARD, MODEL, read_unsigned
from edge.models.reference import load_references, sheet, tell_apart
from edge.models.sandbox import run
from edge.models.spec import ModelSpec
from edge.settings.model import FaceSettings
from tests.cells import holding
from tests.face import surgery
from tests.models.bring import detector_spec, spec_of

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def spec(**changes) -> ModelSpec:
    return ModelSpec.model_validate(spec_of(**changes))


@pytest.fixture
def file(tmp_path):
    """``file(data)``: a .tflite on disk."""

    def write(data: bytes) -> Path:
        path = tmp_path / "brought.tflite"
        path.write_bytes(data)
        return path

    return write


def refusal(path: Path, wanted: ModelSpec | None = None, **options) -> ModelError:
    with pytest.raises(ModelError) as caught:
        examine_file(path, wanted or spec(), **options)
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    return caught.value


@pytest.fixture(scope="module")
def int8(tmp_path_factory) -> Imported:
    path = tmp_path_factory.mktemp("int8") / "brought.tflite"
    path.write_bytes(surgery.shipped())
    return examine_file(path, spec(), date="2026-11-22")


@pytest.fixture(scope="module")
def float32(tmp_path_factory) -> Imported:
    path = tmp_path_factory.mktemp("float32") / "brought.tflite"
    path.write_bytes(surgery.floated(surgery.shipped()))
    return examine_file(path, spec(), date="2026-11-22")


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_an_embedder_is_described_by_what_is_measured_on_it(kind, request):
    imported = request.getfixturevalue(kind)
    given = imported.report["people"]["given"]
    assert given["same"] > given["different"]
    assert given["separation"] > 5
    card = imported.card
    assert (card.name, card.path.name, card.calibration, card.outside_delegate) == ("mine", MODEL, None, 0)
    assert (card.input.dtype, card.outputs[0].dtype) == (kind, kind)
    assert card.raw["licence"] == "bought, invoice 12"
    assert card.raw["imported"]["date"] == "2026-11-22"


def test_an_int8_net_of_known_operators_has_an_exact_known_answer_and_a_float_one_a_tolerance(int8, float32):
    assert int8.card.golden.sha256
    assert int8.warnings == ()
    assert float32.card.golden.values
    assert any("not the same bits on every machine" in text for text in float32.warnings)


def test_uint8_ends_cost_nodes_outside_the_delegate_and_are_said(file):
    imported = examine_file(file(surgery.uint8_ports(surgery.shipped())), spec())
    assert imported.card.outside_delegate == 2
    assert any(text.startswith("2 nodes run outside XNNPACK") for text in imported.warnings)


def test_channels_first_is_found_out(file):
    assert examine_file(file(surgery.channels_first(surgery.shipped())), spec()).card.input.layout == "NCHW"


def test_a_detector_must_find_the_reference_people(file):
    wanted = ModelSpec.model_validate(detector_spec(name="other"))
    imported = examine_file(file(surgery.floated(surgery.shipped("detector"))), wanted)
    assert imported.report["people"]["given"] == {"found": 36, "of": 36}
    blind = surgery.dead(surgery.shipped("detector"), -9.0)
    assert "reference pictures" in refusal(file(blind), wanted).what


@pytest.mark.parametrize(
    ("scaled", "template"),
    [
        ({"mean": 0, "std": 1}, None),
        ({"mean": 127.5, "std": 1}, None),
        ({"mean": 128, "std": 128}, [[x, 112 - y] for x, y in spec_of()["template"]]),
    ],
    ids=["0 to 255", "127 times too large", "upside down"],
)
def test_wrong_preprocessing_does_not_tell_people_apart(scaled, template, file):
    changes = {"input": {"size": [112, 112], "channels": "RGB", **scaled}} | (
        {"template": template} if template else {}
    )
    error = refusal(file(surgery.floated(surgery.shipped())), spec(**changes))
    assert "does not tell people apart" in error.what
    assert "is the preprocessing right?" in error.remedy


def test_colours_in_the_wrong_order_are_hinted_at(file):
    fed = spec_of()["input"] | {"channels": "BGR"}
    imported = examine_file(file(surgery.shipped()), spec(input=fed))
    assert any(text.startswith("with channels: RGB it does better") for text in imported.warnings)


def test_colours_in_the_right_order_are_not_doubted(file):
    imported = examine_file(file(surgery.shipped()), spec())
    assert not any("does better" in text for text in imported.warnings)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (lambda: surgery.dead(surgery.shipped(), float("nan")), "not numbers"),
        (lambda: surgery.dead(surgery.shipped(), float("inf")), "not numbers"),
        (lambda: surgery.dead(surgery.shipped(), 0.5), "same output whatever it is shown"),
        (lambda: surgery.dead(surgery.shipped(), 0.0), "same output whatever it is shown"),
        (lambda: surgery.shipped("detector"), "192x144"),
        (lambda: (ASSETS / "prelu.tflite").read_bytes(), "the spec says 112x112"),
        (lambda: b"", "not a .tflite file"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(5000), "not a .tflite file"),
        (lambda: b"\x1c\x00\x00\x00TFL3" + bytes(5000), "refuses the model"),
        (lambda: b"\xff" * 4 + b"TFL3" + b"\xff" * 5000, "refuses the model"),
    ],
    ids=["nan", "inf", "constant", "zero", "detector", "prelu", "empty", "picture", "shell", "garbage"],
)
def test_a_bad_file_is_refused_with_the_reason(model, text, file):
    assert text in refusal(file(model())).what


def test_a_detector_given_as_an_embedder_is_refused(file):
    fed = detector_spec()["input"]
    template = [[60, 60], [120, 60], [90, 90], [65, 120], [115, 120]]
    assert "one output, a vector" in refusal(file(surgery.shipped("detector")), spec(input=fed, template=template)).what


def test_an_embedder_given_as_a_detector_is_refused(file):
    wanted = ModelSpec.model_validate(detector_spec(input=spec_of()["input"]))
    assert "score_8" in refusal(file(surgery.shipped()), wanted).what


def test_a_graph_in_many_pieces_is_refused_unless_slow_is_accepted(file):
    path = file(surgery.in_pieces(surgery.shipped()))
    error = refusal(path)
    assert "nodes of its graph run outside XNNPACK" in error.what
    assert "--slow-ok" in error.remedy
    imported = examine_file(path, spec(), slow_ok=True)
    assert imported.card.outside_delegate >= 10
    assert any("nodes run outside XNNPACK" in text for text in imported.warnings)


@pytest.mark.parametrize("kept", [7, 8, 3000, 0.5, -1], ids=str)
def test_a_truncated_file_is_refused(kept, file):
    whole = surgery.shipped()
    assert refusal(file(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])).what


def mutated(data: bytes, places: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, value in places:
        changed[place % len(changed)] = value
    return bytes(changed)


# Most of a file is weights; its structure, where a crash hides, stands at both ends.
PLACES = st.lists(
    st.tuples(st.integers(8, 4000) | st.integers(-60_000, -1) | st.integers(8, 10**6), st.integers(0, 255)),
    min_size=1,
    max_size=12,
)


def outcome(places: list[tuple[int, int]], folder: Path) -> str:
    """Why a damaged file is refused, or the digest of what was imported; any other error, and any crash, gets out."""
    path = folder / "mutated.tflite"
    path.write_bytes(mutated(surgery.shipped(), places))
    try:
        imported = examine_file(path, spec(), slow_ok=True)
    except ModelError as error:
        return error.what
    return imported.card.sha256


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(places=PLACES)
def test_a_mutated_file_is_refused_or_examined_and_never_takes_us_with_it(places, tmp_path):
    assert outcome(places, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(places=PLACES)
def test_many_mutated_files(places, tmp_path):
    assert outcome(places, tmp_path)


@pytest.fixture
def crash(monkeypatch):
    """In the examiner's place a module that ends as ``CRASH`` says, which a clean environment would not hold."""
    monkeypatch.setattr("edge.models.sandbox._MODULE", "tests.models.crash")
    monkeypatch.setattr("edge.models.sandbox.environment", lambda: dict(os.environ))


def test_a_crash_of_the_runtime_is_an_answer(crash, monkeypatch):
    for end, text in (("segv", "SIGSEGV"), ("abort", "SIGABRT"), ("exit", "could not examine"), ("words", "could not")):
        monkeypatch.setenv("CRASH", end)
        with pytest.raises(ModelError, match=text):
            run("import", surgery.shipped(), {}, where="x", size=(112, 112))


def test_a_file_that_never_ends_is_given_up(crash, monkeypatch):
    monkeypatch.setenv("CRASH", "sleep")
    with pytest.raises(ModelError, match="not done within"):
        run("import", surgery.shipped(), {}, where="x", size=(112, 112), wait_s=0.5)


def test_a_tensor_of_all_memory_is_refused(file):
    net = surgery.tree(surgery.floated(surgery.shipped()))
    graph = net.subgraphs[0]
    graph.tensors[int(graph.inputs[0])].shape = [1, 60_000, 60_000, 3]
    fed = spec_of()["input"]
    assert refusal(file(surgery.packed(net)), spec(input=fed)).what


def test_a_file_larger_than_a_device_takes_is_refused_unread(tmp_path):
    path = tmp_path / "huge.tflite"
    with path.open("wb") as sparse:
        sparse.truncate(MAX_MODEL_BYTES + 1)
    assert "64 MiB" in refusal(path).what


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "nowhere", "a\0b"):
        what = refusal(tmp_path / name).what
        assert "cannot be read" in what or "not a regular file" in what
    assert "not a regular file" in refusal(Path("/dev/zero")).what


def test_a_name_of_the_build_is_taken(file):
    assert "comes with the build" in refusal(file(surgery.shipped()), spec(name="embedder")).what


def test_an_installed_model_is_whole_private_and_its_card_stands_alone(int8, tmp_path):
    folder = install(int8, tmp_path / "state", sign=None)
    assert folder == tmp_path / "state" / "models" / "mine"
    assert sorted(path.name for path in folder.iterdir()) == [CARD, MODEL]
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0, 0, 0]
    assert Embedder(load_card(folder / CARD)).dimension == 128
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_a_second_model_of_a_name_needs_replace(int8, float32, tmp_path):
    install(int8, tmp_path, sign=None)
    with pytest.raises(InputError, match="was added before"):
        install(float32, tmp_path, sign=None)
    folder = install(float32, tmp_path, sign=None, replace=True)
    assert load_card(folder / CARD).sha256 == float32.card.sha256
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_an_uncalibrated_model_loads_and_has_no_threshold(int8, tmp_path):
    folder = install(int8, tmp_path, sign=None)
    card = read_unsigned(folder)
    chain = Chain.load(FaceSettings(embedder="mine"), lambda name: card if name == "mine" else load_card(name))
    with pytest.raises(ModelError, match="never calibrated") as caught:
        chain.threshold(1e-4)
    assert f"edge lab calibrate --model {folder / CARD}" in caught.value.remedy


def test_the_longest_embedding_on_a_card_is_the_tokens_limit():
    from edge.errors import InputError as TooLong
    from edge.trust import Keyring
    from edge.types import Custody
    from edge.vault import Issuance, Terms
    from edge.vault.issuing import draft

    keyring, issuer = Keyring.ephemeral(os.urandom)
    terms = Terms(Custody.CARD, ("a" * 16,), 2**63, 0, 2**31)

    def fits(count: int) -> None:
        token, by = terms.token(keyring.site_id, os.urandom), Issuance(issuer, "kim", bytes(32), count, 0)
        draft(token, holding(np.ones(count)), 0, keyring.site_key, by, opened=0, kept=True)

    fits(MOST_ON_A_CARD)
    with pytest.raises(TooLong):
        fits(MOST_ON_A_CARD + 1)


def test_raw_pixels_and_random_directions_do_not_tell_the_reference_people_apart():
    seen = load_references()
    small = [picture[::24, ::24].astype(float).ravel() for picture in seen.pictures]
    assert tell_apart(small, seen.names)["separation"] < 2
    random = np.random.default_rng(1).normal(0, 1, (36, 128))
    assert abs(tell_apart(random, seen.names)["separation"]) < 1


def test_the_sheet_shows_each_face_under_the_templates_points():
    card = load_card("embedder")
    picture = sheet(load_references(), card.align)
    assert picture.shape == (6 * 116, 6 * 116, 3)
    x, y = card.align.template[2]
    assert picture[2 + round(y), 2 + round(x)].tolist() == [80, 255, 80]


def test_a_device_build_compares_no_people_and_says_so(tmp_path, monkeypatch):
    """A device build has no `edge.models.reference`; all else is examined."""
    assert profiles_of("models/reference.py") == {"lab"}
    monkeypatch.setitem(sys.modules, "edge.models.reference", None)
    (tmp_path / MODEL).write_bytes(surgery.shipped())
    report = examine(tmp_path, spec().base_card(), (112, 112))
    assert report["people"] is None
    assert report["golden"]["sha256"]
    monkeypatch.setattr("edge.models.importing.run", lambda *_, **__: report)
    assert any("compares no faces" in text for text in examine_file(tmp_path / MODEL, spec()).warnings)


def test_the_same_file_with_another_preprocessing_is_another_embedder(int8):
    """Templates of the one must never be compared with probes of the other."""
    raw = yaml.safe_load(int8.text)
    raw["align"]["template"][0][0] += 1
    moved = parse_card(card_text(raw).encode(), folder=Path())
    assert moved.sha256 == int8.card.sha256 == load_card("embedder").sha256
    assert len({moved.identity, int8.card.identity, load_card("embedder").identity}) == 3
    assert load_card("embedder").earlier == load_card("embedder").sha256


def test_words_and_calibration_do_not_change_who_an_embedder_is(int8):
    measured = {key: value for key, value in load_card("embedder").raw["calibration"].items() if key != "arithmetic"}
    raw = yaml.safe_load(int8.text) | {"licence": "another", "calibration": measured}
    assert parse_card(card_text(raw).encode(), folder=Path()).identity == int8.card.identity


def test_a_card_that_was_written_reads_back_the_same(int8):
    again = parse_card(int8.text.encode(), folder=Path())
    assert dict(again.raw) == yaml.safe_load(int8.text)
