"""What exists inside of a session only does not keep an installed device build from its work: every act that captures.

No camera of a device build shows generated people, so its source is patched here, in the very process; so is what it
declares on custody, because a card has no room for a second reference.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Desk
from tests.installed import python

ACTS = """
import json, sys
from pathlib import Path
import numpy as np
from edge import Device, Operator, load_settings
from edge.fictional import FictionalSource, OnePerson
from edge.fictional.actor import Actor
from edge.service import desk, operator, parts
from edge.trust import IssuerKey
from edge.types import Direction
from edge.types.acts import EnrolmentProgress
from edge.vault import ConsentReceipt

folder = Path(sys.argv[1])
settings = load_settings(folder / "v4l2.yaml")
settings = settings.model_copy(update={"vault": settings.vault.model_copy(update={"custody": "device"})})
state = settings.device.state_dir
issuer = IssuerKey.load(state / "issuer.key", (state / "issuer.passphrase").read_text().strip())
actor = Actor.living(np.random.default_rng(3))
parts.open_source = lambda camera: FictionalSource((OnePerson("ada", 600.0, walk_up=False),), real=True, actor=actor)
desk.need_as_declared = operator.need_as_declared = lambda *_, **__: None
cards, asked = [], set()


def keep(issued, consent):
    cards.append(issued.text)
    return cards.pop


def told(event):
    asked.update(advice.value for advice in getattr(event, "advice", ()) if isinstance(event, EnrolmentProgress))


with Device.open(settings, hold="test") as device:
    device.observe(told)
    before = device._vault.people()
    kim, consent = Operator(device, "kim"), ConsentReceipt("Ada", "1", "en", device._clock.now().utc_s - 60, "the desk")
    kim.enrol(issuer=issuer, consent=consent, hand_over=keep)
    first = device.verify(cards[-1]).outcome.value
    kim.add_reference(cards[-1], issuer=issuer, hand_over=keep)
    second = device.verify(cards[-1]).outcome.value
    kim.renew(cards[-1], issuer=issuer, hand_over=keep)
    kim.renew(cards[-1], override=True, issuer=issuer, hand_over=keep)
    kim.reissue(cards[-1], issuer=issuer, hand_over=keep)
    decision = device.verify(cards[-1])
    print(json.dumps({"outcomes": [first, second, decision.outcome.value], "score": decision.score,
                      "asked": sorted(asked), "people": device._vault.people() - before,
                      "device": device.build.is_device}))
"""


def test_a_device_build_enrols_adds_a_reference_renews_reissues_and_verifies(office: Path, desk: Desk):
    done = python(office, ACTS, str(desk.folder))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["device"]
    assert told["score"] is None
    assert told["outcomes"] == ["accept"] * 3
    assert {"turn_left", "turn_right"} & set(told["asked"]), "turns of the head are asked for"
    assert told["people"] == 1
