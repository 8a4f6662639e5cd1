"""``config/build.yaml``: which profile is built, and every capability said in so many words.

    build, findings = load_build(Path("config/build.yaml"))
    # config/build.yaml:13:23: capability/one_to_many_search: true is refused: no code exists to enable it; write false

The same YAML core and the same line-numbered messages as the field settings. Every finding comes at once.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.policy.deployment import KEY, Deployment, read_deployment
from edge.policy.findings import Finding, from_problem
from edge.profile import BY_NAME, CAPABILITIES, WHEEL_PROFILES
from edge.settings.problems import KeyPath, shown
from edge.settings.yaml_core import Document, load

VERSION = "edge/build/v1"
_UNLISTED = "it is not listed, and every capability must be"
KEYS = ("version", "profile", "capabilities")
#: May be left out: where the build is going to stand, packs that it takes on anyway, the builder's own camera driver.
MORE_KEYS = (KEY, "policy_packs", "camera_driver")

#: The class that the builder's own driver defines; `edge.camera` calls it with the settings of the camera.
DRIVER_CLASS = "Camera"
DRIVER = f"name a Python file beside the build file, with a class {DRIVER_CLASS} (deploy/examples/own_driver.py)"


@dataclass(frozen=True, slots=True)
class BuildFile:
    """A build file that holds no contradiction.

    Args:
        path: where it is.
        profile: ``device`` or ``lab``.
        capabilities: every capability by name.
        sha256: digest of the file, hexadecimal.
        deployment: what is declared of where it will stand; None when nothing is.
        policy_packs: ids of local packs that it takes on wherever it stands.
        camera_driver: a file of the builder's own that drives the camera, named relative to the build file's folder;
            empty: the drivers are this product's.
        document: the file as read, for places in messages.
    """

    path: Path
    profile: str
    capabilities: Mapping[str, bool]
    sha256: str
    deployment: Deployment | None = None
    policy_packs: tuple[str, ...] = ()
    camera_driver: str = ""
    document: Document | None = field(default=None, repr=False)

    def where(self, fact: str) -> str:
        """``file:line:column`` of what decides a fact: its declaration, a capability, or the embedder's card."""
        if fact.startswith("model."):
            return "models/embedder.card.yaml"
        if fact.startswith("build."):
            return self.where_key(("capabilities", fact.removeprefix("build.")))
        return self.where_key((KEY, *fact.split(".")))

    def where_key(self, path: KeyPath) -> str:
        """``file:line:column`` of a key of the build file."""
        if self.document is None:
            return str(self.path)
        place = self.document.place(path)
        return f"{self.document.file}:{place.line}:{place.column}"

    def signed_files(self) -> tuple[str, ...]:
        """Signed records, named relative to the build file's folder; they come with the wheel."""
        records = self.deployment.records if self.deployment else ()
        return tuple(dict.fromkeys(str(record["file"]) for record in records if "file" in record))


def load_build(path: Path, *, unlisted: bool = False) -> tuple[BuildFile | None, list[Finding]]:
    """Read a build file.

    Args:
        unlisted: a file that only lacks capabilities is read as if it had them as its profile does, so that the rules
            can be explained for a file made before there was such a capability.

    Returns:
        The build file, or None and every finding. Both, only where ``unlisted`` and capabilities are lacking.
    """
    document, problems = load(path)
    findings = [from_problem(problem) for problem in problems]
    if document is None:
        return None, findings
    findings += _shape(document)
    profile = document.data.get("profile")
    if profile in WHEEL_PROFILES and isinstance(document.data.get("capabilities"), dict):
        findings += _capabilities(document, str(profile))
    deployment, more = read_deployment(document)
    findings += [*more, *_packs(document), *_camera_driver(document)]
    if deployment is not None and profile != "device":
        text = f"deployment: a build of the profile {profile} has no place of its own and decides about no one"
        findings.append(_finding(document, (KEY,), "deployment", text, "leave it out", key=True))
    lacking = [finding for finding in findings if finding.what.startswith(_UNLISTED)]
    if findings and not (unlisted and lacking == findings):
        return None, findings
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = {capability.name: capability.expected(str(profile)) for capability in CAPABILITIES}
    capabilities = {**expected, **document.data["capabilities"]}
    taken_on = tuple(document.data.get("policy_packs") or ())
    driver = document.data.get("camera_driver") or ""
    return BuildFile(path, str(profile), capabilities, digest, deployment, taken_on, driver, document), lacking


def _finding(document: Document, path: KeyPath, kind: str, what: str, satisfy: str, *, key: bool = False) -> Finding:
    place = document.place(path, key=key)
    return Finding(f"{document.file}:{place.line}:{place.column}", kind, what, satisfy)


