"""The held-out fifth: the same for everybody, whatever the order, and without half of a pair of one person."""

from __future__ import annotations

from models.training.split import excluded_from_training, held_out

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
    assert held_out("55_0_0_20170117185733289.jpg") is False


def test_training_leaves_out_whoever_shares_a_person_with_a_held_out_picture(tmp_path):
    out = next(name for name in NAMES if held_out(name))
    partner, other, apart, alone = [name for name in NAMES if not held_out(name)][:4]
    listed = tmp_path / "same.csv"
    listed.write_text(f"{partner},{out},0.91\n{other},{partner},0.85\n{apart},{alone},0.80\nnot-a-crop.jpg,{out},0.9\n")
    excluded = excluded_from_training([out, partner, other, apart, alone], listed)
    assert excluded == {out, partner, other}


def test_without_a_list_only_the_held_out_are_left_out(tmp_path):
    assert excluded_from_training(NAMES, tmp_path / "none.csv") == {name for name in NAMES if held_out(name)}
