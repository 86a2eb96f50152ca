"""Every URL, in one table."""

from aiohttp import web

from exchange.api import native, statuses

ROUTES = (
    web.post("/v1/messages", native.post_message),
    web.get("/v1/messages/{id}", native.get_message),
    web.get("/v1/messages/{id}/header", native.get_header),
    web.get("/v1/messages/{id}/verdicts", native.get_verdicts),
    web.get("/v1/messages/{id}/trace", native.get_trace),
    web.get("/v1/messages/{id}/receipt", native.get_receipt),
    web.get("/v1/inbox", native.get_inbox),
    web.post("/v1/inbox/ack", native.post_ack),
    web.post("/v1/deliveries/{id}/status", statuses.post_status),
    web.get("/healthz", native.get_health),
    web.get("/readyz", native.get_ready),
)
