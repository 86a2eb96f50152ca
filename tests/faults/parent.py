"""A supervisor without an exchange, for `python parent.py FOLDER`: its workers only say what they do, in FOLDER/told.

What they do wrong is said by files in the folder when they start: `fails`, `hangs` (never ready), `lingers` (leaves,
but does not end), `deaf` (does not hear SIGTERM). `revives` keeps the revival of the database busy.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from exchange import log
from exchange.api import pipes, supervisor

FOLDER = Path(sys.argv[1] if __name__ == "__main__" else ".")


def tell(event):
    line = json.dumps({"event": event, "pid": os.getpid(), "at": time.monotonic()}) + "\n"
    with (FOLDER / "told").open("a") as file:
        file.write(line)


def work(_listening, lifeline, ear):
    wrong = {path.name for path in FOLDER.iterdir()}
    parent, stop = pipes.Parent(int(lifeline), int(ear)), []
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in wrong else lambda *_: stop.append(1))
    tell("started")
    if "fails" in wrong:
        sys.exit(7)
    if "hangs" not in wrong:
        parent.tell(pipes.READY)
        tell("ready")
    while not stop:
        time.sleep(0.01)
    tell("leaving")
    parent.tell(pipes.LEAVING)
    while "lingers" in wrong and (FOLDER / "lingers").exists():
        time.sleep(0.01)
    tell("left")


def revive():
    while (FOLDER / "revives").exists():
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    if len(sys.argv) > 2:
        work(*sys.argv[2:])
    else:
        log.configure("info")
        supervisor.READY_SECONDS, supervisor.STOP_SECONDS = 1.0, 1.5
        with socket.socket() as listening:
            supervisor.Supervisor(
                listening, os.environ, 2, revive, (sys.executable, __file__, str(FOLDER))
            ).run()
