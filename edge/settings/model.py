"""The typed field settings: every key of ``device.yaml``, with its type, unit, range and default.

This module is the single source: the loader validates with it, `edge config show` prints it, and the JSON Schema for
editors is generated from it. Rooms receive their own section (``settings.camera``), never the whole.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from edge.settings.claim import ClaimSettings as ClaimSettings
from edge.settings.claim import Schedule as Schedule
from edge.settings.door import ContactSettings as ContactSettings
from edge.settings.door import DoorSettings as DoorSettings
from edge.settings.door import ExitSettings as ExitSettings
from edge.settings.door import InputSettings as InputSettings
from edge.settings.kinds import CardName, FilePath, Fraction, Section, matching, valid


class DeviceSettings(Section):
    name: Annotated[
        str, matching(r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,47}$", "1 to 48 letters, digits, spaces, dots, - or _")
    ] = "front-door"
    """Name of this device in the journal and on screen."""
    state_dir: FilePath = Path("/var/lib/edge")
    """Folder for everything that must survive a restart (vault, journal, lockouts, device key); mode 0700."""
    trust_dir: FilePath = Path("/etc/edge/trust")
    """Root-owned folder of public keys: issuers, builders, signers. Trust never comes from the settings."""


class CameraSettings(Section):
    driver: Literal["picamera2", "v4l2", "own", "replay", "fictional"] = "fictional"
    """Which source: picamera2 (Pi camera), v4l2 (USB), own (a driver that the builder's build.yaml names in
    camera_driver); a device build has no others and no default. Development installs have replay (files) and fictional
    (generated people, no camera), too."""
    device: str = ""
    """v4l2: the stable path, /dev/v4l/by-id/...; picamera2: number, name or path of the camera, empty for the first."""
    path: FilePath | None = None
    """replay: a video file or a folder of pictures."""
    person: (
        Literal["ada", "bela", "chen", "dara", "emil", "fara", "goran", "hana", "isak", "jaya", "kenji", "lena"] | None
    ) = None
    """fictional: who comes and stays, as long as an enrolment takes; null: people come and go every 6.5 s."""
    pace: Literal["real", "fast"] = "real"
    """replay, fictional: as the clock goes, or as fast as asked."""
    loop: bool = False
    """replay, fictional: begin again at the end."""
    width: Annotated[int, Field(ge=320, le=4096)] = 640
    """Width of a frame in pixels; 1280 or more where QR codes are read (640 reads them to 15 cm only)."""
    height: Annotated[int, Field(ge=240, le=4096)] = 480
    """Height of a frame in pixels."""
    fps: Annotated[float, Field(ge=1, le=60)] = 15.0
    """Frames per second asked of the source."""
    fourcc: Annotated[
        str,
        matching(
            r"^[A-Z0-9]{3}[A-Z0-9 ]$",
            'four capital letters or digits, such as MJPG, YUYV, GREY or (with a space) "Y16 "',
        ),
    ] = "MJPG"
    """v4l2: pixel format asked of the camera; GREY and "Y16 " are those of infrared cameras."""
    identity: Annotated[str, matching(r"^(.{4,120})?$", "4 to 120 characters of what the camera calls itself")] = ""
    """Which camera it must be: the name that `edge selftest` tells of it, or a part (sensor, socket, serial number);
    another one makes the device unfit. Empty: any."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Turn every frame clockwise by so many degrees (a camera mounted on its side)."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    """A source without a new frame for so long is a fault, not a wait."""


class FaceSettings(Section):
    detector: CardName = "detector"
    """Name of the detector's card."""
    embedder: CardName = "embedder"
    """Name of the embedder's card."""
    passive: CardName | None = "passive"
    """Name of the passive network's card, which judges whether a living person stands there; null: nothing does."""
    previous_embedder: CardName | None = None
    """The embedder before this one: cards made with it are still verified, with it and at its own threshold."""
    previous_until: date | None = None
    """Last day (UTC) on which they are; afterwards they must be renewed (`edge enrol --renew`)."""
    threads: Annotated[int, Field(ge=1, le=4)] = 2
    """Threads of the model runtime."""
    min_height: Fraction = 0.3
    """Smallest face that is verified, as a fraction of the frame's height; smaller ones lead to 'step closer'."""
    max_height: Annotated[float, Field(gt=0, le=2)] = 1.05
    """Largest face that is verified, as a fraction of the frame's height; larger ones lose chin or forehead."""
    max_yaw: Annotated[float, Field(gt=0, le=90)] = 35.0
    """Largest turn of the head to a side, degrees, estimated from landmarks."""
    max_pitch: Annotated[float, Field(gt=0, le=90)] = 30.0
    """Largest nod, degrees."""
    max_roll: Annotated[float, Field(gt=0, le=90)] = 25.0
    """Largest tilt, degrees."""
    min_luminance: Annotated[float, Field(ge=0, le=255)] = 25.0
    """Darkest acceptable face, mean luma 0-255."""
    max_luminance: Annotated[float, Field(ge=0, le=255)] = 235.0
    """Brightest acceptable face, mean luma 0-255."""
    min_quality: Fraction | None = None
    """Worst quality score that is compared; null: the limit of the score's fit, which refuses 2 % of good looks."""
    second_face: Fraction = 0.5
    """A second face counts when its height is at least this fraction of the largest's (design: One-to-one)."""

    @model_validator(mode="after")
    def _ranges(self) -> FaceSettings:
        wrong = [
            f"{low}: {getattr(self, low)} must be smaller than {high} ({getattr(self, high)})"
            for low, high in (("min_height", "max_height"), ("min_luminance", "max_luminance"))
            if getattr(self, low) >= getattr(self, high)
        ]
        if (self.previous_embedder is None) != (self.previous_until is None):
            wrong.append("previous_until: an overlap with the previous embedder has both a name and a last day")
        if self.previous_embedder == self.embedder:
            wrong.append("previous_embedder: it is the embedder itself")
        return valid(self, wrong)


