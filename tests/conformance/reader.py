"""A second reader of everything that leaves a device: tokens, sealed templates, journals, envelopes, statements.

Follows `deploy/TOKEN.md` and imports nothing of the product. Each function gives what it read, or raises `Refused`.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import re
import struct
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
ENTRY = {"seq", "at", "kind", "fields", "prev", "hash", "mac"}
CUSTODY = {1: "card", 2: "device", 3: "none"}


class Refused(Exception):
    """Its text is a code of the vectors."""


def need(fine: bool, code: str) -> None:
    if not fine:
        raise Refused(code)


def base45(text: str) -> bytes:
    need(all(sign in ALPHABET for sign in text) and len(text) % 3 != 1, "not_a_card")
    out = b""
    for group in (text[k : k + 3] for k in range(0, len(text), 3)):
        number = sum(ALPHABET.index(sign) * 45**k for k, sign in enumerate(group))
        need(number < 256 ** (len(group) - 1), "not_a_card")
        out += number.to_bytes(len(group) - 1, "big")
    return out


def fits(public: bytes, message: bytes, signature: bytes) -> bool:
    with contextlib.suppress(InvalidSignature):
        return Ed25519PublicKey.from_public_bytes(public).verify(signature, message) is None
    return False


def token(text: str, site: bytes, issuers: dict[bytes, bytes]) -> dict[str, Any]:
    need(text.startswith("EV1:"), "not_a_card")
    data = base45(text[4:])
    need(157 <= len(data) <= 434 and data[0] == 0xED and data[2:10] in issuers, "not_a_card")
    need(fits(issuers[data[2:10]], b"\x0dedge/token/v1" + data[:-64], data[-64:]), "not_a_card")
    names = ("site", "serial", "credential", "not_before", "expires", "secret")
    said: dict[str, Any] = dict(zip(names, struct.unpack(">16s16sQII32s", data[10:90]), strict=True))
    need(data[1] >> 4 == 1 and data[1] & 15 in CUSTODY and said["not_before"] < said["expires"], "not_this_version")
    said["custody"], rest, groups = CUSTODY[data[1] & 15], data[91:-64], []
    for _ in range(data[90]):
        need(len(rest) > rest[0] if rest else False, "not_this_version")
        groups.append(rest[1 : 1 + rest[0]].decode("ascii", "replace"))
        rest = rest[1 + rest[0] :]
    need(1 <= len(groups) <= 8 and groups == sorted(set(groups)), "not_this_version")
    need(all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,15}", group) for group in groups), "not_this_version")
    said["groups"], said["sealed"] = groups, None
    if said["custody"] == "card":
        need(len(rest) >= 2 and len(rest) >= 2 + rest[1] + 32 + 17, "not_this_version")
        place, header, rest = rest[0], rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        header = header if place == 255 else header[:place] + said["serial"] + header[place:]
        need(header.find(said["serial"]) % 256 == place, "not_this_version")  # there is one spelling
        said["sealed"] = {"header": header, "salt": rest[:32], "ciphertext": rest[32:]}
    else:
        need(not rest, "not_this_version")
    need(said["site"] == site, "other_site")
    return said


def derive(key: bytes, info: str, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info.encode()).derive(key)


def template(sealed: dict[str, bytes], claim: dict[str, Any], key: bytes, model: bytes) -> list[int]:
    header, ident_bytes = sealed["header"], 16 if claim["custody"] == "card" else 32
    need(len(header) == 44 + ident_bytes and 0 < header[0] < 4 and header[1] * 16 == ident_bytes, "does_not_open")
    ident, (digest, dimension, _, expires) = header[2 : 2 + ident_bytes], struct.unpack(">32sHII", header[-42:])
    named = claim["serial"] if ident_bytes == 16 else derive(claim["secret"], "edge/record/v1")
    need(ident == named and expires == claim["expires"], "does_not_open")
    count, rest = divmod(len(sealed["ciphertext"]) - 16, dimension) if dimension else (0, 0)
    need(len(sealed["salt"]) == 32 and not rest and count in ((2, 3) if header[0] == 3 else (1,)), "does_not_open")
    secret = derive(claim["secret"] + key, f"edge/template/v1/{claim['custody']}", sealed["salt"])
    try:
        plain = ChaCha20Poly1305(secret).decrypt(bytes(12), sealed["ciphertext"], header)
    except InvalidTag:
        raise Refused("does_not_open") from None
    need(digest == model, "other_model")
    return list(struct.unpack(f"{count * dimension}b", plain))


def line_of(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def journal(data: bytes, key: bytes) -> int:
    last, link = 0, "0" * 64
    for number, line in enumerate(data.splitlines()):
        try:
            entry = json.loads(line)
            need(line_of(entry) == line and set(entry) == ENTRY, "not_an_entry")
            content = line_of({name: entry[name] for name in ENTRY - {"hash", "mac"}})
            digest = hashlib.sha256(b"edge/journal/v1\n" + content).digest()
            mac = hmac.new(key, b"edge/journal/entry/v1" + digest, hashlib.sha256).hexdigest()[:32]
            need((digest.hex(), mac) == (entry["hash"], entry["mac"]), "altered")
        except (ValueError, KeyError, AttributeError, TypeError):
            raise Refused("not_an_entry") from None
        pruned = entry["kind"] == "checkpoint"
        need(number == 0 or not pruned, "checkpoint_not_first")
        need(pruned or entry["seq"] == last + 1, "missing")
        need(pruned or entry["prev"] == link, "does_not_follow")
        last, link = entry["seq"], entry["prev" if pruned else "hash"]
    return last


def envelope(data: bytes, kind: str, keys: list[bytes]) -> bytes:
    try:
        read = json.loads(data)
        texts = [read["payload"], *(one["sig"] for one in read["signatures"])]
        plain = [text.replace("-", "+").replace("_", "/") for text in texts]
        payload, *signatures = [base64.b64decode(text, validate=True) for text in plain]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("not_an_envelope") from None
    need(0 < len(signatures) <= 16, "not_an_envelope")
    need(read["payloadType"] == kind, "other_type")
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    need(any(fits(key, message, signature) for key in keys for signature in signatures), "not_signed")
    return payload


def statement(data: bytes, keys: list[bytes], files: dict[str, bytes]) -> dict[str, str]:
    said = json.loads(envelope(data, "application/vnd.in-toto+json", keys))
    need(said["_type"] == "https://in-toto.io/Statement/v1", "not_a_statement")
    need(said["predicateType"] == "urn:edge-verifier:build-statement:v1", "not_a_statement")
    digests = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}
    need(0 < len(digests) == len(said["subject"]), "not_a_statement")
    need(digests.keys() <= files.keys(), "missing")
    need(files.keys() <= digests.keys(), "extra")
    need(all(hashlib.sha256(files[name]).hexdigest() == digest for name, digest in digests.items()), "altered")
    return digests
