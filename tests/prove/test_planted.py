"""Violations planted by somebody with the builder's key: the signature holds, RECORD holds, and they are found."""

from __future__ import annotations

import zipfile

import pytest

from edge.prove.page import limits
from edge.prove.subject import open_subject
from tests.prove.conftest import Workshop, violations

STORE, TALLY = "edge/vault/store.py", "edge/session/tally.py"
BEFORE = "@dataclass(slots=True)\nclass Tally"


def test_the_wheel_of_this_checkout_has_nothing_against_it(workshop: Workshop):
    checks = workshop.checks(wheel=workshop.folder)
    assert violations(checks) == {}
    assert "signed by acme" in checks["signature"].examined


PLANTED = {
    "sql without a key": (
        STORE,
        "    def checkpoint(self)",
        "    def everybody(self) -> list[bytes]:\n"
        '        return [bytes(row[0]) for row in self._file.read("SELECT sealed FROM template", ())]\n\n'
        "    def checkpoint(self)",
        "sql",
        "SELECT sealed FROM template",
    ),
    "a loop over claims": (
        "edge/service/device.py",
        "    def verify(self",
        "    def who(self, texts, stream):\n"
        "        return [t for t in texts if self.decide(t, stream).outcome.value == 'accept']\n\n"
        "    def verify(self",
        "collections",
        "around self.decide",
    ),
    "a matrix product over templates": (
        TALLY,
        BEFORE,
        "def rank(gallery, probe):\n    import numpy as np\n    return int(np.argmax(gallery @ probe))\n\n\n" + BEFORE,
        "scores",
        "gallery @ probe",
    ),
    "getattr with a name made up": (
        TALLY,
        BEFORE,
        'def rank(gallery, probe):\n    return getattr(gallery, "d" + "ot")(probe)\n\n\n' + BEFORE,
        "dynamic",
        "getattr(gallery",
    ),
    "the comparison changed": (
        "edge/face/match.py",
        "if norm else 0.0",
        "if norm else 1.0",
        "scores",
        "not what was reviewed",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found_though_its_signature_holds(workshop: Workshop, name: str):
    file, old, new, check, words = PLANTED[name]
    checks = workshop.checks(wheel=workshop.plant(workshop.changed(file, old, new)))
    assert checks["signature"].holds
    assert checks["files"].holds
    found = violations(checks)
    assert any(words in text and file in text for text in found[check]), found


def test_a_monkeypatch_by_pth_is_found_in_a_wheel(workshop: Workshop):
    wheel = workshop.plant({"edge_patch.pth": "import edge_patch\n", "edge_patch.py": "import edge.face.match\n"})
    found = violations(workshop.checks(wheel=wheel))
    assert any("edge_patch.pth" in text for text in found["start-up"])
    assert any("edge_patch.py" in text for text in found["rooms"])


def test_a_room_that_does_not_belong_into_a_device_is_found_and_so_is_one_that_nobody_knows(workshop: Workshop):
    names = ("edge/lab/__init__.py", "edge/cli/compare.py", "edge/gallery/search.py", "edge/session/fast.so")
    found = violations(workshop.checks(wheel=workshop.plant(dict.fromkeys(names, ""))))
    assert all(any(name in text for text in found["rooms"]) for name in names)
    assert any("fast.so" in text for text in found["dynamic"])


def test_a_file_added_without_signing_again_shows_twice(workshop: Workshop):
    with zipfile.ZipFile(workshop.folder, "a") as archive:
        archive.writestr("edge/session/more.py", "")
    found = violations(workshop.checks(wheel=workshop.folder))
    assert any("more.py" in text and "belongs to no distribution" in text for text in found["files"])
    assert any("added after it was signed" in text for text in found["signature"])


def test_nothing_that_is_examined_is_ever_imported(workshop: Workshop, tmp_path):
    trace = tmp_path / "imported"
    planted = workshop.changed(
        "edge/session/tally.py",
        "from collections import Counter",
        f"from collections import Counter\nopen({str(trace)!r}, 'w')",
    )
    workshop.checks(wheel=workshop.plant(planted))
    assert not trace.exists()


def test_what_is_not_found_is_named_among_the_limits(workshop: Workshop):
    """Who mends one of these moves it up, into `PLANTED`."""
    missed = {
        "values under other names": "def first(a, b):\n    return a * b\n\n\ndef second(x):\n    return x.sum()\n",
        "a similarity without arithmetic": "def alike(a, b):\n    return len(set(a).intersection(b))\n",
    }
    planted = workshop.changed(TALLY, BEFORE, "\n\n".join([*missed.values(), BEFORE]))
    wheel = workshop.plant(planted)
    assert violations(workshop.checks(wheel=wheel)) == {}
    with open_subject(wheel=wheel) as subject:
        assert set(missed) <= set(dict(limits(subject)))
