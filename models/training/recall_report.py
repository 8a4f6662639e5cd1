"""The detector's figures as JSON.

    write(found, Path("detector.json"), command="...", seed=1)

The JSON has the head of every benchmark (`tests.benchmarks.report`): ``figures`` is flat, for the card and the README;
``groups`` holds each row's counts, rates with Wilson's 95 % interval, and quartiles of the landmark error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.face import load_card
from models.training import recall
from models.training.recall import Tally
from models.training.recall_scenes import MOST_GAIN

Found = Mapping[str, Mapping[str, Tally]]


def _percent(bounds: tuple[float, float]) -> str:
    return "-".join(f"{100 * bound:g}" for bound in bounds)


WHAT = {
    "size": "held-out portraits pasted whole on held-out backgrounds; row: lower edge of the bin, share of the "
    f"frame's height (upper edge of the last: {recall.SIZES[-1]:g})",
    "size_disturbed": "the same frames under the light, colour and noise of training (models.training.photometric)",
    "yaw_plain": "fictional heads turned in depth before plain walls, 40 % of the frame's height; row: degrees. The "
    "twelve people are averages of portraits of which the detector may have seen some",
    "yaw_cluttered": "the same before held-out backgrounds",
    "roll": "held-out portraits, 40 % of the frame's height, rolled in the picture; row: degrees",
    "luminance": "held-out portraits of 20-60 % of the frame's height; row: mean luminance of the face of 255, sensor "
    f"noise amplified by 120 / luminance, 1 to {MOST_GAIN:g}",
    "covered": f"held-out portraits of {_percent(recall.NEAR)} % of the frame's height with something drawn before the "
    "face (models.training.recall_covers): dark glasses over both eyes; a mask from under the eyes to the chin; a hat "
    "down to just above the eyes; a hand of up to a third of the face over its lower two thirds",
    "cut": f"held-out portraits of {_percent(recall.NEAR)} % of the frame's height, {_percent(recall.CUT)} % of the "
    "face's box outside the frame; row: at which edge",
    "second": f"two held-out people in one frame, their boxes apart, the first of {_percent(recall.FIRST)} % of the "
    "frame's height; row: lower edge of the bin of the second's height, share of the first's (upper edge of the last: "
    f"{recall.RATIOS[-1]:g})",
    "crops": "held-out crops of All-Age-Faces and FairFace, faces as they come in pose, light and expression, "
    f"{100 * recall.WILD:g} % of the frame's height; their border goes on to the frame's edges; row: as they are, or "
    "turned by their meshes by up to 40 degrees of yaw, 20 of pitch (models.training.turned_crops, used in training)",
    "empty_pictures": "photographs in which YuNet sees no face, as they are; found: a face was; row: the net was "
    "trained on them (index % 15 != 0), or not (held out)",
    "empty_frames": "the same, their middle as a frame of 640x480",
}
NOTES = (
    "two: as shipped; one: the same net looking once at score 0.5; first: what the first look (score "
    "0.3) hands to the second, with an IoU of 0.25 or more",
    "a face is found when the IoU with the true box is 0.5 or more; landmark errors are medians over found faces, as "
    "shares of the distance between the eyes",
    "few people stand behind many frames, so intervals are somewhat too narrow; the held-out pictures were also looked "
    "at when the scores of both looks were chosen",
    "covered: drawn, not photographed; with other shapes than training draws. Landmarks under a cover do not count",
    "cut: the true box keeps its full size beyond the frame, as if that were larger; landmarks outside are left out",
    "second: found when both faces are, on which the one-face rule rests (FaceSettings.second_face); landmark errors "
    "are of every face that was found",
)


def sums(found: Found) -> dict[str, Tally]:
    """What the README quotes: some rows, and some rows together."""
    forty, verified = f"{40 / 480:.4f}", "0.2000"
    both = {group: [found[group][str(sign)] for sign in (-45, 45)] for group in ("yaw_plain", "yaw_cluttered")}
    return {
        "size 40-48 px": found["size"][forty],
        "size 40-48 px, disturbed": found["size_disturbed"][forty],
        "size 20-30 %": found["size"][verified],
        "size 20-30 %, disturbed": found["size_disturbed"][verified],
        "yaw 45": sum([*both["yaw_plain"], *both["yaw_cluttered"]], Tally()),
        "roll 30": found["roll"]["-30"] + found["roll"]["30"],
        "luminance 25": found["luminance"]["25"],
        "covered": sum(found["covered"].values(), Tally()),
        "cut": sum(found["cut"].values(), Tally()),
        "second person": sum(found["second"].values(), Tally()),
        "crops": found["crops"]["as they are"],
        "crops, aside": found["crops"]["looking aside"],
        "empty frames": sum(found["empty_frames"].values(), Tally()),
        "empty frames, held out": found["empty_frames"]["held out"],
        "empty pictures": sum(found["empty_pictures"].values(), Tally()),
        "empty pictures, held out": found["empty_pictures"]["held out"],
    }


def result(found: Found, seed: int) -> dict[str, Any]:
    """Everything but the head of the JSON."""
    quoted = {name: tally.row(rate_of(name)) for name, tally in sums(found).items()}
    figures = {}
    for name, row in quoted.items():
        for look, said in (("two", "two looks"), ("one", "one look")):
            for key in {rate_of(name), "landmark_error"} & set(row[look]):
                figures[f"{name}, {said}: {key.replace('_', ' ')}"] = row[look][key]
    groups = {
        group: {key: tally.row(rate_of(group)) for key, tally in tallies.items()} for group, tallies in found.items()
    }
    figures = dict(sorted(figures.items()))
    return {"figures": figures, "seed": seed, "notes": NOTES, "what": WHAT, "quoted": quoted, "groups": groups}


def rate_of(name: str) -> str:
    """What the share of found faces is called: with no face in the picture it is no recall."""
    return "share" if name.startswith("empty") else "recall"


def write(found: Found, target: Path, *, command: str, seed: int) -> None:
    """Write the JSON.

    Args:
        found: of `recall.measure`.
        target: the file.
        command: that repeats it. seed: it was measured with.
    """
    from tests.benchmarks import report

    models = {"detector": load_card("detector").sha256}
    report.write(target, schema="edge/benchmark/detector/v1", command=command, models=models, **result(found, seed))