class DecisionSettings(Section):
    target_fmr: Annotated[float, Field(ge=1e-6, le=1e-2)] = 1e-4
    """False match rate of a whole session; the embedder's calibration turns it into a threshold."""
    looks: Annotated[int, Field(ge=1, le=10)] = 3
    """At most so many probes are compared in one session; their threshold holds target_fmr for all of them together."""
    spacing_ms: Annotated[int, Field(ge=0, le=2000)] = 150
    """Shortest time between two looks, milliseconds."""
    deadline_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    """A session without a decision for so long ends in no_decision."""


class LivenessSettings(Section):
    passive: Literal["on", "off"] = "on"
    """The network that tells a print or a display from a face (face.passive): on, off."""
    active: Literal["off", "on_doubt", "always"] | None = None
    """Head turns in a random order: off, on_doubt (of the passive network, or without one), always. Null: off where
    door.shows is empty, always where door.unattended is true, else on_doubt."""
    flash: Literal["on", "off"] = "off"
    """Colours in a random order on the screen, which the face must reflect: against recordings and injected video.
    Needs a page in door.shows, indoors; where the light is too bright the head turns are asked for."""


class VaultSettings(Section):
    custody: Literal["card", "device"] = "card"
    """Where templates live: on the person's card (no template on any door) or sealed on this device."""
    days: Annotated[int, Field(ge=1, le=3650)] = 365
    """A new card is valid for so many days."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """A template is kept at most so many days, whatever its card says; null: as long as its card is valid."""


class LimitSettings(Section):
    """The ranges are such that no settings make looping over cards or faces quick (`deploy/THREATS.md`)."""

    card_rejects: Annotated[int, Field(ge=1, le=20)] = 5
    """Rejects in a row of one card before it must wait."""
    card_wait_s: Annotated[float, Field(ge=30, le=86400)] = 30.0
    """How long it waits (NIST SP 800-63B: at least 30 s)."""
    card_disable: Annotated[int, Field(ge=2, le=100)] = 50
    """Rejects in a row from which the card rests a day at this door after each, unless an operator resets it."""
    door_rejects: Annotated[int, Field(ge=1, le=50)] = 20
    """Rejects in a row at this door, from any card, before every claim is delayed (never disabled)."""
    door_wait_s: Annotated[float, Field(ge=5, le=3600)] = 10.0
    """That delay."""
    no_decisions: Annotated[int, Field(ge=1, le=20)] = 5
    """So many no_decision in a row delay the next claim of the card by no_decision_wait_s."""
    no_decision_wait_s: Annotated[float, Field(ge=2, le=600)] = 5.0
    """That delay."""
    fan_out_cards: Annotated[int, Field(ge=2, le=16)] = 8
    """Different cards that fail at this door within fan_out_window_s before every claim is delayed (a search)."""
    fan_out_window_s: Annotated[float, Field(ge=1800, le=86400)] = 3600.0
    """How long such a failure is remembered (as a keyed hash of the serial, never as a face)."""
    fan_out_wait_s: Annotated[float, Field(ge=30, le=3600)] = 60.0
    """The first delay; it doubles with every further card that fails."""
    fan_out_wait_max_s: Annotated[float, Field(ge=1800, le=86400)] = 3600.0
    """The longest delay. A door is never disabled for good, and an operator can clear it: edge reset --door."""


class JournalSettings(Section):
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    """Entries older than this are pruned (gdpr-cnil: at most 90 days for an access log)."""


Language = Literal["en", "fr", "de", "es", "ar"]


class KioskSettings(Section):
    port: Annotated[int, Field(ge=1024, le=65535)] = 8370
    """The page is served at http://127.0.0.1:PORT/, to this machine only."""
    house: Annotated[str, Field(max_length=40)] = ""
    """Whose door it is, as people know it; shown at the top of every screen."""
    language: Language = "en"
    """What the page says at first; everybody can choose another one, for one visit."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en", "fr", "de", "es", "ar")
    """Those that can be chosen."""
    camera: Literal["above", "below", "left", "right"] = "above"
    """Where the camera is, seen from the screen: the page points there."""
    sounds: bool = True
    """Whether the page may sound; everybody can switch it off, for one visit."""
    preview: bool = False
    """Whether people see themselves while the device looks: mirrored, blurred outside the oval, in memory only."""
    operator_port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    """The operator's pages, at http://127.0.0.1:PORT/; null: none. The build must hold them (operator_page)."""
    pin_pad: bool = False
    """Whether the PIN (claim.pin) can be typed on the page; without it the page takes nothing."""
    privacy_url: Annotated[str, matching(r"^(https://\S+)?$", "an address that begins with https://")] = ""
    """Where your privacy notice is, for the QR code beside the short one; without it the code holds the short one."""

    @model_validator(mode="after")
    def _spoken(self) -> KioskSettings:
        wrong = [] if self.language in self.languages else ["language: it is not among kiosk.languages"]
        return valid(self, wrong + ["operator_port: it must not be kiosk.port"] * (self.operator_port == self.port))


