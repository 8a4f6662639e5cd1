"""A device with twelve cards, for attacks on an installed build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli._pictures import as_frame
from edge.fictional.figure import PEOPLE
from edge.service import Device, Operator
from edge.settings import load_settings
from edge.trust import IssuerKey
from edge.vault import ConsentReceipt
from tests.cli.conftest import Desk, make_desk
from tests.installed import ANNA, camera_settings


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A device with an issuer's key; its settings once with a camera, once with each driver that needs none."""
    made = make_desk(tmp_path_factory.mktemp("desk"))
    builders = made.folder / "trust" / "builders"
    builders.mkdir()
    (builders / "anna.pem").write_bytes(ANNA.public.pem())
    text = made.config.read_text()
    head, tail = text[: text.index("camera:")], text[text.index("alternative:") :]
    (made.folder / "v4l2.yaml").write_text(camera_settings(text))
    (made.folder / "replay.yaml").write_text(head + f"camera: {{driver: replay, path: {made.person('ada')}}}\n" + tail)
    (made.folder / "fictional.yaml").write_text(text)
    return made


@pytest.fixture(scope="session")
def cards(desk: Desk) -> Path:
    """The cards of the twelve fictional people, enrolled on the same device by a development install."""
    state = desk.folder / "state"
    issuer = IssuerKey.load(state / "issuer.key", (state / "issuer.passphrase").read_text().strip())
    texts: list[str] = []

    def keep(issued, consent):
        texts.append(issued.text)
        return texts.pop

    with Device.open(load_settings(desk.config), hold="test") as device:
        given = device._clock.now().utc_s
        for name in PEOPLE:
            consent = ConsentReceipt(name, "test", "en", given, "nowhere")
            pictures = [as_frame(Path(desk.person(name, 1)))]
            Operator(device, "kim").enrol(issuer=issuer, consent=consent, hand_over=keep, pictures=pictures)
    file = desk.folder / "cards.json"
    file.write_text(json.dumps(texts))
    return file
