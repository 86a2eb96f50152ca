-- Facts about paper that come after acceptance: what the recipient saw and attests, what the sender corrects, which rows of
-- registers prove. Each act is a line of the journal, numbered; the columns hold what stands.
ALTER TABLE delivery
    ADD COLUMN paper_seen_on date,                      -- the day on which the recipient got paper beside it
    ADD COLUMN attested_at timestamptz,                 -- the recipient attests that no other paper came
    ADD COLUMN said_paper smallint CHECK (said_paper IN (0, 1)),    -- the sender's correction; NULL: the letter's flag stands
    ADD COLUMN said_reason text CHECK (said_reason IN ('government', 'listed', 'other_law', 'recipient_unable', 'other')),
    ADD COLUMN on_register uuid,                        -- the register row that proves paper went beside it: the first of
    ADD COLUMN register_rows uuid[] NOT NULL DEFAULT '{}',          -- all rows that do
    ADD COLUMN paper_acts integer NOT NULL DEFAULT 0;   -- how many acts the journal tells of

-- A recipient's attestation of one month that has ended (xác nhận không nhận bản giấy nào khác).
CREATE TABLE attestation (
    agency uuid NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    id uuid NOT NULL,
    author text NOT NULL,
    system uuid,                                        -- NULL: by the operator's command line
    at timestamptz NOT NULL,
    done_at timestamptz,                                -- NULL until every delivery of the month holds it
    undone_at timestamptz,
    undone_by text NOT NULL DEFAULT '',
    undone_why text NOT NULL DEFAULT '',
    cleared_at timestamptz,                             -- when no delivery held it any more
    PRIMARY KEY (agency, month, id)
);

CREATE UNIQUE INDEX attestation_standing ON attestation (agency, month) WHERE undone_at IS NULL;

CREATE INDEX attestation_unfinished ON attestation (at)
 WHERE done_at IS NULL OR (undone_at IS NOT NULL AND cleared_at IS NULL);
