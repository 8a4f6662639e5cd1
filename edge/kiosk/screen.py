"""From events to screens: what the person in front is shown after each event, as a value.

>>> drawn(Screen("starting"), Ready(at_ns=5)).name
'idle'

`drawn` is a pure function of the screen before and the event, so every screen can be drawn, and tested, from events
alone. A screen that passes (an answer, a refusal) says for how long, and what is shown when nobody comes: the page
counts, so that a page that is loaded anew in between shows the rest of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from edge.types import Advice, Decision, Outcome, Reason, acts
from edge.types import events as ev
from edge.types.events import Event

#: How long an answer stays, seconds: long enough to be read twice in one's own language.
_WELCOME_S, _ANSWER_S, _OTHER_S = 6.0, 12.0, 20.0
#: A wait is counted down at most so long: the next person has another card.
_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen.

    Attributes:
        name: which one; ``page/index.html`` has a picture for each.
        at_ns: since when, on the device's monotonic clock.
        rest: what is shown when this one has passed: ``idle``, ``fault``, ``starting``; after a colour the oval is.
        hold_s: it passes after so long; 0: with the next event.
        advice: what the person can do (`edge.types.Advice`). reason: why, from the closed enumeration; or empty.
        done, of: looks compared, captures taken, steps of a challenge.
        direction: of a challenge's step, as the person's own left and right: a screen is a mirror. ``ahead``, ``done``.
        colour: red, green, blue, 0..255; the whole screen has it.
        deadline_s: the device looks for so long at most. wait_s: until this card can be tried again.
    """

    name: str
    at_ns: int = 0
    rest: str = "starting"
    hold_s: float = 0.0
    advice: tuple[str, ...] = ()
    reason: str = ""
    done: int = 0
    of: int = 0
    deadline_s: float = 0.0
    wait_s: int = 0
    direction: str = ""
    colour: tuple[int, ...] = ()

    @property
    def looking(self) -> bool:
        """Whether a session or an enrolment looks at the person just now."""
        return self.name in ("look", "challenge", "flash", "enrol")

    def asks_pin(self, alone: bool) -> bool:
        """Whether a PIN can be typed: beside a card when it is asked for, alone while the page waits for somebody."""
        waits = self.rest == "idle" and not self.looking and (self.name == "idle" or self.hold_s > 0)
        return self.name == "pin" or (alone and waits)

    def as_json(self, alone: bool = False) -> str:
        """One line for the page's process. alone: whether a PIN stands for a card here."""
        return json.dumps({"screen": asdict(self), "pin": self.asks_pin(alone)})


def drawn(screen: Screen, event: Event) -> Screen:
    """The screen after an event; the same object when it changes nothing that can be seen.

    Args:
        screen: the one before. event: of a device.
    """
    at = event.at_ns
    match event:
        case ev.Starting():
            return Screen("starting", at)
        case ev.Ready():
            return Screen("idle", at, "idle")
        case ev.Unfit() | ev.Stopped() | ev.DoorFault():
            return Screen("fault", at, "fault" if not isinstance(event, ev.DoorFault) else screen.rest, _held(event))
        case ev.Faulted(room="source"):
            return replace(screen, rest="fault") if _in_session(screen) else Screen("fault", at, "fault")
        case ev.Recovered(room="source"):
            return Screen("idle", at, "idle")
        case ev.ClaimPresented():
            return Screen("reading", at, screen.rest)
        case ev.PinWanted(within_s=within_s):
            return Screen("pin", at, screen.rest, within_s)
        case ev.ClaimRefused(decision=decision) | ev.Decided(decision=decision):
            return _answer(screen, decision, at)
        case ev.AlternativeChosen():
            return Screen("other", at, screen.rest, _OTHER_S)
        case ev.SessionOpened(deadline_s=deadline_s, looks=looks):
            return Screen("look", at, screen.rest, of=looks, deadline_s=deadline_s)
        case ev.Guidance(advice=advice):
            return replace(screen, advice=_words(advice)) if _in_session(screen) else screen
        case ev.ChallengeStep(step=step, steps=steps, within_s=within_s, done=done):
            which = "done" if done else "ahead" if event.direction is None else event.direction.value
            counted = step if done else step - 1
            shown = Screen("challenge", at, screen.rest, done=counted, of=steps, direction=which)
            return replace(shown, deadline_s=0.0 if done else within_s)
        case ev.FlashColour(colour=colour, lasts_s=lasts_s, step=step, steps=steps):
            return Screen("flash", at, screen.rest, lasts_s, done=step, of=steps, colour=colour)
        case ev.LookCompared(look=look, looks=looks):
            return replace(screen, done=look, of=looks, advice=()) if screen.name == "look" else screen
        case acts.EnrolmentProgress(have=have, want=want, advice=advice):
            return Screen("enrol", at, screen.rest, _OTHER_S, _words(advice), done=have, of=want)
        case acts.Sitting(change="camera"):
            return Screen("other", at, screen.rest)
        case acts.Sitting(change="camera_closed"):
            return Screen(screen.rest, at, screen.rest)
        case acts.Enrolled() | acts.Renewed() | acts.ReferenceAdded():
            return Screen("enrolled", at, screen.rest, _ANSWER_S)
    return screen


def _in_session(screen: Screen) -> bool:
    return screen.name in ("look", "challenge", "flash")


def _held(event: Event) -> float:
    """A door that does not move is told for a while; a device that does not serve, until it does."""
    return _OTHER_S if isinstance(event, ev.DoorFault) else 0.0


def _words(advice: tuple[Advice, ...]) -> tuple[str, ...]:
    return tuple(item.value for item in advice)


def _answer(screen: Screen, decision: Decision, at_ns: int) -> Screen:
    """The end of a claim. What an attack detector thought is nobody's business in front of a door."""
    reason, advice = decision.reason, _words(decision.advice)
    shown = Screen("refused", at_ns, screen.rest, _ANSWER_S, advice, reason.value, wait_s=decision.wait_s)
    match decision.outcome, reason:
        case Outcome.ACCEPT, _:
            return replace(shown, name="welcome", hold_s=_WELCOME_S, reason="", advice=(), wait_s=0)
        case _, Reason.INTERRUPTED | Reason.ERROR | Reason.SOURCE_FAULT:
            return replace(shown, name="fault", reason="")
        case _, Reason.PIN_WRONG | Reason.PIN_MISSING:
            return replace(shown, name="again", wait_s=0)
        case _, Reason.LOCKED_OUT | Reason.DOOR_PAUSED if decision.wait_s:
            return replace(shown, name="wait", hold_s=min(float(decision.wait_s), _WAIT_S))
        case Outcome.REJECT, Reason.NOT_MATCHING | Reason.PRESENTATION_ATTACK_SUSPECTED:
            return replace(shown, name="not_verified", reason="", wait_s=0)
        case Outcome.NO_DECISION, _:
            return replace(shown, name="again", wait_s=0)
    return shown
