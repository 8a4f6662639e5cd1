"""What Python runs in the middle of a comparison (audit hooks, trace functions), and whoever shares its stream."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Desk
from tests.installed import python

#: The device's camera sees Ada: patched in, since there is none here. The rest is public names and Python's own.
HOOKS = """
import json, sys
from pathlib import Path
import cv2, numpy as np
from edge.fictional import FictionalSource, one_who_stays
from edge.service import parts
parts.open_source = lambda camera: FictionalSource(one_who_stays("ada"), real=True)
from edge import Device, errors, load_settings
from edge.face import Chain
from edge.face.match import COMPARED, compare
from edge.settings.model import FaceSettings
from edge.types import Frame

folder, cards = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
picture = cv2.imread(sys.argv[3])
chain, told = Chain.load(FaceSettings()), []
look = chain.look(Frame(cv2.copyMakeBorder(picture, 60, 60, 60, 60, cv2.BORDER_REPLICATE), 0, 1, "mine"))


def hook(event, args):
    if event == COMPARED:
        try:
            chain.embed(look, "mine")
            told.append("an embedding")
        except errors.SpentError as error:
            told.append(error.what)


def decided(device, stream, overwrite=False):
    after = 0

    def cancelled():
        nonlocal after
        if overwrite:
            frame = stream.next(after, 5.0)
            after = frame.monotonic_ns
            black = np.zeros_like(frame.image)
            owner = frame.image.base
            for way in (lambda: frame.image.__setitem__(slice(None), black), lambda: owner.__setitem__(0, 0),
                        lambda: getattr(owner, "obj").__setitem__(slice(None), black),
                        lambda: frame.image.setflags(write=True)):
                try:
                    way()
                    ways.append("written")
                except (ValueError, TypeError, AttributeError):
                    pass
            object.__setattr__(frame, "image", black)  # one's own object may be changed, and nobody else sees it
        return False

    return device.decide(cards[0], lambda: stream, cancelled=cancelled)


def trace(frame, event, given):
    traced.add(frame.f_code.co_name)


ways, traced = [], set()
sys.addaudithook(hook)
with Device.open(load_settings(folder / "v4l2.yaml"), hold="attack") as device:
    device._clock.confirm("test")
    outcomes = []
    with device.stream() as stream:
        outcomes.append(decided(device, stream).outcome.value)
        outcomes.append(decided(device, stream, overwrite=True).outcome.value)
        sys.settrace(trace)
        try:
            outcomes.append(decided(device, stream).outcome.value)
        except errors.SpentError as error:
            outcomes.append(error.what)
        finally:
            sys.settrace(None)
print(json.dumps({"device": device.build.is_device, "told": told, "outcomes": outcomes, "ways": ways,
                  "traced": sorted(traced & {"embed", "compare", "cosine", "unrotated", "open_sealed"} - {"compare"})}))
"""


def test_what_python_runs_in_the_middle_of_a_comparison_gets_nothing(office: Path, desk: Desk, cards: Path):
    done = python(office, HOOKS, str(desk.folder), str(cards), desk.person("hana"))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["device"]
    assert said["told"], "comparisons were made"
    assert set(said["told"]) == {"there is an embedding inside of a session only"}
    assert said["ways"] == [], "nobody can write into a frame"
    assert said["outcomes"][:2] == ["accept", "accept"], "what another reader does to a frame, the session does not see"
    assert said["outcomes"][2] == "accept"
    assert said["traced"] == [], "where embeddings are, it is not"
