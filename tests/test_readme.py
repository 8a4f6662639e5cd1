"""The README and its pages say what is true: lines run, figures are generated, commands and links exist, claims have
tests."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import COMMANDS
from edge.face import load_card
from edge.models.describe import group_rows
from tests.benchmarks import readme_cards
from tests.benchmarks.readme import PAGES, with_figures

ROOT = Path(__file__).resolve().parent.parent
#: Every page that is written for people but the log of training runs, which tells of files that are gone.
DOCUMENTS = sorted(
    path
    for folder in (".", ".github", "config", "deploy", "edge", "models", "tests")
    for path in ((ROOT / folder).glob("*.md") if folder == "." else (ROOT / folder).rglob("*.md"))
    if path.name != "NOTES.md"
)
README, MODELS, CLAIMS = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "models/README.md", "tests/CLAIMS.md")
)
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def line(marker: str) -> str:
    """The one line of shell below a marker."""
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.+)\n```", README)
    assert found, marker
    return found.group(1)


def test_there_is_one_line_for_the_demo_and_one_for_the_tests():
    for marker in ("demo-line", "test-line"):
        assert line(marker).startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")
    assert line("demo-line").endswith(".venv/bin/edge demo --out demo.png")
    assert line("test-line").endswith(".venv/bin/pytest -n auto")


def test_ci_runs_the_very_same_test_line():
    script = r"sed -n '/<!-- test-line -->/,/```$/p' README.md | grep -m1 -E '^python3 '"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == line("test-line")
    assert script in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_readme_is_one_sitting():
    assert len(README.encode()) <= 14_000


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_parts_are_those_of_cards_results_and_packs(name):
    page = (ROOT / name).read_text(encoding="utf-8")
    assert PAGES[name](page) == page, "run: python -m tests.benchmarks.readme --write"


@each_document
def test_every_command_that_is_named_exists(path):
    text = "\n".join(code(path.read_text(encoding="utf-8")))
    for name in re.findall(r"(?:^|[`\s])edge ([a-z]+(?:-[a-z]+)*)\b(?! is\b)", text):
        assert name in {*COMMANDS, "prove"}, name


def code(page: str) -> list[str]:
    """What stands in back-ticks, and the lines of blocks of shell."""
    blocks = [part for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for part in block.splitlines()]
    return blocks + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))


@pytest.mark.parametrize("claim", re.findall(r"`T ([^`]+)`", CLAIMS))
def test_every_claim_names_tests_that_are_there(claim):
    words = claim.replace('"', "").split(" -k ")
    files = [
        p for name in words[0].split() for p in ([ROOT / name] if name.endswith(".py") else (ROOT / name).glob("*.py"))
    ]
    assert files
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for word in words[1].split(" or ") if len(words) > 1 else []:
        assert re.search(rf"def test_\w*{word}", text), word


@pytest.mark.parametrize("name", re.findall(r"`B\.(\w+)`", CLAIMS))
def test_every_benchmark_that_is_named_is_there(name):
    assert (ROOT / "tests" / "benchmarks" / f"{name}.py").is_file()


@each_document
def test_links_and_pictures_lead_somewhere(path):
    page = path.read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", page):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        file = path.parent / target if target else path
        assert file.exists(), target
        if heading:
            assert heading in headings(file.read_text(encoding="utf-8")), (target, heading)


def headings(page: str) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_document
def test_files_that_are_named_are_there(path):
    for name in re.findall(r"`((?:edge|tests|deploy|config|models)/[\w./-]+)`", path.read_text(encoding="utf-8")):
        if "/_data/" not in name and not name.startswith(("edge/settings/", "edge/event/")) and "/v" not in name:
            assert (ROOT / name).exists(), name


def test_the_readme_leads_to_every_page():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)#\s:]+\.md)", page.read_text(encoding="utf-8")):
            todo.append((page.parent / target).resolve())
    found_otherwise = {"problem.md", "README.md"}  # by a forge, and by whoever opens the folder
    assert [path for path in DOCUMENTS if path.resolve() not in reached and path.name not in found_otherwise] == []


def test_what_does_not_work_yet_is_said_at_the_top():
    assert "**rgb alone is a deterrent.**" in README[:1500].lower()
    assert "## Limits" in README


FIGURES = MODELS.split("<!-- figures -->")[1].split("<!-- /figures -->")[0]


@pytest.mark.parametrize("name", ["detector", "embedder"])
def test_what_the_cards_say_stands_beside_the_figures(name):
    card = load_card(name)
    assert f"{card.size_bytes / 1e3:.0f} kB" in FIGURES
    for text in card.raw["known_failures"]:
        assert text in FIGURES
    for entry in card.raw["data"]:
        assert entry["terms"] in FIGURES
    for row in card.calibration.thresholds if card.calibration else ():
        assert f"| {row.threshold:.3f} |" in FIGURES
    for row in group_rows(card.raw):
        assert f"| {row.name} |" in FIGURES


def test_the_figures_of_a_card_are_those_of_the_run_that_it_names():
    """A card and a result of one command over one file cannot differ: one of them would have been edited."""
    for path in (ROOT / "tests" / "benchmarks" / "results").glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        for name, digest in result.get("models", {}).items():
            rows = load_card(name).raw.get("accuracy", []) if name in ("detector", "embedder") else []
            for row in rows:
                if (row["sha256"], row["command"]) == (digest, result["command"]):
                    assert row["figures"] == result["figures"], (path.name, name)


@pytest.mark.parametrize("key", ["pairs_accuracy", "tar_at_fmr_1e-04"])
def test_a_figure_that_is_edited_in_a_card_is_noticed(key, tmp_path, monkeypatch):
    raw = copy.deepcopy(dict(load_card("embedder").raw))
    for row in raw.get("accuracy", []):
        row["figures"][key] = 0.123456
    changed = replace(load_card("embedder"), raw=raw)
    monkeypatch.setattr(readme_cards, "load_card", lambda name: changed if name == "embedder" else load_card(name))
    assert with_figures(MODELS) != MODELS
