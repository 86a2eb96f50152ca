-- What each version of the directory changed (danh mục, các phiên bản): whoever looks back finds it here, and an undo
-- puts back what stood before. Entries are whole, with codes, statements and ids, named as sheets name them.
CREATE TABLE directory_change (
    version bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    event text NOT NULL CHECK (event IN ('sheets', 'workbook', 'undo', 'system_added', 'system_disabled', 'acts_for')),
    by_name text NOT NULL DEFAULT '',               -- as given on the command line
    undoes bigint REFERENCES directory_change (version),
    detail jsonb NOT NULL DEFAULT '{}'              -- digests of the files
);

CREATE TABLE directory_change_entry (
    version bigint NOT NULL REFERENCES directory_change (version),
    kind text NOT NULL CHECK (kind IN ('agency', 'officer', 'certificate', 'system', 'acts_for')),
    key text[] NOT NULL,
    before jsonb,                                   -- NULL: the entry is new
    after jsonb,                                    -- NULL: the entry is gone
    PRIMARY KEY (version, kind, key),
    CHECK (before IS NOT NULL OR after IS NOT NULL)
);

CREATE INDEX directory_change_entry_key ON directory_change_entry (kind, key, version);

-- The last refusals of one system, for the operator who tests its connection.
CREATE INDEX journal_refused ON journal (system, id) WHERE event = 'refused';
