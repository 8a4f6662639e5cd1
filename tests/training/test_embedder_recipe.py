"""The embedder's recipe: inputs, losses, optimiser, resuming, and a network for the int8 delegate. Needs torch."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")

import torch.nn.functional as F  # noqa: E402, N812

from models.training import muon  # noqa: E402
from models.training.embedder import base_card  # noqa: E402
from models.training.embedder_blind import blinded, chosen, looks  # noqa: E402
from models.training.embedder_inputs import CANVAS, MARGIN, MIDDLE, Inputs, mirrored, theta_of  # noqa: E402
from models.training.embedder_loss import Loss, both_ways, choice, looked_up, principal  # noqa: E402
from models.training.embedder_many import false_non_matches, real, strangers  # noqa: E402
from models.training.embedder_net import Embedder, count, grown, turned  # noqa: E402
from models.training.embedder_train import Plan  # noqa: E402
from models.training.embedder_validate import embed  # noqa: E402
from models.training.words import SETS  # noqa: E402

SMALL = {"widths": (8, 12, 16, 24), "hidden": (8, 8, 8), "repeats": (1, 1, 1), "head": 32}


class Painted(Inputs):
    """Inputs without the crops: smooth noise instead of faces."""

    def __init__(self, seed: int) -> None:
        self.rng, self.lights, self.seed = np.random.default_rng(seed), {}, seed

    def face(self) -> tuple[np.ndarray, None, int]:
        cells = self.rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        canvas = cv2.resize(cells, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
        return cv2.merge([canvas, np.full((CANVAS, CANVAS), 255, np.uint8)]), None, 7

    def cover(self, view: np.ndarray, size: int) -> np.ndarray:
        return view

    wear = cover


def test_theta_finds_the_students_places_in_the_teachers_picture():
    inputs = Painted(1)
    canvas = inputs.face()[0][..., :3]
    clean = canvas[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE]
    matrix = inputs.jitter(112)
    view = cv2.warpAffine(canvas, matrix, (112, 112), borderMode=cv2.BORDER_REPLICATE)
    maps = torch.from_numpy(clean.copy()).permute(2, 0, 1)[None].float()
    found = looked_up(maps, torch.from_numpy(theta_of(matrix, 112))[None], 112)[0].permute(1, 2, 0).numpy()
    inner = slice(20, 92)
    assert np.abs(found[inner, inner] - view[inner, inner]).mean() < 2.0


def test_in_the_mirror_theta_still_finds_the_students_places():
    inputs = Painted(3)
    canvas = inputs.face()[0][..., :3].copy()
    clean = canvas[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE]
    view, theta = inputs.view(canvas, 112, mild=True)
    clean, views, thetas = mirrored(clean, view[None], theta[None])
    maps = torch.from_numpy(clean).permute(2, 0, 1)[None].float()
    found = looked_up(maps, torch.from_numpy(thetas), 112)[0].permute(1, 2, 0).numpy()[:, :, ::-1]
    inner = slice(20, 92)
    assert np.corrcoef(found[inner, inner].ravel(), views[0][inner, inner].ravel())[0, 1] > 0.99


def test_twins_are_one_face_and_its_mirror_image_with_views_of_their_own():
    (clean, views, thetas, who), (other, mirrored_views, _, same) = Painted(2).twins(64, views=3)
    assert clean.shape == (128, 128, 3)
    assert not np.array_equal(views[0], views[1])
    assert who == same == 7
    assert np.array_equal(clean[:, ::-1], other)
    assert views.shape == mirrored_views.shape == (3, 64, 64, 3)
    assert thetas.shape == (3, 2, 3)
    assert not np.array_equal(views[0][:, ::-1], mirrored_views[0])


def test_the_target_of_a_face_and_of_its_mirror_image_is_the_mean_of_both_answers():
    answers = torch.randn(6, 256)
    targets = both_ways(answers)
    assert torch.equal(targets[:3], targets[3:])
    assert torch.allclose(targets[0], F.normalize(answers[0], dim=0) + F.normalize(answers[3], dim=0))


def test_the_network_stays_within_its_budget():
    macs, parameters = count(Embedder(), 112, 112)
    assert macs <= 195e6  # 0.3 of the teacher's time in int8 (NOTES.md)
    assert parameters <= 1.45e6  # int8: one byte each, and 1.5 MB allowed


def test_smaller_pictures_give_embeddings_of_the_same_size():
    net = Embedder(**SMALL).eval()
    with torch.no_grad():
        assert {tuple(net(torch.zeros(1, 3, side, side)).shape) for side in (64, 88, 112)} == {(1, 128)}


@pytest.mark.parametrize("side", [64, 88, 112])
def test_while_it_trains_the_last_map_is_summed_as_the_exported_graph_does_it(side: int):
    net = Embedder()
    with torch.no_grad():
        last = net.head(torch.rand(2, 256, side // 16 + (side % 16 > 0), side // 16 + (side % 16 > 0)))
        resized = F.interpolate(last, size=(7, 7), mode="bilinear", align_corners=False)
        torch.testing.assert_close(net.spanned(last), net.pool[0](resized), atol=1e-5, rtol=1e-4)


def test_principal_components_keep_cosines_of_vectors_in_their_span():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((500, 8)).astype(np.float32) @ rng.standard_normal((8, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = vectors @ principal(vectors, 8)
    assert np.allclose(kept @ kept.T, vectors @ vectors.T, atol=1e-4)


def test_a_student_that_answers_like_the_teacher_has_no_loss_but_its_maps():
    basis = principal(np.random.default_rng(0).standard_normal((300, 256)).astype(np.float32))
    loss = Loss(basis, SMALL["widths"][1:])
    target = loss.targets(torch.randn(4, 256))
    maps = [torch.rand(4, width, side, side) for width, side in ((12, 28), (16, 14), (24, 7))]
    theirs = [torch.randn(4, width, side, side) for width, side in ((64, 32), (128, 16), (128, 8))]
    theta = torch.eye(2, 3).expand(4, 2, 3)
    parts = loss(target * 3, maps, target, theirs, theta)
    assert float(parts["angle"]) == pytest.approx(0, abs=1e-5)
    assert float(parts["pairs"]) == pytest.approx(0, abs=1e-6)
    assert float(loss(-target, maps, target, theirs, theta)["angle"]) == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16)])
def test_orthogonal_brings_every_singular_value_near_one(shape: tuple[int, ...]):
    values = torch.linalg.svdvals(muon.orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.4


def test_muon_takes_dense_convolutions_and_leaves_stem_depthwise_and_norms_to_adam():
    net = Embedder(**SMALL)
    matrices, others = muon.split(net)
    assert all(w.ndim == 4 for w in matrices)
    assert id(net.stem[0].weight) not in {id(w) for w in matrices}
    assert id(net.pool[0].weight) not in {id(w) for w in matrices}
    assert len(matrices) + len(others) == len(list(net.parameters()))


def test_a_few_steps_of_muon_lower_a_loss():
    torch.manual_seed(0)
    net, x, wanted = Embedder(**SMALL), torch.randn(8, 3, 64, 64), F.normalize(torch.randn(8, 128))
    matrices, _ = muon.split(net)
    optimiser, losses = muon.Muon(matrices, 0.03), []
    for _ in range(12):
        loss = 1 - (F.normalize(net(x)) * wanted).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.1


def test_a_plan_grows_its_pictures_and_ends_at_rate_zero():
    plan = Plan(1000, batch=1, settle=0, fall=0.4, sizes=((650, 64), (850, 88), (0, 112)))
    assert [plan.size(seen) for seen in (0, 700, 900, 5000)] == [64, 88, 112, 112]
    assert plan.pace(500, 500) == 1.0
    assert plan.pace(800, 800) == pytest.approx(0.5)
    assert plan.pace(1000, 1000) == 0.0
    assert plan.pace(0, 0) < 0.02
    assert plan.pace(500, 0) < 0.02, "optimisers that know nothing yet"


def test_how_fast_a_run_learns_depends_on_what_it_has_seen_and_not_on_how_long_it_will_be():
    short, long = (Plan(inputs, settle=50_000) for inputs in (1_000_000, 9_000_000))
    for seen in (0, 150_000, 800_000):
        assert short.pace(seen, 100) == long.pace(seen, 100)
    assert short.pace(150_000, 100) == pytest.approx(0.5)
    assert short.pace(950_000, 100) < long.pace(950_000, 100)


def test_a_run_that_begins_again_leaves_more_views_alone_at_first():
    plan = Plan(1000, mild=(0.6, 0.2))
    assert [plan.mildness(seen) for seen in (0, 500, 1000)] == pytest.approx([0.6, 0.4, 0.2])


def test_a_mild_view_is_moved_and_lit_but_not_disturbed():
    inputs = Painted(3)
    canvas = inputs.face()[0][..., :3].copy()
    softest = []
    for mild in (True, False):
        apart = []
        for _ in range(60):
            view, theta = inputs.view(canvas, 64, mild)
            clean = torch.from_numpy(canvas[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE].copy())
            there = looked_up(clean.permute(2, 0, 1)[None].float(), torch.from_numpy(theta)[None], 64)[0]
            other = there.permute(1, 2, 0).numpy()[:, :, ::-1]
            apart.append(1 - np.corrcoef(view[16:48, 16:48].ravel(), other[16:48, 16:48].ravel())[0, 1])
        softest.append(np.quantile(apart, 0.9))
    assert softest[0] < 0.02 < softest[1]


def test_a_turned_network_gives_turned_answers_and_goes_on_training():
    net, x = Embedder(**SMALL), torch.randn(16, 3, 64, 64)
    net(x)  # statistics other than 0 and 1
    torch.nn.init.uniform_(net.last[1].weight, 0.5, 2)
    torch.nn.init.uniform_(net.last[1].bias, -1, 1)
    turn = torch.linalg.qr(torch.randn(128, 128))[0]
    with torch.no_grad():
        before = net.eval()(x)
        after = turned(net, turn).eval()(x)
    assert torch.allclose(after, before @ turn, atol=1e-4)
    net.train()(x).square().sum().backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


def test_a_blinded_network_gives_groups_one_mean_where_it_had_two(monkeypatch):
    class Two(Painted):
        """Dark crops of one group, bright ones of another, of which the first number is whole heads."""

        def __init__(self) -> None:
            super().__init__(5)
            names = [f"{n:05d}A30.jpg" for n in range(60)] + [f"ff_{n}.jpg" for n in range(120)]
            self.crops, self.indices = SimpleNamespace(names=names), np.arange(180)
            self.whole, self.tight = np.arange(60), frozenset(range(60, 180))

        def canvas(self, index: int, mirror: bool) -> np.ndarray:
            rng = np.random.default_rng(index)
            bright = 60 if index % 2 and index >= 60 else 160
            return rng.integers(bright - 50, bright + 50, (CANVAS, CANVAS, 3)).astype(np.uint8)

        def known(self, index: int, mirror: bool) -> np.ndarray:
            return np.full((CANVAS, CANVAS), 255, np.uint8)

    table = {f"ff_{n}.jpg": f"White {('men', 'women')[n % 2]}" for n in range(120)}
    monkeypatch.setattr("models.training.blind.labels_in", lambda _: table)

    def apart(net: Embedder) -> float:
        rows = list(looks(Two(), chosen(Two(), 200)))
        vectors = F.normalize(embed(net, torch.from_numpy(np.stack([picture for *_, picture in rows]))))
        marks = np.array([group for group, *_ in rows])
        one, other = (vectors[marks == f"White {sex}"].mean(0) for sex in ("men", "women"))
        return float((one - other).norm())

    net = Embedder(**SMALL).eval()
    before = apart(net)
    assert before > 0.05
    assert apart(blinded(net, Two(), 200)) < 0.1 * before


def test_a_deeper_network_begins_as_the_shallower_one_whose_weights_it_gets():
    old, new = Embedder(**SMALL).eval(), Embedder(**SMALL | {"repeats": (3, 2, 1)}).eval()
    x = torch.randn(2, 3, 112, 112)
    with torch.no_grad():
        before = new(x)
        after = grown(new, old.state_dict())(x)
        assert torch.allclose(after, old(x), atol=1e-6)
    assert not torch.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize("shape", [{"widths": (8, 12, 16, 32)}, {"repeats": (2, 1, 1)}, {"head": 48}])
def test_weights_of_another_or_a_deeper_network_are_refused(shape):
    with pytest.raises((ValueError, RuntimeError), match=r"stages|head"):
        grown(Embedder(**SMALL), Embedder(**SMALL | shape).state_dict())


def test_a_network_knows_its_shape():
    net = Embedder(**SMALL)
    assert Embedder(**net.shape).state_dict().keys() == net.state_dict().keys()


def test_a_map_of_weight_0_is_not_compared():
    basis = principal(np.random.default_rng(0).standard_normal((300, 256)).astype(np.float32))
    loss = Loss(basis, SMALL["widths"][1:], (0.0, 0.5, 1.0))
    maps = [torch.rand(4, width, side, side) for width, side in ((12, 28), (16, 14), (24, 7))]
    theirs = [torch.empty(0), torch.randn(4, 128, 16, 16), torch.randn(4, 128, 8, 8)]
    parts = loss(torch.randn(4, 128), maps, F.normalize(torch.randn(4, 128)), theirs, torch.eye(2, 3).expand(4, 2, 3))
    assert set(parts) == {"angle", "pairs", "map1", "map2", "total"}


def test_the_choice_costs_nothing_for_the_teachers_own_answers():
    t = F.normalize(torch.randn(8, 128))
    assert float(choice(t, t, torch.cat([t, F.normalize(torch.randn(50, 128))]))) < 1e-6


def test_the_choice_pulls_away_from_the_one_who_is_mistaken_for_the_person_and_not_from_the_others():
    person, other, stranger = F.normalize(torch.randn(3, 128), dim=1)
    z = F.normalize(person + other, dim=0)[None].requires_grad_()
    choice(z, person[None], torch.stack([person, other, stranger])).backward()
    pull = -z.grad[0]
    assert pull @ person > 0 > pull @ other
    assert abs(pull @ stranger) < 0.2 * abs(pull @ other)


def test_the_bank_is_no_part_of_a_checkpoint():
    basis = principal(np.random.default_rng(2).standard_normal((300, 256)).astype(np.float32))
    bank = np.random.default_rng(3).standard_normal((40, 256)).astype(np.float32)
    loss = Loss(basis, SMALL["widths"][1:], (0.0, 0.0, 0.0), bank)
    none = [torch.empty(0)] * 3
    parts = loss(torch.randn(4, 128), none, F.normalize(torch.randn(4, 128)), none, torch.eye(2, 3).expand(4, 2, 3))
    assert set(parts) == {"angle", "pairs", "choice", "total"}
    assert "bank" not in loss.state_dict()  # people's embeddings stay in the git-ignored folder


def test_fnmr_among_many_counts_the_genuine_below_the_rates_impostor():
    scores = torch.tensor([[0.9, 0.5, 0.1], [0.2, 0.4, 0.3], [0.1, 0.2, 0.8]])
    impostors = strangers(["a", "b", "c"], [])
    assert strangers(["a", "b", "c"], [("b", "a"), ("a", "else")]).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    # of six impostor scores the strongest is 0.5, the second 0.3; one genuine score lies below 0.5, none below 0.3
    assert false_non_matches(scores, impostors, (1 / 6, 2 / 6)) == pytest.approx([100 / 3, 0])


def test_every_person_weighs_the_same_however_many_pairs_there_are():
    at, pairs, weights = real([*"abcdefg"], [("b", "c"), ("g", "b"), ("c", "g"), ("e", "f"), ("a", "elsewhere")])
    assert at.tolist() == [1, 2, 4, 5, 6]  # b c e f g
    assert pairs.tolist() == [[0, 1], [4, 0], [1, 4], [2, 3]]
    assert weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_a_card_names_what_its_weights_learnt_from_and_nothing_else():
    told = base_card(1, 1, 1, ["aaf", "ff"])["data"]
    assert [row["name"].split()[0] for row in told] == ["All-Age-Faces", "FairFace"]
    assert "CC BY 4.0" in told[1]["terms"]
    assert "Karkkainen" in told[1]["terms"]
    assert base_card(1, 1, 1, ["utk"])["data"] == [SETS["utk"]]
