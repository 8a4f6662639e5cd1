"""A signed device, installed from its wheel, and twelve cards: every way from a photograph to a decision is refused.

In an earlier version a photograph was enrolled through ``camera.driver: replay`` and searched among twelve people in
0.7 s, by settings and public API alone. The attacker here has the same: the settings file, the device's keys, the
cards, an issuer's key, and a Python that imports `edge`. They change no file of the installation and patch nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.settings.model import LimitSettings
from tests.cli.conftest import Desk
from tests.installed import edge, python

WAYS = """
import json, os, sys
from pathlib import Path
import cv2, numpy as np
import edge
from edge import Device, Operator, Parts, errors, load_settings
from edge.camera import Capture, Pulled, open_source
from edge.fictional import FictionalSource, OnePerson, ShowCode
from edge.profile import BuildInfo
from edge.service.desk import enrolment_on
from edge.settings.model import CameraSettings
from edge.trust import IssuerKey, Keyring
from edge.types import Frame
from edge.vault import ConsentReceipt

folder, cards = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
picture = cv2.imread(sys.argv[3])


class Photograph:
    name = "mine"

    def __init__(self): self.count = 0
    def open(self): pass
    def close(self): pass
    def read(self, timeout_s):
        self.count += 1
        noise = np.random.default_rng(self.count).integers(0, 6, picture.shape, np.uint8)
        return Frame(cv2.add(picture, noise), self.count * 66_000_000, self.count, self.name)


class Disguised(FictionalSource):
    read = Photograph.read
    count = 0


told, decided = {}, []


def trying(name, way):
    try:
        answer = way()
        told[name] = f"WORKED: {answer}"
        decided.append(answer)
    except errors.EdgeError as error:
        told[name] = f"{type(error).__name__}: {error.what}"
    except (ImportError, AttributeError, TypeError) as error:
        told[name] = f"{type(error).__name__}: {error}"


settings = load_settings(folder / "v4l2.yaml")
issuer = IssuerKey.load(folder / "state" / "issuer.key", (folder / "state" / "issuer.passphrase").read_text().strip())
consent = ConsentReceipt("nobody", "test", "en", 1_793_500_000, "nowhere")


def device(**parts):
    return Device.open(settings, Parts(**parts) if parts else None, hold="attack")


def search(opened, stream):
    return [opened.decide(card, stream).outcome.value for card in cards]


def with_parts(**parts):
    with device(**parts) as opened:
        return search(opened, lambda: opened.stream().__enter__())


def with_keys(source):
    # as the demo does it, in a folder of its own
    place = settings.device.model_copy(update={"state_dir": folder / source.__name__})
    parts = Parts(source=source, keyring=Keyring.ephemeral(os.urandom)[0])
    with Device.open(settings.model_copy(update={"device": place}), parts) as opened:
        return opened.stream().__enter__().next(0, 1.0).image.shape


def by_hand(driver):
    camera = CameraSettings(driver=driver, path=sys.argv[3])
    with Device.open(settings.model_copy(update={"camera": camera}), hold="attack") as opened:
        return search(opened, lambda: opened.stream().__enter__())


for driver in ("replay", "fictional"):
    trying(f"settings: {driver}", lambda: load_settings(folder / f"{driver}.yaml"))
    trying(f"open_source: {driver}", lambda: open_source(CameraSettings(driver=driver, path=sys.argv[3])))
    trying(f"settings made by hand: {driver}", lambda: by_hand(driver))