class Settings(Section):
    """All settings of one device."""

    # `model_construct` validates nothing, so a start builds no section by itself; a test validates these defaults
    version: Literal["edge/settings/v1"] = "edge/settings/v1"
    """Format of this file."""
    device: DeviceSettings = DeviceSettings.model_construct()
    """This device."""
    camera: CameraSettings = CameraSettings.model_construct()
    """Where frames come from."""
    face: FaceSettings = FaceSettings.model_construct()
    """Models, and when a face is good enough."""
    claim: ClaimSettings = ClaimSettings.model_construct()
    """How people say who they are."""
    decision: DecisionSettings = DecisionSettings.model_construct()
    """How a session decides."""
    liveness: LivenessSettings = LivenessSettings.model_construct()
    """Whether a living person stands there: what only ever takes an accept away."""
    vault: VaultSettings = VaultSettings.model_construct()
    """Where templates live."""
    limits: LimitSettings = LimitSettings.model_construct()
    """Retry limits."""
    door: DoorSettings = DoorSettings.model_construct()
    """What an accept does."""
    journal: JournalSettings = JournalSettings.model_construct()
    """What can be shown afterwards."""
    kiosk: KioskSettings | None = None
    """The page for the person in front; null: none. The build must hold it (local_page in build.yaml)."""
    alternative: Annotated[str, Field(min_length=3, max_length=200)] | None = None
    """The way in without one's face (reception, badge, phone number), shown with every refusal. Without it a device is
    unfit, and enrolments are refused."""

    _folder: Path | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Keep the folder that the loader gave as context."""
        self._folder = (context or {}).get("folder")

    def __eq__(self, other: object) -> bool:
        """Whether both say the same, wherever they were read."""
        return isinstance(other, Settings) and self.model_dump() == other.model_dump()

    @property
    def digest(self) -> str:
        """What the journal names these settings by: 16 hexadecimal digits of their SHA-256.

        A file in the settings' own folder counts by its place in there: a folder that is moved has the same settings.
        """
        said = self.model_dump_json(context={"folder": self._folder})
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def challenge(self) -> Literal["off", "on_doubt", "always"]:
        """``liveness.active``, or what follows from the door where it is null."""
        if self.liveness.active is not None:
            return self.liveness.active
        if not self.door.shows:
            return "off"
        return "always" if self.door.unattended else "on_doubt"

    @model_validator(mode="after")
    def _together(self) -> Settings:
        """What holds between sections."""
        camera, wrong = self.camera, []
        if camera.driver == "replay" and camera.path is None:
            wrong.append("camera.path: a replay source needs a video file or a folder of pictures")
        if camera.driver == "v4l2" and not camera.device:
            wrong.append("camera.device: a v4l2 source needs the stable path of its camera, /dev/v4l/by-id/...")
        if camera.driver in ("replay", "fictional") and self.door.driver != "log":
            wrong.append(f"door.driver: a {camera.driver} source may drive only the log door")
        if self.challenge != "off" and not self.door.shows:
            wrong.append("liveness.active: nothing at this door shows a challenge; write off, or name it in door.shows")
        if self.liveness.flash == "on" and "page" not in self.door.shows:
            wrong.append("liveness.flash: colours need a screen; write off, or name the page in door.shows")
        if self.claim.pin == "alone" and self.vault.custody != "device":
            wrong.append("claim.pin: a card under a PIN lies at the door; with vault.custody: card no template may")
        if self.kiosk is not None and self.kiosk.pin_pad and self.claim.pin == "none":
            wrong.append("kiosk.pin_pad: no PIN is asked for here; write claim.pin: with_card, or leave it out")
        return valid(self, wrong)
