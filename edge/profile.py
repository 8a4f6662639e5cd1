"""What the running product is: read from the statement that the build hook has put into the package.

    build = current()
    build.profile, build.signed        # ("device", False)

Workflow: a wheel holds ``edge/_build/statement.json``; it counts. Without one, a checkout or editable install (the
build hook itself and the project's folders lie there, and no wheel holds them) is `development`. Everything else, a
damaged statement included, is `device` without any capability: the strictest. No environment variable, argument or
setting plays a part. Whether a trusted signature covers the files costs reading all of them: `edge.build.attest` finds
that out where a door is opened, in the self-test and in `edge build show`; here `signed` stays False.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge._resources import is_source_tree
from edge._version import __version__

#: Profiles that a wheel can have. `development` is what an editable install or a checkout is, and never a wheel.
WHEEL_PROFILES = ("device", "lab")


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a build can or cannot do.

    Args:
        name: its name in ``config/build.yaml``.
        can: what the build can do where it is true.
        cannot: the sentence where it is false.
        profiles: the profiles that have it; empty: none can.
        why: why not everywhere.
        optional: those who build decide (a listener, a connection); otherwise its profile does.
    """

    name: str
    can: str
    cannot: str
    profiles: frozenset[str]
    why: str
    optional: bool = False

    def expected(self, profile: str) -> bool:
        """Its value in a build of this profile, unless the build file decides otherwise."""
        return profile in self.profiles and not (self.optional and profile in WHEEL_PROFILES)

    def possible(self, profile: str, value: object) -> bool:
        """Whether a build of this profile can have this value."""
        return value is self.expected(profile) or (self.optional and value is True and profile in self.profiles)


CAPABILITIES = (
    Capability(
        name="one_to_many_search",
        can="finds out who somebody is by comparing a face with many people",
        cannot="cannot find out who somebody is: a face is compared with one template, the one of the card shown",
        profiles=frozenset(),
        why="no code exists to enable it",
    ),
    Capability(
        name="attribute_inference",
        can="guesses age, sex, origin or mood from a face",
        cannot="cannot guess age, sex, origin or mood from a face",
        profiles=frozenset(),
        why="no code exists to enable it",
    ),
    Capability(
        name="image_retention",
        can="keeps pictures of people",
        cannot="keeps no picture of anybody; `edge attack record`, which does with consent, is in no wheel",
        profiles=frozenset(),
        why="no code exists to enable it",
    ),
    Capability(
        name="file_comparison",
        can="compares the faces of two picture files",
        cannot="cannot compare picture files",
        profiles=frozenset({"lab", "development"}),
        why="a device build has no way from a picture to a score without a signed claim",
    ),
    Capability(
        name="score_output",
        can="shows comparison scores",
        cannot="never shows a comparison score, only yes, no or no decision",
        profiles=frozenset({"lab", "development"}),
        why="a score shown at a door helps an impostor to improve",
    ),
    Capability(
        name="claimed_verification",
        can="captures a face after a person has shown their card, and decides about that one person",
        cannot="holds no camera, store or door",
        profiles=frozenset({"device", "development"}),
        why="a lab build works on files only",
    ),
    Capability(
        name="operator_socket",
        can="takes operators' acts (enrol, revoke, erase) while it runs, from its own user of this machine only",
        cannot="takes no act from anybody while it runs",
        profiles=frozenset({"device", "development"}),
        why="a lab build runs no door",
    ),
    Capability(
        name="local_page",
        can="shows the person in front a page, which a process of its own serves to this machine only (127.0.0.1)",
        cannot="serves no page to anybody",
        profiles=frozenset({"device", "development"}),
        why="a lab build has no person in front of it",
        optional=True,
    ),
    Capability(
        name="operator_page",
        can="shows operators with a token pages for their acts, which a process of its own serves to this machine only",
        cannot="serves operators no page",
        profiles=frozenset({"device", "development"}),
        why="a lab build runs no door",
        optional=True,
    ),
    Capability(
        name="keyboard_reader",
        can="reads cards with a scanner that types, which it keeps from every other program",
        cannot="reads no keyboard",
        profiles=frozenset({"device", "development"}),
        why="a lab build takes no claims",
        optional=True,
    ),
    Capability(
        name="serial_reader",
        can="reads cards with a scanner on a serial line",
        cannot="reads no serial line",
        profiles=frozenset({"device", "development"}),
        why="a lab build takes no claims",
        optional=True,
    ),
    Capability(
        name="pin_alone",
        can="takes a PIN in the place of a card: WEAKER than any card, since a PIN can be guessed",
        cannot="takes no PIN in the place of a card",
        profiles=frozenset({"device", "development"}),
        why="a lab build takes no claims",
        optional=True,
    ),
)

BY_NAME: Mapping[str, Capability] = {capability.name: capability for capability in CAPABILITIES}


def of(profile: str) -> dict[str, bool]:
    """Every capability of a profile, by name; those that are optional are in no wheel unless they are asked for."""
    return {capability.name: capability.expected(profile) for capability in CAPABILITIES}


