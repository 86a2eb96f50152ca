"""For anybody: the key of our receipts. For the operator: is this process alive, can letters be accepted, the figures.

No key is asked for.
"""

from aiohttp import web

from exchange import metrics
from exchange.api import peers, shapes
from exchange.api.parts import EXCHANGE, PEER
from exchange.broker import readiness, receipts
from exchange.broker.readiness import Readiness
from exchange.errors import Problem


async def get_health(_request: web.Request) -> web.Response:
    """GET /healthz: this process answers."""
    return shapes.json_response({"status": "ok"})


async def get_receipt_key(request: web.Request) -> web.Response:
    """GET /v1/receipt-key: the public key by which anybody checks our receipts, of this exchange or of its copies."""
    key = request.app[EXCHANGE].receipt_key
    told = {
        "key_id": key.key_id,
        "algorithm": receipts.ALGORITHM,
        "public_key_pem": receipts.public_pem(key),
        "exchange": key.exchange,
    }
    return shapes.json_response(told, {"Cache-Control": "max-age=3600"})


async def get_ready(request: web.Request) -> web.Response:
    """GET /readyz: ready or degraded (200), or down (503); and why."""
    found = await readiness.readiness(request.app[EXCHANGE])
    checks = {check.name: {"status": check.state, "figure": check.figure} for check in found.checks}
    down = found.state == readiness.DOWN
    return shapes.json_response(
        {"status": found.state, "checks": checks},
        {"Cache-Control": "no-store", **({"Retry-After": "2"} if down else {})},
        503 if down else 200,
    )


async def get_metrics(request: web.Request) -> web.Response:
    """GET /metrics: figures of all workers, for the addresses in CONGVAN_METRICS_FROM; nothing for others."""
    exchange, client = request.app[EXCHANGE], request[PEER].address
    if client is None or not peers.within(client, exchange.config.metrics_from):
        raise Problem("not_found")
    figures = _figures(await readiness.readiness(exchange))
    return web.Response(body=metrics.page(figures), headers={"Content-Type": metrics.CONTENT_TYPE})


def _figures(found: Readiness) -> dict[str, tuple[str, float]]:
    """What holds now; of the database only while it answers."""
    level = {readiness.READY: 2.0, readiness.DEGRADED: 1.0, readiness.DOWN: 0.0}
    figures = {"ready": ("2 ready, 1 degraded, 0 down", level[found.state])}
    lists = found.lists
    figures["revocation_lists"] = ("Authorities of whom there is a revocation list", lists.issuers)
    figures["revocation_lists_near_end"] = (
        "Newest lists that are over or soon will be",
        lists.over + lists.near,
    )
    if lists.oldest and lists.first_end:
        figures["revocation_oldest_timestamp_seconds"] = (
            "When the oldest of the newest lists was made",
            lists.oldest.timestamp(),
        )
        figures["revocation_first_end_timestamp_seconds"] = (
            "When the first of the newest lists runs out",
            lists.first_end.timestamp(),
        )
    figures |= {
        f"check_{check.name}": ("2 ready, 1 degraded, 0 down", level[check.state]) for check in found.checks
    }
    if (standing := found.standing) is not None:
        figures["deliveries_open"] = (
            "Deliveries that nobody took in yet, at most 100,000",
            standing.open_deliveries,
        )
        figures["letters_to_expand"] = ("Letters that wait for the relay", standing.letters_to_expand)
        figures["revocation_sources_failing"] = (
            "Sources of revocation data that do not answer",
            standing.sources_failing,
        )
        figures["facts_to_fold"] = ("Facts of the tally not yet in a day", standing.facts_to_fold)
        figures["directory_version"] = ("Version of the directory", standing.directory_version)
        oldest = standing.oldest_open.timestamp() if standing.oldest_open else 0
        figures["delivery_oldest_timestamp_seconds"] = ("When the oldest open one was accepted", oldest)
    return figures
