"""An installed device build, by all that its modules offer: no embedding, score or template, and no shorter wait.

The attacker writes Python on the device, has its settings, keys and cards, and uses any name without an underscore, of
any module. What they cannot be kept from (patching what runs, calling the model's runtime themselves, root) is said in
the README and in deploy/THREATS.md.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Desk
from tests.installed import python

WAYS = """
import json, os, sys, tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
import cv2, numpy as np
from edge import Decision, Device, Frame, Operator, Parts, errors, load_settings
from edge.camera import Capture, Health, Pulled, open_stream
from edge.face import Chain, Runner, load_card, match
from edge.fictional import FictionalSource, OnePerson
from edge.service import speed
from edge.session import Cells, Enrolment, Verifier
from edge.session.cell import Cell
from edge.settings.model import FaceSettings, Settings
from edge.trust import Keyring
from edge.types import Custody, Outcome, Probe, Reason, Template
from edge.types.rotation import Rotation
from edge.vault import Header, Issuance
from edge.vault.seal import new_lock

folder, cards = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
picture = cv2.resize(cv2.imread(sys.argv[3]), (640, 480))
settings, chain, told = load_settings(folder / "v4l2.yaml"), Chain.load(FaceSettings()), {}
numbers = np.arange(-64, 64).astype(np.int8)
runner = Runner(load_card("embedder"), 1)
card, model = cards[0], bytes.fromhex(chain.model)


class Photograph:
    name, count = "mine", 0

    def open(self): pass
    def close(self): pass
    def read(self, timeout_s):
        self.count += 1
        noise = np.random.default_rng(self.count).integers(0, 6, picture.shape, np.uint8)
        return Frame(cv2.add(picture, noise), self.count * 66_000_000, self.count, self.name)


class SaysSo:
    # a stream of one's own that claims to be equal to the device's
    def __init__(self, real): self.real, self.mine = real, Pulled(Photograph()).start()
    def __hash__(self): return hash(self.real)
    def __eq__(self, other): return True
    def __getattr__(self, name): return getattr(self.mine, name)


class NoLimits:
    def __getattr__(self, name): return lambda *_: None


class Loose(Settings):
    pass


def trying(name, way):
    try:
        told[name] = f"WORKED: {way()}"
    except errors.EdgeError as error:
        told[name] = f"{type(error).__name__}: {error.what}"
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        told[name] = f"{type(error).__name__}: {error}"


def opened(parts=None, **changed):
    return Device.open(settings.model_copy(update=changed), parts, hold="attack")


def fictional():
    return FictionalSource((OnePerson("ada", 60.0, walk_up=False),))


def here(embed=None):
    # what happens in a session's own process, in this one
    return Cell({model: embed or chain.embedder.runner.embed}, model)


def enrolled(stream, **more):
    cell = here()
    Enrolment(chain, 0.0, want=1).from_stream(stream, cell, **more)
    return cell.settle(0.0)


def limits(**changed):
    with opened(limits=settings.limits.model_copy(update=changed)) as device:
        return device.settings.limits


class Mine:
    # a chain of one's own, which embeds something else when it is asked inside of a session
    def __getattr__(self, name): return getattr(chain, name)
    def pixels(self, look):
        told["seen by a chain of one's own"] = f"WORKED: {chain.embed(look, 's').consume('s').shape}"
        return chain.pixels(look)


class Fake:
    # a cell of one's own, which is asked to seal
    def seal(self, lock, **which): return lock.seal(here().keep(chain.pixels(chain.look(Frame(picture, 0, 0, "p"))),
                                                                alike=0.0))


def by_a_chain_of_my_own():
    return Enrolment(Mine(), 0.0, want=1).from_stream(Pulled(fictional()).start(), here())


def replaced_method():
    own = Chain.load(FaceSettings())
    own.pixels = Mine().pixels
    return Enrolment(own, 0.0, want=1).from_stream(Pulled(fictional()).start(), here())


def another_kind():
    other = Runner(replace(load_card("embedder"), kind="detector"), 1)
    return other.run(np.zeros(other.card.input.shape[1:], np.uint8))


def sealed(device):
    claim = device._admission.receive(card, 0)
    by = Issuance(None, "kim", bytes(32), 128, device._clock.now().utc_s)
    return device._vault.prepare_renewal(claim, Fake(), by)


def later(device):
    device.settings = settings.model_copy(update={"limits": None})


def its_numbers():
    return runner.run(cv2.resize(picture, runner.card.input.shape[1:3][::-1]))


def overwritten():
    stream = Pulled(fictional()).start()

    def cancelled():
        stream.newest().image[:] = picture

    return enrolled(stream, cancelled=cancelled)


def dressed():
    source = fictional()
    source.read = Photograph().read
    return enrolled(Pulled(source).start())


def replaced(device):
    stream = device.stream()
    stream.next = Pulled(Photograph()).start().next
    return device.decide(card, lambda: stream)


