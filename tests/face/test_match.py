"""One template, one probe, one score; each probe once, each in its own session, never across models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.errors import ModelMismatch, SpentError
from edge.face.match import average, compare
from edge.types import Probe, Template

VECTORS = hnp.arrays(np.int8, 128, elements=st.integers(-127, 127))


def pair(a: np.ndarray, b: np.ndarray, *, models=("m", "m"), sessions=("s", "s")) -> tuple[Template, Probe]:
    return Template(a, model=models[0], session=sessions[0]), Probe(b, model=models[1], session=sessions[1])


def random(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, 128).astype(np.int8)


@given(VECTORS, VECTORS)
def test_the_score_is_the_cosine(a, b):
    x, y = a.astype(float), b.astype(float)
    expected = x @ y / (np.linalg.norm(x) * np.linalg.norm(y)) if x.any() and y.any() else 0.0
    assert compare(*pair(a, b), "s") == pytest.approx(expected, abs=1e-12)


def test_a_probe_is_compared_once():
    template, probe = pair(random(1), random(2))
    compare(template, probe, "s")
    with pytest.raises(SpentError):
        compare(template, probe, "s")


@pytest.mark.parametrize("sessions", [("s", "other"), ("other", "s")])
def test_neither_leaves_its_session(sessions):
    with pytest.raises(SpentError):
        compare(*pair(random(1), random(2), sessions=sessions), "s")


def test_templates_are_never_compared_across_models():
    template, probe = pair(random(1), random(2), models=("m", "n"))
    with pytest.raises(ModelMismatch, match="enrol again"):
        compare(template, probe, "s")
    assert probe.spent


def test_a_template_is_zeros_after_its_block():
    template = Template(random(1), model="m", session="s")
    with template:
        data = template.read("s")
        assert data.any()
    assert not data.any()
    with pytest.raises(SpentError):
        template.read("s")


def test_neither_can_be_printed_or_pickled():
    import pickle

    template, probe = pair(random(1), random(2))
    for secret in (template, probe):
        assert "128" in repr(secret)
        assert "array" not in repr(secret)
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_the_reference_of_several_captures_lies_between_them():
    a, b = random(1), random(2)
    reference = average([a, b])
    assert reference.dtype == np.int8
    assert np.abs(reference).max() == 127
    scores = [compare(*pair(reference, v), "s") for v in (a, b)]
    assert min(scores) > compare(*pair(a, b), "s")
    assert scores[0] == pytest.approx(scores[1], abs=0.05)
