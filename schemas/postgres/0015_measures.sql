-- Reports look at spans of time. What is written in order of time needs no more than the ends of each part (BRIN): nothing to
-- speak of is added to a commit.
CREATE INDEX journal_at ON journal USING brin (at) WITH (pages_per_range = 16, autosummarize = on);

-- The tally of the whole exchange in a month, without that of the other months.
CREATE INDEX tally_day_day ON tally_day (view, day);
