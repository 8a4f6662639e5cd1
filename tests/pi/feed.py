"""Write JPEGs to a v4l2loopback device, as a camera of 15 frames a second would.

    feed.py DEVICE FOLDER WIDTH HEIGHT [FPS]

SIGUSR1 tears every picture from then on, and mends them again. SIGSTOP is a camera that falls silent.
"""

import fcntl
import os
import signal
import struct
import sys
import time
from pathlib import Path

device, folder, width, height = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
fd = os.open(device, os.O_RDWR)
wish = bytearray(208)
struct.pack_into("<I", wish, 0, 2)  # V4L2_BUF_TYPE_VIDEO_OUTPUT
struct.pack_into("<8I", wish, 8, width, height, int.from_bytes(b"MJPG", "little"), 1, 0, width * height * 2, 8, 0)
fcntl.ioctl(fd, 0xC0D05605, wish)  # VIDIOC_S_FMT
torn = [False]
signal.signal(signal.SIGUSR1, lambda *_: torn.__setitem__(0, not torn[0]))
pause = 1 / float(sys.argv[5] if len(sys.argv) > 5 else 15)
number, due = 0, time.monotonic()
while True:
    data = pictures[number % len(pictures)]
    os.write(fd, data[: len(data) // 2] if torn[0] else data)
    if number == 0:
        print("feeding", flush=True)
    number += 1
    due = max(due + pause, time.monotonic() - 1)
    time.sleep(max(0.0, due - time.monotonic()))