trying("a source of one's own", lambda: with_parts(source=Photograph, fast=True))
trying("with keys of one's own", lambda: with_keys(Photograph))
trying("in a fictional one's clothes", lambda: with_keys(Disguised))
trying("called a development build", lambda: with_parts(build=BuildInfo("development", "1")))
trying("with a clock of one's own", lambda: with_parts(system_clock=lambda: 0.0))
trying("keys that trust another issuer", lambda: with_parts(keyring=Keyring.ephemeral(os.urandom)[0]))
with device() as opened:
    trying("a stream of one's own", lambda: search(opened, lambda: Pulled(Photograph())))
    trying("a captured one", lambda: search(opened, lambda: Capture(Photograph()).start()))
    trying("enrolled from it", lambda: Operator(opened, "kim", stream=lambda: Pulled(Photograph())).enrol(
        issuer=issuer, consent=consent, hand_over=lambda *_: print))
    trying("renewed from it", lambda: Operator(opened, "kim", stream=lambda: Pulled(Photograph())).renew(
        cards[0], override=True, issuer=issuer, hand_over=lambda *_: print))
    trying("enrolled from pictures", lambda: Operator(opened, "kim").enrol(
        issuer=issuer, consent=consent, hand_over=lambda *_: print, pictures=[Frame(picture, 0, 0, "p")]))
    trying("by the verifier itself", lambda: opened._verifier.verify(
        opened._admission.receive(cards[0], 0), Pulled(Photograph()).__enter__()))
    trying("by the enrolment itself", lambda: enrolment_on(opened).from_stream(Pulled(Photograph()).__enter__(), None))
    look = opened._chain.look(Frame(picture, 0, 0, "p"))
    trying("an embedding of a look", lambda: opened._chain.embed(look, "mine").consume("mine").shape)
    trying("an embedding of a crop", lambda: opened._chain.embedder.embed(
        opened._chain.embedder.align(picture, look.faces[0].landmarks)).shape)
trying("the module of pictures", lambda: __import__("edge.session.pictures"))
trying("the module of replay", lambda: __import__("edge.camera.replay"))
trying("a card that shows a picture", lambda: [FictionalSource((ShowCode(picture),)).open()] and FictionalSource(
    (ShowCode(picture),)).read(1.0))
print(json.dumps(told))
"""


def test_no_setting_and_no_public_function_of_a_device_build_takes_a_picture(office: Path, desk: Desk, cards: Path):
    assert len(json.loads(cards.read_text())) == 12
    done = python(office, WAYS, str(desk.folder), str(cards), desk.person("hana"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told) == 24
    refusals = ("NotInThisBuild: ", "SettingsError: ", "SourceUnavailable: ", "ModuleNotFoundError: ", "SpentError: ")
    drawn = told.pop("a card that shows a picture")
    assert not drawn.startswith("WORKED")
    assert {name: answer for name, answer in told.items() if not answer.startswith(refusals)} == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--image"),
        ("enrol", "--operator", "kim", "--image"),
    ],
)
def test_no_command_of_a_device_build_takes_a_picture(
    office: Path, desk: Desk, cards: Path, arguments: tuple[str, ...]
):
    token = desk.folder / "one.token"
    token.write_text(json.loads(cards.read_text())[0])
    more = ("--token", str(token)) if arguments[0] == "verify" else ("--consent", str(desk.consent))
    done = edge(office, *arguments, desk.person("ada"), *more, "--config", str(desk.folder / "v4l2.yaml"))
    assert (done.returncode, "never a picture file" in done.stderr) == (3, True)


def test_a_device_s_settings_have_no_camera_by_default(office: Path, desk: Desk):
    bare = desk.folder / "bare.yaml"
    bare.write_text("alternative: Reception\n")
    done = edge(office, "config", "check", str(bare))
    said = "camera.driver: no camera is named, and a device has no default"
    assert (done.returncode, said in done.stdout + done.stderr) == (3, True)
    done = edge(office, "config", "check", str(desk.folder / "fictional.yaml"))
    assert (done.returncode, "this build has no fictional" in done.stdout + done.stderr) == (3, True)


def test_no_settings_make_looping_over_cards_quick():
    """The loosest limits that settings can have, and a thief with all the cards they want, for a day."""
    loosest = {}
    for name, field in LimitSettings.model_fields.items():
        low, high = (
            next((getattr(one, bound) for one in field.metadata if hasattr(one, bound)), None) for bound in ("ge", "le")
        )
        # many failures are allowed, and every wait and memory is short
        loosest[name] = low if name.endswith("_s") else high
    limits, day = LimitSettings(**loosest), 86_400
    assert limits.fan_out_cards <= 16
    # at first so many at once, then one card for each wait, which doubles up to its longest
    doubling = limits.fan_out_wait_s
    waited, cards = 0.0, limits.fan_out_cards
    while waited < day:
        waited, cards = waited + doubling, cards + 1
        doubling = min(2 * doubling, limits.fan_out_wait_max_s)
    assert cards < 100
    assert limits.card_wait_s >= 30
    assert limits.card_disable <= 100
