"""The static part: one check after the other, over files that are read and never imported.

    checks = examine(subject, builders, tell)

Every check is a question that should be answered with yes. What each cannot see is in `edge.prove.page`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge.build.attest import Examination
from edge.build.attest import examine as attest
from edge.build.contents import profiles_of
from edge.build.files import SIGNATURE, Discrepancy, Files, InstalledFiles, WheelFiles
from edge.prove import environment, records, rooms, statements, templates
from edge.prove.model import Evidence, Question, Severity, counted, ordered
from edge.prove.source import Module, Use, judge
from edge.prove.subject import Subject
from edge.trust.envelopes import PublicKey

_LAB = "a lab build compares pictures of a labelled set by its nature: it holds neither camera, store nor door"


@dataclass(frozen=True, slots=True)
class Sources:
    """The parsed files of the package, and what could not be parsed."""

    modules: tuple[Module, ...]
    unread: tuple[Evidence, ...]

    @property
    def by_name(self) -> dict[str, Module]:
        return {module.name: module for module in self.modules}


def read_sources(subject: Subject, profile: str) -> Sources:
    """Parse the Python files of the package.

    Of a development install only what a device build would hold is looked at: the rest never gets to a door.
    """
    modules, unread = [], []
    for name in subject.edge:
        below = name.removeprefix("edge/")
        if "__pycache__/" in name:
            continue
        if profile == "development" and "device" not in (profiles_of(below) or ()):
            continue
        if name.endswith((".so", ".pyd", ".pyc", ".dll", ".dylib")) or ".so." in name:
            unread.append(Evidence(name, "is compiled code inside the product, which cannot be read"))
        elif name.endswith(".py"):
            try:
                modules.append(Module.parse(name, subject.home.read(name)))
            except (SyntaxError, ValueError, RecursionError, OSError):
                unread.append(Evidence(name, "cannot be parsed by the auditor's Python"))
    return Sources(tuple(modules), tuple(unread))


def examine(
    subject: Subject, profile: str, builders: Mapping[str, PublicKey] | None, tell: Callable[[str], None]
) -> Iterator[Question]:
    """Every check of the static part, each as it is done.

    Args:
        subject: what is examined. profile: of the build statement. builders: whose signatures count; None: nobody was
            named. tell: told what is being read.
    """
    said = rooms.statement(subject)
    yield check_signature(subject, profile, builders)
    yield from surroundings(subject, profile, tell)
    examined, found = rooms.check_rooms(subject, profile, said)
    yield Question("rooms", f"Only the parts that belong in a {profile} build are in it", examined, ordered(found))
    yield from _inside(read_sources(subject, profile), profile)


def surroundings(subject: Subject, profile: str, tell: Callable[[str], None]) -> Iterator[Question]:
    """What surrounds the product. A development install is no device: a developer's tools lie beside it."""

    def check(name: str, title: str, answer: Callable[[], tuple[str, list[Evidence]]]) -> Question:
        if profile == "development" and name in _OF_A_DEVICE:
            return Question(name, title, "", skipped="a developer's tools lie beside a development install")
        examined, found = answer()
        if profile == "development":  # what is found around it is a remark
            found = [one.softened() for one in found]
        return Question(name, title, examined, ordered(found))

    title = "Every file is one that was installed, unaltered, with a package"
    yield check("files", title, lambda: records.check_records(subject, tell))
    yield check("start-up", "Nothing runs behind the product's back", lambda: environment.check_startup(subject))
    if subject.is_wheel:
        return
    yield check("packages", "Only known packages are installed beside it", lambda: environment.check_packages(subject))
    title = "No setting makes Python load other code"
    yield check("variables", title, lambda: environment.check_variables(subject))
    title = "Compiled files are what their sources say"
    yield check("compiled", title, lambda: environment.check_bytecode(subject, tell))


#: Checks that say something about a device's environment only.
_OF_A_DEVICE = frozenset({"files", "packages", "compiled"})


