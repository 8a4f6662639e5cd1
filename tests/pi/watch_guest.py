"""Prints every change of a simulated line's level when standard input ends: a process of its own, and a light one.

python -I -S watch_guest.py FOLDER_OF_THE_LINE --high|--low         # [[[seconds, energised], ...], reads, last]
"""

from __future__ import annotations

import json
import os
import select
import sys
import time

HIGH = sys.argv[2] == "--high"
file, reads, ended = os.open(sys.argv[1] + "/value", os.O_RDONLY), 0, False
changes: list[tuple[float, bool]] = []
while not ended:
    now = (os.pread(file, 1, 0) == b"1") is HIGH
    reads += 1
    if not changes or changes[-1][1] is not now:
        changes.append((time.monotonic(), now))
    if reads == 1:
        print("watching", flush=True)
    ended = reads % 100 == 0 and bool(select.select([0], [], [], 0)[0])
print(json.dumps([changes, reads, time.monotonic()]))
