"""A device in a folder, as an integrator's test would use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.camera import Pulled
from edge.errors import SourceEnded
from edge.fictional import FictionalSource, OnePerson
from edge.testing import FakeDoor, ScriptedCamera, site
from edge.types import Outcome


def test_a_fake_door_is_released_for_the_holder_of_a_card_and_for_nobody_else(tmp_path: Path):
    with site(tmp_path, door=FakeDoor()) as here:
        mine, theirs = here.enrol("ada"), here.enrol("chen")
        for token in (mine, theirs):
            here.device.act(here.device.verify(token))
        assert here.door.released == 1
    assert not here.door.open_now
    assert [event.kind for event in here.events if event.kind.startswith("door.")] == ["door.opened"]


def test_a_scripted_camera_shows_what_it_was_given_and_then_ends(tmp_path: Path):
    source = FictionalSource((OnePerson("ada", 60.0),))
    source.open()
    shown = [(source.read(1.0).image, k / 15) for k in range(40)]
    with site(tmp_path) as here:
        token = here.enrol("ada")
        stream = Pulled(ScriptedCamera(shown))
        assert here.device.decide(token, stream.start).outcome is Outcome.ACCEPT
        with pytest.raises(SourceEnded):
            stream.next(10**12, 1000.0)
