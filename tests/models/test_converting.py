"""An ONNX embedder becomes an int8 .tflite that is near to it: three families of nets, as PyTorch exports them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from edge.build.contents import profiles_of
from edge.cli import main
from edge.errors import InputError, ModelError
from edge.models.spec import ModelSpec
from tests.conftest import PEOPLE
from tests.models.bring import spec_of, write_spec

PARTS = ("cli/_convert.py", "models/converting.py", "models/onnx_graph.py")
IMAGENET = {"size": [112, 112], "channels": "RGB", "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}


def crops() -> tuple[list[np.ndarray], list[str]]:
    """Of the people who do not exist, roughly cut: what a net of random weights makes of them is all the same to it."""
    found, owners = [], []
    for path in sorted(PEOPLE.glob("*.jpg")):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)[80:330, 70:320]
        found.append(cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA))
        owners.append(path.stem.split("-")[0])
    return found, owners


def test_no_device_build_holds_a_converter():
    for part in PARTS:
        assert profiles_of(part) == {"lab"}


@pytest.fixture
def converter():
    """The module, where the extra `convert` is installed: torch, onnx, onnxruntime, litert-torch, ai-edge-quantizer."""
    for name in ("torch", "onnx", "onnxruntime", "litert_torch", "ai_edge_quantizer"):
        pytest.importorskip(name)
    from edge.models import converting

    return converting


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_three_families_are_converted_and_stay_near_the_original(converter, tmp_path: Path):
    from tests.models.graphs import FAMILIES, export

    pictures, owners = crops()
    for family in FAMILIES:
        path = tmp_path / f"{family}.onnx"
        export(family, path)
        spec = ModelSpec.model_validate(spec_of(**({"input": IMAGENET} if family == "resnet" else {})))
        made = converter.convert(path, spec, pictures[:24])
        check = converter.compare(path, made, spec, pictures[24:], owners[24:])
        assert check.cosine > 0.98, (family, check)
        assert (check.genuine, check.crops) == (12, 12), check
        assert len(made.data) < 0.7 * len(made.whole), family
        if family == "edgenext":
            assert check.outside["SOFTMAX"] == 1, "attention is not delegated in int8, and that is said"
        else:
            assert check.outside == {}, (family, check)
        assert isinstance(made.spec(spec).input.mean, float)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_command_goes_from_a_file_to_what_import_takes(converter, tmp_path: Path, capsys):
    from tests.models.graphs import export

    people = tmp_path / "people"
    for path in sorted(PEOPLE.glob("*.jpg")):
        folder = people / path.stem.split("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    export("mobilefacenet", tmp_path / "mine.onnx")
    spec = write_spec(tmp_path / "mine.yaml")
    words = ["models", "convert", str(tmp_path / "mine.onnx"), "--spec", str(spec)]
    words += ["--images", str(people), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "cosine to the original" in said
    assert "all of it runs in XNNPACK" in said
    made = yaml.safe_load((tmp_path / "out" / "mine.spec.yaml").read_text())
    ModelSpec.model_validate(made)
    assert (tmp_path / "out" / "mine.tflite").read_bytes()[4:8] == b"TFL3"
    assert main(words) == 3, "what is there is not written over"


@pytest.mark.slow
def test_what_is_no_graph_of_one_picture_is_refused_with_the_reason(converter, tmp_path: Path):
    import onnx
    from onnx import TensorProto, helper

    pictures, _ = crops()
    spec = ModelSpec.model_validate(spec_of())
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"no graph at all")
    with pytest.raises(ModelError, match="no ONNX file"):
        converter.convert(junk, spec, pictures)
    with pytest.raises(InputError, match="too few to calibrate"):
        converter.convert(junk, spec, pictures[:3])
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])
    vector = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64])
    for op, inputs, match in (("Einsum", ["x"], "Einsum"), ("Relu", ["x"], "not one picture's embedding")):
        graph = helper.make_graph([helper.make_node(op, inputs, ["y"])], "g", [picture], [vector])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), junk)
        with pytest.raises(ModelError, match=match):
            converter.convert(junk, spec, pictures)
