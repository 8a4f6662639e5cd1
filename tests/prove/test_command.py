"""`edge prove` as an auditor runs it: exit codes, the JSON object, the page."""

from __future__ import annotations

import html
import importlib.metadata
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edge.cli import main
from edge.prove import About, Evidence, ProofReport, Question, Severity, live, prove
from edge.prove.page import limits, page
from edge.prove.records import normalised
from edge.prove.source import PACKAGES, reviewed
from edge.prove.subject import open_subject
from tests.prove.conftest import Workshop
from tests.prove.review import differences

ROOT = Path(__file__).resolve().parents[2]


def answer(capsys, *arguments: str) -> tuple[int, dict]:
    code = main(["prove", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_signed_wheel_holds_and_the_page_says_so_to_a_layman(workshop: Workshop, capsys, tmp_path: Path):
    (tmp_path / "builder.pem").write_bytes(workshop.key.pem())
    out = tmp_path / "report.html"
    code, said = answer(
        capsys, "--wheel", str(workshop.folder), "--trust", str(tmp_path / "builder.pem"), "--report", str(out)
    )
    assert (code, said["holds"], said["violations"], said["error"]) == (0, True, 0, None)
    assert said["schema"] == "edge/prove/v1"
    assert not said["self_check"]
    assert "signed by builder" in said["subject"]["signed"]
    assert {check["id"] for check in said["checks"]} >= {"signature", "files", "rooms", "scores", "sql", "listeners"}
    assert {limit["name"] for limit in said["limits"]} >= {"the running process", "inside the models", "below Python"}
    assert [entry["by"] for entry in said["established"]] == ["By identity", "By analysis", "By trying"]
    assert "one that was signed: signed by builder" in said["established"][0]["what"]
    assert "This is advice" in said["established"][1]["what"]
    text = html.unescape(out.read_text())
    assert all(entry["what"] in text for entry in said["established"])
    assert "Nothing was found against it" in text
    assert all(limit["what"].split(".")[0] in text for limit in said["limits"])


def test_an_unsigned_wheel_is_a_remark_and_with_a_key_a_violation(built: Path, signer, capsys, tmp_path: Path):
    (tmp_path / "builder.pem").write_bytes(signer.public.pem())
    code, said = answer(capsys, "--wheel", str(built))
    assert (code, said["verdict"]) == (0, "warnings")
    assert said["established"][0]["what"].startswith("Nothing. No key was named")
    code, said = answer(capsys, "--wheel", str(built), "--trust", str(tmp_path / "builder.pem"))
    assert (code, said["verdict"]) == (1, "violation")
    assert [f["what"] for check in said["checks"] for f in check["findings"] if f["level"] == "violation"] == [
        "it is not signed"
    ]


def test_without_anything_named_it_is_a_self_check_and_headed_so(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("edge.prove.examine", lambda *_: iter([Question("signature", "t", "")]))
    assert main(["prove"]) == 0
    assert capsys.readouterr().out.startswith("SELF-CHECK")
    code, said = answer(capsys)
    assert (code, said["self_check"], said["subject"]["profile"]) == (0, True, "development")
    assert "itself" in [limit["name"] for limit in said["limits"]]


def test_an_examination_that_fails_its_own_test_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("edge.prove.examine", lambda *_: iter([Question("signature", "t", "")]))
    monkeypatch.setattr(live, "opens", lambda *_: False)
    code, said = answer(capsys)
    assert (code, said["verdict"]) == (4, "void")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--wheel", "missing.whl"),
        ("--root", "missing"),
        ("--root", ".", "--wheel", "x.whl"),
        ("--wheel", "x", "--trust", "missing.pem"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_three(arguments: tuple[str, ...], capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["prove", *arguments]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


class Outside(HTMLParser):
    """What a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag in ("script", "img", "iframe", "link", "object") or names & {"src", "href", "onload", "onclick"}:
            self.found.append(tag)


def made_up(*findings: Evidence, kind: str = "wheel") -> ProofReport:
    about = About(kind, "x<script>alert(1)</script>.whl", "device", "0.1.0", "2026-11-22", "abc", "unsigned", "0.1.0")
    checks = (Question("sql", "Stored templates are read by the card's key alone", "3 statements", findings),)
    return ProofReport(about, checks, None, (("below Python", "Not examined."),), 1.0, "2026-11-22")


def test_the_page_is_self_contained_and_shows_what_it_was_given_as_text():
    text = page(made_up(Evidence("a.py:1", "<img src=x onerror=alert(1)>"), Evidence("b.py", "note", Severity.WARNING)))
    outside = Outside()
    outside.feed(text)
    assert outside.found == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "&lt;img src=x" in text
    assert "NOT what it says it is" in text


def test_a_page_of_a_self_check_says_so_before_the_verdict():
    text = page(made_up(kind="this installation"))
    assert text.index("Self-check.") < text.index('class="verdict')


def test_every_reviewed_place_is_as_it_was_reviewed():
    """`python -m tests.prove.review` says more; `--accept` writes it down after a person has looked."""
    found = [f"{wrong}: {module.file} {function} [{check}]" for check, module, function, _, wrong in differences()]
    assert found == []
    assert not [row for row in reviewed() if row.why.startswith("NO REASON YET")]


def test_the_known_packages_are_the_declared_ones_and_what_they_need():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted, todo = set(), [Requirement(text).name for text in project["dependencies"]]
    todo += [
        Requirement(text).name
        for extra in ("pi", "papers", "tflite-runtime")
        for text in project["optional-dependencies"][extra]
    ]
    while todo:
        name = normalised(todo.pop())
        if name in wanted:
            continue
        wanted.add(name)
        try:
            needs = [Requirement(text) for text in importlib.metadata.requires(name) or ()]
        except importlib.metadata.PackageNotFoundError:
            continue  # not installed here (the Pi's own)
        todo += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    assert wanted <= PACKAGES, sorted(wanted - PACKAGES)


def test_no_room_but_the_command_line_imports_the_proof():
    """Nothing of it is on the way from a claim to a decision."""
    files = [path for path in (ROOT / "edge").rglob("*.py") if path.relative_to(ROOT / "edge").parts[0] != "prove"]
    users = [path.relative_to(ROOT / "edge").as_posix() for path in files if "edge.prove" in path.read_text()]
    assert [name for name in users if not name.startswith("policy/")] == ["cli/prove.py"]
    assert all("import edge.prove" not in (ROOT / "edge" / n).read_text() for n in users if n.startswith("policy/"))


def test_every_kind_of_subject_has_its_own_limits(built: Path):
    with open_subject(wheel=built) as subject:
        assert "the device itself" in dict(limits(subject))


def test_prove_answers_as_a_function_too(built: Path):
    report = prove(wheel=built, records=3)
    assert report.about.kind == "wheel"
    assert report.live is not None
    assert report.live.store == "a store made here, of 3 made-up people"
