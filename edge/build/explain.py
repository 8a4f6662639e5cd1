"""A build in plain words: what it can and cannot do, who vouches for it, where it comes from, what was added since.

    for section in explain(found, "fr", added=()):
        print(section.title, *section.lines, sep="\\n")

Workflow: `edge.build.attest` has examined a wheel or the installation; the sentences are in the catalogues of
`edge.messages` (``build.``), in English and French. What a statement holds was written by others: nothing of it reaches
a terminal unprintable, and the page says in its own section whether a signature covers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from edge.build.added import Addition
from edge.build.attest import Examination
from edge.build.files import SAID, Discrepancy
from edge.messages import text, translated
from edge.policy.facts import FACTS
from edge.profile import CAPABILITIES

#: More problems than this are counted, not listed.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Passage:
    """A heading, empty for remarks, and its sentences.

    ``kind`` is ``title``, ``can``, ``cannot``, ``notes``, ``vouches``, ``known``, ``origin``, ``added``, ``declared``.
    """

    kind: str
    title: str
    lines: tuple[str, ...]


def explain(found: Examination, language: str, *, added: Sequence[Addition] | None = None) -> tuple[Passage, ...]:
    """The whole page.

    Args:
        found: what was examined. language: ``en`` or ``fr``.
        added: what was added to the device; None: no device was examined, and the section is left out.
    """
    say = _Speaker(language)
    build = found.build
    intro = say("build.fault", fault=build.fault) if build.fault else say(f"build.profile.{build.profile}")
    sections = [Passage("title", say("build.title", version=build.version or "?"), (intro,)), *_abilities(found, say)]
    sections.append(Passage("vouches", say("build.vouches"), tuple(_vouches(found, say))))
    signer = found.signer.name if found.ok and found.signer else None
    known = say("build.not_by_identity") if signer is None else say("build.by_identity", name=signer)
    sections.append(Passage("known", say("build.known"), (known, say("build.by_analysis"))))
    sections.append(Passage("origin", say("build.origin"), tuple(_origin(found, say))))
    if added is not None:
        names = [(f"build.{'added' if one.signer else 'refused'}_{one.kind}", one) for one in added]
        lines = tuple(say(said, name=one.name, signer=one.signer) for said, one in names) or (say("build.added_none"),)
        sections.append(Passage("added", say("build.added"), lines))
    sections.append(Passage("declared", say("build.declared"), tuple(_declared(build.statement, say))))
    return tuple(sections)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Says the sentences of one language."""

    language: str

    def __call__(self, sentence: str, /, **parts: object) -> str:
        return self.typeset(text(sentence, self.language, **{key: _clean(part) for key, part in parts.items()}))

    def typeset(self, said: str) -> str:
        """French puts spaces that do not break before colon and semicolon, and inside its quotation marks."""
        if self.language != "fr":
            return said
        return said.replace(" :", "\u00a0:").replace(" ;", "\u00a0;").replace("« ", "«\u00a0").replace(" »", "\u00a0»")

    def problem(self, problem: Discrepancy) -> str:
        said = translated(f"build.problem.{problem.kind}", SAID[problem.kind], self.language, name=problem.name)
        return self.typeset(_clean(said))

    def day(self, iso: str) -> str:
        """``2026-11-01`` as ``1 November 2026`` or ``1er novembre 2026``."""
        try:
            day = date.fromisoformat(iso)
        except ValueError:
            return "?"
        first = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{first} {self('build.months').split()[day.month - 1]} {day.year}"

    def value(self, value: Any) -> str:
        """A declared value, its words in the language of the page."""
        if isinstance(value, bool):
            return self("build.yes" if value else "build.no")
        if isinstance(value, list | tuple):
            return ", ".join(self.value(entry) for entry in value) or self("build.none")
        if isinstance(value, Mapping):
            keys = [key for key in ("kind", "name", "date") if key in value]
            return ", ".join(self.value(value[key]) for key in (*keys, *(key for key in value if key not in keys)))
        with suppress(KeyError):  # a word of the build file
            return text(f"build.word.{value}", self.language)
        return str(value)


def _abilities(found: Examination, say: _Speaker) -> Iterator[Passage]:
    can: list[str] = []
    cannot: list[str] = []
    for capability in CAPABILITIES:
        able = found.build.can(capability.name)
        name, english = ("can", capability.can) if able else ("cannot", capability.cannot)
        what = translated(f"build.{name}.{capability.name}", english, say.language)
        (can if able else cannot).append(say("build.it", what=what))
    yield Passage("can", say("build.can"), tuple(can) or (say("build.nothing"),))
    yield Passage("cannot", say("build.cannot"), tuple(cannot))
    later = () if found.build.profile == "development" else (say("build.no_switch"),)
    yield Passage("notes", "", (*later, say("build.template")))


def _vouches(found: Examination, say: _Speaker) -> Iterator[str]:
    if found.ok and found.signer is not None:
        yield say("build.signed", name=found.signer.name, key=found.signer.key_id, files=found.files)
        if not found.build.is_device:
            yield say("build.no_door")
        else:
            yield say("build.may_drive" if found.build.declared else "build.undeclared")
        return
    told = [say.problem(problem) for problem in found.problems[:_SHOWN]]
    if len(found.problems) > _SHOWN:
        told.append(say("build.more", count=len(found.problems) - _SHOWN))
    yield say("build.unsigned", reason="; ".join(told))
    yield say("build.log_only" if found.build.profile != "lab" else "build.no_door")


def _origin(found: Examination, say: _Speaker) -> Iterator[str]:
    build = found.build
    if isinstance(driver := build.statement.get("camera_driver"), Mapping):
        yield say("build.own_driver", name=driver.get("name", "?"), digest=str(driver.get("sha256", "?"))[:16])
    if build.built:
        yield say("build.built", date=say.day(build.built))
    if build.commit is None or build.dirty is None:
        yield say("build.no_commit")
    else:
        yield say("build.dirty" if build.dirty else "build.commit", commit=build.commit[:12])


def _declared(statement: Mapping[str, Any], say: _Speaker) -> Iterator[str]:
    facts = dict(_flat(statement.get("deployment") or {}))
    if not facts:
        yield say("build.declared_none")
        return
    for path in (*(path for path in FACTS if path in facts), *(path for path in facts if path not in FACTS)):
        name = path
        with suppress(KeyError):  # else shown by its own name
            name = text(f"build.fact.{path}", say.language)
        for value in facts[path] if path == "records" and isinstance(facts[path], list) else [facts[path]]:
            yield say("build.fact", name=name, value=say.value(value))
    yield say("build.declared_only")


def _flat(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested facts under their dotted names."""
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    for key, value in tree.items():
        yield from _flat(value, f"{path}.{key}" if path else str(key))


def _clean(part: object) -> str:
    """Text of others without control characters, and not without end."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(part))
    return text if len(text) <= 500 else text[:499] + "…"
