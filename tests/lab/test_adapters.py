"""Peers: their YAML, their runtimes, their faces; the same rules as for our chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError, ModelError
from edge.face import Chain, load_card
from edge.lab.adapters import PeerSpec, is_spec, load_peer, read_spec
from edge.lab.adapters.peer import Eyes, Peer, make_peer, most_central
from edge.lab.adapters.runtimes import open_runtime
from edge.lab.extract import DeviceChain
from edge.settings.model import FaceSettings
from tests.conftest import PEOPLE
from tests.lab.onnx_file import channel_means

SIDE = 32
TEMPLATE = [[10.0, 12.0], [22.0, 12.0], [16.0, 18.0], [11.0, 24.0], [21.0, 24.0]]


def description(**more: Any) -> dict[str, Any]:
    return {
        "schema": "edge/peer/v1",
        "name": "means",
        "file": "means.onnx",
        "runtime": "onnxruntime",
        "input": {"size": [SIDE, SIDE], "channels": "RGB", "layout": "NCHW", "mean": 127.5, "std": 128},
        "template": TEMPLATE,
        "detector": {"file": "yunet.onnx"},
        "licence": "ours",
        **more,
    }


def put(tmp_path: Path, **more: Any) -> Path:
    (tmp_path / "means.onnx").write_bytes(channel_means(SIDE))
    path = tmp_path / "peer.yaml"
    path.write_text(yaml.safe_dump(description(**more)))
    return path


class OneFace(Eyes):
    """Finds a face at the same place of every picture."""

    def __init__(self, row: np.ndarray | None) -> None:
        self.row = row

    def face(self, index: int, image: np.ndarray) -> tuple[np.ndarray | None, float]:
        return self.row, 1.0


def row_at(points: np.ndarray) -> np.ndarray:
    return np.concatenate([[10, 20, 60, 80], points.ravel(), [0.9]]).astype(np.float32)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_runtime_gets_pixels_as_the_description_says(tmp_path: Path, runtime: str):
    pytest.importorskip(runtime)
    spec = read_spec(put(tmp_path, runtime=runtime, input=description()["input"] | {"mean": [100, 110, 120], "std": 2}))
    run = open_runtime(spec, tmp_path / spec.file)
    crop = np.zeros((SIDE, SIDE, 3), np.uint8)
    crop[..., 0], crop[..., 1], crop[: SIDE // 2, :, 2] = 104, 100, 200
    np.testing.assert_allclose(run(crop), [2, -5, (100 - 120) / 2], atol=1e-4)


def test_our_own_embedder_s_file_gives_the_same_direction_as_a_tflite_peer(picture):
    """The tflite adapter quantises by itself; the chain's own embedder is the reference."""
    card = load_card("embedder")
    chain = Chain.load(FaceSettings(threads=1))
    align = card.raw["align"]
    spec = PeerSpec.model_validate(
        description(
            file=card.path.name,
            runtime="tflite",
            template=align["template"],
            input={
                "size": align["size"],
                "channels": align["channels"],
                "layout": "NHWC",
                "mean": card.raw["input"]["mean"],
                "std": card.raw["input"]["std"],
            },
        )
    )
    run = open_runtime(spec, card.path)
    image = picture("ada", 0)
    face = chain.detector.detect(image)[0]
    crop = chain.embedder.align(image, face.landmarks)
    ours, theirs = chain.embedder.embed(crop).astype(float), run(crop.image).astype(float)
    assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.999


