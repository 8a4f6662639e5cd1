"""In the place of `edge.models.examine`: a process that ends as a damaged file can make it end."""

import os
import signal
import sys
import time

end = os.environ["CRASH"]
if end == "sleep":
    time.sleep(60)
if end in ("segv", "abort"):
    os.kill(os.getpid(), signal.SIGSEGV if end == "segv" else signal.SIGABRT)
if end == "words":
    sys.stdout.write("[no report")
sys.exit(1 if end == "exit" else 0)
