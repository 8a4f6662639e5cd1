"""`edge lab evaluate` as a whole: the device's own chain, figures that hold, stopping and going on, nothing leaked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import InputError, UsageError
from edge.face import Chain
from edge.lab import EvaluationPlan, measure
from edge.lab.extract import DeviceChain, LookResult
from edge.lab.progress import Silent
from edge.pictures import read_image
from edge.settings.model import FaceSettings
from edge.types import Frame
from tests.lab.crowd import make_crowd, write_pairs

PEOPLE, EACH = 6, 4


@pytest.fixture(scope="module")
def crowd(tmp_path_factory) -> Path:
    """A folder with ``set``, ``pairs.txt`` and ``groups.csv``; one picture shows nobody."""
    import cv2

    folder = tmp_path_factory.mktemp("crowd")
    names = make_crowd(folder / "set", EACH, PEOPLE, strength=0.9)
    cv2.imwrite(str(folder / "set" / names[-1]), np.full((120, 120, 3), 90, np.uint8))
    write_pairs(folder / "pairs.txt", 2, 3, PEOPLE)
    owners = sorted({name.split("/")[0] for name in names})
    rows = [f"{owner},{'north' if k < 4 else 'south'}" for k, owner in enumerate(owners)]
    (folder / "groups.csv").write_text("person,door\n" + "\n".join(rows) + "\n")
    return folder


def plan(crowd: Path, out: Path, **more: Any) -> EvaluationPlan:
    given = {"images": crowd / "set", "pairs": crowd / "pairs.txt", "groups": crowd / "groups.csv"}
    return EvaluationPlan(out=out, **({"all_pairs": True, "rounds": 50, "fewest": 3} | given | more))


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain.load(FaceSettings(threads=1))


@pytest.fixture(scope="module")
def measured(crowd: Path, chain: Chain, tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """One measurement by the shipped chain: its folder and its JSON."""
    out = tmp_path_factory.mktemp("report")
    measure(plan(crowd, out), Silent(), [DeviceChain("embedder", chain)])
    return out, json.loads((out / "report.json").read_text())


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the page, whose plots take longer than everything else, where figures alone are looked at."""
    monkeypatch.setattr("edge.lab.report.page", lambda *_: "")


def embeddings(crowd: Path, chain: Chain) -> dict[str, np.ndarray | None]:
    """By the chain itself, without the lab."""
    found: dict[str, np.ndarray | None] = {}
    for path in sorted((crowd / "set").rglob("*.jpg")):
        look = chain.look(Frame(read_image(path), 0, 0, "test"), pick="central", gate=False)
        found[path.relative_to(crowd / "set").as_posix()] = (
            chain.embed(look, "s").consume("s") if look.crop is not None else None
        )
    return found


def test_figures_are_those_of_the_chain_s_own_scores(measured, crowd: Path, chain: Chain):
    _, report = measured
    vectors = embeddings(crowd, chain)
    names = list(vectors)
    genuine, impostor = [], []
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            x, y = vectors[a], vectors[b]
            score = -1.0
            if x is not None and y is not None:
                x, y = x.astype(float), y.astype(float)
                score = float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
            (genuine if a.split("/")[0] == b.split("/")[0] else impostor).append(score)
    assert (report["set"]["genuine"], report["set"]["impostor"]) == (len(genuine), len(impostor))
    model = report["models"][0]
    assert model["acquisition"]["failed"] == sum(vector is None for vector in vectors.values()) == 1
    assert model["acquisition"]["reasons"] == {"no face": 1}
    point = next(row for row in model["operating_points"] if row["name"] == "FMR 1e-02")
    assert point["false_matches"] == sum(score >= point["threshold"] for score in impostor) <= 0.01 * len(impostor)
    assert point["misses"] == sum(score < point["threshold"] for score in genuine)
    assert point["fnmr_low"] <= point["fnmr"] <= point["fnmr_high"]
    assert point["fmr_low"] <= point["fmr"] <= point["fmr_high"]
    card = next(row for row in model["operating_points"] if row["name"] == "card, target 1e-03")
    assert card["threshold"] == pytest.approx(chain.threshold(1e-3), abs=1e-6)
    assert card["misses"] == sum(score < card["threshold"] for score in genuine)


