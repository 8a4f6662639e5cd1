"""A card for people: everything it says, in the order in which a deployer should read it.

    print("\\n".join(describe_card(card)))

What a model is for and not for stands before its figures; each figure stands with its command and date. Nothing is left
out: keys that this page does not know are printed at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.face.card import Card

_WORDS = (
    ("intended_use", "Intended use"),
    ("not_for", "Not for"),
    ("known_failures", "Known failures"),
    ("limits", "Limits"),
    ("data", "Data it was made with, and its terms"),
    ("teachers", "Teachers, and their licences"),
    ("training", "How it was made"),
    ("retrain", "To retrain it on your own pictures"),
    ("source", "Where it comes from"),
    ("licence", "Licence"),
)
#: Keys that are shown as facts, as tables, or that the reader has no use for.
_SHOWN = {"schema", "name", "kind", "file", "sha256", "size_bytes", "macs", "parameters", "input", "outputs", "align"}
_SHOWN |= {"decode", "passive", "outside_delegate", "golden", "accuracy", "calibration", *(key for key, _ in _WORDS)}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of people in a calibration; ``fmr`` is None where there were too few of them."""

    name: str
    fmr: float | None
    people: int | None = None
    upper: float | None = None


def group_rows(raw: Mapping[str, Any]) -> list[GroupRow]:
    """The per-group table of a card, worst first, those with too few people last.

    Args:
        raw: of a card.
    """
    rows = [
        GroupRow(str(row["name"]), _rate(row.get("fmr")), row.get("people"), _rate(row.get("upper")))
        for row in raw.get("calibration", {}).get("groups") or []
    ]
    return sorted(rows, key=lambda row: -1.0 if row.fmr is None else row.fmr, reverse=True)


