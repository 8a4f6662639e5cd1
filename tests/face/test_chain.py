"""The chain's rules on scripted parts, then the shipped models on the fictional people, from picture to decision."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.errors import ModelError, SpentError
from edge.face import Chain, Look, load_card, nearest_centre
from edge.face.match import compare
from edge.settings.model import FaceSettings
from edge.types import Advice, Crop, Face, Frame, Reason, Template
from tests.face.conftest import PEOPLE
from tests.face.encoder import face_points

CARD = load_card("embedder")


#: Made-up faces get the score that both looks give a face that is there:
#: test_a_face_in_usual_light_is_seen_with_certainty_and_accepted.
def face(x: float, y: float, height: float, score: float = 0.99) -> Face:
    width = 0.8 * height
    points = np.array(face_points(x, y, width, height), np.float32)
    return Face((x - width / 2, y - height / 2, width, height), points, score)


class Finds:
    """A detector that always finds the same faces."""

    def __init__(self, *faces: Face) -> None:
        self.faces = sorted(faces, key=lambda item: -item.height)

    def detect(self, image: np.ndarray) -> list[Face]:
        return list(self.faces)


class Counts:
    """An embedder that counts what it is asked for."""

    card, model, dimension = CARD, "ab" * 32, 4

    def __init__(self) -> None:
        self.aligned, self.embedded = 0, 0

    def align(self, image: np.ndarray, landmarks: np.ndarray) -> Crop:
        self.aligned += 1
        return Crop(image[:112, :112].copy(), self.card.name)

    def embed(self, crop: Crop) -> np.ndarray:
        self.embedded += 1
        return np.array([1, 2, 3, 127], np.int8)

    def forget(self) -> None:
        self.forgotten = self.embedded


def scripted(*faces: Face, **settings) -> Chain:
    return Chain(FaceSettings(**settings), Finds(*faces), Counts())


@pytest.fixture
def frame() -> Frame:
    texture = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    soft = cv2.GaussianBlur(texture, (0, 0), 2).astype(float)
    return Frame(np.clip(128 + 4 * (soft - soft.mean()), 0, 255).astype(np.uint8), 0, 0, "test")


def test_looking_never_embeds(frame: Frame):
    for chain in (scripted(), scripted(face(320, 240, 200)), scripted(face(200, 240, 200), face(450, 240, 190))):
        for gate, pick in itertools.product((True, False), ("largest", "central")):
            chain.look(frame, pick=pick, gate=gate)
        assert chain.embedder.embedded == 0


def test_nobody(frame: Frame):
    look = scripted().look(frame)
    assert (look.reason, look.advice, look.face) == (Reason.NO_FACE, (Advice.NOBODY_SEEN,), None)


def test_one_good_face(frame: Frame):
    look = scripted(face(320, 240, 200)).look(frame)
    assert look.reason is None
    assert look.quality is not None
    assert look.quality.acceptable
    assert set(look.timings_ms) == {"detect", "align", "quality"}


@pytest.mark.parametrize(
    ("second", "several"), [(99, False), (100, True), (150, True), (200, True), (60, False)], ids=lambda v: str(v)
)
def test_a_second_face_counts_from_half_the_height_of_the_largest(frame: Frame, second: float, several: bool):
    chain = scripted(face(200, 240, 200), face(500, 240, second))
    look = chain.look(frame)
    assert (look.reason is Reason.SEVERAL_FACES) == several
    if several:
        assert look.advice == (Advice.ONE_PERSON,)
        assert chain.embedder.aligned == 0


def test_how_much_a_second_face_must_measure_is_a_setting(frame: Frame):
    faces = (face(200, 240, 200), face(500, 240, 150))
    assert scripted(*faces, second_face=0.8).look(frame).reason is None
    assert scripted(*faces, second_face=0.7).look(frame).reason is Reason.SEVERAL_FACES


def test_a_face_too_small_is_asked_to_step_closer_before_anything_is_aligned(frame: Frame):
    chain = scripted(face(320, 240, 95), face(100, 240, 90))
    look = chain.look(frame)
    assert (look.reason, look.advice) == (Reason.QUALITY, (Advice.STEP_CLOSER,))
    assert look.crop is None
    assert chain.embedder.aligned == 0
    assert scripted(face(320, 240, 147)).look(frame).reason is None


def test_a_face_that_a_nod_has_made_a_little_too_small_is_followed_and_not_compared(frame: Frame):
    chain = scripted(face(320, 240, 120))
    look = chain.look(frame)
    assert (look.reason, look.advice) == (Reason.QUALITY, (Advice.STEP_CLOSER,))
    assert look.crop is not None
    with pytest.raises(ValueError, match="must not be embedded"):
        chain.embed(look, "session")


def test_measurements_may_take_the_central_face_and_leave_the_gate_off(frame: Frame):
    chain = scripted(face(100, 240, 200), face(330, 250, 50))
    look = chain.look(frame, pick="central", gate=False)
    assert look.reason is None
    assert look.face is not None
    assert look.face.height == 50
    assert look.advice
    assert chain.look(frame, gate=False).face.height == 200


def test_the_central_face_is_the_one_whose_box_s_centre_is_nearest():
    faces = (face(100, 100, 80), face(330, 230, 60), face(600, 400, 50))
    assert nearest_centre(faces, 640, 480) is faces[1]
    assert nearest_centre(faces, 200, 200) is faces[0]


@pytest.mark.parametrize("reason", [Reason.SEVERAL_FACES, Reason.QUALITY, Reason.NO_FACE, Reason.SOURCE_FAULT])
def test_a_look_with_a_reason_is_never_embedded(frame: Frame, reason: Reason):
    chain = scripted(face(320, 240, 200))
    good = chain.look(frame)
    for bad in (Look.nothing(reason), Look(good.faces, good.face, good.crop, good.quality, reason)):
        with pytest.raises(ValueError, match="must not be embedded"):
            chain.embed(bad, "s")
    assert chain.embedder.embedded == 0


def test_a_probe_belongs_to_its_session_and_names_its_model(frame: Frame):
    chain = scripted(face(320, 240, 200))
    probe = chain.embed(chain.look(frame), "session 1")
    assert (probe.session, probe.model, probe.dimension) == ("session 1", chain.model, chain.dimension)
    with pytest.raises(SpentError):
        probe.consume("session 2")


def test_a_look_shows_no_pixels(frame: Frame):
    assert "array" not in repr(scripted(face(320, 240, 200)).look(frame))


def test_weights_of_the_quality_score_that_the_embedder_s_card_does_not_name_are_refused():
    other = replace(CARD, quality="0" * 64)
    with pytest.raises(ModelError, match="quality score has other weights"):
        Chain.load(FaceSettings(), lambda name: other if name == "embedder" else load_card(name))


def test_unknown_models_are_refused():
    for name in ("detector", "embedder"):
        with pytest.raises(ModelError, match="no model named 'other'"):
            Chain.load(FaceSettings(**{name: "other"}))


# --- the shipped models on people who do not exist ---


@pytest.fixture(scope="session")
def vectors(chain: Chain, picture) -> dict[tuple[str, int], np.ndarray]:
    """(name, variant) -> int8 embedding; every one of the 36 pictures must be acceptable."""
    found = {}
    for name, variant in itertools.product(PEOPLE, range(3)):
        look = chain.look(Frame(picture(name, variant), 0, 0, "test"))
        assert look.reason is None, (name, variant, look.advice)
        found[name, variant] = chain.embed(look, "s").consume("s")
    return found


def score(chain: Chain, a: np.ndarray, b: np.ndarray) -> float:
    from edge.types import Probe

    with Template(a, model=chain.model, session="s") as template:
        return compare(template, Probe(b, model=chain.model, session="s"), "s")


def test_every_picture_of_a_person_is_nearer_to_that_person_than_to_anybody_else(chain: Chain, vectors):
    for (name, variant), vector in vectors.items():
        own = [score(chain, vector, other) for key, other in vectors.items() if key[0] == name and key[1] != variant]
        strange = [score(chain, vector, other) for key, other in vectors.items() if key[0] != name]
        assert min(own) > max(strange), name


def test_at_one_in_ten_thousand_everybody_is_accepted_and_nobody_as_somebody_else(chain: Chain, vectors):
    limit = chain.threshold(1e-4)
    for (first, a), (second, b) in itertools.combinations(vectors.items(), 2):
        assert (score(chain, a, b) >= limit) == (first[0] == second[0]), (first, second)


def test_thresholds_are_ordered_and_a_rate_that_nothing_supports_is_refused(chain: Chain):
    scores = [chain.threshold(fmr) for fmr in (1e-2, 1e-3, 1e-4, 1e-4 / 3)]
    assert scores == sorted(scores)
    assert 0 < scores[0] < scores[-1] < 1
    with pytest.raises(ModelError):
        chain.threshold(1e-12)


def test_the_whole_chain_gives_the_same_answer_twice_and_with_two_threads(chain: Chain, vectors, picture):
    other = Chain.load(FaceSettings(threads=2))
    for name in ("ada", "lena"):
        frame = Frame(picture(name, 0), 0, 0, "test")
        again = [item.embed(item.look(frame), "s").consume("s") for item in (chain, other)]
        assert all(np.array_equal(vector, vectors[name, 0]) for vector in again)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_is_accepted_from_across_a_kiosk_s_frame(chain: Chain, vectors, scene, name: str):
    """640x480, faces of 30 and 60 % of its height, left and right of the middle."""
    for x, y, share in ((320, 240, 0.3), (220, 200, 0.6), (430, 280, 0.45)):
        look = chain.look(scene((name, 1, x, y, share)))
        assert look.reason is None, look.advice
        assert look.face.score >= chain.detector.card.decode.confirm
        assert score(chain, vectors[name, 0], chain.embed(look, "s").consume("s")) >= chain.threshold(1e-4)


def test_two_people_side_by_side_are_no_decision(chain: Chain, scene):
    look = chain.look(scene(("ada", 0, 180, 240, 0.5), ("bela", 0, 460, 240, 0.45)))
    assert (look.reason, look.advice) == (Reason.SEVERAL_FACES, (Advice.ONE_PERSON,))


def test_a_bystander_in_the_distance_is_ignored(chain: Chain, vectors, scene):
    look = chain.look(scene(("bela", 0, 560, 130, 0.16), ("ada", 1, 250, 260, 0.6)))
    assert look.reason is None
    assert score(chain, vectors["ada", 0], chain.embed(look, "s").consume("s")) >= chain.threshold(1e-4)


def changed(frame: Frame, change: Callable[[np.ndarray], np.ndarray]) -> Frame:
    return Frame(np.ascontiguousarray(change(frame.image)), 0, 0, "test")


def rotated(degrees: float) -> Callable[[np.ndarray], np.ndarray]:
    turn = cv2.getRotationMatrix2D((320, 240), degrees, 1)
    return lambda image: cv2.warpAffine(image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)


CHANGES = {
    "dark": (lambda image: (image * 0.1).astype(np.uint8), Advice.MORE_LIGHT),
    "bright": (lambda image: np.clip(image * 2.4 + 70, 0, 255).astype(np.uint8), Advice.LESS_LIGHT),
    "blurred": (lambda image: cv2.GaussianBlur(image, (0, 0), 14), Advice.HOLD_STILL),
    "rolled": (rotated(32), Advice.LOOK_HERE),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_bad_frame_is_never_embedded_and_leads_to_advice(chain: Chain, scene, kind: str):
    """Where the detector still sees the face, the advice says what is wrong; where it does not, nobody is seen."""
    change, expected = CHANGES[kind]
    chain = Chain(FaceSettings(max_roll=20), chain.detector, chain.embedder)
    looks = [chain.look(changed(scene((name, 0, 320, 240, 0.55)), change)) for name in PEOPLE]
    assert all(look.reason is not None for look in looks)
    seen = [look for look in looks if look.reason is Reason.QUALITY]
    assert len(seen) >= 4
    assert sum(expected in look.advice for look in seen) >= 0.8 * len(seen)


def noisy(image: np.ndarray) -> np.ndarray:
    return np.clip(image + np.random.default_rng(0).normal(0, 8, image.shape), 0, 255).astype(np.uint8)


USUAL = {
    "as it is": lambda image: image,
    "noise": noisy,
    "slightly out of focus": lambda image: cv2.GaussianBlur(image, (0, 0), 1.0),
    "half the light": lambda image: (image * 0.5).astype(np.uint8),
}


@pytest.mark.parametrize("kind", USUAL)
def test_a_face_in_usual_light_is_seen_with_certainty_and_accepted(chain: Chain, scene, kind: str):
    """Everybody at 25, 40 and 60 % of the frame's height. What other tests make up rests on the 0.99 here."""
    for name, share in itertools.product(PEOPLE, (0.35, 0.45, 0.6)):
        look = chain.look(changed(scene((name, 1, 320, 240, share)), USUAL[kind]))
        assert look.reason is None, (name, share, look.advice)
        assert look.face.score >= 0.99, (name, share)