def _shape(document: Document) -> list[Finding]:
    """Findings about the keys of the top level."""
    known = (*KEYS, *MORE_KEYS)
    found = [_unknown(document, (key,), known) for key in document.data if key not in known]
    for key in KEYS:
        if (key,) not in document.keys:
            found.append(_finding(document, (), "build-file", f"the key {key} is missing", f"add `{key}:`"))
    data = document.data
    if "version" in data and data["version"] != VERSION:
        text = f"version: {shown(data['version'])} is not known"
        found.append(_finding(document, ("version",), "build-file", text, f"write {VERSION}"))
    if "profile" in data and data["profile"] not in WHEEL_PROFILES:
        text = f"profile: {shown(data['profile'])} cannot be built"
        found.append(_finding(document, ("profile",), "profile", text, f"write {' or '.join(WHEEL_PROFILES)}"))
    if "capabilities" in data and not isinstance(data["capabilities"], dict):
        text = "capabilities: this is not a section"
        found.append(_finding(document, ("capabilities",), "build-file", text, "indent the capabilities below it"))
    return found


def _packs(document: Document) -> list[Finding]:
    """Findings about the packs that are taken on; whether a pack exists is known where the packs are."""
    given = document.data.get("policy_packs")
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
        text = "policy_packs: this is not a list of packs"
        return [_finding(document, ("policy_packs",), "policy-pack", text, "write it as [gdpr-cnil]")]
    return []


def _camera_driver(document: Document) -> list[Finding]:
    """Findings about a camera driver of the builder's own, by what the build file says."""
    given = document.data.get("camera_driver")
    if given is None:
        return []
    what, satisfy = "", "leave it out"
    if document.data.get("profile") != "device":
        what = "only a device build has a camera"
    elif not isinstance(given, str) or not given.endswith(".py"):
        what, satisfy = f"{shown(given)} is no Python file", DRIVER
    return [_driver(document, what, satisfy)] if what else []


def _driver(document: Document, what: str, satisfy: str) -> Finding:
    return _finding(document, ("camera_driver",), "camera-driver", f"camera_driver: {what}", satisfy)


def driver_findings(build: BuildFile) -> list[Finding]:
    """Findings about the file that ``camera_driver`` names, which lies beside the build file where a build is made."""
    if not build.camera_driver or build.document is None:
        return []
    try:
        tree = ast.parse((build.path.parent / build.camera_driver).read_bytes())
    except OSError as error:
        return [_driver(build.document, f"{build.camera_driver} cannot be read ({error.strerror})", DRIVER)]
    except (SyntaxError, ValueError, RecursionError) as error:
        return [_driver(build.document, f"{build.camera_driver} is not Python ({error})", DRIVER)]
    if any(isinstance(node, ast.ClassDef) and node.name == DRIVER_CLASS for node in tree.body):
        return []
    return [_driver(build.document, f"{build.camera_driver} defines no class {DRIVER_CLASS}", DRIVER)]


def _capabilities(document: Document, profile: str) -> list[Finding]:
    """Findings about what the build says it can do."""
    given = document.data["capabilities"]
    found = [_unknown(document, ("capabilities", name), tuple(BY_NAME)) for name in given if name not in BY_NAME]
    for capability in CAPABILITIES:
        path, kind = ("capabilities", capability.name), f"capability/{capability.name}"
        expected = capability.expected(profile)
        wanted = f"write {str(expected).lower()}"
        if path not in document.keys:
            text = f"{_UNLISTED}: {capability.can}"
            found.append(_finding(document, path, kind, text, f"add `{capability.name}: {str(expected).lower()}`"))
        elif capability.name not in given:
            continue  # the YAML core has already told why its value cannot be read
        elif not isinstance(given[capability.name], bool):
            text = f"{shown(given[capability.name])} is not true or false"
            found.append(_finding(document, path, kind, text, wanted))
        elif not capability.possible(profile, given[capability.name]):
            found.append(_finding(document, path, kind, _contradiction(capability.name, profile), wanted))
    return found


def _contradiction(name: str, profile: str) -> str:
    capability = BY_NAME[name]
    if not capability.profiles:
        return f"true is refused in every profile: {capability.why}"
    if not capability.expected(profile):
        return f"true is refused in the profile {profile}: {capability.why}"
    return f"false is not true: a build of the profile {profile} {capability.can}"


def _unknown(document: Document, path: KeyPath, known: tuple[str, ...]) -> Finding:
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f", did you mean {close[0]}?" if close else ""
    text = f"unknown key {shown(path[-1])}{hint}"
    return _finding(document, path, "build-file", text, f"known are {', '.join(known)}", key=True)
