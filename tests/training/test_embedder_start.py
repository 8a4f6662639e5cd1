"""What a run begins with: here, in a later session, and on a GPU, where pictures change as one by one. Needs torch."""

from __future__ import annotations

import tarfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")

import torch.nn.functional as F  # noqa: E402, N812

from edge import _resources  # noqa: E402
from models.training import embedder_inputs as cpu  # noqa: E402
from models.training import gpu_views  # noqa: E402
from models.training.affine import similarity  # noqa: E402
from models.training.blind import blinding  # noqa: E402
from models.training.crops import POINTS, open_crops  # noqa: E402
from models.training.embedder_gpu import pack, unpack  # noqa: E402
from models.training.embedder_loss import Loss, looked_up, principal  # noqa: E402
from models.training.embedder_net import Embedder, load  # noqa: E402
from models.training.embedder_start import kin, take_over, to_go_on  # noqa: E402
from models.training.gpu_faces import Faces  # noqa: E402
from models.training.heads import Head  # noqa: E402
from models.training.ir_torch import Graph  # noqa: E402
from models.training.meshes import open_meshes  # noqa: E402
from models.training.teacher import EARLY, EMBEDDING, FILE, LAST, MIDDLE, OnlineTeacher  # noqa: E402
from models.training.turned import LANDMARKS  # noqa: E402

