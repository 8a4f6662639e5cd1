"""The bytes of a token, version 1: written and read here, signed and checked in `edge.claim.token`.

    offset  bytes  field
    0       1      magic, 0xED
    1       1      version (high four bits, 1) and custody (low four bits: 1 card, 2 device, 3 none)
    2       8      issuer key id
    10      16     site id
    26      16     card serial, random
    42      8      credential number, unsigned
    50      4      not before, Unix seconds, unsigned
    54      4      expires, Unix seconds, unsigned; later than not before
    58      32     secret, random
    90      1      number of door groups, 1..8
            1+n    each: length, ASCII name of 1..16 characters, in ascending order
    card custody only:
            1      where the card's serial stands in the sealed header (255: nowhere)
            1      length of the header without that serial
            n      the header without that serial: the token carries it already, so it is not spelled twice
            32     salt
            n      ciphertext, all that is left before the signature
    end     64     Ed25519 signature of the issuer over all of the above (label ``edge/token/v1``)

All numbers are big-endian. At most `MAX_BYTES` in all, so that the text fits a QR code of version 16, level M.
"""

from __future__ import annotations

import re
import struct

from edge.errors import InputError
from edge.types import Custody, SealedTemplate, Token

MAGIC, VERSION = 0xED, 1
SIGNATURE_BYTES = 64
#: QR version 16-M holds 656 alphanumeric characters (ISO/IEC 18004, table 7): 652 after ``EV1:``, 434 bytes in Base45.
MAX_BYTES = 434
MAX_GROUPS, MAX_HEADER, NOWHERE = 8, 96, 255
_HEAD = struct.Struct(">BB8s16s16sQII32s")
#: The shortest token: one door group of one character, no template on it.
MIN_BYTES = _HEAD.size + 3 + SIGNATURE_BYTES
_CUSTODY = {Custody.CARD: 1, Custody.DEVICE: 2, Custody.NONE: 3}
_GROUP = re.compile(r"[a-z0-9][a-z0-9_-]{0,15}", re.ASCII)


def problems(token: Token) -> list[str]:
    """Why a token cannot be written; empty when it can be."""
    sealed = token.sealed
    checks = [
        (len(token.site) == 16, "the site id has 16 bytes"),
        (len(token.serial) == 16, "the serial has 16 bytes"),
        (len(token.secret) == 32, "the secret has 32 bytes"),
        (0 <= token.credential < 2**64, "the credential number is between 0 and 2^64-1"),
        (1 <= len(token.groups) <= MAX_GROUPS, f"a card names 1 to {MAX_GROUPS} door groups"),
        (
            all(_GROUP.fullmatch(group) for group in token.groups),
            "a door group has 1 to 16 characters of a-z 0-9 _ - and begins with a letter or digit",
        ),
        (0 <= token.not_before < token.expires < 2**32, "not_before is earlier than expires, both before 2106"),
        ((sealed is None) == (token.custody is not Custody.CARD), "a card holds a template in card custody only"),
    ]
    if sealed is not None:
        checks.append((len(sealed.salt) == 32, "the salt has 32 bytes"))
        checks.append((1 <= len(sealed.header) <= MAX_HEADER, f"the header has 1 to {MAX_HEADER} bytes"))
        checks.append((len(sealed.ciphertext) >= 17, "the sealed template is not empty"))
    return [text for fine, text in checks if not fine]


def pack(body: Token, issuer: bytes) -> bytes:
    """All bytes before the signature.

    Args:
        body: the content. issuer: 8-byte key id.

    Raises:
        InputError: a field is outside its range, or the whole does not fit `MAX_BYTES`.
    """
    if wrong := problems(body):
        raise InputError("this cannot be put on a card: " + ", ".join(wrong), where="card")
    head = _HEAD.pack(
        MAGIC,
        VERSION << 4 | _CUSTODY[body.custody],
        issuer,
        body.site,
        body.serial,
        body.credential,
        body.not_before,
        body.expires,
        body.secret,
    )
    names = b"".join(bytes([len(group)]) + group.encode("ascii") for group in body.groups)
    sealed = _pack_sealed(body.sealed, body.serial) if body.sealed is not None else b""
    data = head + bytes([len(body.groups)]) + names + sealed
    if (over := len(data) + SIGNATURE_BYTES - MAX_BYTES) > 0:
        raise InputError(
            f"the card's content is {over} bytes too long for a code of version 16",
            where="card",
            remedy="name fewer or shorter door groups",
        )
    return data


def unpack(data: bytes) -> tuple[Token, bytes]:
    """The content of a token without its signature, and the issuer's key id.

    Raises:
        ValueError: not exactly the layout above. Nothing else is ever raised, whatever the bytes.
    """
    try:
        magic, kind, issuer, site, serial, credential, not_before, expires, secret = _HEAD.unpack_from(data)
        custody = {code: custody for custody, code in _CUSTODY.items()}[kind & 15]
        if magic != MAGIC or kind >> 4 != VERSION:
            raise ValueError("another magic or version")
        groups, rest = _unpack_groups(data[_HEAD.size :])
        sealed = _unpack_sealed(rest, serial) if custody is Custody.CARD else None
        if custody is not Custody.CARD and rest:
            raise ValueError("bytes left over")
    except (struct.error, KeyError, IndexError) as error:
        raise ValueError(str(error)) from None
    body = Token(custody, site, serial, credential, groups, not_before, expires, secret, sealed)
    if wrong := problems(body):
        raise ValueError(wrong[0])
    return body, issuer


def issuer_of(data: bytes) -> bytes:
    """The 8-byte key id of the issuer that a token names; needed before its signature can be checked."""
    return data[2:10]


def _unpack_groups(data: bytes) -> tuple[tuple[str, ...], bytes]:
    count, data = data[0], data[1:]
    groups = []
    for _ in range(count):
        length = data[0]
        name, data = data[1 : 1 + length], data[1 + length :]
        if len(name) != length:
            raise ValueError("a door group is cut off")
        groups.append(name.decode("ascii"))  # UnicodeDecodeError is a ValueError
    if groups != sorted(set(groups)):
        raise ValueError("door groups out of order")
    return tuple(groups), data


def _pack_sealed(sealed: SealedTemplate, serial: bytes) -> bytes:
    place = sealed.header.find(serial)
    if place < 0:
        place, header = NOWHERE, sealed.header
    else:
        header = sealed.header[:place] + sealed.header[place + len(serial) :]
    return bytes([place, len(header)]) + header + sealed.salt + sealed.ciphertext


def _unpack_sealed(data: bytes, serial: bytes) -> SealedTemplate:
    place, length = data[0], data[1]
    header, salt, ciphertext = data[2 : 2 + length], data[2 + length : 34 + length], data[34 + length :]
    if place != NOWHERE:
        if place > length:
            raise ValueError("the serial's place lies outside the header")
        header = header[:place] + serial + header[place:]
    sealed = SealedTemplate(header=header, salt=salt, ciphertext=ciphertext)
    if _pack_sealed(sealed, serial) != data:
        raise ValueError("not the one spelling of this sealed template")
    return sealed
