"""A camera of one's own (development builds): python own_camera.py device.yaml ada.token ada.jpg"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from edge import Device, Frame, Parts, load_settings


class MyCamera:  # a `Source`: a name, open, read, close; read by one thread
    name = "mine"

    def __init__(self, file):
        face, self.count, self.noise = cv2.resize(cv2.imread(file), (400, 400)), 0, np.random.default_rng(0)
        self.picture = cv2.copyMakeBorder(face, 40, 40, 120, 120, cv2.BORDER_REPLICATE)  # 640x480, as the settings say

    def open(self): ...

    def read(self, timeout_s):
        time.sleep(1 / 15)
        self.count += 1
        moved = cv2.add(self.picture, self.noise.integers(0, 4, self.picture.shape, np.uint8))
        return Frame(moved, time.monotonic_ns(), self.count, self.name)

    def close(self): ...


if __name__ == "__main__":
    settings, token, picture = sys.argv[1:]
    with Device.open(load_settings(settings), Parts(source=lambda: MyCamera(picture)), hold="own_camera.py") as device:
        print(device.verify(Path(token).read_text().strip()).outcome.value)