def own_verifier(device):
    parts = {"health": lambda: Health(settings.camera), "new_session": lambda: "s", "reveal_scores": True}
    claim = device._admission.receive(card, 0)
    verifier = Verifier(device._chain, device._vault, lambda session: here(), NoLimits(), settings.decision, **parts)
    return verifier.verify(claim, Pulled(Photograph()).start())


def no_waits(device, kind=Verifier, limits=None, cells=None):
    parts = {"health": lambda: Health(settings.camera), "new_session": lambda: "s"}
    claim = device._admission.receive(card, 0)
    cells = cells or device._cells._begin
    made = kind(device._chain, device._vault, cells, limits or NoLimits(), settings.decision, **parts)
    return made.verify(claim, device.stream())


class SaysCells:
    # what begins a session's process, in its place: it answers every question as the device's own would
    def __init__(self, begin): self.__self__, self.__func__ = begin.__self__, begin.__func__
    @property
    def __class__(self): return type(opened)
    def __call__(self, session):
        told["what begins a session in the place of its process"] = "WORKED"
        return here()


def sealed_by_hand():
    header = Header(Custody.DEVICE, bytes(32), model, 128, 0, 10)
    return new_lock(header, secret=bytes(32), key=bytes(32), random_bytes=os.urandom).seal(numbers)


class Threshold(float):
    def __le__(self, score):
        return True


class Curious(Verifier):
    def threshold_of(self, chain):
        return Threshold(0)


def is_it_the_holder(device):
    claim, cell = device._admission.receive(card, 0), here()
    of = device._verifier.chain_of(claim)
    device._verifier.open(cell, claim, of, most=9)
    return cell.compare(of.pixels(of.look(Frame(picture, 0, 0, "p"))))


def read(device):
    lock, ciphertext = device._vault.lock(device._admission.receive(card, 0))
    return lock.open(ciphertext, model_digest=model, session="s").unrotated("s")


def with_the_door_s_keys():
    keyring = Keyring.load(settings.device.state_dir, settings.device.trust_dir)
    return Device.open(settings, Parts(source=fictional, keyring=keyring))


def fresh():
    # settings with an empty state folder, which remembers no failure of any card
    return settings.model_copy(update={"device": settings.device.model_copy(
        update={"state_dir": Path(tempfile.mkdtemp()) / "s"})})


def searched(parts, of=Device):
    # one card after the other, each before a device that knows of no failure
    keys = Keyring.load(settings.device.state_dir, settings.device.trust_dir)
    given = parts(keys)
    with of.open(fresh(), given) as device:
        return device.verify(cards[0]).outcome.value


class Equal:
    # whatever it is compared with
    def __init__(self, keyring): self.real = keyring
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __getattr__(self, name): return getattr(self.real, name)
    def __call__(self): return self.real()


def clocked(clock):
    with opened(Parts(system_clock=clock)) as device:
        return device._clock.now()


class Same(Parts):
    def __ne__(self, other): return False


class Quiet(Device):
    # a device that tells its journal nothing
    def tell(self, event): told["an event that the journal was to have"] = "WORKED"


def quiet():
    with Quiet.open(settings, hold="attack") as device:
        return device.verify(cards[0])


def not_opened():
    loose = settings.model_copy(update={"limits": settings.limits.model_construct(card_rejects=10**9)})
    return Device(loose, Parts(), Keyring.load(settings.device.state_dir, settings.device.trust_dir))


class Drawn(float):
    # a height whose arithmetic is a picture
    def __mul__(self, other): return Drawn(float(self) * other)
    def __truediv__(self, other): return Drawn(float(self) / other)
    def __array_ufunc__(self, ufunc, method, *given, **more):
        told["a scene that draws, inside of the painter"] = "WORKED"
        return getattr(ufunc, method)(*(float(one) if one is self else one for one in given), **more)


def drawn():
    source = FictionalSource((OnePerson("ada", 60.0, walk_up=False, height=Drawn(0.5)),))
    source.open()
    source.read(1.0)
    return enrolled(Pulled(source).start())


def timed():
    # a network of one's own, whose speed is measured where embeddings exist
    class Net:
        card, invoke_ns = runner.card, 0
        def run(self, grey):
            told["seen by a network that is timed"] = f"WORKED: {its_numbers()}"
    return speed.within(SimpleNamespace(detector=SimpleNamespace(runner=Net()), embedder=None, passive=None))


def accepted(device):
    device.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))


def of_the_camera():
    # nobody stands there: but what would come of it is no vector
    return np.asarray(enrolled(Pulled(fictional()).start()))


trying("limits beyond their bounds", lambda: limits(card_rejects=10**9, card_disable=10**9, fan_out_cards=10**9))
trying("waits of no number", lambda: limits(card_wait_s=float("nan"), door_wait_s=float("-inf")))
trying("a target beyond its bounds",
       lambda: opened(decision=settings.decision.model_copy(update={"target_fmr": 0.5, "looks": 10**6})))
