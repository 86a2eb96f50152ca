"""What is killed, and how often: one table. A strike answers how many processes it hit; nothing hit is no strike."""

from faults.grounds import kill


def worker(place, random):
    found = sorted(place.workers())
    return kill(random.choice(found)) if found else 0


def workers(place, _random):
    return kill(*place.workers())


def postmaster(place, _random):
    return kill(*place.postmaster())


def backend(place, random):
    """One process of PostgreSQL: the postmaster then ends all others, and recovers."""
    found = sorted(place.backends())
    return kill(random.choice(found)) if found else 0


def parent(place, _random):
    """The parent only: its orphans and its database live on while the next `serve` starts."""
    return kill(place.process.pid)


def parent_and_postmaster(place, _random):
    """The orphans have no database any more."""
    return kill(place.process.pid, *place.postmaster())


def everything(place, _random):
    """As when a machine is switched off, except that what was written is written."""
    return kill(place.process.pid, *place.workers(), *place.postmaster())


STRIKES = {
    worker: 6,
    workers: 3,
    postmaster: 3,
    backend: 3,
    parent: 2,
    parent_and_postmaster: 1,
    everything: 2,
}
"""Each strike with its weight in a long campaign; a short one has each at least once."""


def order(random, kills):
    """So many strikes, in random order: each once, then by weight."""
    first = list(STRIKES)[:kills]
    rest = random.choices(list(STRIKES), list(STRIKES.values()), k=kills - len(first))
    chosen = [*first, *rest]
    random.shuffle(chosen)
    return chosen
