"""A door of one's own: python own_door.py device.yaml ada.token"""

import sys
from pathlib import Path

from edge import Decision, Device, Parts, errors, load_settings


class Turnstile:  # a `Door`: a name, open, act, close
    name = "turnstile"

    def open(self) -> None:
        print("turnstile: locked")  # raise errors.DoorError where the hardware is not there

    def act(self, decision: Decision) -> None:
        if decision.outcome == "accept":
            print("turnstile: one turn for credential", decision.credential)

    def close(self) -> None:
        print("turnstile: locked")


if __name__ == "__main__":
    settings, token = sys.argv[1:]
    try:
        with Device.open(load_settings(settings), Parts(door=Turnstile()), hold="own_door.py") as device:
            device.act(device.verify(Path(token).read_text().strip()))
    except errors.EdgeError as error:
        sys.exit(str(error))
