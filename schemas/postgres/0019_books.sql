-- Several loads may hold the same line of a book: the newest that covers its day says how it is, and each transfer counts once.
ALTER TABLE register_row
    ADD COLUMN of_year smallint,                    -- the document's year; NULL: not settled yet, then issued_year stands for it.
                                                    -- A book without days of issue guesses its own year (issued_year)
    ADD COLUMN latest boolean NOT NULL DEFAULT true;-- no newer load of the same book says it otherwise

-- Within one load a line stands once. register_row_once binds rows of code of before; newer rows have no book of their own
-- (it is their load's), so that it does not bind them. The next release may drop it.
CREATE UNIQUE INDEX register_row_of_load ON register_row
    (agency, issued_year, series, number_key, notation_key, party_key, entry, load) WHERE load IS NOT NULL;

CREATE INDEX register_row_matched ON register_row (letter, agency) WHERE letter IS NOT NULL AND load IS NOT NULL;

-- Up to which moment housekeeping looked for letters that arrived, or went, after their row was loaded.
CREATE TABLE register_watch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    upto timestamptz NOT NULL
);