def _rate(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def describe_card(card: Card, *, origin: str = "") -> list[str]:
    """The card as lines of at most 100 characters, but for long words.

    Args:
        card: of any model. origin: where it comes from and who signed it, one phrase.
    """
    raw = card.raw
    lines = [f"{card.name}, {card.kind}" + (f" ({origin})" if origin else ""), *_facts(card)]
    for key, title in _WORDS:
        if key in raw:
            lines += ["", title, *_items(raw[key])]
    lines += [*_accuracy(raw), *_calibration(card), *_groups(raw), *_told(raw)]
    for key in raw:
        if key not in _SHOWN:
            lines += ["", key.replace("_", " ").capitalize(), *_items(raw[key])]
    return lines


def _facts(card: Card) -> Iterator[str]:
    raw, fed = card.raw, card.input
    yield _fact("file", f"{card.path.name}, {card.size_bytes / 1e3:.0f} kB, {fed.dtype}")
    yield _fact("SHA-256", card.sha256)
    if card.identity != card.sha256:
        yield _fact("identity", f"{card.identity[:16]}... (file and preprocessing: what templates name it by)")
    scaled = f"(pixel - {_number(fed.mean)}) / {_number(fed.std)}"
    yield _fact("input", f"{fed.shape[2]}x{fed.shape[1]} {fed.channels}, {scaled}")
    if card.kind == "embedder":
        numbers = max(card.outputs[0].shape)
        yield _fact("output", f"{numbers} numbers, {card.outputs[0].dtype}")
    else:
        yield _fact("outputs", ", ".join(spec.name for spec in card.outputs))
    if card.passive is not None:
        limits = card.passive
        yield _fact("sees", f"{limits.scale:g} times the face's box, as far as the frame reaches")
        rejects = f"rejects from {limits.attack:g}" if limits.attack <= 1 else "never rejects"
        yield _fact("suspicion", f"doubts from {limits.doubt:g}, {rejects}, after {limits.judgements} judgements")
    if "macs" in raw:
        yield _fact(
            "work", f"{raw['macs'] / 1e6:.0f} M multiply-accumulates, {raw['parameters'] / 1e6:.2f} M parameters"
        )
    inside = (
        "all nodes run in XNNPACK" if not card.outside_delegate else f"{card.outside_delegate} nodes outside XNNPACK"
    )
    yield _fact("delegation", inside)
    exact = "2 (exact: the same bits on every machine)" if card.arithmetic == 2 else "1 (as OpenCV on each machine)"
    yield _fact("arithmetic", exact)
    if card.golden is None:
        yield _fact("known answer", "none")
    elif card.golden.sha256 is not None:
        yield _fact("known answer", f"{card.golden.sha256} (exact, SHA-256 of the outputs)")
    else:
        share = f"within {card.golden.tolerance:.1%} of the largest"
        yield _fact("known answer", f"{len(card.golden.values)} outputs {share}; its bits differ between machines")
    for key in ("commit", "reason"):
        if text := raw.get("golden", {}).get(key):
            yield _fact("", f"{key}: {text}")


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "[" + ", ".join(f"{item:g}" for item in value) + "]"


def _fact(name: str, text: str) -> str:
    return f"  {name:<13} {text}"


def _items(value: Any, indent: str = "  ") -> list[str]:
    """A text, a list of texts, or mappings, a line each."""
    if isinstance(value, Mapping):
        pairs = [f"{key}: {_short(item)}" for key, item in value.items()]
        return [line for pair in pairs for line in _line(pair, indent)]
    if isinstance(value, list | tuple):
        lines = []
        for item in value:
            text = "; ".join(map(str, item.values())) if isinstance(item, Mapping) else str(item)
            lines += _line(text, indent + "- ")
        return lines
    return _line(str(value), indent)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _line(text: str, first: str) -> list[str]:
    """A text as one line, whatever line ends it has; nothing for an empty one."""
    return [first + " ".join(text.split())] if text.strip() else []


def _accuracy(raw: Mapping[str, Any]) -> Iterator[str]:
    for row in raw.get("accuracy", []):
        yield ""
        yield f"Accuracy, measured {row['date']}"
        yield from _line(row["command"], "  ")
        for name, value in row.get("figures", {}).items():
            yield (
                f"    {name.replace('_', ' '):<32} {value:g}"
                if isinstance(value, int | float)
                else f"    {name}: {value}"
            )
        for text in row.get("missed", []):
            yield from _line(f"missed: {text}", "    ")


def _calibration(card: Card) -> Iterator[str]:
    if card.kind != "embedder":
        return
    yield ""
    found = card.raw.get("calibration")
    if found is None:
        yield "Not calibrated: it decides nothing until `edge lab calibrate` has measured it."
        return
    yield f"Calibration, measured {found.get('date', '(no date)')}"
    for key in ("command", "method", "set", "caveat", "same_person"):
        if key in found:
            yield from _line(f"{key.replace('_', ' ')}: {found[key]}", "  ")
    yield f"  {'FMR':>10}  {'threshold':>9}  {'upper bound':>11}"
    for row in found["thresholds"]:
        bound = f"{row['upper']:.3g}" if "upper" in row else ""
        yield f"  {row['fmr']:>10.4g}  {row['threshold']:>9.3f}  {bound:>11}"


def _groups(raw: Mapping[str, Any]) -> Iterator[str]:
    rows = group_rows(raw)
    if not rows:
        return
    worst = raw["calibration"].get("worst_group") or {}
    yield ""
    yield "False match rate within groups of people, at one and the same threshold"
    if "at" in worst:
        yield f"  at the threshold for a false match rate of {worst['at']:g} over everybody"
    widest = max(len(row.name) for row in rows)
    for row in rows:
        people = "" if row.people is None else f"{row.people:>7} people"
        rate = "too few" if row.fmr is None else f"{row.fmr:.2e}"
        bound = "" if row.upper is None else f"  (upper bound {row.upper:.2e})"
        yield f"  {row.name:<{widest}}  {rate:>9}{bound}{people}"
    if "max_to_geometric_mean" in worst:
        yield f"  largest / geometric mean: {worst['max_to_geometric_mean']}"


def _told(raw: Mapping[str, Any]) -> Iterator[str]:
    """What rules tell of people from their templates, as the calibration measured it."""
    told = (raw.get("calibration") or {}).get("told_from_templates")
    if not isinstance(told, Mapping):
        return
    yield ""
    yield "What a template tells of its holder"
    yield from _line(str(told.get("what", "")), "  ")
    teacher = told.get("teacher")
    for name, value in told.items():
        if isinstance(value, float):
            its = teacher.get(name) if isinstance(teacher, Mapping) else None
            beside = f"  (its teacher's {its:.2f})" if isinstance(its, float) else ""
            yield f"  {name:<14} {value:.2f}{beside}"