trying("settings that were never validated", lambda: Device.open(Loose.model_construct(
    **{**dict(settings), "limits": settings.limits.model_construct(card_rejects=10**9)})))
trying("the embedder's runner", its_numbers)
trying("the runtime's own object", lambda: runner.interpreter)
trying("a card of another kind", another_kind)
trying("a chain of one's own", by_a_chain_of_my_own)
trying("a chain whose method was replaced", replaced_method)
trying("a cosine", lambda: match.cosine(numbers, numbers))
trying("a comparison", lambda: match.compare(
    Template(numbers, model="m", session="s"), Probe(numbers, model="m", session="s"), "s"))
trying("a template's numbers", lambda: Template(numbers, model="m", session="s").read("s"))
trying("a probe's numbers", lambda: Probe(numbers, model="m", session="s").consume("s"))
trying("an embedding", lambda: chain.embed(chain.look(Frame(picture, 0, 0, "p")), "s"))
trying("a session's process of one's own", lambda: Cells([chain.embedder.card]).begin("s"))
trying("what happens in a session's process, here", lambda: here().keep(
    chain.pixels(chain.look(Frame(picture, 0, 0, "p"))), alike=0.0))
trying("a seal of one's own", sealed_by_hand)
trying("a rotation undone", lambda: Rotation(bytes(32), 128).undo(numbers))
trying("an enrolment of one's own", lambda: enrolled(Pulled(Photograph()).start()))
trying("the numbers of an enrolment", of_the_camera)
trying("a fictional source that shows a photograph", dressed)
trying("frames that are overwritten", overwritten)
trying("the demo's way, with a door's keys", with_the_door_s_keys)
trying("the demo's way, with a door's keys and a fresh folder for each card", lambda: searched(
    lambda keys: Parts(source=fictional, keyring=keys, fast=True)))
trying("a door's keys and a fresh folder", lambda: searched(lambda keys: Parts(keyring=keys)))
trying("keys that are equal to none", lambda: searched(lambda keys: Parts(keyring=Equal(keys))))
trying("parts that are equal to the device's", lambda: searched(lambda keys: Same(source=fictional, keyring=keys)))
trying("a clock that is equal to the device's", lambda: clocked(Equal(lambda: 0.0)))
trying("a network of one's own that is timed", timed)
trying("a subclass of a device", quiet)
trying("a device that was not opened", not_opened)
trying("a source of people who do not exist", lambda: enrolled(Pulled(fictional()).start()))
trying("a scene that draws", drawn)
trying("a subclass of a stream", lambda: enrolled(type("Mine", (Pulled,), {})(Photograph()).start()))
trying("a camera that is a file", lambda: open_stream(
    settings.camera.model_copy(update={"driver": "replay", "path": Path(sys.argv[3])})))
with opened() as device:
    for name in ("chain", "vault", "verifier", "limits", "admission", "keyring", "overlap", "clock", "enrolment",
                 "doorway", "door", "ledger", "housekeeping", "rooms"):
        trying(f"Device.{name}", lambda: getattr(device, name))
    trying("settings put in afterwards", lambda: later(device))
    trying("a stream whose frames are replaced", lambda: replaced(device))
    trying("a source whose frames are replaced", lambda: setattr(device.stream().source, "read", None))
    trying("a stream that says it is the device's", lambda: device.decide(card, lambda: SaysSo(device.stream())))
    trying("a verifier of one's own, without limits", lambda: own_verifier(device))
    trying("a verifier without waits on the device's own camera", lambda: no_waits(device))
    trying("a verifier that is shown the score", lambda: no_waits(device, Curious, device._limits))
    trying("cells that say they are the device's",
           lambda: no_waits(device, limits=device._limits, cells=SaysCells(device._cells._begin)))
    trying("whether a picture shows the holder", lambda: is_it_the_holder(device))
    trying("the numbers of the holder", lambda: read(device))
    trying("a reference of one's own", lambda: sealed(device))
    trying("an accept of one's own", lambda: accepted(device))
print(json.dumps(told))
"""


def test_no_public_name_of_any_module_gives_an_embedding_a_score_a_template_or_a_shorter_wait(
    office: Path, desk: Desk, cards: Path
):
    done = python(office, WAYS, str(desk.folder), str(cards), desk.person("hana"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told) == 61
    assert told["a verifier without waits on the device's own camera"].startswith("SpentError: ")
    for name in ("a verifier that is shown the score", "cells that say they are the device's", "a seal of one's own"):
        assert told[name].startswith("SpentError: "), told[name]
    assert told["a rotation undone"].startswith("SpentError: ")
    assert {name: answer for name, answer in told.items() if answer.startswith("WORKED")} == {}
    refusals = ("NotInThisBuild: ", "SettingsError: ", "SpentError: ", "UsageError: ", "SourceUnavailable: ")
    by_python = {name: answer for name, answer in told.items() if not answer.startswith(refusals)}
    words = ("has no attribute", "read-only", "no setter", "Device() takes no arguments")
    assert all(any(word in said for word in words) for said in by_python.values())
