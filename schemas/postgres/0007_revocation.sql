-- Where authorities publish what we need to know of certificates (nguồn tra cứu): what is held of each source, how the
-- last question ended, when it is asked again. Housekeeping; bodies stand in `evidence` by their digests.
CREATE TABLE revocation_source (
    kind text NOT NULL CHECK (kind IN ('certificate', 'crl', 'ocsp')),
    url text NOT NULL,
    about bytea NOT NULL,                           -- sha256 of the certificate that an OCSP answer is about, else empty
    issuer bytea NOT NULL,                          -- sha256 of the certificate of the authority that it is of
    held bytea REFERENCES evidence (sha256),        -- the newest that was worth keeping
    this_update timestamptz,
    next_update timestamptz,
    tag text NOT NULL DEFAULT '',                   -- ETag and Last-Modified of what is held
    modified text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,                        -- when it last gave what was asked for, new or unchanged
    due_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,            -- questions without such an answer since then
    outcome text NOT NULL,
    PRIMARY KEY (kind, url, about)
);
