"""models/README.md's account of what the detector finds, made of `results/detector.json` (`detector recall`)."""

from __future__ import annotations

from typing import Any

PICTURE = "detector-recall.png"
#: Share of photographs without a face in which one may be found.
MOST_ALARMS = 0.01
#: Rows of the table: key of ``quoted`` -> what people are told.
ROWS = {
    "size 40-48 px": "faces of 40-48 px (8.3-10 % of the frame's height)",
    "size 40-48 px, disturbed": "the same under hard light, noise, odd colours",
    "size 20-30 %": "faces of 20-30 % of the frame's height",
    "size 20-30 %, disturbed": "the same under hard light, noise, odd colours",
    "yaw 45": "turned by 45 degrees (fictional heads)",
    "roll 30": "tilted by 30 degrees",
    "luminance 25": "in the dark: mean luminance 25 of 255",
    "crops": "crops of 45 % of the frame's height, people as they come",
    "crops, aside": "the same heads turned by up to 40 degrees (by their meshes)",
    "covered": "with dark glasses, a mask, a hat or a hand before the face (drawn)",
    "cut": "10-35 % of the face outside the frame",
    "second person": "a second person, half as high or more (both found)",
}


def found(result: dict[str, Any] | None, source: str) -> list[str]:
    """The block.

    Args:
        result: the JSON, or None when it was never measured.
        source: where it comes from, as a sentence.
    """
    if result is None:
        return ["What the detector finds: not measured."]
    quoted = result["quoted"]
    lines = [
        "**What the detector finds** in frames of 640x480 (held-out people before held-out backgrounds, IoU >= 0.5; in "
        "brackets 95 % intervals; looking once is the same net without the second, near look):",
        "",
        "| | found | looking once | landmark error, % of eye distance | looking once |",
        "|---|---|---|---|---|",
    ]
    for key, told in ROWS.items():
        if key not in quoted:  # measured before there was such a row
            continue
        two, one = quoted[key]["two"], quoted[key]["one"]
        cells = f"{told} | {rate(two, 'recall')} | {percent(one['recall'])}"
        lines.append(f"| {cells} | {error(two)} | {error(one)} |")
    whole, frames = quoted["empty pictures"], quoted["empty frames"]
    held = quoted["empty pictures, held out"]
    trained = whole["cases"] - held["cases"]
    lines += [
        "",
        f"Of {whole['cases']} photographs without a face ({trained} of them seen in training) it finds one in "
        f"{whole['two']['found']}, {rate(whole['two'], 'share')}, looking once in {percent(whole['one']['share'])}; of "
        f"their middles as frames in {frames['two']['found']} ({percent(frames['two']['share'])} and "
        f"{percent(frames['one']['share'])}); of the {held['cases']} that it never saw in {held['two']['found']} and "
        f"{held['one']['found']}. The bar of 1 % is {met(whole)} on photographs and {met(frames)} on frames. {source}",
        "",
        f"![Recall of the detector by what makes a face hard, its landmark errors and false alarms]({PICTURE})",
    ]
    return lines


def met(row: dict[str, Any]) -> str:
    return "met" if row["two"]["share"] <= MOST_ALARMS else "missed"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def rate(part: dict[str, float], key: str) -> str:
    """A share with its interval."""
    return f"{percent(part[key])} ({100 * part['low']:.1f}-{100 * part['high']:.1f})"


def error(part: dict[str, float]) -> str:
    return f"{100 * part['landmark_error']:.1f}" if "landmark_error" in part else ""
