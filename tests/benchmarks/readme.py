"""Generated parts of documents: models/README.md's figures, made of the cards and of the benchmarks' results, and
config/policy/README.md's table of packs.

    python -m tests.benchmarks.readme --write

A result that was measured with other models than those that are shipped now is shown as out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.face import load_card
from tests.benchmarks import readme_cards as cards
from tests.benchmarks import readme_detector, readme_pad
from tests.policy.pack_table import with_packs

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "benchmarks" / "results"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def load(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def stale(result: dict[str, Any]) -> str:
    """A remark when a result was not measured with the shipped models."""
    now = {name: load_card(name).sha256 for name in cards.SHIPPED}
    old = [name for name, digest in result.get("models", {}).items() if name in now and now[name] != digest]
    return f" **Measured with an earlier {' and '.join(old)}.**" if old else ""


def source(result: dict[str, Any]) -> str:
    """Where a table comes from."""
    return f"`{result['command']}`, {result['date']}.{stale(result)}"


def accuracy() -> list[str]:
    """Our chain by its card, and what else was measured in the run that the card names."""
    result, card = load("lfw"), load_card("embedder")
    lines = [
        "**LFW, development half** (5,373 pictures; no weight was trained on it, but its results were read while the "
        "detector was made and steered three decisions, see models/training/NOTES.md; whole chain from the full "
        "picture, central face, no pair dropped):",
        "",
        *cards.accuracy(),
    ]
    row, told = cards.measured(card), []
    if row is not None and (result is None or row["command"] != result["command"]):
        told.append(f"Our chain: `{row['command']}`, {row['date']}.")
    if result is not None:
        lines += [f"| {name} | {cards.figures(r)} |" for name, r in result["rows"].items() if name != "chain"]
        seen = result["figures"]
        told.append(
            f"The detector finds {100 * seen['found']:.2f} % of the faces that YuNet finds (IoU >= 0.5); its landmarks "
            f"are {100 * seen['landmark_error_median']:.1f} % of the eye distance away from YuNet's (median). "
            + source(result)
        )
        told += missed(result)
        told += discarded(result)
        told.append(at_card(result))
    told.append("What helped: [every run's curve](embedder-curves.png), models/training/NOTES.md.")
    return [*lines, "", " ".join(told)]


def missed(result: dict[str, Any]) -> list[str]:
    """What was asked for and is not reached."""
    texts = [text for text, met in result.get("bars", {}).items() if not met]
    return [f"**Asked for and missed:** {'; '.join(texts)}."] if texts else []


def at_card(result: dict[str, Any]) -> str:
    """What a door's thresholds give on these pictures: how far the calibration is on the safe side."""
    rows = [
        f"for a target of {row['target_fmr']:.0e} FMR {row['fmr']:.1e} and FNMR {100 * row['fnmr']:.1f} %"
        for row in result["at_card_thresholds"]
    ]
    return f"One look at the thresholds of the card gives, {'; '.join(rows)} (target rates are upper bounds)."


def discarded(result: dict[str, Any]) -> list[str]:
    """What rejecting the worst pictures does to the FNMR at 1e-3, by quality score."""
    rows = [row for row in result.get("error_versus_discard", ()) if row["target_fmr"] == 1e-3]
    if not rows:
        return []
    first = rows[0]["fnmr"]
    scores = [
        f"{'our quality score' if row['quality'] == 'chain' else row['quality']} "
        + " / ".join(f"{100 * value:.1f}" for share, value in row["fnmr"].items() if share != "0")
        + " %"
        for row in rows
    ]
    return [
        f"FNMR at FMR 1e-3 is {100 * first['0']:.1f} %; without the worst 5 / 10 / 20 % of the pictures by "
        + "; by ".join(scores)
        + "."
    ]


def detector() -> list[str]:
    result = load("detector")
    return readme_detector.found(result, "" if result is None else source(result))


