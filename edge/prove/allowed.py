"""What an auditor's copy of `edge prove` takes for known: packages, start-up lines, and how a place is looked up.

A row of `edge.prove.reviewed` says: in this file, in this function, patterns of these kinds were looked at, and this is
the digest of what was seen. A pattern without a row is found; so is a function that has changed since.
Rows without a digest stand for functions that make or measure pictures and never see a template; their shape, the kinds
of patterns, is what was reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge.prove.model import Finding, Level
from edge.prove.reviewed import ROWS
from edge.prove.source import MODULE, Module, Use, digest

#: The declared dependencies (pyproject.toml), their closure, and the tools that every virtual environment has.
PACKAGES: Mapping[str, str] = {
    "edge-verifier": "the product",
    "numpy": "declared",
    "opencv-python-headless": "declared",
    "ai-edge-litert": "declared",
    "backports-strenum": "ai-edge-litert",
    "flatbuffers": "ai-edge-litert",
    "ml-dtypes": "ai-edge-litert",
    "protobuf": "ai-edge-litert",
    "tqdm": "ai-edge-litert",
    "typing-extensions": "ai-edge-litert, pydantic",
    "pyyaml": "declared",
    "pydantic": "declared",
    "pydantic-core": "pydantic",
    "annotated-types": "pydantic",
    "typing-inspection": "pydantic",
    "cryptography": "declared",
    "cffi": "cryptography",
    "pycparser": "cffi",
    "securesystemslib": "declared",
    "zxing-cpp": "declared",
    "jinja2": "declared",
    "markupsafe": "jinja2",
    "typst": "extra papers",
    "click": "declared",
    "rich": "declared",
    "markdown-it-py": "rich",
    "mdurl": "markdown-it-py",
    "pygments": "rich",
    "tzdata": "time zones where the system has none",
    "tflite-runtime": "extra tflite-runtime",
    "gpiozero": "extra pi",
    "colorzero": "gpiozero",
    "lgpio": "extra pi",
    "picamera2": "extra pi",
    "av": "picamera2",
    "jsonschema": "picamera2",
    "jsonschema-specifications": "jsonschema",
    "attrs": "jsonschema",
    "referencing": "jsonschema",
    "rpds-py": "jsonschema",
    "libarchive-c": "picamera2",
    "openexr": "picamera2",
    "pidng": "picamera2",
    "piexif": "picamera2",
    "pillow": "picamera2",
    "python-prctl": "picamera2",
    "simplejpeg": "picamera2",
    "videodev2": "picamera2",
    "pip": "in every virtual environment",
    "setuptools": "in virtual environments up to Python 3.11",
    "wheel": "in older virtual environments",
}

#: The whole content of .pth files that every environment of this kind has.
PTH = frozenset(
    {
        # setuptools: stands in for the distutils that Python has lost
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
        "enabled and __import__('_distutils_hack').add_shim();",
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
        "enabled and __import__('_distutils_hack');",
    }
)


#: Begins the reason of a place that this product would rather not have.
EXCEPTION = "EXCEPTION:"


@dataclass(frozen=True, slots=True)
class Row:
    """One reviewed place.

    Attributes:
        kinds: of patterns. digest: of the function, '' where its shape is what counts. why: it may stand there.
    """

    kinds: frozenset[str]
    digest: str
    why: str


def rows(check: str) -> dict[tuple[str, str], Row]:
    """The reviewed places of one check, by file and function."""
    return {
        (file, function): Row(frozenset(kinds.split(", ")), seen, why)
        for named, file, function, kinds, seen, why in ROWS
        if named == check
    }


def judge(check: str, module: Module, uses: Iterable[Use], sentence: str) -> list[Finding]:
    """The uses that nobody has looked at.

    Args:
        check: whose rows count. module: where the uses stand. uses: every use. sentence: what to say of one.
    """
    known = rows(check)
    findings: list[Finding] = []
    changed: set[str] = set()
    shown: set[str] = set()
    for use in uses:
        row = known.get((module.file, use.function))
        where = f"{module.file}:{use.line}"
        if row is None or use.kind not in row.kinds:
            findings.append(Finding(where, f"{sentence}: {use.what} [{use.kind}, in {use.function}]"))
        elif row.digest and use.function not in changed and not _unchanged(module, use.function, row.digest):
            changed.add(use.function)
            findings.append(Finding(where, f"{use.function} is not what was reviewed in the auditor's copy"))
        elif row.why.startswith(EXCEPTION) and use.function not in shown:
            shown.add(use.function)
            findings.append(Finding(where, f"{use.function} {row.why.removeprefix(EXCEPTION).strip()}", Level.WARNING))
    return findings


def _unchanged(module: Module, function: str, wanted: str) -> bool:
    definitions = module.functions.get(function, [])
    return function == MODULE or (bool(definitions) and all(digest(d) == wanted for d in definitions))
