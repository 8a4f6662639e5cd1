"""The passive net's recipe, at toy size: what it learns by, and that its figures count what they say."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from models.training import pad, pad_net  # noqa: E402
from models.training.pad_data import SIDE  # noqa: E402
from models.training.pad_teacher import Pair, live  # noqa: E402
from models.training.pad_train import total  # noqa: E402


def pictures(n: int = 16, seed: int = 3) -> torch.Tensor:
    """Soft blobs: something with edges and shades, unlike noise."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 256, (n, 3, 6, 6), generator=random).float()
    fine = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")
    return fine.permute(0, 2, 3, 1).to(torch.uint8).contiguous()


def answers(n: int, seed: int) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """As a teacher's, of another network of the same plan."""
    torch.manual_seed(seed)
    other = pad_net.Passive().eval()
    x, maps = (pictures(n).permute(0, 3, 1, 2).float() - 128) / 128, []
    with torch.no_grad():
        for stage in other.stages:
            x = stage(x)
            maps.append(x)
        return maps, *other.head(x)


def test_it_is_small_and_quick_enough():
    net = pad_net.Passive().eval()
    assert pad_net.count(net) < 80e6
    assert sum(p.numel() for p in net.parameters()) < 900_000


@pytest.mark.parametrize("alone", [True, False])
def test_a_few_steps_bring_every_stage_nearer_to_its_teacher(alone):
    shown, (maps, features, logits) = pictures(), answers(16, 5)
    torch.manual_seed(1)
    net, copying = pad_net.Passive(), pad_net.Copying(maps, features, logits)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    x, label = (shown.permute(0, 3, 1, 2).float() - 128) / 128, torch.arange(16) % 3
    before = copying(net, x, label, maps, features, logits, alone)
    for _ in range(20):
        parts = copying(net, x, label, maps, features, logits, alone)
        optimiser.zero_grad()
        total(parts).backward()
        optimiser.step()
    assert total(parts) < total(before)
    assert all(parts[name] < before[name] for name in parts if alone or name in ("own", "stage0"))


def test_what_nobody_knows_teaches_the_own_way_nothing():
    shown, (maps, features, logits) = pictures(8), answers(8, 5)
    net, copying = pad_net.Passive().eval(), pad_net.Copying(maps, features, logits)
    x, label = (shown.permute(0, 3, 1, 2).float() - 128) / 128, torch.tensor([0, 1, 2, 0, -1, -1, -1, -1])
    known = copying(net, x, label, maps, features, logits, False)["own"]
    x[4:] = 0
    assert copying(net, x, label, maps, features, logits, False)["own"] == known


def test_the_own_logit_is_a_class_beside_the_teachers():
    net = pad_net.Passive().eval()
    x = torch.zeros(2, 3, SIDE, SIDE)
    with torch.no_grad():
        (classes, own), four = net.both(x), net(x)
    assert torch.equal(four[:, :3], classes)
    assert torch.allclose(four[:, 3] - four[:, 0], own, atol=1e-5)


def test_a_look_is_varied_within_what_a_camera_gives_and_mixed_ones_are_named():
    shown = pictures(64)
    x, joined = pad_net.varied(shown, torch.Generator().manual_seed(2))
    assert x.shape == (64, 3, SIDE, SIDE)
    assert float(x.min()) >= 0
    assert float(x.max()) <= 255
    assert torch.equal(x, x.round()), "teacher and student see what a camera can deliver"
    assert 0 < len(joined) < 32


def test_the_teachers_views_are_shrunk_to_the_frame_and_moved_into_it():
    frame = np.full((480, 640, 3), 9, np.uint8)
    frame[:, 300:340] = 250
    for box in ((250.0, 100.0, 140.0, 180.0), (-30.0, -20.0, 300.0, 380.0), (600.0, 440.0, 80.0, 90.0)):
        views = Pair.views(frame, box)
        assert views.shape == (2, 80, 80, 3)
        assert views.min() == 9
    assert np.array_equal(*Pair.views(frame, (200.0, 60.0, 260.0, 330.0))), "one picture, from 0.37 of the height on"


