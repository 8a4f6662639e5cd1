"""Verify one card in front of the configured camera: python verify.py device.yaml ada.token"""

import sys
from pathlib import Path

from edge import Device, load_settings


def main(settings: str, token: str) -> int:
    with Device.open(load_settings(settings), hold="verify.py") as device:
        decision = device.verify(Path(token).read_text().strip())
        device.act(decision)  # the door: released on an accept only
    print(decision.outcome.value, decision.reason.value, f"wait {decision.wait_s} s" if decision.wait_s else "")
    return {"accept": 0, "reject": 1, "no_decision": 2}[decision.outcome.value]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
