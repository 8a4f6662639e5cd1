"""The ten questions of `edge init`, and the two commented files that their answers make.

    answers = checked({"house": "Meridian Works", "place": "FR", ...})
    device_yaml(answers), build_yaml(answers)

What nobody was asked has the product's default, and says where to read about it. Nothing that a law wants is answered
for anybody: what is missing stays missing, and the caller says so (`edge policy check`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import InputError
from edge.policy.facts import FACTS, check
from edge.profile import CAPABILITIES


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. ``choices``: what may be answered, or begins it (``keyboard PATH``); empty: any text."""

    name: str
    ask: str
    default: str
    choices: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The choices as whoever answers reads them."""
        return tuple(f"{one}dev/..." if one.endswith("/") else one for one in self.choices)


QUESTIONS = (
    Prompt("house", "Whose door is it, as people know it?", "Example Ltd"),
    Prompt("contact", "Whom do people ask about their data (an address)?", "privacy@example.org"),
    Prompt("operator", "What kind of operator is it?", "company", FACTS["operator.type"].allowed),
    Prompt("place", "Where does the door stand (codes such as FR, DE-BE, US-TX; commas between)?", "FR"),
    Prompt("who", "Who goes through it?", "employee", FACTS["use_case"].allowed),
    Prompt("camera", "Which camera: pi, a USB camera's path, or none to try it out?", "none", ("pi", "none", "/")),
    Prompt(
        "reader",
        "How do cards arrive: qr, keyboard PATH, serial PATH, stdin?",
        "qr",
        ("qr", "keyboard /", "serial /", "stdin"),
    ),
    Prompt("lock", "What does a yes do: relay, or log to try it out?", "log", ("relay", "log")),
    Prompt("alternative", "What is the way in for those who do not use their face?", ""),
    Prompt("screen", "Is there a screen, and in which language?", "none", ("none", "en", "fr", "de", "es", "ar")),
)


def checked(given: Mapping[str, object]) -> dict[str, str]:
    """Answers, with defaults for those that were not given.

    Raises:
        InputError: an answer to no question, one that is not possible, or two that do not go together; the way in
            without a face has no default.
    """
    unknown = sorted(set(given) - {one.name for one in QUESTIONS})
    if unknown:
        names = ", ".join(one.name for one in QUESTIONS)
        raise InputError(f"nobody asked for {unknown[0]!r}", where="answers", remedy=f"answer: {names}")
    answers = {one.name: answer(one, given.get(one.name, one.default)) for one in QUESTIONS}
    if answers["lock"] == "relay" and answers["camera"] == "none":
        why = "people who do not exist open no real lock"
        raise InputError(why, where="lock", remedy="answer log, or name the camera")
    return answers


def answer(question: Prompt, said: object) -> str:
    """One answer, as it will be written. Raises InputError."""
    words = " ".join(str(said).split())
    fine = bool(words) and len(words) <= 200 and words.isprintable()
    if question.choices:
        fine = any(words == one or (one.endswith("/") and words.startswith(one)) for one in question.choices)
    if not fine:
        remedy = f"one of: {', '.join(question.shown)}" if question.choices else "answer in 1 to 200 characters"
        raise InputError(f"{words!r} is no answer to: {question.ask}", where=question.name, remedy=remedy)
    if question.name == "place":
        for code in _places(words) or [words]:
            if wrong := check(FACTS["jurisdictions"], code):
                raise InputError(
                    f"{code!r} {wrong}", where="place", remedy="answer with codes such as FR, DE-BE, US-TX"
                )
    return words


def device_yaml(answers: Mapping[str, str]) -> str:
    """The field settings, commented."""
    camera, (reader, _, path) = answers["camera"], answers["reader"].partition(" ")
    driver = {"pi": "picamera2", "none": "fictional"}.get(camera, "v4l2")
    lines = [
        "# Settings of one device, begun by `edge init`. `edge config check FILE` names every mistake; every",
        "# key and its default stand in config/README.md.",
        "version: edge/settings/v1",
        "",
        "device:",
        "  name: front-door                # in the journal and on papers",
        "",
        "camera:",
        f"  driver: {driver}",
    ]
    if driver == "v4l2":
        lines.append(f"  device: {_quoted(camera)}")
    if driver == "fictional":
        lines.append("  # people who do not exist, to try it out: picamera2, or v4l2 and its device, see a door")
    elif reader == "qr":
        lines += ["  width: 1280                     # codes are read from farther away", "  height: 960"]
    lines += ["", "claim:", f"  readers: [{reader}]", *([f"  {reader}: {_quoted(path)}"] if path else [])]
    lines += ["", "door:", f"  driver: {answers['lock']}"]
    if answers["lock"] == "log":
        lines.append("  # writes a line; a relay needs a signed build and a real camera")
    else:
        lines.append("  pin: 17                         # GPIO of the relay; wire it so that no power means locked")
    if answers["screen"] != "none":
        language = answers["screen"]
        lines += ["", "kiosk:", f"  house: {_quoted(answers['house'][:40])}", f"  language: {language}"]
    lines += ["", "# Shown on every screen and with every refusal. Keep it true."]
    lines.append(f"alternative: {_quoted(answers['alternative'])}")
    return "\n".join(lines) + "\n"


def build_yaml(answers: Mapping[str, str]) -> str:
    """The build file, commented: capabilities as the answers need them, and the facts that were asked for."""
    reader = answers["reader"].partition(" ")[0]
    asked = {"local_page": answers["screen"] != "none", f"{reader}_reader": True}
    lines = [
        "# What the build can do, and where it will stand, begun by `edge init`. `edge policy check FILE` explains.",
        "version: edge/build/v1",
        "profile: device",
        "capabilities:",
    ]
    for one in CAPABILITIES:
        value = asked.get(one.name, False) if one.optional else one.expected("device")
        lines.append(f"  {one.name}: {str(value).lower()}")
    place = _places(answers["place"])
    lines += [
        "",
        "# Declared by whoever signs the build, verified by nobody: correct what is not so, and add what is missing.",
        "deployment:",
        "  operator:",
        f"    type: {answers['operator']}",
        f"    name: {_quoted(answers['house'])}",
        f"    country: {_quoted(place[0][:2])}                   # where it is established",
        f"    contact: {_quoted(answers['contact'])}",
        f"  jurisdictions: [{', '.join(_quoted(code) for code in place)}]",
        "  purpose: [access-control]",
        f"  use_case: {answers['who']}",
        "  own_claim: true",
        "  custody: card",
        "  exports: []",
        "  unclaimed_faces: ignored",
        "  safeguards:",
        f"    alternative: {_quoted(answers['alternative'])}",
        "",
        "policy_packs: []",
    ]
    return "\n".join(lines) + "\n"


def _places(words: str) -> list[str]:
    return [code.strip() for code in words.split(",") if code.strip()]


def _quoted(words: str) -> str:
    """As a YAML scalar; JSON's strings are YAML's double-quoted ones."""
    return json.dumps(words, ensure_ascii=False)
