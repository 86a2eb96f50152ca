-- What measures of signature use read: letters by their time, the few letters judged again, the few updates.
CREATE INDEX letter_accepted ON letter USING brin (accepted_at) WITH (pages_per_range = 16, autosummarize = on);

-- Which revision of a letter's verdicts is the newest is asked here: a letter that is not in it was judged once.
CREATE INDEX verdict_again ON verdict (sender, letter, revision) WHERE revision > 1;

CREATE INDEX letter_update ON letter (sender, accepted_at) WHERE operation = 'update';

CREATE INDEX signer_certificate_officer ON signer_certificate (officer) WHERE officer IS NOT NULL;
