"""What an examination cannot see, by name. Every report lists it: a proof that hides its edges is worth nothing."""

from __future__ import annotations

from edge.prove.subject import Subject

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
