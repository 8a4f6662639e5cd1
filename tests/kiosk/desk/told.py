"""What the process of the operator's pages would tell, screen by screen: (told, where the page is)."""

from __future__ import annotations

from typing import Any

from edge.messages import text
from edge.papers.card import CardConsent, CardText, face_data, page
from edge.papers.report import receipt
from edge.types import Custody

SERIAL = "5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e"
HELD = {
    "serial": SERIAL, "custody": "card", "expires": 1_822_000_000, "status": "active", "renewable": True,
}  # fmt: skip


def seated(now: dict[str, Any] | None = None, **about: Any) -> dict[str, Any]:
    sitting = {"operator": "kim", "page": "word"}
    return {"sitting": sitting, "about": {"issuer": "open", "card": None, "contact": "", **about}, "now": now or {}}


def card(language: str = "en") -> dict[str, Any]:
    consent = CardConsent(1_790_000_000, "edge/consent/v1", language, "privacy@example.org", "kim", "Ring the bell.")
    words = CardText(
        "EV1:" + "A0" * 300,
        serial=SERIAL,
        not_before=1_790_000_000,
        expires=1_822_000_000,
        issued_by="Hotel Meridian",
        custody=Custody.CARD,
        consent=consent,
        contact="Please ask at the reception.",
    )
    face = {name: value for name, value in face_data(words).items() if name != "code"}
    return {**face, "language": language, "paper": page(words).as_data()}


def texts() -> dict[str, list[str]]:
    names = ("reference.card", "use", "refuse", "withdraw")
    values = {"dimension": 128, "alternative": "Please ask at the reception."}
    return {tag: [text(f"ask.{name}", tag, **values) for name in names] for tag in ("en", "fr", "de", "es", "ar")}


def decisions() -> dict[str, Any]:
    rows = (
        ("accept", "matching"),
        ("reject", "not_matching"),
        ("no_decision", "no_face"),
        ("reject", "presentation_attack_suspected"),
        ("alternative", "alternative"),
        ("reject", "locked_out"),
        ("accept", "matching"),
        ("reject", "token_invalid"),
    )
    made = [
        {"at": 1_790_000_000 - 731 * k, "outcome": outcome, "reason": reason, "looks": 1,
         "serial": "" if reason == "token_invalid" else SERIAL.replace("-", "")}
        for k, (outcome, reason) in enumerate(rows)
    ]  # fmt: skip
    return {"decisions": made}


def health(**more: Any) -> dict[str, Any]:
    cameras = [
        ("used", "/dev/v4l/by-id/usb-Example_FHD_Camera_0001-video-index0"),
        ("found", "/dev/v4l/by-id/usb-046d_HD_Webcam_C525-video-index0"),
    ]
    return {
        "name": "front-door", "version": "0.1.0", "profile": "device", "signed": True, "signer": "acme", "log_only": "",
        "settings": "0123456789abcdef", "camera": "v4l2", "device": cameras[0][1], "size": [1280, 720],
        "readers": ["qr", "keyboard"], "door": "relay", "custody": "card", "cards": 118, "now": 1_790_000_000,
        "confirmed": True, "guard": 0, "wait_s": 0, "pin": "none", "pin_wait_s": 0, "policy": "", "entries": 20731,
        "attached": [{"kind": "camera", "what": what, "state": state, "remedy": ""} for state, what in cameras], **more,
    }  # fmt: skip


def selftest(*, fit: bool) -> dict[str, Any]:
    def one(name: str, what: str, *, ok: bool = True, needed: bool = True, remedy: str = "") -> dict[str, Any]:
        return {"name": name, "what": what, "ok": ok, "needed": needed, "remedy": remedy}

    checks = [
        one("settings", "device.yaml"),
        one("model detector", "known answers agree"),
        one("clock", "confirmed, synchronised"),
        one("build", "0.1.0 drives the log door only: no signature", ok=False, needed=False, remedy="sign the wheel"),
        one("camera", "1280 x 720, 15 frames a second, moving") if fit else
        one("camera", "the stream has stopped", ok=False, remedy="check the cable, then start the device again"),
        one("journal", "20731 entries, the chain holds"),
    ]  # fmt: skip
    return {"fit": fit, "checks": checks}


def seen(**more: Any) -> dict[str, Any]:
    return {
        "act": "view", "stage": "view", "focus": 0.8, "exposure": 0.46, "clipped": 0.0, "distance": 0.4, "advice": [],
        "faults": [], "size": [640, 480], "face": [0.36, 0.3, 0.26, 0.44], **more,
    }  # fmt: skip