def test_a_small_face_is_asked_to_step_closer(chain: Chain, scene):
    looks = [chain.look(scene((name, 0, 320, 240, 0.14))) for name in PEOPLE]
    assert sum(look.advice == (Advice.STEP_CLOSER,) for look in looks) >= len(PEOPLE) - 2
    assert not any(look.reason is None for look in looks)


def test_roll_within_the_limit_does_not_change_who_it_is(chain: Chain, vectors, scene):
    for name, degrees in (("ada", 15), ("goran", -15), ("kenji", 20)):
        look = chain.look(changed(scene((name, 1, 320, 240, 0.5)), rotated(degrees)))
        assert look.reason is None, look.advice
        assert math.isclose(look.quality.roll, -degrees, abs_tol=7)
        assert score(chain, vectors[name, 0], chain.embed(look, "s").consume("s")) >= chain.threshold(1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (144, 192), (1080, 1920), (3000, 4000)])
@pytest.mark.parametrize("content", ["noise", "stripes", "white"])
def test_frames_of_any_shape_and_content_are_looked_at_without_an_error(
    chain: Chain, shape: tuple[int, int], content: str
):
    image = np.full((*shape, 3), 255, np.uint8)
    if content == "noise":
        image = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    elif content == "stripes":
        image[::2] = 0
    assert chain.look(Frame(image, 0, 0, "test")).reason in (Reason.NO_FACE, Reason.QUALITY, Reason.SEVERAL_FACES)


@pytest.mark.parametrize("seed", range(6))
def test_any_landmarks_can_be_aligned_and_assessed(seed: int, frame: Frame, chain: Chain):
    """Whatever a detector says: far outside, turned, tiny, huge."""
    random = np.random.default_rng(seed)
    for _ in range(40):
        scale, place = 10 ** random.uniform(-1, 3.5), random.uniform(-2000, 2000, 2)
        points = (random.normal(0, scale, (5, 2)) + place).astype(np.float32)
        strange = Face((*place, scale, scale), points, 0.5)
        look = Chain(FaceSettings(), Finds(strange), chain.embedder).look(frame, gate=False)
        assert look.crop is not None
        assert look.crop.image.shape == (112, 112, 3)
        assert look.quality is not None
        assert 0 <= look.quality.score <= 1
        assert chain.embed(look, "s").dimension == chain.dimension
