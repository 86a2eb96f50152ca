-- A letter is also due to be judged again when some of its files could not be examined in time.
ALTER TABLE judgement DROP CONSTRAINT judgement_cause_check;

ALTER TABLE judgement ADD CONSTRAINT judgement_cause_check CHECK
    (cause IN ('directory', 'revocation', 'trust', 'asked', 'unexamined'));

ALTER TABLE rejudgement_due DROP CONSTRAINT rejudgement_due_cause_check;

ALTER TABLE rejudgement_due ADD CONSTRAINT rejudgement_due_cause_check CHECK
    (cause IN ('directory', 'revocation', 'trust', 'asked', 'unexamined'));
