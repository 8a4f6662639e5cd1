"""What a person is told and handed: each sentence in every language, and pages that load nothing."""

from __future__ import annotations

import ast
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.journal.kinds import KINDS
from edge.service import rights
from edge.service.rights.document import Document, Fact, Item, Section, page
from edge.service.rights.erasure import Done, Remains
from edge.service.rights.phrases import LANGUAGES, language_of, say
from edge.service.rights.sentences import SENTENCES
from edge.types import Outcome, Reason
from edge.vault import Status

RIGHTS = Path(rights.__file__).parent


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_every_sentence_is_there_in_every_language_with_the_same_values(name):
    sentence = SENTENCES[name]
    assert len(sentence) == len(LANGUAGES)
    assert all(text.strip() == text and text for text in sentence)
    assert len({frozenset(braces(text)) for text in sentence}) == 1
    if len(sentence[0]) > 30:
        assert len(set(sentence)) == len(LANGUAGES), "not translated"


def test_every_outcome_reason_and_kind_of_entry_about_a_card_has_its_words():
    wanted = {f"outcome.{outcome}" for outcome in Outcome} | {f"reason.{reason}" for reason in Reason}
    wanted |= {f"kind.{kind}" for kind, fields in KINDS.items() if "serial" in fields and kind != "decision"}
    wanted |= {f"status.{status}" for status in Status}
    wanted |= {f"done.{done}" for done in Done} | {f"remains.{remains}" for remains in Remains}
    assert wanted <= set(SENTENCES)


def test_no_sentence_is_left_over():
    texts = [path.read_text(encoding="utf-8") for path in RIGHTS.glob("*.py") if "sentences" not in path.name]
    literals = {node.value for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    by_name = ("outcome.", "reason.", "kind.", "status.", "done.", "remains.", "not_kept.", "report.")
    assert not [name for name in SENTENCES if name not in literals and not name.startswith(by_name)]


@pytest.mark.parametrize(
    ("tag", "language"), [("fr-CA", "fr"), ("FR", "fr"), ("de-AT", "de"), ("en-GB", "en"), ("it", "en"), ("", "en")]
)
def test_the_language_is_the_consent_s_or_english(tag, language):
    assert language_of(tag) == language


def test_a_value_that_is_missing_is_a_programming_error():
    with pytest.raises(KeyError):
        say("remains.serial", "fr")


class Reader(HTMLParser):
    """Every tag is closed by its own end; nothing is loaded from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert not {"src", "href", "onload", "style"} & {name for name, _ in attrs}
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


PAPER = Document(
    "A <title>",
    "fr",
    (
        Section("", ("Opening & more", Fact("Label", "<b>value</b>"))),
        Section("Head", (Item("one"), Item("two"), "End.")),
    ),
)


def test_a_page_is_well_formed_self_contained_and_escapes_what_it_is_given():
    html = page([PAPER, PAPER])
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert html.count("<!doctype") == 1
    assert html.count("<main") == 2
    assert "<b>value</b>" not in html
    assert "<b>value</b>" in "".join(reader.text)
    assert "http" not in html
    assert "script" not in html


def test_a_text_keeps_within_the_terminal_and_its_labels_in_a_column():
    lines = PAPER.as_text().splitlines()
    assert lines[:2] == ["A <title>", "========="]
    assert "Label:  <b>value</b>" in lines
    long = Document("T", "en", (Section("", ("word " * 100, Fact("L" * 30, "w " * 90), Item("x " * 90))),))
    assert max(map(len, long.as_text().splitlines())) <= 78
