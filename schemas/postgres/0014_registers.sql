-- Registers (sổ đăng ký văn bản đi, đến; sổ gửi văn bản đi bưu điện) loaded from files, and their number series.

-- One file of one book (lần nạp sổ). What is undone stays here without its rows.
CREATE TABLE register_load (
    agency uuid NOT NULL,
    id uuid NOT NULL,
    book text NOT NULL CHECK (book IN ('out', 'in', 'dispatch')),
    year smallint NOT NULL,
    lists text NOT NULL CHECK (lists IN ('paper', 'all')),  -- what its rows are: sent on paper, or everything
    sha256 bytea NOT NULL,
    name text NOT NULL,                             -- of the file
    n integer NOT NULL DEFAULT 0,                   -- rows
    at timestamptz NOT NULL,
    author text NOT NULL DEFAULT '',
    first date,                                     -- the days that it covers; NULL: none
    last date,
    undone_at timestamptz,
    undone_by text NOT NULL DEFAULT '',
    PRIMARY KEY (agency, id)
);

CREATE UNIQUE INDEX register_load_file ON register_load (agency, book, year, sha256) WHERE undone_at IS NULL;

CREATE INDEX register_load_id ON register_load (id);

ALTER TABLE register_row
    ADD COLUMN load uuid,                           -- NULL: of before
    ADD COLUMN book text,
    ADD COLUMN position integer,                    -- within the load, from 1
    ADD COLUMN line integer,                        -- of the file
    ADD COLUMN issued_year smallint,                -- the document, as rules/documents compares it
    ADD COLUMN series text NOT NULL DEFAULT '',
    ADD COLUMN number_key text,
    ADD COLUMN notation_key text,
    ADD COLUMN party_key text NOT NULL DEFAULT '',  -- the party as it is compared; empty: no party, no transfer
    ADD COLUMN scope text NOT NULL DEFAULT '',      -- how far it goes; empty while the party is unknown
    ADD COLUMN entry text NOT NULL DEFAULT '',      -- số đến
    ADD COLUMN signer text NOT NULL DEFAULT '',
    ADD COLUMN kept_by text NOT NULL DEFAULT '',
    ADD COLUMN handed_to text NOT NULL DEFAULT '',
    ADD COLUMN handed_on date,
    ADD COLUMN signed_for text NOT NULL DEFAULT '',
    ADD COLUMN delivery uuid,                       -- beside letter: the delivery it matches
    ADD COLUMN round integer,
    ADD COLUMN proven_at timestamptz,               -- when it was told that paper went beside that delivery
    ADD COLUMN counted boolean NOT NULL DEFAULT false;  -- whether the tally has it as paper only

CREATE UNIQUE INDEX register_row_once ON register_row
    (agency, book, issued_year, series, number_key, notation_key, party_key, entry) WHERE load IS NOT NULL;

CREATE INDEX register_row_load ON register_row (agency, load, position);

CREATE INDEX register_row_unmatched ON register_row (agency, direction) WHERE letter IS NULL AND other_agency IS NOT NULL;

CREATE INDEX register_row_unproven ON register_row (agency, load) WHERE letter IS NOT NULL AND proven_at IS NULL;

-- Numbers that an office accounts for otherwise (giải trình số): not issued, kept within, of another book.
CREATE TABLE number_explanation (
    agency uuid NOT NULL,
    id uuid NOT NULL,
    book text NOT NULL CHECK (book IN ('out', 'in')),
    year smallint NOT NULL,
    series text NOT NULL,
    first integer NOT NULL CHECK (first >= 1),
    last integer NOT NULL,
    why text NOT NULL,
    author text NOT NULL,
    at timestamptz NOT NULL,
    undone_at timestamptz,
    undone_by text NOT NULL DEFAULT '',
    PRIMARY KEY (agency, id),
    CHECK (last >= first)
);
