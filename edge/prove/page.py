"""The report as one page: readable without technical knowledge from the top, with the details folded below.

Self-contained: no script, no picture, no font and no address from elsewhere; it can be printed and filed.

What each check means, for a person who does not program, and what an examination cannot see, by name.

Every report lists the limits: a proof that hides its edges is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from edge import _resources
from edge.prove.model import Evidence, Live, ProofReport, Question, Severity, Trial, counted, verdict
from edge.prove.subject import Subject

#: Question -> (what was looked at, why it matters).
MEANS: dict[str, str] = {
    "signature": "A signature names who built the program and changes with every letter of it. Without one, no one"
    " answers for what is installed.",
    "files": "Every file was weighed against the list that came with it. A file that was changed, added or removed"
    " later shows.",
    "packages": "Undeclared software could watch or replace what the device does.",
    "start-up": "Some files make other code run before the program starts, unseen. There must be none.",
    "variables": "A setting of the system can make Python load other files than the installed ones.",
    "compiled": "Python keeps translated copies of its files and runs those. A changed copy would run unnoticed.",
    "rooms": "A device must not contain the parts that compare pictures in a laboratory.",
    "scores": "Recognising a person among many needs a comparison of one face with many. There is one comparison in the"
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


_COLOUR = {
    "ok": "good",
    "warnings": "good",
    "development": "note",
    "violation": "bad",
    "void": "bad",
}
_YES, _NO = ("&#10003;", "good"), ("&#10007;", "bad")
_SIGN = {"ok": _YES, "warning": ("!", "note"), "violation": _NO, "skipped": ("&ndash;", "")}
_CLASS = {Severity.WARNING: "note", Severity.VIOLATION: "bad"}
_MOST = 200  # findings of one check that are listed; more say nothing new


def page(report: ProofReport) -> str:
    """The whole page as HTML."""
    style = _resources.path("proof", "page.css").read_text(encoding="utf-8")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>edge prove: {escape(headline(report))}</title><style>{style}</style></head><body><main>",
        *_head(report),
        "<h2>How this is known</h2>",
        '<div class="card"><ul class="limits">',
        *(f"<li><b>{escape(name)}.</b> {escape(text)}</li>" for name, text in report.established),
        "</ul></div>",
        "<h2>What was found</h2>",
        *_found(report),
        "<h2>What was checked</h2>",
        *(_card(check) for check in report.checks),
        *(_live(report.live) if report.live else ()),
        "<h2>What this examination cannot see</h2>",
        '<div class="card"><ul class="limits">',
        *(f"<li><b>{escape(name[:1].upper() + name[1:])}.</b> {escape(text)}</li>" for name, text in report.limits),
        "</ul></div>",
        *_facts(report),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _head(report: ProofReport) -> Iterable[str]:
    yield "<h1>edge prove &middot; report of an examination</h1>"
    if report.about.self_check:
        yield (
            '<p class="self"><b>Self-check.</b> The program examined itself. Somebody who wanted to deceive could have'
            " changed both. An auditor uses their own copy with <code>--root</code> or <code>--wheel</code>.</p>"
        )
    yield f'<div class="verdict {_COLOUR[verdict(report)]}"><p class="head">{escape(headline(report))}</p>'
    yield f"<p>{escape(summary(report))}</p><p>{escape(subject_line(report))}</p></div>"
    yield f"<p>{escape(CLAIM)}</p>"


def _found(report: ProofReport) -> Iterable[str]:
    failed = [trial for trial in report.live.trials if not trial.holds] if report.live else []
    if not report.findings and not failed:
        yield f'<div class="card">{_row(_YES, "Nothing.")}</div>'
        return
    violations = [finding for finding in report.findings if finding.level is Severity.VIOLATION]
    remarks = [finding for finding in report.findings if finding.level is Severity.WARNING]
    yield '<div class="card">'
    for trial in failed:
        text = f"{trial.title}: {trial.opened:,} of {trial.records:,} opened, {trial.expected:,} should have."
        yield _row(_NO, text)
    if violations:
        yield _row(_NO, "Reasons not to trust it")
        yield _list(violations)
    if remarks:
        yield _row(_SIGN["warning"], "Remarks, which show nothing wrong by themselves")
        yield _list(remarks)
    yield "</div>"


def _card(check: Question) -> str:
    title = check.title if check.holds else f"Does not hold: {check.title}"
    text = f"Not asked: {check.skipped}." if check.skipped else MEANS.get(check.id, "")
    wrong = len([finding for finding in check.findings if finding.level is Severity.VIOLATION])
    found = [counted(wrong, "reason") + " against it"] if wrong else []
    found += [counted(len(check.findings) - wrong, "remark")] if len(check.findings) > wrong else []
    details = "" if check.skipped else f"{escape(check.examined)}; {', '.join(found) or 'nothing to say'}"
    folded = ""
    if check.findings:
        folded = f"<details><summary>{details}</summary>{_list(check.findings)}</details>"
    elif details:
        folded = f"<p>Looked at {details}.</p>"
    return f'<div class="card">{_row(_SIGN[check.mark], title)}<p>{escape(text)}</p>{folded}</div>'


def _row(sign: tuple[str, str], text: str) -> str:
    return f'<div class="row"><span class="sign {sign[1]}">{sign[0]}</span><b>{escape(text)}</b></div>'


def _list(findings: Iterable[Evidence]) -> str:
    listed = list(findings)
    items = [
        f'<li class="{_CLASS[f.level]}"><code>{escape(f.where)}</code> {escape(f.what)}</li>' for f in listed[:_MOST]
    ]
    if len(listed) > _MOST:
        items.append(f"<li>and {len(listed) - _MOST:,} more</li>")
    return f'<ul class="found">{"".join(items)}</ul>'


def _live(live: Live) -> Iterable[str]:
    yield "<h2>What was tried</h2>"
    yield (
        f"<p>Attempts to open stored templates, on {escape(live.store)}. They ran the examiner's own copy of the"
        " program. A store is safe when nothing opens without the right card; the controls show that the attempts would"
        " notice.</p>"
    )
    yield "<table><tr><th></th><th>What was tried</th>"
    yield '<th class="number">Attempts</th><th class="number">Opened</th></tr>'
    yield from (_trial(trial) for trial in live.trials)
    yield "</table>"
    yield "<details><summary>Exactly what was tried</summary><ul>"
    yield from (f"<li><b>{escape(trial.title)}.</b> {escape(trial.said)}</li>" for trial in live.trials)
    yield "</ul></details>"
    yield "<details><summary>PINs and plain card numbers: how long trying all of them takes</summary><ul>"
    yield from (f"<li>{escape(text)}</li>" for text in live.enumeration)
    yield "</ul></details>"


def _trial(trial: Trial) -> str:
    sign, colour = _SIGN["ok" if trial.holds else "violation"]
    return (
        f'<tr><td class="sign {colour}">{sign}</td><td>{escape(trial.title)}</td>'
        f'<td class="number">{trial.attempts:,}</td>'
        f'<td class="number">{trial.opened:,} of {trial.records:,}</td></tr>'
    )


def _facts(report: ProofReport) -> Iterable[str]:
    about = report.about
    rows = (
        ("Examined", f"{about.kind}: {about.name}"),
        ("Says of itself", f"profile {about.profile}, version {about.version}, built {about.built or 'unknown'}"),
        ("Source", about.commit or "commit unknown"),
        ("Signature", about.signed),
        ("Examined with", f"edge prove {about.auditor}, {report.date}, {report.seconds:.1f} s"),
    )
    yield "<h2>Facts</h2><table>"
    yield from (f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    yield "</table>"
    yield from (f"<p>{escape(note)}</p>" for note in report.notes)
    yield "<footer>The same as data: <code>edge prove --json</code>. The places that the checks count are listed, each"
    yield "with its reason, in <code>edge/prove/reviewed.txt</code> of the examiner's copy.</footer>"
