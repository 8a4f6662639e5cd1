"""Makes `vectors.json`: good examples of what leaves a device, and one for each single fault with its code.

    python -m tests.conformance.make_vectors

Every key in it is made of its name and guards nothing. Bytes are in hexadecimal, texts as they are. The file is the
same each time: renew it when a format gets a new version, and keep the old version's.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.build.attest import PREDICATE_TYPE, STATEMENT_TYPE
from edge.claim import base45
from edge.claim.layout import pack
from edge.claim.token import PREFIX, TOKEN_DOMAIN, encode
from edge.journal.entry import GENESIS, Entry
from edge.trust import IssuerKey, derive
from edge.trust.envelopes import BUILD, PACK, Signer, sign
from edge.types import Custody, SealedTemplate, Token
from edge.types.rotation import Rotation, quantised
from edge.vault.seal import Header, record_id, seal

FILE = Path(__file__).parent / "vectors.json"
Case = dict[str, Any]


def made(name: str, length: int = 32) -> bytes:
    """Bytes that anybody can make again: SHAKE-256 of a name."""
    return hashlib.shake_256(f"edge test vector {name}".encode()).digest(length)


SITE, SITE_KEY, DEVICE_KEY, JOURNAL_KEY = made("site", 16), made("site key"), made("device key"), made("journal key")
MODEL, OTHER_MODEL = made("model"), made("another model")
ISSUER, STRANGER = IssuerKey(made("issuer"), "test"), IssuerKey(made("stranger"), "test")
BUILDER, NOBODY = Signer(made("builder"), "test"), Signer(made("nobody"), "test")
MADE, EXPIRES = 1_790_000_000, 1_821_536_000
VECTOR = np.frombuffer(made("template", 128), np.int8)
BOTH = np.stack([VECTOR, np.frombuffer(made("another day", 128), np.int8)])


def vectors() -> dict[str, Any]:
    """The whole file."""
    return {
        "keys": {
            "site": SITE.hex(),
            "site_key": SITE_KEY.hex(),
            "device_key": DEVICE_KEY.hex(),
            "journal_key": JOURNAL_KEY.hex(),
            "model": MODEL.hex(),
            "issuer": ISSUER.public.raw.hex(),
            "issuer_id": ISSUER.key_id.hex(),
            "builder": BUILDER.public.raw.hex(),
        },
        "token": list(_tokens()),
        "template": list(_templates()),
        "journal": list(_journals()),
        "envelope": list(_envelopes()),
        "statement": list(_statements()),
    }


def card(custody: Custody = Custody.DEVICE, **changes: Any) -> Token:
    """What a card says; in card custody with its template, sealed for the site."""
    body = Token(custody, SITE, made("serial", 16), 4711, ("office", "store"), MADE, EXPIRES, made("secret"))
    if custody is Custody.CARD:
        body = replace(body, sealed=sealed(body, SITE_KEY))
    return replace(body, **changes)


def sealed(body: Token, key: bytes, model: bytes = MODEL, **changes: Any) -> SealedTemplate:
    """Our template, sealed for a card."""
    ident = body.serial if body.custody is Custody.CARD else record_id(body.secret)
    header = Header(body.custody, ident, model, VECTOR.size, MADE, body.expires)
    salted: Callable[[int], bytes] = lambda count: made("salt", count)  # noqa: E731
    return replace(seal(VECTOR, secret=body.secret, key=key, header=header, random_bytes=salted), **changes)


def two_references(body: Token) -> SealedTemplate:
    """Sealed as version 3 has it: two references of one person."""
    header = Header(body.custody, record_id(body.secret), MODEL, VECTOR.size, MADE, body.expires, version=3)
    salted: Callable[[int], bytes] = lambda count: made("salt", count)  # noqa: E731
    return seal(BOTH, secret=body.secret, key=DEVICE_KEY, header=header, random_bytes=salted)


def first_version(body: Token) -> SealedTemplate:
    """Sealed as version 1 had it: not rotated."""
    header = Header(body.custody, body.serial, MODEL, VECTOR.size, MADE, body.expires, version=1).pack()
    own = derive(body.secret + SITE_KEY, "edge/template/v1/card", salt=made("salt"))
    return SealedTemplate(header, made("salt"), ChaCha20Poly1305(own).encrypt(bytes(12), VECTOR.tobytes(), header))


def _tokens() -> Iterator[Case]:
    def case(name: str, text: str, error: str | None = None) -> Case:
        return {"name": name, "text": text, "error": error}

    def again(data: bytes, issuer: IssuerKey = ISSUER) -> str:
        return PREFIX + base45.encode(data + issuer.sign(data, TOKEN_DOMAIN))

    good, body = pack(card(), ISSUER.key_id), card()
    for custody in Custody:
        whole = card(custody)
        says = {"serial": whole.serial.hex(), "credential": 4711, "groups": list(whole.groups)}
        says |= {"custody": custody.value, "not_before": MADE, "expires": EXPIRES, "secret": whole.secret.hex()}
        yield {**case(f"{custody} custody", encode(whole, ISSUER)), "says": says}
    text = encode(body, ISSUER)
    yield case("another prefix", "EV2" + text[3:], "not_a_card")
    yield case("a character outside the alphabet", text[:50] + "#" + text[51:], "not_a_card")
    yield case("a group that overflows", text[:50].rstrip()[:49] + ":::" + text[52:], "not_a_card")
    yield case("cut short", text[:-3], "not_a_card")
    yield case("shorter than any", again(good[:80]), "not_a_card")
    yield case("longer than fits the code", again(good + bytes(434)), "not_a_card")
    yield case("another magic", again(b"\xee" + good[1:]), "not_a_card")
    yield case("signed by a stranger", again(good, STRANGER), "not_a_card")
    yield case("an issuer nobody knows", encode(body, STRANGER), "not_a_card")
    yield case("one bit altered", PREFIX + base45.encode(_flipped(base45.decode(text[4:]), 45)), "not_a_card")
    data = good + ISSUER.sign(good, b"edge/record/v1")
    yield case("signed under another label", PREFIX + base45.encode(data), "not_a_card")
    yield case("another version", again(good[:1] + b"\x22" + good[2:]), "not_this_version")
    yield case("no such custody", again(good[:1] + b"\x15" + good[2:]), "not_this_version")
    backwards = good[:50] + good[54:58] + good[50:54] + good[58:]
    yield case("expires before it begins", again(backwards), "not_this_version")
    carried = pack(card(Custody.CARD), ISSUER.key_id)
    yield case("no door group", again(carried[:90] + b"\x00" + carried[105:]), "not_this_version")
    yield case("groups out of order", again(good[:91] + good[98:] + good[91:98]), "not_this_version")
    yield case("a group cut off", again(good[:-1]), "not_this_version")
    yield case("a group in capitals", again(good.replace(b"office", b"OFFICE")), "not_this_version")
    yield case("bytes left over", again(good + b"\x00"), "not_this_version")
    yield case("a template without its seal", again(carried[:-144]), "not_this_version")
    spelt = carried[:105] + bytes([255, carried[106] + 16])
    spelt += carried[107:109] + card().serial + carried[109:]
    yield case("a serial that is spelt twice", again(spelt), "not_this_version")
    yield case("another site", encode(card(site=made("other site", 16)), ISSUER), "other_site")


def rotated(body: Token, key: bytes, vector: np.ndarray = VECTOR) -> list[int]:
    """What lies in the seal: our template, turned by the rotation of this seal."""
    own = derive(body.secret + key, f"edge/template/v1/{body.custody.value}", salt=made("salt"))
    return quantised(Rotation(derive(own, "edge/rotation/v1"), VECTOR.size).turn(vector)).tolist()


def _templates() -> Iterator[Case]:
    def case(name: str, body: Token, given: SealedTemplate, key: bytes, error: str | None = None) -> Case:
        parts = {"header": given.header, "salt": given.salt, "ciphertext": given.ciphertext}
        claim = {"custody": body.custody.value, "serial": body.serial.hex()}
        claim |= {"secret": body.secret.hex(), "expires": body.expires}
        said = {"sealed": {k: v.hex() for k, v in parts.items()}, "claim": claim, "key": key.hex()}
        return {"name": name, **said, "error": error}

    one, two = card(Custody.CARD), card(Custody.DEVICE)
    good = sealed(one, SITE_KEY)
    yield {**case("version 1, not rotated", one, first_version(one), SITE_KEY), "vector": VECTOR.tolist()}
    for name, body, key in (("card custody", one, SITE_KEY), ("device custody", two, DEVICE_KEY)):
        yield {**case(name, body, sealed(body, key), key), "vector": rotated(body, key)}
    both = [number for vector in BOTH for number in rotated(two, DEVICE_KEY, vector)]
    yield {**case("two references of one person", two, two_references(two), DEVICE_KEY), "vector": both}
    several = two_references(two)
    one_left = replace(several, ciphertext=several.ciphertext[:128] + several.ciphertext[-16:])
    yield case("one of two references left out", two, one_left, DEVICE_KEY, "does_not_open")
    yield case("another key", one, good, made("another site's"), "does_not_open")
    yield case("another secret", replace(one, secret=made("other secret")), good, SITE_KEY, "does_not_open")
    yield case("another serial", replace(one, serial=made("other", 16)), good, SITE_KEY, "does_not_open")
    yield case("another expiry", replace(one, expires=EXPIRES + 1), good, SITE_KEY, "does_not_open")
    yield case("another custody", replace(two, serial=one.serial), good, SITE_KEY, "does_not_open")
    for part, value in (("header", good.header), ("salt", good.salt), ("ciphertext", good.ciphertext)):
        changed = replace(good, **{part: _flipped(value, len(value) - 9)})
        yield case(f"one bit of the {part} altered", one, changed, SITE_KEY, "does_not_open")
    yield case(
        "a header of another version", one, replace(good, header=b"\4" + good.header[1:]), SITE_KEY, "does_not_open"
    )
    yield case("cut short", one, replace(good, ciphertext=good.ciphertext[:-1]), SITE_KEY, "does_not_open")
    yield case("of another embedder", one, sealed(one, SITE_KEY, OTHER_MODEL), SITE_KEY, "other_model")


def _journals() -> Iterator[Case]:
    def case(name: str, data: list[Entry] | bytes, error: str | None = None) -> Case:
        lines = data if isinstance(data, bytes) else b"".join(entry.line() for entry in data)
        return {"name": name, "lines": lines.decode(), "error": error}

    def chain(count: int, first: int = 1, prev: str = GENESIS) -> Iterator[Entry]:
        for seq in range(first, first + count):
            fields = {"operator": "kim", "serial": made(f"card {seq}", 16).hex()}
            entry = Entry.make(seq, MADE + seq, "revoked", fields, prev, JOURNAL_KEY)
            prev = entry.hash
            yield entry

    good = list(chain(4))
    pruned = Entry.make(2, MADE, "checkpoint", {"entries": 2, "until": MADE}, good[1].hash, JOURNAL_KEY)
    yield {**case("four entries", good), "last": 4}
    yield {**case("two pruned", [pruned, *chain(2, 3, good[1].hash)]), "last": 4}
    lines = case("", good)["lines"]
    yield case("a field altered", lines.replace("kim", "tim", 1).encode(), "altered")
    yield case("of another device", [Entry.make(1, MADE, "revoked", {}, GENESIS, made("other"))], "altered")
    yield case("an entry missing", [*good[:1], *good[2:]], "missing")
    yield case("two entries in the other order", [good[0], good[2], good[1]], "missing")
    yield case("that does not follow", [good[0], *chain(1, 2)], "does_not_follow")
    yield case("another spelling", lines.replace('"seq":1', '"seq": 1').encode(), "not_an_entry")
    yield case("a key more", lines.replace('"seq":1', '"seq":1,"z":0').encode(), "not_an_entry")
    yield case("no JSON", b"nothing\n" + lines.encode(), "not_an_entry")
    yield case("a checkpoint that does not stand first", [good[0], pruned], "checkpoint_not_first")


def _envelopes() -> Iterator[Case]:
    def case(name: str, envelope: Any, error: str | None = None) -> Case:
        text = envelope if isinstance(envelope, str) else json.dumps(envelope)
        return {"name": name, "envelope": text, "type": BUILD, "error": error}

    good = sign(b"{}", BUILD, BUILDER)
    (only,) = good["signatures"]
    other = sign(b"{}", BUILD, NOBODY)["signatures"]
    yield case("one signature", good)
    yield case("without a key id", {**good, "signatures": [{"sig": only["sig"]}]})
    yield case("with a key id that names nobody", {**good, "signatures": [{**only, "keyid": "0" * 16}]})
    yield case("two signatures, one of them a stranger's", {**good, "signatures": [*other, only]})
    url = {**only, "sig": only["sig"].replace("+", "-").replace("/", "_")}
    yield case("in the URL-safe alphabet", {**good, "signatures": [url]})
    yield case("with a field that nobody knows", {**good, "note": 1})
    yield case("signed by a stranger", {**good, "signatures": other}, "not_signed")
    yield case("an altered payload", {**good, "payload": "e30K"}, "not_signed")
    yield case("signed as something else", {**sign(b"{}", PACK, BUILDER), "payloadType": BUILD}, "not_signed")
    yield case("of another type", sign(b"{}", PACK, BUILDER), "other_type")
    yield case("without a signature", {**good, "signatures": []}, "not_an_envelope")
    yield case("with too many signatures", {**good, "signatures": [only] * 17}, "not_an_envelope")
    yield case("without a payload", {k: v for k, v in good.items() if k != "payload"}, "not_an_envelope")
    yield case("a payload that is no Base64", {**good, "payload": "*"}, "not_an_envelope")
    yield case("no JSON", "nothing", "not_an_envelope")
    yield case("a list", [], "not_an_envelope")


def _statements() -> Iterator[Case]:
    files = {"edge/one.py": "print('one')\n", "edge/two.py": "print('two')\n"}

    def case(name: str, error: str | None, there: dict[str, str] | None = None, **changes: Any) -> Case:
        subject = [{"name": n, "digest": {"sha256": hashlib.sha256(t.encode()).hexdigest()}} for n, t in files.items()]
        said = {"_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "subject": subject, "predicate": {}} | changes
        envelope = sign(json.dumps(said, sort_keys=True).encode(), BUILD, changes.pop("signer", BUILDER))
        held = files if there is None else there
        return {"name": name, "envelope": json.dumps(envelope), "files": held, "error": error}

    twice = [{"name": "edge/one.py", "digest": {"sha256": "0" * 64}}] * 2
    yield case("two files", None)
    yield case("a file altered", "altered", {**files, "edge/two.py": "print('too')\n"})
    yield case("a file missing", "missing", {"edge/one.py": files["edge/one.py"]})
    yield case("a file too many", "extra", {**files, "edge/three.py": ""})
    yield case("another kind of statement", "not_a_statement", _type="https://in-toto.io/Statement/v0.1")
    yield case("about something else", "not_a_statement", predicateType="https://slsa.dev/provenance/v1")
    yield case("a file named twice", "not_a_statement", subject=twice)
    yield case("no file named", "not_a_statement", subject=[])


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def text() -> str:
    """The file as it is committed."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
    sys.exit(0)
