-- Who watches (giám sát): a system that may see the figures and facts of one agency, of an agency with all below it, or
-- of everything, and the contents of none of them.
CREATE TABLE monitors (
    system uuid NOT NULL REFERENCES system (id),
    id uuid NOT NULL,
    agency uuid REFERENCES agency (id),             -- NULL: everything
    subtree boolean NOT NULL DEFAULT false,         -- with all below it, as the directory stands when it is asked
    valid_from date NOT NULL,
    valid_to date,
    author text NOT NULL DEFAULT '',
    PRIMARY KEY (system, id),
    CHECK (agency IS NOT NULL OR NOT subtree)
);
