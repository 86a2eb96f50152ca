-- Closed months (tháng đã chốt): what was published stays as it was; later facts make a further version beside it.
CREATE TABLE period_version (
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    version integer NOT NULL CHECK (version > 0),
    closed_at timestamptz NOT NULL,
    author text NOT NULL,
    snapshot text NOT NULL,                         -- pg_current_snapshot(): which transactions were seen
    members bigint NOT NULL,
    sha256 bytea NOT NULL,                          -- over the sorted lines of all members
    PRIMARY KEY (month, version)
);

-- The transfers of a closed month with their classes, in each view. A version holds what differs from the one before:
-- class '' is a transfer that is no longer counted in that month at all.
CREATE TABLE period_member (
    month date NOT NULL,
    view text NOT NULL CHECK (view IN ('out', 'in')),
    letter uuid NOT NULL,                           -- or the row of a register
    recipient uuid NOT NULL,
    round integer NOT NULL,                         -- 0: the row of a register
    version integer NOT NULL,
    agency uuid NOT NULL,
    day date NOT NULL,
    scope text NOT NULL,
    document_type text NOT NULL,
    urgency smallint NOT NULL,
    class text NOT NULL,
    excluded text NOT NULL,
    grade text NOT NULL,
    justified text NOT NULL,
    PRIMARY KEY (month, view, letter, recipient, round, version),
    FOREIGN KEY (month, version) REFERENCES period_version
);

-- The same, counted; a version holds the differences, so that the sum up to a version is that version's count.
CREATE TABLE period_day (
    month date NOT NULL,
    version integer NOT NULL,
    view text NOT NULL,
    agency uuid NOT NULL,
    day date NOT NULL,
    scope text NOT NULL,
    document_type text NOT NULL,
    urgency smallint NOT NULL,
    class text NOT NULL,
    excluded text NOT NULL,
    grade text NOT NULL,
    justified text NOT NULL,
    n bigint NOT NULL CHECK (n <> 0),
    PRIMARY KEY (month, version, view, agency, day, scope, document_type, urgency, class, excluded, grade, justified),
    FOREIGN KEY (month, version) REFERENCES period_version
);

CREATE INDEX period_day_read ON period_day (view, agency, day);

-- What is shown: the newest closed version of days in closed months, what is counted now of all others.
CREATE VIEW tally_shown AS
SELECT view, agency, day, scope, document_type, urgency, class, excluded, grade, justified, n::bigint AS n
  FROM (SELECT view, agency, day, scope, document_type, urgency, class, excluded, grade, justified, n FROM tally_day
        UNION ALL
        SELECT view, agency, day, scope, document_type, urgency, class, excluded, grade, justified, n FROM tally_delta
       ) AS live
 WHERE date_trunc('month', day)::date NOT IN (SELECT month FROM period_version)
UNION ALL
SELECT view, agency, day, scope, document_type, urgency, class, excluded, grade, justified, n FROM period_day;
