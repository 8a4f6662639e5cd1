"""What an auditor's copy of `edge prove` takes for known: packages, start-up lines, and places that were reviewed.

A row of ``reviewed.txt`` says: in this file, in this function, patterns of these kinds were looked at, and this is the
digest of what was seen. A pattern without a row is found; so is a function that has changed since.
Rows without a digest stand for functions that make or measure pictures and never see a template; their shape, the kinds
of patterns, is what was reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from edge import _resources
from edge.prove.model import Evidence, Level
from edge.prove.source import MODULE, Module, Use, digest

#: Why they are there -> packages: the declared dependencies (pyproject.toml), what those need, and the tools that every
#: virtual environment has.
_NEEDED_BY = {
    "the product": "edge-verifier",
    "declared": "numpy opencv-python-headless ai-edge-litert pyyaml pydantic cryptography securesystemslib zxing-cpp "
    "segno click rich",
    "ai-edge-litert": "backports-strenum flatbuffers ml-dtypes protobuf tqdm",
    "ai-edge-litert, pydantic": "typing-extensions",
    "pydantic": "pydantic-core annotated-types typing-inspection",
    "cryptography": "cffi",
    "cffi": "pycparser",
    "rich": "markdown-it-py pygments",
    "markdown-it-py": "mdurl",
    "time zones where the system has none": "tzdata",
    "extra tflite-runtime": "tflite-runtime",
    "extra pi": "gpiozero lgpio picamera2",
    "gpiozero": "colorzero",
    "picamera2": "av jsonschema libarchive-c openexr pidng piexif pillow python-prctl simplejpeg videodev2",
    "jsonschema": "jsonschema-specifications attrs referencing rpds-py",
    "in every virtual environment": "pip",
    "in virtual environments up to Python 3.11": "setuptools",
    "in older virtual environments": "wheel",
}
PACKAGES = frozenset(name for names in _NEEDED_BY.values() for name in names.split())

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
        check: whose row it is. file, function: the place. kinds: of patterns.
        digest: of the function, '' where its shape is what counts. why: it may stand there.
    """

    check: str
    file: str
    function: str
    kinds: frozenset[str]
    digest: str
    why: str


@cache
def reviewed() -> tuple[Row, ...]:
    """Every row of ``reviewed.txt``, which explains itself."""
    found, check, why = list[Row](), "", ""
    for line in _resources.path("reviewed", "reviewed.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            check, _, why = line[1:].partition("] ")
        elif line and not line.startswith("#"):
            kinds, seen, file, function = line.split(" | ")
            found.append(Row(check, file, function, frozenset(kinds.split(", ")), seen.replace("-", ""), why))
    return tuple(found)


def rows(check: str) -> dict[tuple[str, str], Row]:
    """The reviewed places of one check, by file and function."""
    return {(row.file, row.function): row for row in reviewed() if row.check == check}


def judge(check: str, module: Module, uses: Iterable[Use], sentence: str) -> list[Evidence]:
    """The uses that nobody has looked at.

    Args:
        check: whose rows count. module: where the uses stand. uses: every use. sentence: what to say of one.
    """
    known = rows(check)
    findings: list[Evidence] = []
    changed: set[str] = set()
    shown: set[str] = set()
    for use in uses:
        row = known.get((module.file, use.function))
        where = f"{module.file}:{use.line}"
        if row is None or use.kind not in row.kinds:
            findings.append(Evidence(where, f"{sentence}: {use.what} [{use.kind}, in {use.function}]"))
        elif row.digest and use.function not in changed and not _unchanged(module, use.function, row.digest):
            changed.add(use.function)
            findings.append(Evidence(where, f"{use.function} is not what was reviewed in the auditor's copy"))
        elif row.why.startswith(EXCEPTION) and use.function not in shown:
            shown.add(use.function)
            findings.append(Evidence(where, f"{use.function} {row.why.removeprefix(EXCEPTION).strip()}", Level.WARNING))
    return findings


def _unchanged(module: Module, function: str, wanted: str) -> bool:
    definitions = module.functions.get(function, [])
    return function == MODULE or (bool(definitions) and all(digest(d) == wanted for d in definitions))
