"""Test vectors: the product, and a reader that shares no line with it, give the same answer to each."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.build.attest import examine
from edge.build.files import Discrepancy
from edge.claim import decode
from edge.errors import EdgeError, SignatureError
from edge.journal.entry import GENESIS
from edge.journal.head import Head
from edge.journal.verify import Broken, Walk
from edge.profile import STATEMENT
from edge.trust import TrustStore
from edge.trust.envelopes import PublicKey, verify
from edge.trust.issuer import IssuerPublic
from edge.types import Claim, Custody, SealedTemplate
from edge.vault.seal import open_sealed
from tests.conformance import make_vectors, reader
from tests.conformance.reader import Refused

VECTORS = json.loads(make_vectors.FILE.read_text())
KEYS = {name: bytes.fromhex(value) for name, value in VECTORS["keys"].items()}
BUILDERS = {key.key_id: key for key in [PublicKey(KEYS["builder"], "test")]}
READER = Path(reader.__file__).read_text()


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", VECTORS[kind], ids=lambda case: case["name"])


def code(read: Callable[[], Any], codes: dict[str, str]) -> str | None:
    """What the product says of an input, as a code of the vectors: by the beginning of its sentence."""
    try:
        read()
    except EdgeError as error:
        (found,) = {value for said, value in codes.items() if error.what.startswith(said)}
        return found
    return None


def refused(read: Callable[[], Any]) -> str | None:
    """What the other reader says."""
    try:
        read()
    except Refused as error:
        return str(error)
    return None


def test_the_vectors_are_those_of_today_s_formats():
    assert make_vectors.FILE.read_text() == make_vectors.text(), "run: python -m tests.conformance.make_vectors"


def test_the_other_reader_is_short_and_imports_nothing_of_the_product():
    assert len(READER.splitlines()) <= 150
    imported = {
        getattr(node, "module", None) or node.names[0].name
        for node in ast.walk(ast.parse(READER))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not [name for name in imported if name.split(".")[0] in ("edge", "tests")]


@cases("token")
def test_tokens(case):
    trust = TrustStore.of(IssuerPublic(KEYS["issuer"]))
    codes = {
        "this is not a card of this site": "not_a_card",
        "the token is signed but its content is not of this version": "not_this_version",
        "this card belongs to another site": "other_site",
    }

    def read() -> Claim:
        return decode(case["text"], trust=trust, site_id=KEYS["site"], received_ns=0)

    assert code(read, codes) == case["error"]
    issuers = {KEYS["issuer_id"]: KEYS["issuer"]}
    assert refused(lambda: reader.token(case["text"], KEYS["site"], issuers)) == case["error"]
    if case["error"] is None:
        claim, said = read(), reader.token(case["text"], KEYS["site"], issuers)
        for name, value in case["says"].items():
            ours = getattr(claim, name)
            assert value in (ours, list(ours) if isinstance(ours, tuple) else getattr(ours, "hex", str)()), name
            assert value in (said[name], said[name].hex() if isinstance(said[name], bytes) else None), name


@cases("template")
def test_sealed_templates(case):
    parts = {name: bytes.fromhex(value) for name, value in case["sealed"].items()}
    said, key = case["claim"], bytes.fromhex(case["key"])
    serial, secret = bytes.fromhex(said["serial"]), bytes.fromhex(said["secret"])
    claim = Claim(
        Custody(said["custody"]), KEYS["site"], serial, 0, ("a",), 0, said["expires"], secret, issuer=b"", received_ns=0
    )
    codes = {
        "the sealed template does not open": "does_not_open",
        "the template was made by another embedder": "other_model",
    }

    def read() -> list[int]:
        template = open_sealed(SealedTemplate(**parts), claim, key, model_digest=KEYS["model"], session="s")
        return template.read("s").ravel().tolist()

    known = {**said, "serial": serial, "secret": secret}
    assert code(read, codes) == case["error"]
    assert refused(lambda: reader.template(parts, known, key, KEYS["model"])) == case["error"]
    if case["error"] is None:
        assert read() == reader.template(parts, known, key, KEYS["model"]) == case["vector"]


@cases("journal")
def test_journals(case):
    codes = {
        "was altered, or not written by this device": "altered",
        "is missing": "missing",
        "does not follow the entry before it": "does_not_follow",
        "a line that is not an entry": "not_an_entry",
        "a checkpoint that does not stand first": "checkpoint_not_first",
    }
    walk, found = Walk(KEYS["journal_key"], Head(0, GENESIS)), None
    try:
        for line in case["lines"].encode().splitlines(keepends=True):
            walk.line(line)
    except Broken as broken:
        (found,) = {value for said, value in codes.items() if broken.problem.endswith(said)}
    data = case["lines"].encode()
    assert found == case["error"] or (walk.torn and case["error"] == "not_an_entry")
    assert refused(lambda: reader.journal(data, KEYS["journal_key"])) == case["error"]
    if case["error"] is None:
        assert walk.expected.seq == reader.journal(data, KEYS["journal_key"]) == case["last"]


@cases("envelope")
def test_envelopes(case):
    codes = {
        "this is not a signature envelope": "not_an_envelope",
        "the signature is over something else": "other_type",
        "the signature does not fit": "not_signed",
        "not signed by a key that this device trusts": "not_signed",
    }
    data = case["envelope"].encode()
    assert code(lambda: verify(data, case["type"], BUILDERS), codes) == case["error"]
    assert refused(lambda: reader.envelope(data, case["type"], [KEYS["builder"]])) == case["error"]
    if case["error"] is None:
        assert verify(data, case["type"], BUILDERS).payload == reader.envelope(data, case["type"], [KEYS["builder"]])


@dataclass(frozen=True)
class Held:
    """Files in memory. `edge.build.files.Files`."""

    files: dict[str, bytes]
    signature: bytes
    where: str = "memory"

    def names(self) -> frozenset[str]:
        return frozenset(self.files)

    def read(self, name: str) -> bytes:
        if name == STATEMENT:
            raise SignatureError("not there", where=name)
        return self.files.get(name, self.signature)

    def digest(self, name: str) -> str:
        return hashlib.sha256(self.files[name]).hexdigest()

    def wrong(self) -> tuple[Discrepancy, ...]:
        return ()

    def unlisted(self) -> tuple[Discrepancy, ...]:
        return ()


@cases("statement")
def test_statements(case):
    files = {name: content.encode() for name, content in case["files"].items()}
    found = examine(Held(files, case["envelope"].encode()), BUILDERS)
    kinds = {one.kind for one in found.problems} - {"statement", "foreign"}  # there is no build around these files
    assert kinds == ({case["error"].replace("not_a_statement", "broken")} if case["error"] else set())
    assert refused(lambda: reader.statement(case["envelope"].encode(), [KEYS["builder"]], files)) == case["error"]


def test_every_code_of_the_reader_has_a_vector():
    calls = [node for node in ast.walk(ast.parse(READER)) if isinstance(node, ast.Call)]
    codes = {
        call.args[-1].value
        for call in calls
        if getattr(call.func, "id", "") in ("need", "Refused") and isinstance(call.args[-1], ast.Constant)
    }
    used = {case["error"] for kind in VECTORS if kind != "keys" for case in VECTORS[kind]}
    assert codes
    assert codes <= used
