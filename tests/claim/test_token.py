"""A token says exactly what its issuer said, to this site only, and any other text is refused in the same words."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.claim import MAX_BYTES, MAX_TEXT, PREFIX, TOKEN_DOMAIN, base45, decode, encode, find_token
from edge.claim.layout import MAX_HEADER, unpack
from edge.errors import InputError, TokenInvalid
from edge.trust import IssuerKey, Keyring, TrustStore
from edge.types import Claim, Custody, SealedTemplate, Token

Maker = Callable[..., Token]
RING, ISSUER = Keyring.ephemeral(random.Random(2).randbytes)
FIELDS = [field.name for field in dataclasses.fields(Token)]


def read(text: str, ring: Keyring = RING) -> Claim:
    return decode(text, trust=ring.trust, site_id=ring.site_id, received_ns=7)


def sign(message: bytes) -> str:
    """A genuine signature over whatever bytes: what only a faulty issuer would make."""
    return PREFIX + base45.encode(message + ISSUER.sign(message, TOKEN_DOMAIN))


def message_of(text: str) -> bytes:
    return base45.decode(text[len(PREFIX) :])[:-64]


@pytest.fixture(scope="module", params=list(Custody))
def text(request: pytest.FixtureRequest, make: Maker) -> str:
    return encode(make(request.param), ISSUER)


@pytest.mark.parametrize("custody", list(Custody))
def test_a_door_reads_what_the_issuer_wrote(make: Maker, custody: Custody):
    body = make(custody, groups=("lab", "main-door"), credential=2**64 - 1)
    claim = read(encode(body, ISSUER))
    assert {name: getattr(claim, name) for name in FIELDS} == {name: getattr(body, name) for name in FIELDS}
    assert (claim.issuer, claim.received_ns) == (ISSUER.key_id, 7)


def test_groups_are_brought_into_one_order(make: Maker):
    assert read(encode(make(groups=("zoo", "lab", "zoo")), ISSUER)).groups == ("lab", "zoo")


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", "  {}  ", "\t{}\n\n"])
def test_white_space_around_a_token_is_what_scanners_add(text: str, around: str):
    assert read(around.format(text)) == read(text)


def test_lower_case_is_a_scanner_with_caps_lock_on(text: str):
    assert read(text.lower()) == read(text)
    with pytest.raises(TokenInvalid):
        read(text.replace("S", "\u017f").replace("K", "\u212a")[: len(text) - 1])  # their upper case is no S or K here


def test_every_flipped_bit_is_refused(text: str):
    data = base45.decode(text[len(PREFIX) :])
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TokenInvalid):
            read(PREFIX + base45.encode(bytes(wrong)))


def test_every_changed_character_is_refused_in_the_same_words(text: str):
    said = set()
    for place, character in enumerate(text):
        for other in {base45.ALPHABET[(base45.ALPHABET.find(character) + step) % 45] for step in (1, 7, 44)}:
            with pytest.raises(TokenInvalid) as caught:
                read(text[:place] + other + text[place + 1 :])
            said.add(str(caught.value))
    assert len(said) == 1


def test_every_shorter_and_every_longer_text_is_refused(text: str):
    for length in range(len(text)):
        with pytest.raises(TokenInvalid):
            read(text[:length])
    for more in ("0", "000", text, "0" * 10_000_000):
        with pytest.raises(TokenInvalid):
            read(text + more)


@given(st.text(max_size=1500))
@settings(max_examples=200)
def test_any_text_is_a_token_or_token_invalid(text: str):
    for candidate in (text, PREFIX + text):
        with pytest.raises(TokenInvalid):
            read(candidate)


@given(st.text(alphabet=base45.ALPHABET, max_size=MAX_TEXT + 10))
@settings(max_examples=200)
def test_any_base45_text_is_a_token_or_token_invalid(text: str):
    with pytest.raises(TokenInvalid):
        read(PREFIX + text)


@given(st.data())
@settings(max_examples=300)
def test_damage_in_several_places_is_refused(data: st.DataObject):
    text = GENUINE[data.draw(st.sampled_from(sorted(GENUINE)))]
    spots = data.draw(st.dictionaries(st.integers(0, len(text) - 1), st.characters(), min_size=1, max_size=6))
    changed = "".join(spots.get(place, character) for place, character in enumerate(text))
    if find_token(changed) == text:
        return  # another case, or a sign that nobody sees
    with pytest.raises(TokenInvalid):
        read(changed)


@given(st.binary(max_size=MAX_BYTES))
@settings(max_examples=300)
def test_even_signed_nonsense_is_token_invalid(tail: bytes):
    for message in (tail, b"\xed\x11" + ISSUER.key_id + tail, message_of(GENUINE[Custody.CARD])[:90] + tail):
        with pytest.raises(TokenInvalid):
            read(sign(message[: MAX_BYTES - 64]))


@given(st.integers(0, 2**32), st.binary(min_size=1, max_size=3))
@settings(max_examples=300)
def test_a_signed_body_has_one_spelling(place: int, patch: bytes):
    """Whatever a faulty issuer signs is refused or written again byte for byte."""
    message = bytearray(message_of(GENUINE[Custody.CARD]))
    start = 90 + place % (len(message) - 90)
    message[start : start + len(patch)] = patch
    try:
        body, _ = unpack(bytes(message))
    except ValueError:
        return
    assert message_of(encode(body, ISSUER)) == bytes(message)


def test_another_issuer_is_refused_in_the_same_words_as_nonsense(make: Maker):
    said = set()
    for text in (encode(make(), IssuerKey.generate(random.Random(9).randbytes)), "EV1:", "hello", ""):
        with pytest.raises(TokenInvalid) as caught:
            read(text)
        said.add(str(caught.value))
    assert len(said) == 1


def test_a_signature_under_another_label_does_not_count(make: Maker):
    message = message_of(encode(make(), ISSUER))
    with pytest.raises(TokenInvalid):
        read(PREFIX + base45.encode(message + ISSUER.sign(message, b"edge/record/v1")))


def test_another_site_s_card_is_refused_after_its_signature(make: Maker):
    text = encode(make(site=bytes(16)), ISSUER)
    with pytest.raises(TokenInvalid, match="another site"):
        read(text)
    untrusting = dataclasses.replace(RING, trust=TrustStore())
    with pytest.raises(TokenInvalid, match="not a card of this site"):
        read(text, untrusting)


def test_nothing_of_a_token_is_in_the_error_or_the_repr(text: str):
    claim = read(text)
    with pytest.raises(TokenInvalid) as caught:
        read(text[:-1] + "$")
    for shown in (str(caught.value), repr(claim)):
        assert text[4:20] not in shown
        assert claim.secret.hex()[:8] not in shown
        assert repr(claim.secret)[2:12] not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": ()},
        {"groups": tuple(f"g{n}" for n in range(9))},
        {"groups": ("Lab",)},
        {"groups": ("lab\n",)},
        {"groups": ("x" * 17,)},
        {"groups": ("",)},
        {"credential": -1},
        {"credential": 2**64},
        {"expires": 1_780_000_000},
        {"expires": 2**32},
        {"not_before": -1},
        {"serial": b"short"},
        {"secret": bytes(31)},
        {"site": bytes(17)},
        {"sealed": None},
        {"sealed": SealedTemplate(bytes(MAX_HEADER + 1), bytes(32), bytes(144))},
        {"sealed": SealedTemplate(b"h", bytes(31), bytes(144))},
        {"custody": Custody.DEVICE},
    ],
)
def test_what_a_card_cannot_say_is_an_input_error(make: Maker, wrong: dict[str, object]):
    with pytest.raises(InputError):
        encode(dataclasses.replace(make(), **wrong), ISSUER)


def test_too_much_for_a_code_of_version_16_is_refused_when_the_card_is_made(make: Maker):
    groups = tuple(f"{n}{'x' * 15}" for n in range(8))
    with pytest.raises(InputError, match="too long"):
        assert len(encode(make(groups=groups), ISSUER)) <= MAX_TEXT


def test_the_longest_token_fits_a_code_of_version_16_level_m(make: Maker):
    """Bodies that grow byte by byte until one is refused: the last accepted is the worst case."""
    longest = ""
    for length in range(17, 300):
        sealed = SealedTemplate(b"header", bytes(32), bytes(length))
        try:
            longest = encode(make(sealed=sealed), ISSUER)
        except InputError:
            break
    code = segno.make(longest, error="m", boost_error=False, mode="alphanumeric")
    assert (len(longest), code.version, code.error) == (MAX_TEXT, 16, "M")


def test_a_template_s_token_leaves_room_for_door_groups(make: Maker):
    """128 int8 values and their 16-byte tag, with any header: three long group names, or eight short ones."""
    for groups in (("warehouse", "lab"), tuple(f"g{n}" for n in range(7))):
        assert len(encode(make(header=MAX_HEADER, groups=groups), ISSUER)) <= MAX_TEXT
    for groups in (("warehouse-north", "warehouse-south"), tuple(f"gate{n}" for n in range(8))):
        assert len(encode(make(groups=groups), ISSUER)) <= MAX_TEXT


def test_the_usual_sizes(make: Maker):
    sizes = {}
    for custody in Custody:
        text = encode(make(custody), ISSUER)
        sizes[custody] = (len(text), segno.make(text, error="m", boost_error=False, mode="alphanumeric").version)
    assert sizes == {Custody.CARD: (582, 15), Custody.DEVICE: (249, 9), Custody.NONE: (249, 9)}


def _genuine() -> dict[Custody, str]:
    dice = random.Random(5)
    serial = dice.randbytes(16)
    sealed = SealedTemplate(b"\x01" + serial + dice.randbytes(44), dice.randbytes(32), dice.randbytes(144))
    card = Token(Custody.CARD, RING.site_id, serial, 1, ("default",), 1, 2, dice.randbytes(32), sealed)
    device = dataclasses.replace(card, custody=Custody.DEVICE, sealed=None)
    return {Custody.CARD: encode(card, ISSUER), Custody.DEVICE: encode(device, ISSUER)}


GENUINE = _genuine()
