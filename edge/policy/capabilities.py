"""What a build can do, capability by capability, in words for people who do not program.

A capability is no switch: it is true exactly where the files that make it possible are in the build, so its value
follows from the profile. ``config/build.yaml`` nevertheless has to say every one of them, so that whoever builds has
read them and whoever audits finds them in the build statement. Some can be true nowhere: no code exists to enable them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Profiles that a wheel can have. `development` is what an editable install or a checkout is, and never a wheel.
WHEEL_PROFILES = ("device", "lab")
PROFILES = (*WHEEL_PROFILES, "development")


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a build can or cannot do.

    Args:
        name: its name in ``config/build.yaml``.
        can: what the build can do where it is true.
        cannot: the sentence where it is false.
        profiles: the profiles that have it; empty: none can.
        why: why not everywhere.
    """

    name: str
    can: str
    cannot: str
    profiles: frozenset[str]
    why: str

    def expected(self, profile: str) -> bool:
        """The only truthful value in a build of this profile."""
        return profile in self.profiles


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
        cannot="keeps no picture of anybody",
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
        why="a score shown at a door helps whoever wants to look like somebody else",
    ),
    Capability(
        name="claimed_verification",
        can="captures a face after a person has shown their card, and decides about that one person",
        cannot="holds no camera, store or door",
        profiles=frozenset({"device", "development"}),
        why="a lab build works on files only",
    ),
)

BY_NAME: Mapping[str, Capability] = {capability.name: capability for capability in CAPABILITIES}


def of(profile: str) -> dict[str, bool]:
    """Every capability of a profile, by name."""
    return {capability.name: capability.expected(profile) for capability in CAPABILITIES}
