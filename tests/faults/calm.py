"""Load on a server that nobody kills, by clients that make several attempts as the SDK does, and the comparison after it."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from random import Random

from faults.campaign import compared, settled
from faults.compare import kinds
from faults.ledger import Ledger
from faults.load import Load, systems

from exchange.links import sdk


@dataclass
class Calm:
    """A server under load: `faults` are known when the block of `loaded` has ended."""

    server: object
    ledger: Ledger
    load: Load
    faults: list = field(default_factory=list)

    def worked(self, answers):
        """Whether the senders have got so many answers more than when this was asked first."""
        wanted = self.ledger.answers + answers
        return lambda: self.ledger.answers >= wanted


@contextlib.asynccontextmanager
async def loaded(server, *, pause=0.15, seed=7):
    """Clients that send, pull, take, acknowledge and answer for the length of the block; then all is compared."""
    ledger = Ledger()
    load = Load(server, ledger, Random(seed), pause=pause, attempts=sdk.ATTEMPTS, hang_up=0.0, most=400)
    calm = Calm(server, ledger, load)
    async with asyncio.TaskGroup() as group:
        receiving = [group.create_task(load.receive(code)) for code in systems(server.province)]
        sending = [group.create_task(load.send()) for _ in range(load.senders)]
        yield calm
        load.ending.set()
        await settled(ledger, sending)
        for task in (*receiving, *sending):
            task.cancel()
    calm.faults = await compared(server.dsn, ledger, server.folder / "payloads")


def proven(calm):
    """Nothing was lost, doubled or failed; nothing in the database says anything else."""
    print("\n", calm.ledger.figures())
    assert calm.faults == [], kinds(calm.faults)
    assert calm.ledger.unknown == 0
    checked = calm.server.congvan("check", "--json")
    assert checked.returncode == 0, checked.stdout
