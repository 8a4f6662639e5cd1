"""The passive net's recipe, at toy size: what it learns by, and that its figures count what they say."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.training import pad, pad_net  # noqa: E402
from models.training.pad_data import HEIGHT, VIEWS, WIDTH  # noqa: E402
from models.training.pad_teacher import Pair, live  # noqa: E402


def batch(n: int = 12) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(3)
    return {
        "pictures": torch.randint(0, 256, (n, HEIGHT, WIDTH, 3), generator=random, dtype=torch.uint8),
        "label": torch.arange(n) % 3,
        "features": torch.randn(n, 256, generator=random),
        "teacher": torch.softmax(torch.randn(n, 2, 3, generator=random), -1),
    }


def test_it_is_small_and_quick_enough():
    net = pad_net.Passive().eval()
    assert pad_net.count(net) < 30e6
    assert sum(p.numel() for p in net.parameters()) < 400_000


def test_a_few_steps_on_one_batch_lower_every_part_of_the_loss():
    torch.manual_seed(1)
    student, data = pad_net.Student(), batch()
    optimiser = torch.optim.Adam(student.parameters(), 3e-3)
    x = pad_net.varied(data["pictures"], torch.Generator().manual_seed(1))
    before = pad_net.loss(student(x), data)
    for _ in range(25):
        parts = pad_net.loss(student(x), data)
        optimiser.zero_grad()
        parts["total"].backward()
        optimiser.step()
    assert all(parts[name] < before[name] for name in ("classes", "features", "answers", "total"))


def test_a_look_is_varied_within_what_the_net_takes_and_never_between_its_views():
    pictures = torch.zeros(16, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    pictures[:, :, : VIEWS.split] = 200
    x = pad_net.varied(pictures, torch.Generator().manual_seed(2))
    assert x.shape == (16, 3, HEIGHT, WIDTH)
    assert float(x.min()) >= -1
    assert float(x.max()) <= 127 / 128
    around, near = x[..., : VIEWS.split].mean((1, 2, 3)), x[..., VIEWS.split :].mean((1, 2, 3))
    kept = (around.abs() > 1e-6) & (near.abs() > 1e-6)
    assert (around[kept] > near[kept]).all()


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
    assert 0.36 < limits["doubt"] < 0.38 < limits["attack"] < 0.41