def _inside(sources: Sources, profile: str) -> Iterator[Question]:
    """The product's own source."""
    if profile == "lab":
        for name, title in (("scores", _SCORES), ("templates", _GATES), ("collections", _ONE)):
            yield Question(name, title, "", skipped=_LAB)
    else:
        yield _each(sources, "scores", _SCORES, templates.similarities, "could measure how alike two vectors are")
        yield _each(sources, "templates", _GATES, templates.gates, "reaches a template, a probe or a score")
        known = templates.takers(sources.modules)

        def several(module: Module) -> Iterator[Use]:
            yield from templates.loops(module, known)
            yield from templates.collections(module)

        yield _each(sources, "collections", _ONE, several, "handles more than one template or claim")
    texts = statements.constants(sources.by_name)
    count = sum(statements.count(module, texts) for module in sources.modules)

    def sql(module: Module) -> Iterator[Use]:
        return statements.statements(module, texts)

    found = _each(
        sources, "sql", "Stored templates are read by the card's key alone", sql, "a statement that was not reviewed"
    )
    yield replace(found, examined=counted(count, "database statement"))
    sentence = "builds or loads code while running"
    check = _each(sources, "dynamic", "The program is what its source says", statements.dynamics, sentence)
    yield replace(check, findings=ordered((*check.findings, *sources.unread)))
    sentence = "could talk to other machines"
    yield _each(
        sources, "listeners", "It neither listens to other machines nor calls them", statements.listeners, sentence
    )


_SCORES = "There is one place where a face is compared"
_GATES = "Only listed places touch a template, a captured face or a score"
_ONE = "Nothing takes several templates or several people's claims"


def _each(sources: Sources, name: str, title: str, look: Callable[[Module], Iterator[Use]], sentence: str) -> Question:
    findings: list[Evidence] = []
    uses = 0
    for module in sources.modules:
        found = list(look(module))
        uses += len(found)
        findings += judge(name, module, found, sentence)
    examined = f"{counted(uses, 'place')} of this kind in {counted(len(sources.modules), 'file')}"
    return Question(name, title, examined, ordered(findings))


def builders_from(path: Path) -> Mapping[str, PublicKey]:
    """Whose signatures count: one public key, or a trust folder.

    Raises:
        SignatureError: it is neither.
    """
    from edge.trust.envelopes import trusted

    if path.is_dir():
        return trusted(path, "builder", strict=False)
    key = PublicKey.load(path)
    return {key.key_id: key}


_SIGNED = "Exactly these files are signed by a key that the auditor trusts"


def check_signature(subject: Subject, profile: str, builders: Mapping[str, PublicKey] | None) -> Question:
    """The signature of the build.

    Args:
        builders: whose signatures count. None: the auditor named no builder, so an unsigned build is a warning only.
    """
    if profile == "development":
        text = "a development install is never signed"
        level = Severity.WARNING if builders is None else Severity.VIOLATION
        return Question("signature", _SIGNED, "nothing", (Evidence("edge", text, level),))
    if builders is None:
        said = described(subject)
        return Question(
            "signature", _SIGNED, said, (Evidence("edge", f"is {said}; name a key with --trust", Severity.WARNING),)
        )
    found = attest(_files(subject), builders)
    findings = tuple(Evidence(problem.name or "edge", str(problem)) for problem in found.problems)
    return Question("signature", _SIGNED, _said(found), findings)


def described(subject: Subject) -> str:
    """What the signature says of itself, without believing it."""
    try:
        envelope = json.loads(subject.home.read(SIGNATURE))
        names = ", ".join(sorted(str(entry["keyid"]) for entry in envelope["signatures"]))
    except (OSError, KeyError, ValueError, TypeError, RecursionError):
        return "unsigned"
    return f"signed by key {names}, which was not checked"


def _said(found: Examination) -> str:
    if found.signer is not None:
        return f"signed by {found.signer.name or found.signer.key_id}, {found.files} files"
    return "unsigned" if Discrepancy("unsigned") in found.problems else "not signed by a key that the auditor named"


def _files(subject: Subject) -> Files:
    if subject.home.archive is not None:
        return WheelFiles(subject.name, subject.home.archive)
    assert subject.home.folder is not None
    return InstalledFiles.of(subject.home.folder / "edge")
