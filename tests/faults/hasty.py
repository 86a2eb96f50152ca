"""The negative control: `congvan` with a committer that answers first and commits afterwards. For `python hasty.py serve`."""

import asyncio
import functools
import os
import sys

from exchange.api import supervisor
from exchange.cli.main import main
from exchange.store import commit

LATER_SECONDS = float(os.environ.get("HASTY_SECONDS", "0.05"))
SUBMIT = commit.Committer.submit
COMMITTING = set()


async def submit(committer, submission):
    """Answer as if it were stored; store it in a moment."""
    if submission.letter is None:
        return await SUBMIT(committer, submission)
    task = asyncio.create_task(_commit_later(committer, submission))
    COMMITTING.add(task)
    task.add_done_callback(COMMITTING.discard)
    return commit.Outcome(kind="stored", letter=submission.letter.id, receipt=submission.letter.receipt)


async def _commit_later(committer, submission):
    await asyncio.sleep(LATER_SECONDS)
    await SUBMIT(committer, submission)


if __name__ == "__main__":
    commit.Committer.submit = submit
    command = (sys.executable, __file__, "worker")
    supervisor.Supervisor = functools.partial(supervisor.Supervisor, command=command)
    main()
