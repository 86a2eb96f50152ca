-- Operations: letters that revoke, update or replace another (thu hồi, cập nhật, thay thế), and what they do to deliveries.

ALTER TABLE letter
    ADD COLUMN added uuid[] NOT NULL DEFAULT '{}',      -- what an update does to recipients, resolved and frozen
    ADD COLUMN removed uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN restated boolean NOT NULL DEFAULT false, -- an update whose header facts its target's deliveries show
    ADD COLUMN effected_at timestamptz,                 -- NULL on an operation until its effects are done
    ADD COLUMN effects_done integer NOT NULL DEFAULT 0; -- how far they are, counted in deliveries

CREATE TABLE letter_link (
    sender uuid NOT NULL,
    letter uuid NOT NULL,                           -- the operation
    kind text NOT NULL CHECK (kind IN ('revokes', 'updates', 'replaces')),
    target uuid NOT NULL,                           -- the letter it acts on, of the same sender
    recipients uuid[] NOT NULL,                     -- whose deliveries of it are concerned
    PRIMARY KEY (sender, letter, kind, target)
);

CREATE INDEX letter_link_target ON letter_link (sender, target);

CREATE INDEX letter_to_effect ON letter (accepted_at, id)
    WHERE effected_at IS NULL AND operation IN ('revoke', 'update', 'replace');

CREATE UNIQUE INDEX letter_identity_replace ON letter (sender, document_id, round) WHERE operation = 'replace';

ALTER TABLE delivery                                     -- a request that waits for its answer, or was answered last
    ADD COLUMN request text CHECK (request IN ('revoke', 'take_back', 'update', 'replace')),
    ADD COLUMN request_letter uuid,
    ADD COLUMN request_facts jsonb,                     -- what agreeing restates; NULL: agreeing withdraws
    ADD COLUMN requested_at timestamptz,
    ADD COLUMN request_answer text CHECK (request_answer IN ('agreed', 'refused')),
    ADD COLUMN answered_at timestamptz,
    ADD COLUMN replaced_by uuid,                        -- the letter that replaces this one here
    ADD COLUMN recalled boolean NOT NULL DEFAULT false, -- withdrawn after it was registered: stays counted
    ADD COLUMN restated_by uuid,                        -- the update whose header facts are shown
    ADD COLUMN added_at timestamptz;                    -- it came by an update