def done(act: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"act": act, "stage": "done", "answer": answer}


def erased(language: str = "en") -> dict[str, Any]:
    gone = ["template_deleted", "consent_and_name_deleted", "overwritten", "counters_deleted", "card_refused"]
    remains = ["card", "serial", "journal", "flash", "backups", "other_doors"]
    answer = {
        "serial": SERIAL, "custody": "card", "at": 1_790_000_000, "operator": "kim", "device": "front-door",
        "language": language, "known": True, "refused_until": 1_822_000_000, "other_cards": 0, "traces_found": 0,
        "journal_entries": 12, "journal_entries_until": 1_797_000_000, "done": gone, "may_remain": remains,
    }  # fmt: skip
    return {"serial": SERIAL, "language": language, "paper": receipt(answer, language).as_data()}


HOME = {"name": "home"}
PERSON = {"subject": "Ada Example", "withdrawal": "privacy@example.org"}
FAILED = {"stage": "failed", "what": "only 2 of 5 good frames in 60 s", "remedy": "last advice: more light"}
CAPTURE = {"act": "enrol", "stage": "capture", "have": 2, "want": 5, "advice": ["uncover_face", "more_light"]}
UNWELL = {"confirmed": False, "guard": 3, "signed": False, "log_only": "it is no device build"}

TOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sign-in": ({"sitting": None, "wait_s": 0, "taken": False}, HOME),
    "locked-out": ({"sitting": None, "wait_s": 95, "taken": False}, HOME),
    "taken": ({"sitting": None, "wait_s": 0, "taken": True}, HOME),
    "home": (seated(), HOME),
    "unlock": (seated(issuer="closed"), {"name": "unlock", "then": "form"}),
    "no-key": (seated(issuer="none"), {"name": "unlock", "then": "form"}),
    "form": (seated(contact="privacy@example.org"), {"name": "form"}),
    "consent": (seated(), {"name": "consent", **PERSON, "language": "en", "texts": texts()}),
    "consent-ar": (seated(), {"name": "consent", **PERSON, "language": "ar", "texts": texts()}),
    "declined": (seated(), {"name": "declined", "language": "en"}),
    "capture": (seated(CAPTURE), HOME),
    "hand": (seated({"act": "enrol", "stage": "hand_over", "card": card(), "left_s": 93}), HOME),
    "hand-ar": (seated({"act": "enrol", "stage": "hand_over", "card": card("ar"), "left_s": 93}), HOME),
    "made": (seated(done("enrol", {"serial": SERIAL, "custody": "card", "expires": 1_822_000_000})), HOME),
    "failed": (seated({"act": "enrol", **FAILED}), HOME),
    "wait": (seated({"act": "selftest", "stage": "running"}), HOME),
    "done": (seated(done("revoke", {}), card=HELD), HOME),
    "erased": (seated(done("erase", erased())), HOME),
    "erased-ar": (seated(done("erase", erased("ar"))), HOME),
    "present": (seated(), {"name": "present"}),
    "reading": (seated({"act": "card", "stage": "running"}), {"name": "present"}),
    "no-card": (seated({"act": "card", **FAILED}), {"name": "present"}),
    "hold": (seated(card=HELD), {"name": "hold"}),
    "hold-serial": (seated(card={"serial": SERIAL}), {"name": "hold"}),
    "decisions": (seated(done("decisions", decisions())), HOME),
    "no-decisions": (seated(done("decisions", {"decisions": []})), HOME),
    "health": (seated(done("health", health())), HOME),
    "unwell": (seated(done("health", health(**UNWELL))), HOME),
    "pins": (seated(done("health", health(pin="alone", pin_wait_s=540))), HOME),
    "pin": (seated(done("draw_pin", {"serial": SERIAL, "pin": "40291672"})), HOME),
    "fit": (seated(done("selftest", selftest(fit=True))), HOME),
    "unfit": (seated(done("selftest", selftest(fit=False))), HOME),
    "view": (seated(seen()), HOME),
    "view-dark": (seated(seen(focus=0.1, exposure=0.1, distance=None, face=None)), HOME),
    "paths": (seated(done("health", health())), {"name": "paths"}),
    "idle": (seated() | {"sitting": {"operator": "kim", "page": "word", "left_s": 41}}, HOME),
}  # fmt: skip
