"""models/README.md's account of attack detection: real frames, simulated ones, and what is not stopped."""

from __future__ import annotations

from typing import Any

from edge.lab.intervals import clopper_pearson
from tests.benchmarks.challenge import SHEETS

#: Rows of the frames' table in the results: key -> how it is called.
ROWS = {
    "nuaa print": "hand-held prints of 9 people (NUAA)",
    "w1 phone": "phone, video (w1)",
    "w2 phone": "phone, photograph (w2)",
    "w3 phone": "small old phone (w3)",
    "w4 screen": "laptop's display (w4)",
    "nuaa live": "the 9 people alive",
    "w1 live": "w1 alive",
    "w2 live": "w2 alive",
    "w3 live": "w3 alive",
    "w4 live": "w4 alive",
}
SESSIONS = {"ours": "with it", "teacher pair": "teacher pair at 0.5", "no attack detection": "without any"}


#: Kinds of the flash's sequences -> how they are called.
COLOURS = {"recording": "recordings under other colours", "injected": "injected ones", "still": "recordings without"}


def turns(result: dict[str, Any]) -> str:
    """What the head turns are good for, on one line: attacks, then people alive; bounds are exact, of 95 %."""
    kinds, told = result["kinds"], []
    sheets = [kinds[kind] for kind in SHEETS if kind in kinds]
    attacks = {"prints turned, bent or twisted by hand": sheets, "recordings in another order": [kinds["recording"]]}
    for title, rows in attacks.items():
        accepted, total = (sum(row[key] for row in rows) for key in ("accepted", "challenged"))
        told.append(f"{accepted:,} of {total:,} {title} (at most {clopper_pearson(accepted, total)[1]:.1%})")
    live = kinds["live"]
    return (
        f"{' and '.join(told)} got in; {live['accepted']:,} of {live['sequences']:,} people alive did (at least "
        f"{live['interval'][0]:.1%}), {live['at_first']:,} at the first attempt, in {live['median_s']:.1f} s (median)"
    )


def rendered(challenge: dict[str, Any] | None, flash: dict[str, Any] | None, sources: tuple[str, str]) -> list[str]:
    """The active lines, on rendered sequences only."""
    lines = []
    if challenge is not None:
        missed = "; ".join(challenge["missed"])
        lines.append(
            "**Head turns**, rendered heads, prints and recordings before the real detector and embedder; no real "
            f"print and no real person was tried. {f'Asked for and missed: {missed}. ' if missed else ''}"
            f"{turns(challenge)}; bounds are exact, of 95 %. {sources[0]}"
        )
    if flash is not None:
        missed, kinds = "; ".join(flash["missed"]), flash["kinds"]
        told = [f"{_share(kinds[kind], 'wrong')} of {title}" for kind, title in COLOURS.items() if kind in kinds]
        lines.append(
            "**Flash of colours**, rendered faces under a camera model. "
            f"{f'Asked for and missed: {missed}. ' if missed else ''}Passed {', '.join(told)}; "
            f"{_share(kinds['live'], 'wrong')} of people alive indoors did not. {sources[1]}"
        )
    return ["\n\n".join(lines)]


def _share(row: dict[str, Any], key: str) -> str:
    return f"{row[key]:,} of {row['sequences']:,} ({row['interval'][0]:.1%}-{row['interval'][1]:.1%})"


def attacks(result: dict[str, Any] | None, simulated: dict[str, Any] | None, sources: tuple[str, str]) -> list[str]:
    """The passive line, failures first."""
    if result is None:
        return ["**Prints and displays:** not measured on real frames."]
    missed = [text for text, met in result["bars"].items() if not met]
    lines = [
        "**Prints and displays**, the passive network, which only takes away. RGB alone is a deterrent. Nobody has "
        "tried a worn mask, a real person behind a cut-out print, or a tablet that somebody makes move: expect all of "
        "them to pass. " + ("Asked for and missed: " + "; ".join(missed) + "." if missed else ""),
        "",
        "Real frames judged wrongly (548 frames of 13 people, for measuring only; one limit for all rows):",
        "",
        "| | " + " | ".join("ours" if name == "ours" else name for name in result["frames"]) + " |",
        "|---|" + "---|" * len(result["frames"]),
    ]
    for key, title in ROWS.items():
        lines.append(f"| {title} | " + " | ".join(row.get(key, "") for row in result["frames"].values()) + " |")
    lines += [
        "",
        "Sessions of three looks by the whole chain and a door's rule, nobody answering a challenge; people, with "
        "exact 95 % intervals:",
        "",
        "| | people whose print was ever accepted | whose phone or display was | alive: accepted, mean of people | "
        "worst person | in doubt, mean of people | ever rejected as an attack |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in SESSIONS.items():
        lines.append(f"| {title} | {_row(result['sessions'][name])} |")
    lines += ["", sources[0]]
    if simulated is not None:
        share = simulated["figures"]
        species = [f"{key.replace('_', ' ')} {value:.0%}" for key, value in simulated["apcer"].items()]
        worst = max(simulated["bpcer"]["group"].items(), key=lambda item: item[1])
        lines += [
            "",
            f"Simulated attacks that pass at the card's limit, on {simulated['looks']} looks at people, backgrounds "
            f"and figures it never saw, through the same kind of cameras: {', '.join(species)}; people alive in "
            f"doubt {share['bpcer']:.0%} ({worst[0]} {worst[1]:.0%} is the worst group of 15 or more). **Missed** "
            "on these families: where people alive are in doubt in 5 %, "
            f"{_range(simulated['at_bpcer_5']['apcer'])} pass (at most 15 % were asked for). All families "
            "were in its training; no network was trained on prints alone to be "
            f"measured on displays, or the other way round. {sources[1]}",
        ]
    lines += ["", "![Each simulated attack, and people alive, of people who do not exist](attack-species.jpg)"]
    return lines


def _range(shares: dict[str, float]) -> str:
    return f"{min(shares.values()):.0%} to {max(shares.values()):.0%} of a species"


def _row(played: dict[str, Any]) -> str:
    people = []
    for key in ("prints", "phones and screens"):
        low, high = played[key]["exact 95 %"]
        people.append(f"{played[key]['people ever accepted']} ({low:.0%}-{high:.0%})")
    alive = played["live, NUAA"]
    worst = min(alive["accepted by person"].values())
    return " | ".join(
        [
            *people,
            f"{alive['accepted, active off, mean']:.0%}",
            f"{worst:.0%}",
            f"{alive['challenged, mean']:.0%}",
            str(alive["people ever rejected as an attack"]),
        ]
    )
