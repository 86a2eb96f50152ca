"""What is killed, and how often: one table."""

from faults import grounds


def worker(place, random):
    found = sorted(place.workers())
    return grounds.kill(random.choice(found)) if found else 0


def workers(place, _random):
    return grounds.kill(*place.workers())


def postmaster(place, _random):
    return grounds.kill(*place.postmaster())


def backend(place, random):
    found = sorted(place.backends())
    return grounds.kill(random.choice(found)) if found else 0


def parent(place, _random):
    """The parent only: its orphans and its database live on while the next `serve` starts."""
    killed = grounds.kill(place.process.pid)
    place.process.wait()
    place.start()
    return killed


def everything(place, _random):
    """Parent, workers and PostgreSQL at once, as when a machine is switched off; then the next `serve`."""
    killed = grounds.kill(place.process.pid, *place.workers(), *place.postmaster())
    place.process.wait()
    place.start()
    return killed


STRIKES = {
    worker: 6,
    workers: 3,
    postmaster: 3,
    backend: 3,
    parent: 2,
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
