"""Enrol a person who consents: python enrol.py device.yaml consent.yaml ada.token (the issuer's key is asked for)."""

import getpass
import sys
from pathlib import Path

from edge import Device, Operator, load_settings
from edge.trust import IssuerKey
from edge.vault import ConsentReceipt


def main(settings: str, consent: str, card: str, passphrase: str = "") -> None:
    def hand_over(issued, receipt):  # called before anything is kept: what raises here leaves no trace
        with open(card, "x") as file:
            file.write(issued.text)
        return Path(card).unlink  # how to take it back

    with Device.open(load_settings(settings), hold="enrol.py") as device:
        device.observe(lambda event: print(event.kind), name="console")
        key = device.settings.device.state_dir / "issuer.key"
        issuer = IssuerKey.load(key, passphrase or getpass.getpass("Passphrase of the issuer key: "))
        Operator(device, "kim").enrol(issuer=issuer, consent=ConsentReceipt.read(Path(consent)), hand_over=hand_over)


if __name__ == "__main__":
    main(*sys.argv[1:])