def test_the_teachers_live_score_is_the_mean_of_both_softmaxes():
    logits = np.array([[[0, 50, 0], [0, 0, 50]], [[0, 0, 0], [0, 0, 0]]], np.float32)
    assert live(logits) == pytest.approx([0.5, 1 / 3])


def test_figures_count_attacks_that_pass_and_people_who_do_not():
    label = np.array([0] * 40 + [1] * 4 + [2] * 4)
    data = {
        "label": label,
        "species": np.array(["live"] * 40 + ["print"] * 4 + ["phone"] * 4),
        "group": np.array(["a"] * 18 + ["few"] * 2 + ["b"] * 20 + ["a"] * 8),
        "source": np.array(["cut"] * 48),
    }
    suspicion = np.concatenate([np.linspace(0, 0.39, 40), [0.1, 0.9, 0.9, 0.9], [0.9] * 4])
    found = pad.figures(suspicion, data)
    assert found["apcer"] == {"phone": 0.0, "print": 0.25}
    assert found["bpcer"]["group"] == {"a": 0.0, "b": 0.1}
    assert pad.figures(suspicion, data, limit=0.95)["apcer"] == {"phone": 1.0, "print": 1.0}
    limits = pad.whole(suspicion, data)
    assert limits["doubt"] == pad.DOUBT
    assert pad.whole(np.full(48, 0.9), data)["attack"] > 0.9, "nobody of the people alive is rejected"


def test_the_own_logit_alone_doubts_one_in_fifty_people_alive():
    rng = np.random.default_rng(1)
    data = {"label": np.array([0] * 1000 + [1] * 10)}
    logits = np.hstack([np.zeros((1010, 3)), rng.normal(-3, 1, (1010, 1))])
    logits[:, 1:3] = -50
    logits[:, 3] += pad.shift(logits, data)
    doubted = pad.suspicions(logits)[:1000] >= pad.DOUBT
    assert doubted.mean() == pytest.approx(pad.OWN, abs=0.002)


def test_a_students_answers_are_put_on_the_teachers_scale():
    rng = np.random.default_rng(1)
    theirs = np.hstack([np.zeros((500, 1)), rng.normal(0, 4, (500, 1)), np.full((500, 1), -60.0)])
    mine = theirs * 0.5
    mine[:, 1] -= 1
    slope, offset = pad.on_scale(mine, theirs)
    assert (slope, offset) == pytest.approx((2, 2), abs=1e-6)


def test_suspicion_is_all_that_is_not_live():
    logits = np.array([[0.0, 0.0, 0.0, 0.0], [9.0, -9.0, -9.0, -9.0], [0.0, 20.0, 0.0, 0.0]])
    assert pad.suspicions(logits) == pytest.approx([0.75, 0.0, 1.0], abs=1e-6)


def test_the_shipped_file_is_a_network_that_goes_on_where_it_ended():
    """In the mean to a fifth of what its answers differ by; the file rounds each layer's answers to 256 values."""
    from edge import _resources
    from edge.face import load_card
    from edge.face.passive import Passive as Shipped
    from models.training.pad_start import of_shipped

    shown = pictures(64)
    net = of_shipped(_resources.path("models", "passive.tflite"), (shown.permute(0, 3, 1, 2).float() - 128) / 128)
    with torch.no_grad():
        mine = pad.suspicions(net((shown.permute(0, 3, 1, 2).float() - 128) / 128).double().numpy())
    theirs = np.array([Shipped(load_card("passive")).judged(picture) for picture in shown.numpy()])
    assert np.corrcoef(mine, theirs)[0, 1] > 0.97
    assert np.abs(mine - theirs).mean() < 0.05
