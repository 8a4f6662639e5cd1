"""A camera driver of one's own, for a device build: raw BGR frames that a vendor's program writes into a pipe.

In build.yaml, beside it: `camera_driver: own_driver.py`. On the device: `camera: {driver: own, device: /run/eye}`.
"""

import os
import select
import time

import numpy as np

from edge.errors import SourceTimeout, SourceUnavailable
from edge.types import Frame


class Camera:  # a `Source`: a name, open, read, close; read by one thread
    name = "eye"

    def __init__(self, settings):
        self.path, self.shape, self.count = settings.device, (settings.height, settings.width, 3), 0

    def open(self):
        try:
            self.pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise SourceUnavailable(f"{error.strerror}", where=self.path, remedy="start the program") from error

    def read(self, timeout_s):
        frame, end = bytearray(), time.monotonic() + timeout_s
        while len(frame) < (size := int(np.prod(self.shape))):
            if not select.select([self.pipe], [], [], max(0, end - time.monotonic()))[0]:
                raise SourceTimeout("no frame", where=self.path, remedy="look after the program")
            frame += os.read(self.pipe, size - len(frame)) or self.ended()
        self.count += 1
        return Frame(np.frombuffer(frame, np.uint8).reshape(self.shape), time.monotonic_ns(), self.count, self.name)

    def ended(self):
        raise SourceUnavailable("the program has ended", where=self.path, remedy="start it again")

    def close(self):
        os.close(self.pipe)