SMALL = {"widths": (8, 12, 16, 24), "hidden": (8, 8, 8), "repeats": (1, 1, 1), "head": 32}
PEOPLE = ("ada", "bela", "chen", "fara")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def there(tmp_path_factory, picture) -> Path:
    """The caches of four people in eight crops, packed here and unpacked there."""
    root = tmp_path_factory.mktemp("gpu")
    data, work = root / "data", root / "work"
    for folder in (data / "train", data / "teachers", work / "data"):
        folder.mkdir(parents=True)
    crops, meshes = {}, []
    with np.load(_resources.path("people", "mesh.npz")) as known:
        for number in range(8):
            mesh = known[PEOPLE[number % 4]].astype(np.float32)
            matrix = similarity(np.array([mesh[list(group), :2].mean(0) for group in LANDMARKS]), POINTS)
            crop = cv2.warpAffine(picture(PEOPLE[number % 4], number // 4), matrix, (128, 128))
            crops[f"{number:05d}A30.jpg" if number < 4 else f"ff_{number:06d}.jpg"] = crop
            deep = mesh[:, 2:] * np.sqrt(np.linalg.det(matrix[:, :2]))
            meshes.append(np.hstack([mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2], deep]))
    meshes[1][:] = np.nan
    for source in ("aaf", "ff"):
        with tarfile.open(data / "train" / f"{source}-0.tar", "w") as tar:
            for name in [name for name in crops if ("ff" in name) == (source == "ff")]:
                cv2.imwrite(str(root / "one.png"), crops[name])
                (root / "one.png").rename(root / name)
                tar.add(root / name, name)
    rows = "".join(f"{name},0.5,0,10,30\n" for name in crops if name.startswith("ff"))
    (data / "train" / "measures.csv").write_text("file,a,b,tx,ty\n" + rows)
    np.savez(work / "data" / "crops.npz", shapes=np.full((8, 2), 128), names=np.array(list(crops)))
    labels = np.zeros((8, 15), np.float32)
    labels[:, 4:14], labels[:, 14] = POINTS.ravel(), 1
    np.save(work / "data" / "crops.labels.npy", labels)
    np.save(work / "data" / "crops.mesh.npy", np.stack(meshes).astype(np.float16))
    np.save(work / "teacher-0095.npy", np.random.default_rng(0).standard_normal((8, 256)).astype(np.float32))
    (work / "same-person.csv").write_text("ff_000004.jpg,ff_000005.jpg,0.7\n")
    for suffix in (".xml", ".bin"):
        (data / FILE).with_suffix(suffix).write_bytes(b"teacher" + suffix.encode())
    torch.save({"shape": SMALL, "weights": Embedder(**SMALL).state_dict(), "seen": 3}, work / "start.pt")
    parts = pack(work / "start.pt", root / "parts", data, work, part=100_000)
    assert len(parts) > 1
    assert max(part.stat().st_size for part in parts) == 100_000
    unpacked = unpack(root / "parts", root / "there", 2)
    assert (unpacked / FILE).read_bytes() == b"teacher.xml"
    assert torch.load(root / "there" / "start.pt", weights_only=True)["shape"] == SMALL
    for name, crop in zip(crops, open_crops(root / "there").pixels, strict=True):
        assert np.array_equal(crop, crops[name])
    again = open_meshes(root / "there" / "data").astype(np.float32)
    assert np.isnan(again[1]).all()
    assert np.nanmax(np.abs(again - np.stack(meshes))) < 0.2
    return root / "there"


@pytest.fixture
def faces(there: Path) -> Faces:
    return Faces(there, CPU, 1, np.arange(8))


def test_canvases_are_those_of_the_cpu(there: Path, faces: Faces):
    inputs = cpu.Inputs(there, 1, np.arange(8))
    found = faces.canvas(torch.arange(8))
    for index in range(8):
        mine = found[index].permute(1, 2, 0).numpy()
        assert np.abs(mine[..., :3] - inputs.canvas(index, False)).mean() < 1.5
        assert np.abs(mine[..., 3] - inputs.known(index, False)).mean() < 5
    assert (found[:4, 3] == 255).float().mean() > 0.95
    assert (found[4:, 3] == 0).float().mean() > 0.1


def test_a_batch_is_faces_and_their_mirror_images_and_theta_finds_the_students_places(faces: Faces):
    faces.views.photographed = faces.views.worn = lambda view, *_: view
    faces.views.covered = faces.views.moves = None
    faces.views.spectacles = lambda view, eyes: view
    faces.views.covered = lambda view: view
    faces.views.moves = lambda depth, pose: torch.zeros(len(depth), 2, gpu_views.GRID, gpu_views.GRID)
    faces.filled = lambda canvas: canvas[:, :3]
    clean, view, theta, who = faces.batch(6, 112, 3)
    assert clean.shape == (12, 3, 128, 128)
    assert view.shape == (36, 3, 112, 112)
    assert torch.equal(clean[:6].flip(-1), clean[6:])
    assert torch.equal(who[:6], who[6:])
    assert set(who.tolist()) <= set(range(-1, 8))
    there = looked_up(clean.repeat_interleave(3, 0), theta, 112)[:, :, 24:88, 24:88]
    assert (there - view.flip(1)[:, :, 24:88, 24:88]).abs().mean() < 3


def test_a_head_turns_as_it_does_one_by_one(there: Path, faces: Faces):
    """The grid's displacement under a turn of 20 degrees, at the nose, a cheek and the mouth."""
    head = cpu.Inputs(there, 1, np.arange(8)).head(0, False)
    assert isinstance(head, Head)
    from edge.fictional.mesh import Pose

    one = head.relief.displacement(Pose(yaw=20)) / head.scale
    places = np.array([[80, 96], [50, 95], [80, 120]], np.float32)
    wanted = head.carried(places, one * head.scale) - places
    faces.views.randn = lambda *shape: torch.full(shape, 20 / 14) if shape == (1,) else torch.zeros(shape)
    pose = faces.pose[:1].clone()
    moves = faces.views.moves(faces.depth[:1], pose)
    found = gpu_views.at_places(moves, torch.from_numpy(places)[None])[0].numpy()
    assert np.abs(found[:, 0] - wanted[:, 0]).max() < 1.5


def test_a_blur_of_its_own_for_each_picture():
    pictures = torch.rand(3, 3, 40, 40) * 255
    found = gpu_views.blurred(pictures, torch.tensor([0.6, 1.0, 1.5]))
    for one, sigma, mine in zip(pictures, (0.6, 1.0, 1.5), found, strict=True):
        wanted = cv2.GaussianBlur(one.permute(1, 2, 0).numpy(), (11, 11), sigma)
        assert np.abs(mine.permute(1, 2, 0).numpy() - wanted)[8:-8, 8:-8].max() < 0.5


def test_views_are_pictures_in_every_light(faces: Faces):
    clean, view, _, _ = faces.batch(8, 64, 2)
    assert view.isfinite().all()
    assert float(view.min()) >= 0
    assert float(view.max()) <= 255
    assert F.interpolate(clean, size=(64, 64)).std() > 10
    assert view.std((1, 2, 3)).median() > 10


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_both_ways_to_run_the_teacher_give_the_same_embedding_and_maps(shared: Path, picture):
    """PyTorch runs on the CPU here: the graph and the maps on its way are what is compared."""
    pytest.importorskip("openvino", reason="the recipes need the `train` extra (openvino)")
    faces = np.stack([cv2.resize(picture(name, 0)[70:330, 60:320], (128, 128)) for name in ("ada", "bela", "lena")])
    z, maps = OnlineTeacher(shared / "data", "cpu", 1)(faces)
    graph = Graph(shared / "data" / FILE, (EMBEDDING, EARLY, MIDDLE, LAST))
    batch = torch.from_numpy(faces.transpose(0, 3, 1, 2).astype(np.float32))
    with torch.no_grad():
        found = [part.numpy() for part in graph(batch)]
    assert z.shape == (3, 256)
    assert [m.shape[1:] for m in maps] == [(64, 32, 32), (128, 16, 16), (128, 8, 8)]
    for mine, other in zip((z, *maps), found, strict=True):
        assert cosine(mine, other).min() > 0.999


def test_weights_are_taken_over_with_their_answers_turned_into_our_projection(tmp_path):
    teacher = np.random.default_rng(1).standard_normal((300, 256)).astype(np.float32)
    theirs, ours = principal(teacher), principal(teacher @ blinding(teacher, ["one"] * 150 + ["other"] * 150))
    old, new = Embedder(**SMALL).eval(), Embedder(**SMALL).eval()
    kept = {"weights": old.state_dict(), "basis": torch.from_numpy(theirs), "seen": 5, "before": 2}
    torch.save(kept, tmp_path / "kept.pt")
    loss = Loss(ours, SMALL["widths"][1:], (0.0, 0.5, 1.0))
    assert take_over(new, loss, tmp_path / "kept.pt", torch.device("cpu")) == (7, ["aaf", "utk"])
    assert torch.equal(loss.basis, torch.from_numpy(ours))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(new(x), old(x) @ torch.from_numpy(theirs.T @ ours), atol=1e-4)


def test_weights_of_the_same_projection_are_taken_over_as_they_are(tmp_path):
    basis = principal(np.random.default_rng(1).standard_normal((300, 256)).astype(np.float32))
    old, new = Embedder(**SMALL), Embedder(**SMALL)
    kept = {"weights": old.state_dict(), "basis": torch.from_numpy(basis), "seen": 5, "sets": ["ff"]}
    torch.save(kept, tmp_path / "kept.pt")
    assert take_over(new, Loss(basis, SMALL["widths"][1:]), tmp_path / "kept.pt", torch.device("cpu")) == (5, ["ff"])
    assert all(torch.equal(a, b) for a, b in zip(old.state_dict().values(), new.state_dict().values(), strict=True))


def test_kept_weights_come_back_as_they_were_to_half_precision(tmp_path):
    net = Embedder(**SMALL)
    to_go_on({"shape": SMALL, "weights": net.state_dict(), "seen": 7, "others": "moments"}, tmp_path / "kept.pt")
    assert set(torch.load(tmp_path / "kept.pt", weights_only=True)) == {"shape", "weights", "seen"}
    again, seen = load(tmp_path / "kept.pt")
    assert seen == 7
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert F.cosine_similarity(again(x), net.eval()(x)).min() > 0.999


def test_the_pictures_of_one_person_ask_for_one_answer_and_no_held_out_picture_has_a_say(monkeypatch, tmp_path):
    (tmp_path / "same-person.csv").write_text("a,b,0.8\nb,c,0.7\nd,a,0.5\nd,held,0.7\n")
    monkeypatch.setattr("models.training.embedder_start.open_crops", lambda _: SimpleNamespace(names=[*"abcd", "held"]))
    monkeypatch.setattr("models.training.embedder_start.split_of", lambda _: (np.arange(4), np.array([4])))
    bank = np.eye(256, dtype=np.float32)[:4]
    found = kin(tmp_path, Loss(np.eye(256, 128, dtype=np.float32), SMALL["widths"][1:], bank=bank))
    one = torch.eye(128)
    assert torch.allclose(found[0], one[1])
    assert torch.allclose(found[1], (one[0] + one[2]) / 2)
    assert not found[3:].any()  # whose only partner is held out, the held-out one, and index -1
