"""`congvan` whose database takes its time to come back, for `python tardy.py serve`: as after a crash with much to replay."""

import functools
import sys
import time

from exchange.api import supervisor
from exchange.cli.main import main
from exchange.store import embedded

RESTART = embedded.restart
SECONDS = 12.0


def restart(server):
    """The server again, after a while."""
    time.sleep(SECONDS)
    return RESTART(server)


if __name__ == "__main__":
    embedded.restart = restart
    command = (sys.executable, __file__, "worker")
    supervisor.Supervisor = functools.partial(supervisor.Supervisor, command=command)
    main()