def possible(profile: str, capabilities: object) -> bool:
    """Whether a build of this profile can have just these capabilities."""
    return (
        isinstance(capabilities, Mapping)
        and capabilities.keys() == BY_NAME.keys()
        and all(one.possible(profile, capabilities[one.name]) for one in CAPABILITIES)
    )


STATEMENT = "edge/_build/statement.json"
#: Where a wheel holds a camera driver of its builder's own; its statement names it then.
OWN_DRIVER = "edge/camera/own.py"
STATEMENT_SCHEMA = "edge/build-statement/v1"
UNDECLARED = "where it stands and what for is not declared, so no rule has passed"

_PACKAGE = Path(__file__).resolve().parent
_NOTHING: Mapping[str, bool] = MappingProxyType(dict.fromkeys(of("device"), False))


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What this build is.

    Args:
        profile: ``device``, ``lab`` or ``development``. A str: compare with ``==``, also with `edge.types.Profile`.
        version: version of the product.
        capabilities: every capability by name.
        signed: whether a trusted signature covers the files; only `edge.build.attest.verified` finds out.
        signer: whose signature it is, as the trust folder names the key. signer_id: its key id, 16 hex digits.
        unsigned: why no trusted signature covers the files, in words; empty when one does, or before it was examined.
        commit: commit of the source, None when unknown.
        dirty: whether the source differed from its commit, None when unknown.
        built: day of the build, ISO 8601; empty when there was none.
        fault: why the statement is not valid, in words; empty when it is.
        statement: the whole build statement, for `edge build show`; empty when there is none.
    """

    profile: str
    version: str
    capabilities: Mapping[str, bool] = field(default_factory=lambda: _NOTHING)
    signed: bool = False
    commit: str | None = None
    dirty: bool | None = None
    built: str = ""
    fault: str = ""
    signer: str = ""
    signer_id: str = ""
    unsigned: str = ""
    statement: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def drives_doors(self) -> bool:
        """Whether it may drive a door other than log; see `log_only`."""
        return not self.log_only

    @property
    def log_only(self) -> str:
        """Why it drives no door other than log, in words; empty when it may.

        A device build may, under a trusted signature over all its files, when it is declared where it stands,
        so that the policy packs could be evaluated.
        """
        if not self.is_device:
            return "it is no device build"
        if self.fault or not self.signed:
            return self.fault or self.unsigned or "no trusted signature covers it"
        return "" if self.declared else UNDECLARED

    @property
    def declared(self) -> bool:
        """Whether the build declares where and what for it stands, and passed the policy packs with it."""
        policy = self.statement.get("policy")
        return isinstance(policy, Mapping) and policy.get("standing") == "declared"

    @property
    def is_device(self) -> bool:
        """Whether this is a device build: no scores, no pictures from files."""
        return self.profile not in ("lab", "development")

    @property
    def built_s(self) -> int:
        """Unix seconds at the beginning of the day of the build, UTC; 0 without one. No clock can be before it."""
        try:
            return int(datetime.fromisoformat(f"{self.built}T00:00:00+00:00").timestamp())
        except ValueError:
            return 0

    def can(self, capability: str) -> bool:
        """Whether this build has a capability; unknown names are False."""
        return self.capabilities.get(capability, False)


def package_folder() -> Path:
    """The folder of the running package `edge`."""
    return _PACKAGE


def bears_signature(package: Path = _PACKAGE) -> bool:
    """Whether a signature lies in the package. It is not checked here: see `edge.build.attest`."""
    return (package / "_build" / "statement.dsse.json").is_file()


def current(package: Path = _PACKAGE) -> BuildInfo:
    """What the running product is. Reads one small file; never raises.

    Args:
        package: the folder of the package `edge`; another one in tests only.
    """
    file = package.parent / STATEMENT
    if not file.exists():
        if is_source_tree(package):
            version = f"{__version__}+development"
            return BuildInfo("development", version, MappingProxyType(of("development")))
        return BuildInfo("device", __version__, fault="this installation has no build statement")
    try:
        statement = json.loads(file.read_text(encoding="utf-8"))
        return from_statement(statement)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return BuildInfo("device", __version__, fault="the build statement cannot be read")


def from_statement(statement: Mapping[str, Any]) -> BuildInfo:
    """A statement as information; one that contradicts what its profile can hold is not valid.

    Raises:
        KeyError, TypeError, ValueError: it is no statement.
    """
    profile, capabilities = statement["profile"], dict(statement["capabilities"])
    if statement["schema"] != STATEMENT_SCHEMA or profile not in WHEEL_PROFILES or not possible(profile, capabilities):
        return BuildInfo("device", __version__, fault="the build statement does not fit this version")
    return BuildInfo(
        profile=profile,
        version=str(statement["version"]),
        capabilities=MappingProxyType(capabilities),
        commit=statement.get("commit"),
        dirty=statement.get("dirty"),
        built=str(statement.get("built", "")),
        statement=MappingProxyType(dict(statement)),
    )
