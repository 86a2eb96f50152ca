"""Every URL, in one table."""

import functools

from aiohttp import web

from exchange.api import (
    bodies,
    compose,
    description,
    evidence,
    figures,
    lists,
    native,
    open_data,
    operations,
    papers,
    statuses,
    uploads,
)

_get = functools.partial(web.get, expect_handler=bodies.later)
_post = functools.partial(web.post, expect_handler=bodies.later)
_patch = functools.partial(web.patch, expect_handler=bodies.later)

ROUTES = (
    _post("/v1/messages", native.post_message),
    _post("/v1/messages:compose", compose.post_compose),
    _get("/v1/messages/{id}", native.get_message),
    _get("/v1/messages/{id}/header", native.get_header),
    _get("/v1/messages/{id}/verdicts", native.get_verdicts),
    _get("/v1/messages/{id}/trace", native.get_trace),
    _get("/v1/messages/{id}/receipt", native.get_receipt),
    _get("/v1/uploads/{sha256}", uploads.get_upload),
    _patch("/v1/uploads/{sha256}", uploads.patch_upload),
    _get("/v1/inbox", native.get_inbox),
    _post("/v1/inbox/ack", native.post_ack),
    _post("/v1/deliveries/{id}/status", statuses.post_status),
    _post("/v1/deliveries/{id}/paper", papers.post_paper),
    _post("/v1/messages/{id}/paper", papers.post_declaration),
    _post("/v1/attestations", papers.post_attestation),
    _get("/v1/agencies", lists.get_agencies),
    _get("/v1/tally", figures.get_tally),
    _get("/v1/measures", figures.get_measures),
    _get("/v1/reports/{report}", figures.get_report),
    _get("/v1/transfers", figures.get_transfers),
    _get("/v1/transfers/{letter}/{recipient}/evidence", evidence.get_evidence),
    _get("/v1/signatures", lists.get_signatures),
    _get("/open/tally.json", open_data.get_open_json),
    _get("/open/tally.csv", open_data.get_open_csv),
    _get("/v1/receipt-key", operations.get_receipt_key),
    _get("/openapi.json", description.get_description),
    _get("/healthz", operations.get_health),
    _get("/readyz", operations.get_ready),
    _get("/metrics", operations.get_metrics),
)
