"""What was measured of the detector is added up, drawn and told as it is."""

from __future__ import annotations

import json

from matplotlib.figure import Figure

from models.training import recall, recall_covers, recall_plot, recall_report, recall_scenes
from tests.benchmarks import readme_detector


def test_rates_come_with_wilson_s_interval():
    tally = recall.Tally(cases=100, found={"two": 90, "first": 100, "one": 0})
    row = tally.row()
    assert row["two"] == {"found": 90, "recall": 0.9, "low": 0.82563, "high": 0.94477}
    assert row["first"]["high"] == 1
    assert row["one"]["low"] == 0


def small() -> dict[str, dict[str, recall.Tally]]:
    """A measurement of ten frames a row, of which nine are found."""
    keys = {
        "size": [f"{low:.4f}" for low in recall.SIZES[:-1]], "yaw_plain": recall.YAWS, "roll": recall.ROLLS,
        "luminance": recall.LUMINANCES, "covered": recall_covers.COVERS, "cut": recall_scenes.EDGES,
        "second": [f"{low:g}" for low in recall.RATIOS[:-1]], "crops": ["as they are", "looking aside"],
        "empty_frames": ["held out", "seen in training"],
    }  # fmt: skip
    keys |= {"size_disturbed": keys["size"], "yaw_cluttered": recall.YAWS, "empty_pictures": keys["empty_frames"]}
    return {
        group: {str(key): recall.Tally(10, {"two": 9, "first": 10, "one": 5}) for key in rows}
        for group, rows in keys.items()
    }


def test_what_is_quoted_adds_up_rows():
    found = small()
    found["yaw_plain"]["45"].found["two"] = 7
    found["covered"]["mask"].found["two"] = 1
    found["empty_frames"]["held out"].found["two"] = 1
    quoted = recall_report.result(found, 1)["quoted"]
    assert quoted["yaw 45"]["two"]["recall"] == 0.85
    assert quoted["yaw 45"]["cases"] == 40
    assert quoted["covered"]["two"]["recall"] == 0.7
    assert [quoted[name]["cases"] for name in ("covered", "cut", "second person")] == [40, 40, 30]
    assert quoted["empty frames"]["two"]["share"] == 0.5
    assert quoted["empty frames, held out"]["cases"] == 10


def test_the_picture_has_nine_panels_and_their_titles_say_what_was_found(tmp_path, monkeypatch):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k))[1])
    found = small()
    found["covered"]["mask"].found["two"] = 5
    for tally in found["second"].values():
        tally.found["two"] = 10
    result = json.loads(json.dumps(recall_report.result(found, 1)))
    recall_plot.draw({"models": {"detector": "0" * 64}, **result}, tmp_path / "small.png")
    seen = [axis.get_title() for axis in figures[0].axes]
    assert len(seen) == 9
    assert seen[6:] == ["Covered: 80 %, mask only 50 %", "Cut by the frame: 90 %", "Two people: 100 %"]
    assert (tmp_path / "small.png").read_bytes()[:4] == b"\x89PNG"


def test_the_readme_tells_every_row_that_was_measured_and_no_other():
    result = recall_report.result(small(), 1)
    told = "\n".join(readme_detector.found(result, ""))
    assert all(f"| {row} | 90.0 % (" in told for row in readme_detector.ROWS.values())
    del result["quoted"]["cut"]
    assert len(readme_detector.found(result, "")) == told.count("\n")
