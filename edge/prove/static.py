"""The static part: one check after the other, over files that are read and never imported.

    checks = examine(subject, builders, tell)

Every check is a question that should be answered with yes. What each cannot see is in `edge.prove.limits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge.build.contents import profiles_of
from edge.prove import bytecode, dynamic, environment, listeners, records, rooms, scores, statements, templates
from edge.prove.allowed import judge
from edge.prove.model import Check, Finding, counted, ordered
from edge.prove.signature import check_signature
from edge.prove.source import Module, Use
from edge.prove.subject import Subject
from edge.trust.envelopes import PublicKey

_LAB = "a lab build compares pictures of a labelled set by its nature: it holds neither camera, store nor door"


@dataclass(frozen=True, slots=True)
class Sources:
    """The parsed files of the package, and what could not be parsed."""

    modules: tuple[Module, ...]
    unread: tuple[Finding, ...]

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
            unread.append(Finding(name, "is compiled code inside the product: nobody can read it"))
        elif name.endswith(".py"):
            try:
                modules.append(Module.parse(name, subject.home.read(name)))
            except (SyntaxError, ValueError, RecursionError, OSError):
                unread.append(Finding(name, "cannot be parsed by the auditor's Python"))
    return Sources(tuple(modules), tuple(unread))


def examine(
    subject: Subject, profile: str, builders: Mapping[str, PublicKey] | None, tell: Callable[[str], None]
) -> Iterator[Check]:
    """Every check of the static part, each as it is done.

    Args:
        subject: what is examined. profile: of the build statement. builders: whose signatures count; None: nobody was
            named. tell: told what is being read.
    """
    said = rooms.statement(subject)
    yield check_signature(subject, profile, builders)
    yield from surroundings(subject, profile, tell)
    examined, found = rooms.check_rooms(subject, profile, said)
    yield Check("rooms", f"Only the parts that belong into a {profile} build are in it", examined, ordered(found))
    yield from _inside(read_sources(subject, profile), profile)


def surroundings(subject: Subject, profile: str, tell: Callable[[str], None]) -> Iterator[Check]:
    """What surrounds the product. A development install is no device: a developer's tools lie beside it."""

    def check(name: str, title: str, answer: Callable[[], tuple[str, list[Finding]]]) -> Check:
        if profile == "development" and name in _OF_A_DEVICE:
            return Check(name, title, "", skipped="a developer's tools lie beside a development install")
        examined, found = answer()
        return Check(
            name, title, examined, ordered(f.softened() for f in found) if _is_soft(profile) else ordered(found)
        )

    title = "Every file is one that was installed, unaltered, with a package"
    yield check("files", title, lambda: records.check_records(subject, tell))
    yield check("start-up", "Nothing runs behind the product's back", lambda: environment.check_startup(subject))
    if subject.is_wheel:
        return
    yield check("packages", "Only known packages are installed beside it", lambda: _packages(subject))
    title = "No setting makes Python load other code"
    yield check("variables", title, lambda: environment.check_variables(subject))
    title = "Compiled files are what their sources say"
    yield check("compiled", title, lambda: bytecode.check_bytecode(subject, tell))


#: Checks that say something about a device's environment only.
_OF_A_DEVICE = frozenset({"files", "packages", "compiled"})


def _is_soft(profile: str) -> bool:
    """In a development install what is found around the product is a remark."""
    return profile == "development"


def _packages(subject: Subject) -> tuple[str, list[Finding]]:
    examined, found = environment.check_packages(subject)
    return examined, found + environment.check_system(subject)


def _inside(sources: Sources, profile: str) -> Iterator[Check]:
    """The product's own source."""
    if profile == "lab":
        for name, title in (("scores", _SCORES), ("templates", _GATES), ("collections", _ONE)):
            yield Check(name, title, "", skipped=_LAB)
    else:
        yield _each(sources, "scores", _SCORES, scores.similarities, "could measure how alike two vectors are")
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
        sources, "sql", "Stored templates are read by the card's key alone", sql, "a statement nobody reviewed"
    )
    yield replace(found, examined=counted(count, "database statement"))
    sentence = "builds or loads code while running"
    check = _each(sources, "dynamic", "The program is what its source says", dynamic.dynamics, sentence)
    yield replace(check, findings=ordered((*check.findings, *sources.unread)))
    sentence = "could talk to other machines"
    yield _each(sources, "listeners", "It listens to nobody and calls nobody", listeners.listeners, sentence)


_SCORES = "There is one place where a face is compared"
_GATES = "Only listed places touch a template, a captured face or a score"
_ONE = "Nothing takes several templates or several people's claims"


def _each(sources: Sources, name: str, title: str, look: Callable[[Module], Iterator[Use]], sentence: str) -> Check:
    findings: list[Finding] = []
    uses = 0
    for module in sources.modules:
        found = list(look(module))
        uses += len(found)
        findings += judge(name, module, found, sentence)
    examined = f"{counted(uses, 'place')} of this kind in {counted(len(sources.modules), 'file')}"
    return Check(name, title, examined, ordered(findings))


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
