"""What the routes about paper take and answer, and what every route that takes a body shares; rows of `described`."""

from collections.abc import Mapping

from exchange.api.described_parts import ID, JSON, TEXT, Answer, Operation, Parameter

ID_NAMED = Parameter(name="id", place="path", schema=ID, required=True)
LANGUAGE = Parameter(name="Accept-Language", place="header", schema=TEXT)
REQUEST_ID = Parameter(name="X-Request-Id", place="header", schema=TEXT)
DIGEST = Parameter(name="Content-Digest", place="header", schema=TEXT)
CODING = Parameter(
    name="Content-Encoding", place="header", schema={"type": "string", "pattern": "^(gzip|identity)?$"}
)
ONCE = Parameter(name="Idempotency-Key", place="header", schema=TEXT)
ASKS = (LANGUAGE, REQUEST_ID)
"""Headers that every route knows."""
SENDS = (DIGEST, CODING, ONCE, *ASKS)
"""Headers that every route knows that takes a body."""
BODY = ("too_large", "incomplete_body", "digest_mismatch", "unsupported_media_type", "busy")
"""Why a body is not taken."""

TABLE: Mapping[tuple[str, str], Operation] = {
    ("POST", "/v1/deliveries/{id}/paper"): Operation(
        name="post_paper",
        tag="paper",
        parameters=(ID_NAMED, *SENDS),
        takes={JSON: "paper_said"},
        answers={200: Answer(body="paper_observed")},
        refusals=(*BODY, "not_found", "wrong_state", "outcome_unknown"),
    ),
    ("POST", "/v1/messages/{id}/paper"): Operation(
        name="post_declaration",
        tag="paper",
        parameters=(ID_NAMED, *SENDS),
        takes={JSON: "paper_correction"},
        answers={200: Answer(body="paper_corrected")},
        refusals=(*BODY, "not_found", "wrong_state", "outcome_unknown"),
    ),
    ("POST", "/v1/attestations"): Operation(
        name="post_attestation",
        tag="paper",
        parameters=SENDS,
        takes={JSON: "attestation"},
        answers={200: Answer(body="attested")},
        refusals=(*BODY, "not_allowed_to_act", "not_found", "outcome_unknown"),
    ),
}
