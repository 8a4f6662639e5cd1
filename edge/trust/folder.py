"""Trust folders: whose public halves count here, by role.

    TRUST/issuers/*.pub     who makes cards
    TRUST/builders/*.pem    who builds; likewise packs, models, reviewers

    files, warnings = trusted_files(settings.device.trust_dir, "issuers", ".pub", strict="root", kind=KeyringError)

Root puts a file there and takes it away; no command does that from afar, and a restart ends the trust. Whoever can
write the folder decides whose cards and builds count; `strict` says who that may be.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from edge import _resources
from edge.files import E, others_may_change, read_file, refusal, visible_files
from edge.trust.keyfile import MAX_BYTES

#: Who may be able to change a trust folder. False: anybody, with a warning (an auditor's stick, a desk). True: root and
#: this user (where wheels are built and people work). "root": root alone, no link on the way (a device build).
Strict = bool | Literal["root"]


def strictness(door: str) -> Strict:
    """Who may be able to change the trust folder of a device.

    Args:
        door: its driver. On a device build root alone may, whatever the door; elsewhere it matters where hardware is
            driven.
    """
    return "root" if _resources.is_device() else door != "log"


#: More files than this in one role is a mistake, not a site.
MAX_KEYS = 64


def trusted_files(
    trust_dir: Path, role: str, suffix: str, *, strict: Strict, kind: type[E]
) -> tuple[list[tuple[Path, bytes]], tuple[str, ...]]:
    """The public files of one role, and what a stricter look would have refused.

    Hidden files (`._x.pub`, which macOS adds) are no keys; empty ones, as a full stick leaves them, are warned of.

    Args:
        trust_dir: the trust folder; where it has no folder for the role no key is trusted.
        role: name of the folder. suffix: of its files. kind: of the errors.
        strict: see `Strict`; on a device build True means "root".

    Raises:
        EdgeError: of ``kind``: someone besides root could change it (strict), a file or folder cannot be read,
            is a link or too large, or there are too many.
    """
    folder = trust_dir / role
    strict = "root" if strict and _resources.is_device() else strict
    try:
        paths = visible_files(folder, suffix)
        exposed = list(_exposed((trust_dir, folder, *paths), "root" if strict == "root" else True))
    except OSError as error:
        raise refusal(kind, error, folder, "the trusted keys cannot be read") from None
    if strict and exposed:
        place, why, remedy = exposed[0]
        raise kind(
            f"someone besides root could change which keys this device trusts: {why}", where=place, remedy=remedy
        )
    if len(paths) > MAX_KEYS:
        raise kind(f"more than {MAX_KEYS} keys", where=str(folder), remedy="remove retired ones")
    warnings = [
        f"{place}: someone besides root could change which keys this device trusts: {why}" for place, why, _ in exposed
    ]
    found = [(path, read_file(path, limit=MAX_BYTES, kind=kind, noun="public key file")) for path in paths]
    warnings += [f"{path}: empty, so no key is trusted for it" for path, data in found if not data]
    return [(path, data) for path, data in found if data], tuple(warnings)


def _exposed(places: tuple[Path, ...], strict: Strict) -> Iterator[tuple[str, str, str]]:
    """Each place on the way to the keys that someone could change who should not: where, why, remedy.

    Every parent counts: whoever can rename one of them brings a folder of their own. In a folder with the sticky bit
    (/tmp) others can add names, but not take away one that belongs to root.
    """
    owners = frozenset({0} if strict == "root" else {0, os.geteuid()})
    base = places[0].absolute() if strict == "root" else places[0].resolve()
    for place in (*reversed(base.parents), *(base / path.relative_to(places[0]) for path in places)):
        above = place in base.parents
        try:
            why = others_may_change(place, owners, above=above)
        except FileNotFoundError:
            return  # a folder that is not there trusts no key
        if not why:
            continue
        remedy = (
            f"sudo chmod go-w {shlex.quote(str(place))}"
            if "write" in why
            else f"sudo chown root:root {shlex.quote(str(place))}"
        )
        if "link" in why:
            remedy = "put a real file or folder in its place, as root"
        elsewhere = "set device.trust_dir to a folder below others that belong to root, such as /etc/edge/trust"
        yield str(place), why, elsewhere if above else remedy
