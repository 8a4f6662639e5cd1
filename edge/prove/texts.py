"""What each check means, for a person who does not program."""

from __future__ import annotations

from edge.prove.model import Report, counted, verdict

#: Check -> (what was looked at, why it matters).
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
    "ok": "Nothing was found that speaks against it.",
    "warnings": "Nothing was found that speaks against it; read the remarks.",
    "development": "This is a developer's copy, not a device: nothing is shown about a door.",
    "violation": "This is NOT what it says it is, or cannot be shown to be.",
    "void": "This examination failed its own test. Do not rely on it.",
}

CLAIM = (
    "The claim that was examined: this program can answer yes or no about one person who showed their card, and it can"
    " do nothing else. It cannot search for a face among many, and what it stores cannot be opened without the card."
)


def headline(report: Report) -> str:
    """The verdict as a sentence."""
    return HEADLINE[verdict(report)]


def subject_line(report: Report) -> str:
    """What was examined, in one line."""
    about = report.about
    what = {
        "wheel": "an installation file (wheel)",
        "environment": "an installation (virtual environment)",
        "device root": "the disk of a device",
        "this installation": "itself (self-check)",
    }[about.kind]
    return f"Examined: {what}, {about.name}"


def summary(report: Report) -> str:
    """How many checks and trials, and how they came out."""
    held = sum(check.mark in ("ok", "warning") for check in report.checks)
    put = sum(check.mark != "skipped" for check in report.checks)
    text = f"{held} of {put} checks hold"
    if report.live is not None:
        good = sum(trial.holds for trial in report.live.trials)
        text += f", {good} of {len(report.live.trials)} trials on {report.live.store} came out as they must"
    said = f"{counted(report.violations, 'violation')}, {counted(report.warnings, 'remark')}"
    return f"{text}; {said}."
