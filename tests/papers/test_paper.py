"""Papers as text and as pages: well formed, escaped, nothing loaded from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from edge.papers.paper import Labelled, Paper, PaperSection, Point, Sentences, as_html, as_text, day, moment


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


PAPER = Paper(
    "A <title>",
    "fr",
    (
        PaperSection("", (Sentences("Opening & more"), Labelled("Label", "<b>value</b>"), Labelled("Empty", ""))),
        PaperSection("Head", (Point("one"), Point("two"), Sentences("End."))),
    ),
)


def test_a_page_is_well_formed_self_contained_and_escapes_what_it_is_given():
    html = as_html([PAPER, PAPER])
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert html.count("<!doctype") == 1
    assert html.count("<main") == 2
    assert html.count("<ul>") == html.count("<dl>") == 2, "neighbours share a list"
    assert "<b>value</b>" not in html
    assert "<b>value</b>" in "".join(reader.text)
    assert "http" not in html
    assert "script" not in html


def test_a_text_keeps_within_the_terminal_and_its_labels_in_a_column():
    lines = as_text([PAPER]).splitlines()
    assert lines[:2] == ["A <title>", "========="]
    assert "Label:  <b>value</b>" in lines
    assert "Empty:  -" in lines
    lines = (Sentences("word " * 100), Labelled("L" * 30, "w " * 90), Point("x " * 90))
    long = Paper("T", "en", (PaperSection("", lines),))
    assert max(map(len, as_text([long]).splitlines())) <= 78


@pytest.mark.parametrize(("zone", "words"), [("UTC", "2026-11-01"), ("Pacific/Honolulu", "2026-10-31")])
def test_dates_say_the_zone_in_which_they_are_meant(zone: str, words: str):
    assert day(1_793_500_000, zone) == f"{words} ({zone})"
    assert moment(1_793_500_000, zone).startswith(words)
    assert moment(1_793_500_000, zone).endswith(zone)


def test_utc_has_one_name_on_papers():
    assert day(0, "Etc/UTC") == day(0) == "1970-01-01 (UTC)"
    assert moment(0, "Etc/UTC") == moment(0) == "1970-01-01 00:00 UTC"
