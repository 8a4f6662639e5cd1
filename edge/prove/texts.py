"""What each check means, for a person who does not program, and what an examination cannot see, by name.

Every report lists the limits: a proof that hides its edges is worth nothing.
"""

from __future__ import annotations

from edge.prove.model import ProofReport, counted, verdict
from edge.prove.subject import Subject

#: Question -> (what was looked at, why it matters).
MEANS: dict[str, str] = {
    "signature": "A signature names who built the program and changes with every letter of it. Without one nobody"
    " answers for what is installed.",
    "files": "Every file was weighed against the list that came with it. A file that was changed, added or removed"
    " later shows.",
    "packages": "Software that nobody declared could watch or replace what the device does.",
    "start-up": "Some files make other code run before the program starts, unseen. There must be none.",
    "variables": "A setting of the system can make Python load other files than the installed ones.",
    "compiled": "Python keeps translated copies of its files and runs those. A changed copy would run unnoticed.",
    "rooms": "A device must not contain the parts that compare pictures in a laboratory.",
    "scores": "Recognising somebody among many needs a comparison of one face with many. There is one comparison in the"
    " program, of one face with one template; any other arithmetic that could be one was looked for.",
    "templates": "A template is what a face is stored as. Few places may hold one; each is on a list that says why.",
    "collections": "A search goes through a list of people. No part of the program takes such a list.",
    "sql": "Stored templates can be asked for one by one, under a name that only the person's card gives. No question"
    " to the store asks for all of them.",
    "dynamic": "A program that makes up its own instructions while it runs cannot be checked by reading it.",
    "listeners": "A device that listens on a network can be asked things by others.",
}

HEADLINE = {
    "ok": "Nothing was found against it.",
    "warnings": "Nothing was found against it; read the remarks.",
    "development": "This is a developer's copy, not a device: nothing is shown about a door.",
    "violation": "This is NOT what it says it is, or cannot be shown to be.",
    "void": "This examination failed its own test. Do not rely on it.",
}

CLAIM = (
    "The claim that was examined: this program can answer yes or no about one person who showed their card, and it can"
    " do nothing else. It cannot search for a face among many, and what it stores cannot be opened without the card."
)


def headline(report: ProofReport) -> str:
    """The verdict as a sentence."""
    return HEADLINE[verdict(report)]


def subject_line(report: ProofReport) -> str:
    """What was examined, in one line."""
    about = report.about
    what = {
        "wheel": "an installation file (wheel)",
        "environment": "an installation (virtual environment)",
        "device root": "the disk of a device",
        "this installation": "itself (self-check)",
    }[about.kind]
    return f"Examined: {what}, {about.name}"


def summary(report: ProofReport) -> str:
    """How many checks and trials, and how they came out."""
    held = sum(check.mark in ("ok", "warning") for check in report.checks)
    put = sum(check.mark != "skipped" for check in report.checks)
    text = f"{held} of {put} checks hold"
    if report.live is not None:
        good = sum(trial.holds for trial in report.live.trials)
        text += f", {good} of {len(report.live.trials)} trials on {report.live.store} came out as they must"
    said = f"{counted(report.violations, 'violation')}, {counted(report.warnings, 'remark')}"
    return f"{text}; {said}."


_ALWAYS: tuple[tuple[str, str], ...] = (
    (
        "a changed examiner",
        "Whoever can change the program that examines can make it say anything. Run your own copy, on your own machine,"
        " against the device's files.",
    ),
    (
        "values under other names",
        "Names are followed inside one file only. A template handed on through several variables and files, and"
        " compared there by operations that look harmless one by one, is not followed.",
    ),
    (
        "a similarity without arithmetic",
        "A comparison spread over several functions, each with half of the arithmetic, or done by looking values up in"
        " tables, leaves none of the patterns that are searched for.",
    ),
    (
        "inside the models",
        "A .tflite file is data. That it computes an embedding and does not itself recognise people is not visible in"
        " source; its digest is what a signed card says.",
    ),
    (
        "inside other people's packages",
        "numpy, OpenCV, SQLite and the others are compared with their own RECORD only. Whoever rewrites a package and"
        " its RECORD together is not noticed; compare their digests with those on the package index.",
    ),
    (
        "below Python",
        "The Python interpreter, its standard library, the kernel, the camera's firmware and the boot chain are not"
        " examined.",
    ),
    (
        "the running process",
        "Files are examined, not memory. Root on a running device can attach a debugger, and see every template that is"
        " opened while they watch.",
    ),
    (
        "another program beside it",
        "A second program on the same device with a camera of its own is not part of this product's folders.",
    ),
    (
        "what comes later",
        "The examination is about this moment. Files may change tomorrow; a signature that the device checks at every"
        " start narrows that.",
    ),
)
_WHEEL = (
    "the device itself",
    "A wheel was examined, not a device: what is installed there may be another one. Mount the device and use --root.",
)
_SELF = (
    "itself",
    "The examined files are the ones that examined: they vouch for themselves. Use your own copy with --root or"
    " --wheel.",
)
_BYTECODE = (
    "compiled files of another Python",
    "Compiled files can be compared with their source by the same version of Python only.",
)


def limits(subject: Subject) -> tuple[tuple[str, str], ...]:
    """(name, sentence) of what this examination could not see."""
    found = [_SELF] if subject.kind == "this installation" else []
    found += [_WHEEL] if subject.is_wheel else [_BYTECODE]
    return (*found, *_ALWAYS)