def attacks() -> list[str]:
    real, simulated = load("pad"), load("pad_simulated")
    told = tuple("" if result is None else source(result) for result in (real, simulated))
    lines = readme_pad.attacks(real, simulated, (told[0], told[1]))
    challenge, flash = load("challenge"), load("flash")
    told = tuple("" if result is None else source(result) for result in (challenge, flash))
    return [*lines, "", *readme_pad.rendered(challenge, flash, (told[0], told[1]))]


def sessions() -> list[str]:
    result = load("session")
    if result is None:
        return ["Sessions: not measured."]
    lines = [
        "**Impostor sessions** (All-Age-Faces, simulated camera; the default is three looks):",
        "",
        "| target FMR | looks | sessions | session FMR | of the target |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        cells = f"{row['target_fmr']:g} | {row['looks']} | {row['sessions']:,} | {row['session_fmr']:.1e}"
        lines.append(f"| {cells} | {row['ratio_to_target']:.2f} |")
    over = [
        f"{row['looks']} look{'s' if row['looks'] > 1 else ''} at {row['target_fmr']:g} ({row['ratio_to_target']:.3f})"
        for row in result["rows"]
        if row["ratio_to_target"] > 1
    ]
    told = f"Over the target: {', '.join(over)}." if over else "None is over its target."
    lines += ["", f"{told} {source(result)}"]
    return lines


def speed() -> list[str]:
    result = load("speed")
    if result is None:
        return ["Speed: not measured."]
    figures = result["figures"]
    tail = ", 1 thread(s)"
    both = [name.removesuffix(tail) for name in figures if name.endswith(tail)]
    lines = [
        f"**Speed** ({result['machine']['processor']}, {result['machine']['cores']} cores; medians of one run; "
        "quote the ratios):",
        "",
        "| 640x480 frame to outcome, template open | 1 thread | 2 threads |",
        "|---|---|---|",
    ]
    for name in both:
        unit = "x" if " / " in name else "ms"
        one, two = (figures[f"{name}, {count} thread(s)"] for count in (1, 2))
        lines.append(f"| {name} | {one:.2f} {unit} | {two:.2f} {unit} |")
    lines += ["", "| once a claim | |", "|---|---|"]
    lines += [f"| {name} | {value:.2f} ms |" for name, value in figures.items() if "thread(s)" not in name]
    missed = [
        f"{name.split(', ', 1)[1].replace('thread(s)', 'thread')} ({share:.2f})"
        for name, share in figures.items()
        if name.startswith("outside / (a)") and share > 0.1
    ]
    verdict = f"is missed with {' and '.join(missed)}" if missed else "is met"
    lines += [
        "",
        f"{source(result)} A face of half the frame's height is judged by one look of the detector when that is sure, "
        f"a smaller one by two. The bar of 0.10 for the share outside the models {verdict}. That share depends on the "
        "machine more than the rest: quote it with its conditions.",
    ]
    return lines


def missed_bars(result: dict[str, Any]) -> str:
    """What a reader must know of a run that missed its bars: by how much, on which load."""
    if result["met"]:
        return ""
    machine, figures = result["machine"], result["figures"]
    over = figures["median_ms"] - figures["bar_ms"]
    return f"**The median's bar was missed by {over:.1f} ms**, at a load of {machine['load_1min']:.0f} on two cores. "


def rest() -> list[str]:
    lines = []
    if (store := load("store")) is not None:
        lines.append(
            f"**Store:** token to open template with {store['enrolled']:,} enrolled takes {store['ratio']:.2f} x as "
            "long as with 10 (`python -m tests.benchmarks.store`)."
        )
    if (scale := load("lab_scale")) is not None:
        figures = scale["figures"]
        lines.append(
            f"**Lab:** all {figures['pairs']:.1e} pairs of {figures['pictures']:,.0f} pictures are counted twice in "
            f"{figures['processor_s']:.0f} s of processor time, with {1000 * figures['peak_gb']:.0f} MB at the most; "
            f"{(figures['histograms_s'] + figures['errors_s']) / 60:.0f} minutes by the clock beside other loads "
            f"(load {scale['machine']['load_1min']:.0f} on {scale['machine']['cores']} cores). {source(scale)}"
        )
    if (process := load("process")) is not None:
        figures = process["figures"]
        lines.append(
            f"**Process:** `edge --help` takes {figures['start_ratio']:.1f} x `python -c pass`; `edge run` peaks at "
            f"{figures['pss_mb']:.0f} MB (PSS of all its processes) and takes {100 * figures['idle_share']:.0f} % of a "
            f"core while nobody comes. Its self-test at power-on takes {figures['power_on_cpu_s']:.1f} s of processor "
            f"time, a start to its first decision {figures['first_cpu_s']:.1f} s (by the clock, at a load of "
            f"{process['machine']['load_1min']:.0f}, {figures['power_on_s']:.0f} and {figures['first_s']:.0f} s). "
            f"{source(process)}"
        )
    if (door := load("door")) is not None:
        f = door["figures"]
        lines.append(
            f"**Door:** from a card that is read to a relay that is energised, {f['claims']:.0f} claims at 30 frames a "
            f"second with page and journal on: median {f['median_ms']:.0f} ms (bar {f['bar_ms']:.0f}: three frames and "
            f"the decision, {f['decision_ms']:.0f} ms), 99th percentile {f['p99_ms']:.0f} ms (bar 300). A second "
            f"frame before the first comparison would cost {f['warm2_median_ms'] - f['median_ms']:.0f} ms; with none, "
            "and without the passive network, a frozen picture would be accepted. A challenge takes "
            f"{f['challenge_median_s']:.0f} s on top. {missed_bars(door)}{source(door)}"
        )
    if (soak := load("door_soak")) is not None:
        f = soak["figures"]
        lines.append(
            f"**{f['minutes']:.0f} minutes of it** at 15 frames a second: {f['claims']:.0f} claims, memory "
            f"{f['growth_mb']:+.1f} MB after warm-up, {f['cpu_between_claims']:.1%} of a core between claims, "
            f"the search for codes included. {source(soak)}"
        )
    if (policy := load("policy")) is not None:
        figures = policy["figures"]
        lines.append(
            f"**Policy:** all {figures['rules']} rules of {figures['packs']} packs evaluated in "
            f"{figures['evaluate_ms']:.1f} ms, {figures['evaluate_to_read']:.3f} x reading their YAML; a device's "
            f"daily look {figures['daily_ms']:.1f} ms. {source(policy)}"
        )
    lines.append("Nothing was measured on a Raspberry Pi yet.")
    return ["\n\n".join(lines)]


def section() -> str:
    parts = [
        cards.models(),
        accuracy(),
        detector(),
        cards.calibration(),
        cards.groups(),
        attacks(),
        cards.failures(),
        sessions(),
        speed(),
        rest(),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def with_figures(page: str) -> str:
    """models/README.md with the section made anew."""
    before, rest_ = page.split(BEGIN, 1)
    return before + BEGIN + "\n" + section() + "\n" + END + rest_.split(END, 1)[1]


def with_turns(page: str) -> str:
    """README.md with what the head turns stopped."""
    result = load("challenge")
    if result is None:
        return page
    begin, end = "<!-- turns -->", "<!-- /turns -->"
    before, rest_ = page.split(begin, 1)
    return f"{before}{begin}{readme_pad.turns(result)}, {result['date']}{end}{rest_.split(end, 1)[1]}"


#: Page -> its text with the generated part made anew.
PAGES: dict[str, Callable[[str], str]] = {
    "README.md": with_turns,
    "models/README.md": with_figures,
    "config/policy/README.md": with_packs,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--write", action="store_true", help="write the pages; otherwise only say which are not current (exit code 1)"
    )
    arguments = parser.parse_args()
    stale = 0
    for name, made_anew in PAGES.items():
        old = (ROOT / name).read_text(encoding="utf-8")
        new = made_anew(old)
        if new == old:
            continue
        if arguments.write:
            (ROOT / name).write_text(new, encoding="utf-8")
        else:
            print(f"{name} is not current")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
