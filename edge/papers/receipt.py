"""The receipt of an erasure: what was done, each point because it was looked up, and what may remain.

receipt(answer, "fr")       # of one object of ``edge/erasure/v1``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.messages import text
from edge.papers.paper import Labelled, Paper, PaperSection, Point, Sentences, day, moment


def receipt(answer: Mapping[str, Any], language: str) -> Paper:
    """The receipt for a person.

    Args:
        answer: what an erasure did at one card: `edge.service.rights.ErasureReceipt.as_json`.
        language: one of `edge.messages.LANGUAGES`.
    """
    until, others = answer["refused_until"], answer["other_cards"]
    values = {
        "until": day(until) if until else "",
        "journal_until": day(answer["journal_entries_until"]),
        "entries": answer["journal_entries"],
        "traces": answer["traces_found"] or 0,
        "others": others,
    }

    def points(kind: str, names: list[str]) -> PaperSection:
        lines = tuple(Point(text(f"{kind}.{name}", language, **values)) for name in names)
        return PaperSection(text(f"erasure.{kind}", language), lines)

    opening = PaperSection(
        "",
        (
            Sentences(text("erasure.opening_one" if others else "erasure.opening", language)),
            Labelled(text("serial", language), answer["serial"]),
            Labelled(text("device", language), answer["device"]),
            Labelled(text("when", language), moment(answer["at"])),
            Labelled(text("operator", language), answer["operator"]),
        ),
    )
    sections = (opening, points("done", answer["done"]), points("remains", answer["may_remain"]))
    return Paper(text("erasure.title", language), language, sections)
