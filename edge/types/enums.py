"""The closed enumerations: what is not listed here is never printed, journalled or shown."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """What a build contains and may drive (design: Builds)."""

    DEVICE = "device"
    LAB = "lab"
    DEVELOPMENT = "development"


class Outcome(StrEnum):
    """The three answers of a verification (ISO/IEC 2382-37: 37.03.05, with the failure to acquire kept apart)."""

    ACCEPT = "accept"
    REJECT = "reject"
    NO_DECISION = "no_decision"


class Reason(StrEnum):
    """Why. A closed enumeration: nothing else is ever printed, journalled or shown."""

    MATCHING = "matching"
    NOT_MATCHING = "not_matching"
    PRESENTATION_ATTACK_SUSPECTED = "presentation_attack_suspected"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    TOKEN_REVOKED = "token_revoked"
    TOKEN_UNKNOWN = "token_unknown"
    WRONG_DOOR = "wrong_door"
    CLOCK_UNCONFIRMED = "clock_unconfirmed"
    LOCKED_OUT = "locked_out"
    DOOR_PAUSED = "door_paused"
    PIN_MISSING = "pin_missing"
    PIN_WRONG = "pin_wrong"
    MODEL_MISMATCH = "model_mismatch"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    QUALITY = "quality"
    LIVENESS_UNCLEAR = "liveness_unclear"
    CHALLENGE_NOT_DONE = "challenge_not_done"
    ALTERNATIVE = "alternative"
    SOURCE_FAULT = "source_fault"
    INTERRUPTED = "interrupted"
    ERROR = "error"


class Advice(StrEnum):
    """What a person in front of the camera can do. The kiosk and the command line translate it."""

    STEP_CLOSER = "step_closer"
    STEP_BACK = "step_back"
    LOOK_HERE = "look_here"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    UNCOVER_FACE = "uncover_face"
    CENTRE_FACE = "centre_face"
    ONE_PERSON = "one_person"
    NOBODY_SEEN = "nobody_seen"
    TURN_AS_SHOWN = "turn_as_shown"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"


class Direction(StrEnum):
    """Which way a head turns in a challenge; left and right are the person's own."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Fault(StrEnum):
    """What can be wrong with a stream of frames."""

    FROZEN = "frozen"
    BLACK = "black"
    OVER_EXPOSED = "over_exposed"
    BLURRED = "blurred"
    WRONG_SIZE = "wrong_size"
    TIME_BACKWARDS = "time_backwards"
    STOPPED = "stopped"


class Custody(StrEnum):
    """Who keeps the sealed template: the person's own card, or this device; none: there is no template (opt-out)."""

    CARD = "card"
    DEVICE = "device"
    NONE = "none"
