"""What the application and its requests carry."""

from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from exchange.api.gate import Gate
from exchange.api.peers import Peer
from exchange.api.quotas import Buckets
from exchange.api.room import Room
from exchange.broker.exchange import Exchange
from exchange.store.spools import Folder


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """What each system may still ask of this worker: requests and bytes of bodies."""

    requests: Buckets[UUID]
    bytes: Buckets[UUID]


EXCHANGE = web.AppKey("exchange", Exchange)
QUOTAS = web.AppKey("quotas", Quotas)
ROOM = web.AppKey("room", Room)
GATE = web.AppKey("gate", Gate)
WRITING = web.AppKey("writing", Gate)

REQUEST_ID = web.RequestKey("request_id", str)
PEER = web.RequestKey("peer", Peer)
CALLER = web.RequestKey("caller", UUID)
SPOOL = web.RequestKey("spool", Folder)
HELD = web.RequestKey("held", int)
