"""The report as one page: readable without technical knowledge from the top, with the details folded below.

Self-contained: no script, no picture, no font and no address from elsewhere; it can be printed and filed. The page, and
what each check means for a person who does not program, are in ``page.html.j2``; what an examination cannot see, here.

Every report lists the limits: a proof that hides its edges is worth nothing.
"""

from __future__ import annotations

from edge import _resources
from edge.prove.model import ProofReport, Question, Severity, counted, verdict
from edge.prove.subject import Subject

HEADLINE = {
    "ok": "Nothing was found against it.",
    "warnings": "Nothing was found against it; read the remarks.",
    "development": "This is a developer's copy, not a device: nothing is shown about a door.",
    "violation": "This is NOT what it says it is, or cannot be shown to be.",
    "void": "This examination failed its own test. Do not rely on it.",
}


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


#: Findings of one check that are listed; more say nothing new.
_MOST = 200


def page(report: ProofReport) -> str:
    """The whole page as HTML."""
    from jinja2 import Environment, StrictUndefined

    # what is shown was written by others: everything is escaped
    pages = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    template = pages.from_string(_resources.path("proof", "page.html.j2").read_text(encoding="utf-8"))
    about, built = report.about, report.about.built or "unknown"
    return template.render(
        report=report,
        style=_resources.path("proof", "page.css").read_text(encoding="utf-8"),
        verdict=verdict(report),
        headline=headline(report),
        summary=summary(report),
        subject=subject_line(report),
        failed=[trial for trial in report.live.trials if not trial.holds] if report.live else [],
        violations=[finding for finding in report.findings if finding.level is Severity.VIOLATION],
        remarks=[finding for finding in report.findings if finding.level is Severity.WARNING],
        checks=[(check, _details(check)) for check in report.checks],
        facts=(
            ("Examined", f"{about.kind}: {about.name}"),
            ("Says of itself", f"profile {about.profile}, version {about.version}, built {built}"),
            ("Source", about.commit or "commit unknown"),
            ("Signature", about.signed),
            ("Examined with", f"edge prove {about.auditor}, {report.date}, {report.seconds:.1f} s"),
        ),
        most=_MOST,
    )


def _details(check: Question) -> str:
    """What was looked at, and how much was found."""
    wrong = len([finding for finding in check.findings if finding.level is Severity.VIOLATION])
    found = [counted(wrong, "reason") + " against it"] if wrong else []
    found += [counted(len(check.findings) - wrong, "remark")] if len(check.findings) > wrong else []
    return f"{check.examined}; {', '.join(found) or 'nothing to say'}"
