-- What letters answer (ResponseFor, văn bản được phản hồi), as they say it: looked up from both ends when a trace is asked,
-- so that a letter that comes later than its answer is linked too. Derived from the bytes; links themselves are not stored.
CREATE TABLE letter_answer (
    sender uuid NOT NULL,
    letter uuid NOT NULL,
    position integer NOT NULL,
    agency uuid,                                    -- whose document; NULL: no code we know, then of one of its recipients
    document_id text NOT NULL DEFAULT '',           -- NFC, trimmed
    reference text NOT NULL DEFAULT '',             -- number and notation as they are compared (rules.references)
    issued_on date,
    PRIMARY KEY (sender, letter, position)
);

CREATE INDEX letter_answer_document ON letter_answer (document_id, agency) WHERE document_id <> '';

CREATE INDEX letter_answer_number ON letter_answer (issued_on, reference, agency)
 WHERE reference <> '' AND issued_on IS NOT NULL;

INSERT INTO letter_answer (sender, letter, position, document_id)
SELECT sender, id, said.position - 1, btrim(normalize(said.document_id, NFC))
  FROM letter CROSS JOIN LATERAL unnest(response_for) WITH ORDINALITY AS said (document_id, position)
 WHERE operation <> 'status' AND octet_length(normalize(said.document_id, NFC)) <= 2000;

-- The form of copy that the sender declared (bản chính, sao y, trích sao, sao lục), beside the delivery for the inbox.
ALTER TABLE delivery ADD COLUMN copy_form text NOT NULL DEFAULT 'original';
