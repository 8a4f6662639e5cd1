"""What a running device is judged by: the build file and packs that came with it, packs added since, its embedder.

    subject, faults = subject_of(build, state_dir, trust_dir, card=chain.embedder.card.raw)
    standing(subject, today)

Reading YAML takes some hundred milliseconds; the build's own files cannot change while it runs and are read once.
Nothing of this is imported before it is asked for, and nothing of it happens while a claim is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from edge import _resources
from edge.build.added_packs import Fault, load_added
from edge.build.buildfile import BuildFile, load_build
from edge.build.judge import reviews
from edge.build.today import Subject
from edge.errors import PackRefused
from edge.policy.packs import Pack, load_packs
from edge.profile import BuildInfo


@cache
def shipped_packs(folder: Path) -> tuple[Pack, ...]:
    """The packs of a folder.

    Raises:
        PackRefused: one of them is no pack; with every finding.
    """
    packs, findings = load_packs(sorted(folder.glob("*.yaml")))
    if findings:
        raise PackRefused(
            tuple(str(finding) for finding in findings), where=str(folder), remedy="reinstall the product"
        )
    return packs


@cache
def shipped_build(file: Path) -> BuildFile:
    """The build file that came with the product.

    Raises:
        PackRefused: it does not hold together; with every finding.
    """
    build, findings = load_build(file)
    if build is None:
        raise PackRefused(tuple(str(finding) for finding in findings), where=str(file), remedy="reinstall the product")
    return build


def subject_of(
    build: BuildInfo, state_dir: Path, trust_dir: Path, *, card: Mapping[str, Any] | None, strict: bool = True
) -> tuple[Subject, tuple[Fault, ...]]:
    """What this device is judged by, and added files that do not count.

    Args:
        build: what is running; its statement holds the limits of the day of the build.
        state_dir, trust_dir: of the settings. card: of the embedder in use. strict: as `signing.trusted`.

    Raises:
        PackRefused: what came with the build cannot be read.
    """
    own = shipped_build(_resources.path("config", "build.yaml"))
    added, faults = load_added(state_dir, trust_dir, strict=strict)
    packs = (*shipped_packs(_resources.path("config", "policy")), *added)
    return Subject(own, packs, card, reviews(own, trust_dir), _limits(build.statement)), faults


def _limits(statement: Mapping[str, Any]) -> dict[str, float]:
    policy = statement.get("policy")
    limits = policy.get("limits") if isinstance(policy, Mapping) else None
    found = {}
    for fact, limit in (limits if isinstance(limits, Mapping) else {}).items():
        most = limit.get("at_most") if isinstance(limit, Mapping) else None
        if isinstance(most, int | float):
            found[fact] = float(most)
    return found