def test_a_peer_embeds_the_most_central_face_and_nothing_without_one(tmp_path: Path):
    path = put(tmp_path)
    spec = read_spec(path)
    run = open_runtime(spec, tmp_path / spec.file)
    points = np.array(TEMPLATE, np.float32) + 40

    def align(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        np.testing.assert_array_equal(landmarks, points)
        return image[40 : 40 + SIDE, 40 : 40 + SIDE]

    image = np.full((120, 120, 3), 127, np.uint8)
    seen = Peer("p", OneFace(row_at(points)), align, run, 3, {}).look(0, image)
    assert seen.vector is not None
    assert seen.box == (10, 20, 60, 80)
    assert set(seen.timings_ms) == {"detect", "align", "embed"}
    nobody = Peer("p", OneFace(None), align, run, 3, {}).look(0, image)
    assert (nobody.vector, nobody.reason) == (None, "no face")


def test_the_most_central_face_is_the_rule_of_the_chain():
    rows = np.zeros((3, 15), np.float32)
    rows[:, :4] = [(0, 0, 80, 80), (45, 45, 20, 20), (90, 90, 30, 30)]
    chosen = most_central(rows, 100, 100)
    assert chosen is not None
    assert chosen[0] == 45
    assert most_central(rows[:0], 100, 100) is None


def test_peers_of_one_run_search_a_picture_once():
    class Counting:
        def __init__(self) -> None:
            self.searches = 0

        def faces(self, image: np.ndarray) -> np.ndarray:
            self.searches += 1
            return np.zeros((0, 15), np.float32)

    net = Counting()
    eyes = Eyes(net)  # type: ignore[arg-type]
    image = np.zeros((8, 8, 3), np.uint8)
    for index in (0, 0, 1, 1, 1):
        eyes.face(index, image)
    assert net.searches == 2


def test_a_peer_with_yunet_verifies_fictional_people(shared: Path, tmp_path: Path):
    """The whole of a peer, and our own embedder on the same landmarks (`runtime: card`)."""
    import cv2

    (tmp_path / "means.onnx").write_bytes(channel_means(SIDE))
    weights = shared / "data" / "teachers"
    detector = {"file": "face_detection_yunet_2023mar.onnx"}
    chain = DeviceChain("chain", Chain.load(FaceSettings(threads=1)))
    ours = make_peer(
        PeerSpec.model_validate(
            {k: v for k, v in description(runtime="card", file="embedder", detector=detector).items()
             if k not in ("input", "template")}
        ),
        weights,
    )  # fmt: skip
    images = [cv2.imread(str(PEOPLE / name)) for name in ("ada-0.jpg", "ada-1.jpg", "hana-0.jpg")]
    looks = [[contender.look(k, image) for k, image in enumerate(images)] for contender in (chain, ours)]
    for seen in looks:
        vectors = [look.vector.astype(float) / np.linalg.norm(look.vector.astype(float)) for look in seen]
        assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    overlap = np.array(looks[0][0].box) - np.array(looks[1][0].box)
    assert np.abs(overlap).max() < 0.25 * looks[0][0].box[3]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"runtime": "torch"}, "runtime"),
        ({"template": TEMPLATE[:4]}, "template"),
        ({"input": None}, "input and template are needed"),
        ({"input": {**description()["input"], "std": 0}}, "std must be above 0"),
        ({"input": {**description()["input"], "size": [8, 8]}}, "input.size.0"),
        ({"runtime": "card"}, "the card's own"),
        ({"colour": "blue"}, "colour"),
        ({"schema": "edge/peer/v2"}, "schema"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, change: dict, what: str):
    with pytest.raises(InputError, match=what) as caught:
        read_spec(put(tmp_path, **change))
    assert str(tmp_path / "peer.yaml") in caught.value.where


def test_files_that_cannot_be_used_are_refused(tmp_path: Path):
    path = put(tmp_path)
    with pytest.raises(InputError, match="there is no such file"):
        load_peer(path)  # no detector there
    (tmp_path / "yunet.onnx").write_bytes(b"not a net")
    with pytest.raises(InputError, match="OpenCV refuses the file"):
        load_peer(path)
    spec = read_spec(path)
    with pytest.raises(InputError, match="there is no such file"):
        open_runtime(spec, tmp_path / "other.onnx")
    (tmp_path / "means.onnx").write_bytes(b"not a net either")
    for runtime in ("onnxruntime", "openvino"):
        with pytest.raises(InputError, match="the runtime refuses the file"):
            open_runtime(spec.model_copy(update={"runtime": runtime}), tmp_path / "means.onnx")
    with pytest.raises(ModelError):
        open_runtime(spec.model_copy(update={"runtime": "tflite"}), tmp_path / "means.onnx")


def test_a_description_of_another_input_than_the_file_s_is_refused(tmp_path: Path):
    class Fits(OneFace):
        pass

    spec = read_spec(put(tmp_path, input={**description()["input"], "size": [48, 48]}))
    with pytest.raises(InputError, match="does not take what `input` says"):
        make_peer(spec, tmp_path, {tmp_path / "yunet.onnx": Fits(None)})


def test_a_card_is_told_from_a_description(tmp_path: Path):
    assert is_spec("peers/teacher.yaml")
    assert is_spec(str(put(tmp_path)))
    assert not is_spec("embedder")
    assert not is_spec("models/embedder.card.yaml")
    imported = tmp_path / "card.yaml"
    imported.write_text("# mine\nschema: 'edge/card/v1'\nname: mine\n")
    assert not is_spec(str(imported))


def test_openvino_s_precision_is_set_and_said(tmp_path: Path):
    pytest.importorskip("openvino")
    spec = read_spec(put(tmp_path, runtime="openvino"))
    peer = make_peer(spec, tmp_path, {tmp_path / "yunet.onnx": OneFace(None)})
    assert peer.about()["precision"] == "f32"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="schema: edge/pr[]{}\n-#'\"1.5,&*!", max_size=80))
def test_whatever_stands_in_a_file_is_a_description_or_a_refusal(tmp_path_factory, text: str):
    path = tmp_path_factory.mktemp("spec") / "peer.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        read_spec(path)
