"""The held-out fifth: the same for everybody, whatever the order, and without half of a pair of one person."""

from __future__ import annotations

import numpy as np

from models.training.split import held_out, held_out_names, people_of

FF = [f"ff_{number:06d}.jpg" for number in range(200)]
NAMES = [f"{number:05d}A{number % 70 + 10}.jpg" for number in range(5000)]


def test_a_fifth_is_held_out():
    assert 0.18 < sum(map(held_out, NAMES)) / len(NAMES) < 0.22


def test_the_answer_never_changes():
    # the first names of each tar; whoever changes the rule makes every card's "held out" a lie
    assert [name for name in NAMES[:40] if held_out(name)] == [
        "00002A12.jpg",
        "00006A16.jpg",
        "00008A18.jpg",
        "00015A25.jpg",
        "00018A28.jpg",
        "00020A30.jpg",
        "00032A42.jpg",
        "00033A43.jpg",
    ]
    assert [name for name in FF[:20] if held_out(name)] == [f"ff_{n:06d}.jpg" for n in (0, 2, 5, 9, 10, 11, 14, 15, 16)]


def test_the_pictures_of_one_person_stand_on_the_side_of_the_first(tmp_path):
    inside, *others, alone = [name for name in NAMES if not held_out(name)][:5]
    out, far = [name for name in NAMES if held_out(name) and name > others[-1]][:2]
    pairs = [(out, others[0]), (inside, others[0]), (far, "not-a-crop.jpg")]
    assert people_of([out, inside, *others, alone], pairs)[out] == inside
    listed = tmp_path / "same.csv"
    listed.write_text("".join(f"{a},{b},0.9\n" for a, b in pairs))
    assert held_out_names([out, inside, *others, alone, far], listed) == {far}


def test_whom_a_held_out_picture_comes_first_of_is_held_out_whole(tmp_path):
    out = next(name for name in NAMES if held_out(name))
    later = [name for name in NAMES if not held_out(name) and name > out][:3]
    (tmp_path / "same.csv").write_text(f"{later[1]},{later[0]},0.8\n{later[0]},{out},0.7\n")
    assert held_out_names([*later, out], tmp_path / "same.csv") == {out, later[0], later[1]}


def test_no_pair_straddles_the_split(tmp_path):
    rng = np.random.default_rng(0)
    pairs = [(NAMES[a], NAMES[b]) for a, b in rng.integers(0, len(NAMES), (2000, 2))]
    (tmp_path / "same.csv").write_text("".join(f"{a},{b},0.7\n" for a, b in pairs))
    held = held_out_names(NAMES, tmp_path / "same.csv")
    assert all((a in held) == (b in held) for a, b in pairs)
    assert 0.1 < len(held) / len(NAMES) < 0.3


def test_without_a_list_everybody_is_in_one_picture(tmp_path):
    assert held_out_names(NAMES, tmp_path / "none.csv") == {name for name in NAMES if held_out(name)}
