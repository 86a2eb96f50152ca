-- Days merged into months, as deltas are merged into days: a report of a month reads a few thousand rows, however many letters
-- there were. `monthly` is how much of a day its month has already; a reader adds the rest, so that nobody depends on how far
-- the merging is, nor on who merges: code that knows no months leaves `monthly` as it is.
ALTER TABLE tally_day ADD COLUMN monthly bigint NOT NULL DEFAULT 0;

CREATE INDEX tally_day_rest ON tally_day (view) WHERE n <> monthly;

-- Without scope, type and urgency: who asks for those reads the days. Agency 00000000-… are all agencies together.
CREATE TABLE tally_month (
    view text NOT NULL,
    month date NOT NULL,
    agency uuid NOT NULL,
    class text NOT NULL,
    excluded text NOT NULL,
    grade text NOT NULL,
    justified text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (view, agency, month, class, excluded, grade, justified)
);

CREATE INDEX tally_month_all ON tally_month (view, month);

-- The same of closed months. A version that is not named in `period_summed` was written by code that knows no months: its
-- days are read.
CREATE TABLE period_summed (
    month date NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (month, version),
    FOREIGN KEY (month, version) REFERENCES period_version
);

CREATE TABLE period_month (
    month date NOT NULL,
    version integer NOT NULL,
    view text NOT NULL,
    agency uuid NOT NULL,
    class text NOT NULL,
    excluded text NOT NULL,
    grade text NOT NULL,
    justified text NOT NULL,
    n bigint NOT NULL CHECK (n <> 0),
    PRIMARY KEY (month, version, view, agency, class, excluded, grade, justified),
    FOREIGN KEY (month, version) REFERENCES period_version
);

CREATE INDEX period_month_read ON period_month (view, agency, month);

CREATE INDEX period_month_all ON period_month (view, month);

INSERT INTO period_month
SELECT month, version, view, coalesce(agency, '00000000-0000-0000-0000-000000000000'), class, excluded, grade, justified, sum(n)
  FROM period_day
 GROUP BY month, version, view, class, excluded, grade, justified, GROUPING SETS ((agency), ()) HAVING sum(n) <> 0;

INSERT INTO period_summed SELECT month, version FROM period_version;

-- Months of which facts came since they were last looked at: whether a closed one has to be restated is asked of these alone.
CREATE TABLE period_touched (
    month date PRIMARY KEY
);

-- `tally_shown` month by month: `day` is the first of the month, and there is nothing else to cut by.
CREATE VIEW tally_shown_by_month AS
SELECT view, agency, month AS day, NULL::text AS scope, NULL::text AS document_type, NULL::smallint AS urgency,
       class, excluded, grade, justified, n
  FROM (SELECT view, agency, month, class, excluded, grade, justified, n FROM tally_month WHERE agency <> '00000000-0000-0000-0000-000000000000'
        UNION ALL
        SELECT view, agency, date_trunc('month', day)::date, class, excluded, grade, justified, n - monthly
          FROM tally_day WHERE n <> monthly
        UNION ALL
        SELECT view, agency, date_trunc('month', day)::date, class, excluded, grade, justified, n::bigint
          FROM tally_delta
       ) AS live (view, agency, month, class, excluded, grade, justified, n)
 WHERE month NOT IN (SELECT month FROM period_version)
UNION ALL
SELECT view, agency, month, NULL, NULL, NULL, class, excluded, grade, justified, n
  FROM period_month WHERE agency <> '00000000-0000-0000-0000-000000000000'
UNION ALL
SELECT view, agency, month, NULL, NULL, NULL, class, excluded, grade, justified, n
  FROM period_day WHERE (month, version) NOT IN (SELECT month, version FROM period_summed);

-- The same of all agencies together, who are nobody in particular.
CREATE VIEW tally_shown_together AS
SELECT view, month AS day, NULL::uuid AS agency, NULL::text AS scope, NULL::text AS document_type, NULL::smallint AS urgency,
       class, excluded, grade, justified, n
  FROM (SELECT view, month, class, excluded, grade, justified, n FROM tally_month WHERE agency = '00000000-0000-0000-0000-000000000000'
        UNION ALL
        SELECT view, date_trunc('month', day)::date, class, excluded, grade, justified, n - monthly
          FROM tally_day WHERE n <> monthly
        UNION ALL
        SELECT view, date_trunc('month', day)::date, class, excluded, grade, justified, n::bigint FROM tally_delta
       ) AS live (view, month, class, excluded, grade, justified, n)
 WHERE month NOT IN (SELECT month FROM period_version)
UNION ALL
SELECT view, month, NULL, NULL, NULL, NULL, class, excluded, grade, justified, n
  FROM period_month WHERE agency = '00000000-0000-0000-0000-000000000000'
UNION ALL
SELECT view, month, NULL, NULL, NULL, NULL, class, excluded, grade, justified, n
  FROM period_day WHERE (month, version) NOT IN (SELECT month, version FROM period_summed);
