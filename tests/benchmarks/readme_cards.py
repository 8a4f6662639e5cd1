"""models/README.md's account of the models, made of their cards alone: what they are, how accurate, for whom less so,
and where they fail.

What is not of the cards (other models measured in the same run) is added by `tests.benchmarks.readme`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge.face import Card, load_card
from edge.models.describe import group_rows

SHIPPED = ("detector", "embedder", "passive")
#: Figures of a card's ``accuracy`` that the table shows: key -> head of the column.
COLUMNS = {
    "pairs_accuracy": "pairs accuracy",
    "tar_at_fmr_1e-02": "TAR @ FMR 1e-2",
    "tar_at_fmr_1e-03": "1e-3",
    "tar_at_fmr_1e-04": "1e-4",
    "failure_to_acquire": "not acquired",
}


#: Rules by which a calibration measures what templates tell, in the order of the sentence.
TOLD = ("linear sex", "linear origin", "curved sex", "curved origin")


def models() -> list[str]:
    """One row a model."""
    lines = ["| model | file | MACs | input | trained on | taught by |", "|---|---|---|---|---|---|"]
    for name in SHIPPED:
        card = load_card(name)
        raw, fed = card.raw, card.input
        data, teachers = (", ".join(entry["name"] for entry in raw[key]) for key in ("data", "teachers"))
        size = f"{card.size_bytes / 1e3:.0f} kB {fed.dtype} | {raw['macs'] / 1e6:.0f} M | {fed.shape[2]}x{fed.shape[1]}"
        lines.append(f"| {name} | {size} | {data} | {teachers} |")
    terms = sorted({f"{entry['name'].split(' (')[0]}: {entry['terms']}" for name in SHIPPED for entry in data_of(name)})
    lines += ["", "Terms of what they were trained on: " + "; ".join(terms) + ". `edge models show` prints the cards."]
    return lines


def data_of(name: str) -> list[Mapping[str, Any]]:
    return list(load_card(name).raw["data"])


def measured(card: Card) -> Mapping[str, Any] | None:
    """The newest measurement of a card that has the figures of the table."""
    rows = [row for row in card.raw.get("accuracy", []) if "pairs_accuracy" in row["figures"]]
    return max(rows, key=lambda row: str(row["date"])) if rows else None


def figures(row: Mapping[str, float]) -> str:
    """The cells of one model in the accuracy table."""
    return " | ".join(f"{100 * row[key]:.2f} %" if key in row else "" for key in COLUMNS)


def accuracy() -> list[str]:
    """The table's head and our chain's row."""
    head = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    row = measured(load_card("embedder"))
    return head if row is None else [*head, f"| **our chain** | {figures(row['figures'])} |"]


def calibration() -> list[str]:
    """From a false match rate to a threshold, with the bound behind it."""
    found = load_card("embedder").raw.get("calibration")
    if found is None:
        return ["**Calibration:** none; this embedder decides nothing."]
    people = f", {found['people']:,} people" if "people" in found else ""
    lines = [f"**Calibration** ({found['pairs']:,} impostor comparisons{people}):", ""]
    lines += ["| false match rate | threshold | upper 95 % bound |", "|---|---|---|"]
    for row in found["thresholds"]:
        upper = row.get("upper", row.get("upper_95"))
        bound = "" if upper is None else f"{upper:.2g}"
        lines.append(f"| {row['fmr']:.2g} | {row['threshold']:.3f} | {bound} |")
    lines += ["", f"Smallest rate that a door may ask for in one comparison: {found['smallest_fmr']:.2g}."]
    if "caveat" in found:
        lines[-1] += f" Caveat: {found['caveat']}."
    lines[-1] += f" `{found['command']}`, {found['date']}."
    return lines


def groups() -> list[str]:
    """The whole per-group table: nobody should have to look for it."""
    raw = load_card("embedder").raw
    rows = group_rows(raw)
    known = {row.name: row.fmr for row in rows if row.fmr is not None}
    if not known:
        return ["**Between groups of people:** not measured."]
    worst, best = max(known, key=lambda name: known[name]), min(known, key=lambda name: known[name])
    lines = [
        "**Between groups of people**, at one and the same threshold: false matches are "
        f"{known[worst] / known[best]:.0f} times as frequent among {worst} as among {best}; largest rate over "
        f"geometric mean: {ratio(raw)}. An overall rate is the promise for no group.",
        "",
        "| group | people | false match rate | upper bound |",
        "|---|---|---|---|",
    ]
    for row in rows:
        people, rate = ("" if row.people is None else f"{row.people:,}"), row.fmr
        upper = "" if row.upper is None else f"{row.upper:.1e}"
        lines.append(f"| {row.name} | {people} | {'too few' if rate is None else f'{rate:.1e}'} | {upper} |")
    return [*lines, *_about_groups(raw["calibration"]), *_told(raw["calibration"])]


def ratio(raw: Mapping[str, Any]) -> str:
    """The largest rate over the geometric mean, as the card says, else computed."""
    found = raw["calibration"]
    for place in (found.get("worst_group"), found.get("groups")):
        if isinstance(place, Mapping) and "max_to_geometric_mean" in place:
            return f"{place['max_to_geometric_mean']:.2g}"
    rates = [row.fmr for row in group_rows(raw) if row.fmr]
    product = 1.0
    for rate in rates:
        product *= rate ** (1 / len(rates))
    return f"{max(rates) / product:.2g}"


def _about_groups(found: Mapping[str, Any]) -> Iterator[str]:
    groups_, worst = found["groups"], found.get("worst_group")
    if isinstance(groups_, Mapping) and "what" in groups_:
        yield ""
        yield f"{groups_['what']}. `{found['command']}`, {found['date']}."
    elif isinstance(worst, Mapping) and "at" in worst:
        yield ""
        yield f"At the threshold for {worst['at']:g} over everybody. `{found['command']}`, {found['date']}."


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    """What of a person can be read from a template."""
    told = found.get("told_from_templates")
    if told is None:
        return
    cells = [f"{told[name]:.2f} (its teacher's: {told['teacher'][name]:.2f})" for name in TOLD]
    yield ""
    yield (
        "**What a template tells of its holder:** what people of one sex and origin share was taken out of the "
        "embedder (models/training/blind.py). From held-out templates a linear rule tells sex with a balanced accuracy "
        f"of {cells[0]}, the origin that is told best with {cells[1]}; a curved rule with {cells[2]} and {cells[3]}. "
        "0.50 is guessing."
    )


def failures() -> list[str]:
    """Where the models are known to fail."""
    lines = ["**Known failures:**", ""]
    for name in SHIPPED:
        lines += [f"- {name}: {text}" for text in load_card(name).raw["known_failures"]]
    return lines