def test_a_picture_without_a_face_is_in_every_figure(measured):
    _, report = measured
    # all its genuine pairs are misses at any threshold, and it is on no contact sheet
    last = sorted(row["first"] for row in report["models"][0]["worst_pairs"]["genuine"])
    assert report["models"][0]["operating_points"][0]["misses"] >= EACH - 1
    assert all(not name.endswith(f"_{EACH:04d}.jpg") or "Fara" not in name for name in last)


def test_rates_that_stand_for_less_than_a_pair_are_too_few(measured):
    out, report = measured
    rare = report["models"][0]["operating_points"][2:5]
    assert [row["threshold"] for row in rare] == [None, None, None]
    assert "too few" in (out / "report.html").read_text()


def test_small_groups_are_shown_as_too_few_and_stand_in_no_measure(measured):
    out, report = measured
    table = report["models"][0]["groups"][0]
    north, south = table["rows"]
    assert (north["group"], north["people"], south["people"]) == ("north", 4, 2)
    assert north["fmr"] == (north["false_matches"] + 0.5) / (north["impostor_pairs"] + 1)
    assert south["fmr"] is None
    assert "fmr" not in table["spread"]
    assert "too few" in (out / "groups.csv").read_text()


def test_the_page_is_one_file_that_needs_no_other(measured):
    out, _ = measured
    page = (out / "report.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page.replace('xlink:href="#', ""))
    assert "<script" not in page
    assert page.count("<svg") >= 3
    assert 0 < page.count('class="pair"') <= 50


def test_no_embedding_is_written(crowd: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.lab.pairing.BLOCK", 12)
    monkeypatch.setattr("edge.lab.checkpoint._KEEP_EVERY", 0.0)
    vectors = [vector for vector in embeddings(crowd, chain).values() if vector is not None]
    measure(plan(crowd, tmp_path), Keeps(tmp_path), [DeviceChain("embedder", chain)])
    kept = [*(tmp_path / "kept").iterdir(), *(path for path in tmp_path.iterdir() if path.is_file())]
    assert len(kept) >= 7
    for path in kept:
        data = contents(path)
        for vector in vectors:
            unit = (vector / np.linalg.norm(vector.astype(np.float32))).astype(np.float32)
            for form in (vector.tobytes(), unit.tobytes(), unit.astype(np.float64).tobytes()):
                # a quarter of a vector would be a leak already
                assert form[: len(form) // 4] not in data, path.name


class Keeps(Silent):
    """Keeps a copy of the progress folder as it is before it is cleared."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def step(self, title: str) -> Any:
        def tell(done: int, total: int) -> None:
            (self.out / "kept").mkdir(exist_ok=True)
            for path in (self.out / "progress").glob("*.npz"):
                (self.out / "kept" / path.name).write_bytes(path.read_bytes())

        return tell


def contents(path: Path) -> bytes:
    """Everything that a file holds, unpacked where it is packed."""
    if path.suffix != ".npz":
        return path.read_bytes()
    with np.load(path) as arrays:
        return b"".join(arrays[name].tobytes() for name in arrays.files)


class Points:
    """A contender without a model: every person is a direction, every picture a little off it."""

    dimension = 16

    def __init__(self, name: str, noise: float = 0.7) -> None:
        self.name, self.noise, self.looks = name, noise, 0

    def look(self, index: int, image: np.ndarray) -> LookResult:
        self.looks += 1
        person, own = np.random.default_rng(index // EACH), np.random.default_rng(100 + index)
        vector = person.normal(size=16) + self.noise * own.normal(size=16)
        return LookResult(vector, "", (10, 10, 50, 60), None, float(own.random()), {"embed": 1.0})

    def about(self) -> dict[str, Any]:
        return {"kind": "stand-in", "noise": self.noise}

    def operating_points(self) -> dict[str, float]:
        return {}


class Apart(Points):
    """Never errs: every person of two pictures is a direction of their own."""

    def look(self, index: int, image: np.ndarray) -> LookResult:
        return LookResult(np.eye(16)[index // 2], timings_ms={"embed": 1.0})


class Breaks(Silent):
    """Ctrl-C in the middle of a named step."""

    def __init__(self, title: str) -> None:
        self.title = title

    def step(self, title: str) -> Any:
        def tell(done: int, total: int) -> None:
            if title == self.title:
                raise KeyboardInterrupt

        return tell


def figures(out: Path) -> Any:
    report = json.loads((out / "report.json").read_text())
    return [{key: row[key] for key in row if key != "latency_ms"} for row in report["models"]]


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("step", ["one: pairs", "one: errors", "two: pairs", "two: errors"])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_figures(
    crowd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    monkeypatch.setattr("edge.lab.pairing.BLOCK", 12)
    monkeypatch.setattr("edge.lab.checkpoint._KEEP_EVERY", 0.0)
    whole = [Points("one"), Points("two", 0.9)]
    measure(plan(crowd, tmp_path / "whole"), Silent(), whole)
    parts = [Points("one"), Points("two", 0.9)]
    with pytest.raises(KeyboardInterrupt):
        measure(plan(crowd, tmp_path / "parts"), Breaks(step), parts)
    measure(plan(crowd, tmp_path / "parts"), Silent(), parts)
    assert figures(tmp_path / "parts") == figures(tmp_path / "whole")
    pictures = PEOPLE * EACH
    done = step.startswith("two")
    assert [contender.looks for contender in parts] == [pictures * (1 if done else 2), 2 * pictures]
    assert not (tmp_path / "parts" / "progress").exists()


@pytest.mark.usefixtures("no_page")
def test_another_set_of_groups_does_not_go_on_from_the_old_sums(crowd: Path, tmp_path: Path):
    contender = Points("one")
    with pytest.raises(KeyboardInterrupt):
        measure(plan(crowd, tmp_path), Breaks("two: pairs"), [contender, Points("two", 0.9)])
    measure(plan(crowd, tmp_path, groups=None), Silent(), [contender, Points("two", 0.9)])
    assert contender.looks == 2 * PEOPLE * EACH


@pytest.mark.usefixtures("no_page")
def test_without_all_pairs_the_list_is_what_counts(crowd: Path, tmp_path: Path):
    report = measure(plan(crowd, tmp_path, all_pairs=False), Silent(), [Points("one")])
    assert (report.head["set"]["genuine"], report.head["set"]["impostor"]) == (6, 6)
    assert report.head["set"]["scope"] == "listed pairs"


@pytest.mark.usefixtures("no_page")
def test_by_people_every_person_weighs_the_same(tmp_path: Path):
    """One person of twelve pictures fails always, five of two never: nearly all misses by pairs, a sixth by people."""
    sizes = [12, 2, 2, 2, 2, 2]
    for person, size in enumerate(sizes):
        for k in range(size):
            path = tmp_path / "set" / f"p{person}" / f"{k:02d}.pgm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"P5 16 16 255 " + bytes(256))
    owners = np.repeat(np.arange(6), sizes)

    class Uneven(Points):
        def look(self, index: int, image: np.ndarray) -> LookResult:
            own = np.random.default_rng(index if owners[index] == 0 else 1000 + owners[index])
            return LookResult(own.normal(size=16))

        def operating_points(self) -> dict[str, float]:
            return {"here": 0.99}

    planned = EvaluationPlan(tmp_path / "set", tmp_path / "out", all_pairs=True, rounds=200)
    report = measure(planned, Silent(), [Uneven("one")])
    point = next(row for row in report.models[0]["operating_points"] if row["name"] == "here")
    assert report.models[0]["people_with_genuine_pairs"] == 6
    assert point["fnmr"] == pytest.approx(66 / 71)
    assert point["fnmr_by_people"] == pytest.approx(1 / 6)
    assert point["fnmr_by_people_low"] < 1 / 6 < point["fnmr_by_people_high"]
    assert point["fmr"] == point["fmr_by_people"] == 0
    assert "fnmr_by_people" in (tmp_path / "out" / "operating_points.csv").read_text()


def test_false_matches_by_people_are_the_mean_of_each_person_s_own_rate(measured, crowd: Path, chain: Chain):
    _, report = measured
    vectors = embeddings(crowd, chain)
    names = list(vectors)
    point = next(row for row in report["models"][0]["operating_points"] if row["name"] == "FMR 1e-02")
    rates = []
    for person in sorted({name.split("/")[0] for name in names}):
        errors = trials = 0
        for a in (name for name in names if name.startswith(person + "/")):
            for b in (name for name in names if not name.startswith(person + "/")):
                x, y = vectors[a], vectors[b]
                trials += 1
                if x is not None and y is not None:
                    x, y = x.astype(float), y.astype(float)
                    errors += float(x @ y / np.linalg.norm(x) / np.linalg.norm(y)) >= point["threshold"]
        rates.append(errors / trials)
    assert point["fmr_by_people"] == pytest.approx(np.mean(rates))


def test_pairs_between_two_groups_of_pictures_are_counted_by_themselves(crowd: Path, tmp_path: Path):
    names = sorted(path.relative_to(crowd / "set").as_posix() for path in (crowd / "set").rglob("*.jpg"))
    rows = [f"{name},{'front' if k % EACH < 2 else 'side'}" for k, name in enumerate(names)]
    (tmp_path / "groups.csv").write_text("picture,pose\n" + "\n".join(rows))
    out = tmp_path / "out"
    report = measure(plan(crowd, out, groups=tmp_path / "groups.csv"), Silent(), [Points("one")])
    rows = {row["group"]: row for row in report.models[0]["groups"][0]["rows"]}
    # two pictures of each of six people in either pose
    assert [rows[g]["genuine_pairs"] for g in ("front", "side", "front x side")] == [6, 6, 24]
    assert [rows[g]["impostor_pairs"] for g in ("front", "side", "front x side")] == [60, 60, 120]
    assert rows["front x side"]["people_with_genuine_pairs"] == rows["front x side"]["people"] == PEOPLE
    assert rows["front x side"]["fnmr"] is not None
    # a cross is no group of people: it stands in no measure of spread
    assert report.models[0]["groups"][0]["spread"]["fnmr"]["groups"] == 2
    assert "front x side" in (out / "report.html").read_text()


def test_an_earlier_report_is_never_overwritten_silently(crowd: Path, tmp_path: Path, no_page):
    measure(plan(crowd, tmp_path), Silent(), [Points("one")])
    before = (tmp_path / "report.json").read_bytes()
    again = Points("one", 0.2)
    with pytest.raises(InputError, match="an earlier report lies here") as error:
        measure(plan(crowd, tmp_path), Silent(), [again])
    assert "--overwrite" in error.value.remedy
    assert again.looks == 0
    assert (tmp_path / "report.json").read_bytes() == before
    measure(plan(crowd, tmp_path, overwrite=True), Silent(), [again])
    assert (tmp_path / "report.json").read_bytes() != before


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_what_the_report_needs_is_asked_for_before_the_work(crowd: Path, tmp_path: Path, monkeypatch, missing: str):
    from importlib.util import find_spec

    monkeypatch.setattr("edge.lab.report.find_spec", lambda name: None if name == missing else find_spec(name))
    contender = Points("one")
    with pytest.raises(InputError, match=f"{missing} is not installed") as error:
        measure(plan(crowd, tmp_path / "out"), Silent(), [contender])
    assert "edge-verifier[lab]" in error.value.remedy
    assert contender.looks == 0


def test_a_folder_that_cannot_be_written_is_told_before_the_work(crowd: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    contender = Points("one")
    with pytest.raises(InputError, match="cannot be written"):
        measure(plan(crowd, tmp_path / "file" / "out"), Silent(), [contender])
    assert contender.looks == 0


def test_a_report_over_a_few_pictures_shows_no_empty_plot_and_explains_its_intervals(tmp_path: Path):
    make_crowd(tmp_path / "set", 2, 3)
    (tmp_path / "set" / "notes.txt").write_text("no picture")
    planned = EvaluationPlan(tmp_path / "set", tmp_path / "out", all_pairs=True)
    report = measure(planned, Silent(), [Apart("one")])
    assert report.models[0]["people_with_genuine_pairs"] == 3
    assert len(report.models[0]["worst_pairs"]["genuine"]) == 3
    page = (tmp_path / "out" / "report.html").read_text()
    assert "No detection error trade-off" in page
    assert "false match rate</text>" not in page
    assert "An interval beside 0 errors does not end at 0" in page
    assert "left out, since they are no pictures that are read here: 1 .txt" in page


def test_pictures_that_cannot_be_read_are_told_by_name(tmp_path: Path):
    make_crowd(tmp_path / "set", 2, 3)
    [first, *_] = sorted((tmp_path / "set").rglob("*.jpg"))
    first.write_bytes(b"no picture")
    planned = EvaluationPlan(tmp_path / "set", tmp_path / "out", all_pairs=True)
    report = measure(planned, Silent(), [Points("one")])
    told = f"not readable, counted as pictures without a face: {first.parent.name}/{first.name}"
    assert any(told in note for note in report.head["set"]["notes"])
    assert told in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("no_page")
def test_rejecting_the_pictures_of_lowest_quality_lowers_the_error_when_quality_means_something(
    crowd: Path, tmp_path: Path
):
    rows = ["picture,ours"]
    for k, name in enumerate(sorted(path.relative_to(crowd / "set").as_posix() for path in crowd.rglob("*.jpg"))):
        rows.append(f"{name},{1 if k % EACH else 0}")
    (tmp_path / "quality.csv").write_text("\n".join(rows))

    class Spoiled(Points):
        def look(self, index: int, image: np.ndarray) -> LookResult:
            seen = super().look(index, image)
            vector = np.random.default_rng(index + 999).normal(size=16) if index % EACH == 0 else seen.vector
            return LookResult(vector, timings_ms=seen.timings_ms)

    report = measure(plan(crowd, tmp_path, quality=tmp_path / "quality.csv"), Silent(), [Spoiled("one", 0.1)])
    curve = next(row for row in report.models[0]["error_versus_discard"] if row["quality"] == "ours")
    assert curve["fnmr"][0] > 0.4
    assert curve["fnmr"][26] == 0


def test_names_of_other_people_s_making_do_no_harm_in_the_page(tmp_path: Path):
    names = make_crowd(tmp_path / "set", 2, 3)
    nasty = '<img src=x onerror="alert(1)">'
    (tmp_path / "set" / names[0].split("/")[0]).rename(tmp_path / "set" / nasty)
    measure(
        EvaluationPlan(images=tmp_path / "set", all_pairs=True, out=tmp_path / "out", rounds=20),
        Silent(),
        [Points("<b>")],
    )
    page = (tmp_path / "out" / "report.html").read_text()
    assert nasty not in page
    assert "<b></td>" not in page


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"pairs": None, "all_pairs": False}, UsageError),
        ({"models": ("embedder", "embedder")}, UsageError),
        ({"rounds": 1}, UsageError),
        ({"images": Path("/nowhere")}, InputError),
        ({"groups": Path("/nowhere.csv")}, InputError),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(crowd: Path, tmp_path: Path, change, error):
    with pytest.raises(error):
        measure(plan(crowd, tmp_path, **change), Silent(), [Points("one")])


def test_pictures_of_one_person_or_of_nobody_s_are_refused(tmp_path: Path):
    make_crowd(tmp_path / "set", 2, 1)
    with pytest.raises(InputError, match="one person only"):
        measure(
            EvaluationPlan(images=tmp_path / "set", all_pairs=True, out=tmp_path / "out"), Silent(), [Points("one")]
        )
    (next((tmp_path / "set").rglob("*.jpg"))).rename(tmp_path / "set" / "loose.jpg")
    with pytest.raises(InputError, match="is not in a person's folder"):
        measure(
            EvaluationPlan(images=tmp_path / "set", all_pairs=True, out=tmp_path / "out"), Silent(), [Points("one")]
        )
