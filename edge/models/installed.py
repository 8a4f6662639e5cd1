"""Models that were added to a device after it was built: found by name, believed only when signed.

    STATE/models/NAME/model.tflite       the file
    STATE/models/NAME/card.yaml          its card, for people and for `edge lab calibrate`
    STATE/models/NAME/card.dsse.json     the card once more, signed by a pinned key (trust role `models`)

    card = find_card("mine", state_dir, verify)     # the build's model of that name, else the added one

Only the signed bytes count, and `card.yaml` must be the same bytes: a card that was changed since, by a calibration or
by anybody else, does not load until it is signed again. The card holds the file's digest, so the signature covers both.

    verify = model_verifier(settings.device.trust_dir, strict=True)     # by the keys in ``TRUST/models``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import _resources
from edge.errors import EdgeError, InputError, ModelError
from edge.face.card import MAX_BYTES, Card, load_card, parse_card
from edge.trust import envelopes
from edge.trust.envelopes import Verified
from edge.trust.folder import Strict

FOLDER, MODEL, CARD, SIGNED = "models", "model.tflite", "card.yaml", "card.dsse.json"
#: More added models than this in one folder is a mistake.
_MOST = 256


class UnsignedModel(ModelError):
    """No trusted key has signed the card of an added model."""


#: From the bytes of an envelope to what a trusted key signed; raises `SignatureError`.
Verify = Callable[[bytes], Verified]


@dataclass(frozen=True, slots=True)
class Added:
    """One model beside the build.

    Attributes:
        name: as the settings name it. folder: where it is.
        card: what its card says, signed or not; None when that cannot be read.
        signed_by: the name of the key; empty when it would not load.
        fault: why it would not load.
    """

    name: str
    folder: Path
    card: Card | None
    signed_by: str = ""
    fault: EdgeError | None = None


def find_card(name: str, state_dir: Path, verify: Verify) -> Card:
    """The card of a model, by the name that the settings give.

    Args:
        name: such as ``embedder``. state_dir: of the device. verify: says what a trusted key signed.

    Raises:
        ModelError: there is none, or an added one is not signed by a trusted key, or was changed since.
    """
    if in_build(name):
        return load_card(name)
    folder = state_dir / FOLDER / name
    if not folder.is_dir():
        raise ModelError(
            f"there is no model named {name!r}, neither in this build nor added to it",
            where=str(folder),
            remedy="see `edge models list`, or add it with `edge models import`",
        )
    return _signed(folder, verify)[0]


def in_build(name: str) -> bool:
    """Whether a model of this name comes with the product."""
    try:
        _resources.path("models", f"{name}.card.yaml")
    except InputError:
        return False
    return True


def added(state_dir: Path, verify: Verify) -> tuple[Added, ...]:
    """Every model beside the build, by name, with what speaks against it."""
    root = state_dir / FOLDER
    if not root.is_dir():
        return ()
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return tuple(_added(root / name, verify) for name in names[:_MOST])


def _added(folder: Path, verify: Verify) -> Added:
    try:
        card, signer = _signed(folder, verify)
        return Added(folder.name, folder, card, signer)
    except EdgeError as error:
        fault = error
    try:
        return Added(folder.name, folder, read_unsigned(folder), fault=fault)
    except EdgeError:
        return Added(folder.name, folder, None, fault=fault)


def read_unsigned(folder: Path) -> Card:
    """What ``card.yaml`` says, signed or not: for calibration and for signing, never for a door.

    Raises:
        ModelError: it cannot be read, or is no card of a model in this folder.
    """
    return _of_folder(_bytes(folder / CARD), folder)


def last_signed(folder: Path, verify: Verify) -> Card | None:
    """The card as a trusted key last signed it, whatever ``card.yaml`` says now; None where there is no such signature.

    Raises:
        ModelError: what was signed is no card of this folder.
    """
    try:
        return _of_folder(_envelope(folder, verify).payload, folder)
    except UnsignedModel:
        return None


def _signed(folder: Path, verify: Verify) -> tuple[Card, str]:
    """The card of a folder and the name of who signed it."""
    signature = _envelope(folder, verify)
    if _bytes(folder / CARD) != signature.payload:
        raise ModelError(
            "the card was changed since it was signed",
            where=str(folder / CARD),
            remedy=f"if the change is yours (a calibration), sign it: edge models sign {folder.name} --key FILE",
        )
    return _of_folder(signature.payload, folder), signature.name


def _envelope(folder: Path, verify: Verify) -> Verified:
    """What a trusted key signed of a folder."""
    if not (folder / SIGNED).is_file():
        raise UnsignedModel(
            "this model is not signed", where=str(folder), remedy=f"sign it: edge models sign {folder.name} --key FILE"
        )
    try:
        return verify(_bytes(folder / SIGNED, 2 * MAX_BYTES))
    except ModelError:
        raise
    except EdgeError as error:
        raise UnsignedModel(error.what, where=str(folder / SIGNED), remedy=error.remedy) from None


def _of_folder(data: bytes, folder: Path) -> Card:
    card = parse_card(data, folder=folder, where=str(folder / CARD))
    if (card.name, card.path.name) != (folder.name, MODEL):
        raise ModelError(
            f"the card is of {card.name!r} and its file {card.path.name!r}",
            where=str(folder / CARD),
            remedy=f"a card here is of {folder.name!r} and {MODEL!r}: import the model again",
        )
    return card


def _bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ModelError(
            f"it cannot be read: {error.strerror}", where=str(path), remedy="import the model again"
        ) from None
    if len(data) > most:
        raise ModelError("the file is too large for a card", where=str(path), remedy="import the model again")
    return data


def model_verifier(trust_dir: Path, *, strict: Strict) -> Verify:
    """Checks the envelopes of model cards. The keys are read when the first one is checked.

    Args:
        trust_dir: the trust directory. strict: as `edge.trust.envelopes.trusted`.

    Returns:
        A function from an envelope's bytes to what was signed; raises `SignatureError`.
    """

    def check(envelope: bytes) -> Verified:
        return envelopes.verify(envelope, envelopes.MODEL, envelopes.trusted(trust_dir, "models", strict=strict))

    return check
