-- Letters judged again (xét lại): the first judgement stands in the receipt, the journal and verdict revision 1; each
-- later one that differs has a row here and verdicts of the same revision. The letter's row holds the newest.
CREATE TABLE judgement (
    sender uuid NOT NULL,
    letter uuid NOT NULL,
    revision integer NOT NULL CHECK (revision >= 2),
    at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('directory', 'revocation', 'trust', 'asked')),
    requirement text NOT NULL CHECK (requirement IN ('met', 'not_met', 'undetermined')),
    reason text NOT NULL,
    missing text[] NOT NULL,
    class_if_electronic text NOT NULL CHECK (class_if_electronic IN ('E', 'U', 'N')),
    directory_version bigint NOT NULL,
    policy_sha256 bytea NOT NULL,
    trust_sha256 bytea NOT NULL,
    PRIMARY KEY (sender, letter, revision)
);

-- Why letters are to be judged again, written in the commit of what changed; which ones are looked for twice, for a
-- letter may be accepted on the directory of some seconds ago.
CREATE TABLE rejudgement (
    id uuid PRIMARY KEY,
    cause text NOT NULL CHECK (cause IN ('directory', 'trust', 'asked')),
    at timestamptz NOT NULL,
    directory_version bigint NOT NULL,
    certificates bytea[] NOT NULL DEFAULT '{}',     -- letters signed with one of these
    senders uuid[] NOT NULL DEFAULT '{}',           -- letters of these agencies
    settled_at timestamptz                          -- looked for the second time
);

CREATE INDEX rejudgement_open ON rejudgement (at) WHERE settled_at IS NULL;

-- Letters that are to be judged again: work that outlives whoever began it. A row goes in the commit of its judgement.
CREATE TABLE rejudgement_due (
    sender uuid NOT NULL,
    letter uuid NOT NULL,
    cause text NOT NULL CHECK (cause IN ('directory', 'revocation', 'trust', 'asked')),
    rejudgement uuid NOT NULL,                      -- the newest reason; judged for an older one, it stays due
    due_at timestamptz NOT NULL,                    -- whoever takes it moves this ahead
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (sender, letter)
);

CREATE INDEX rejudgement_due_at ON rejudgement_due (due_at);

-- The roots by which this exchange judged last: one more or one less is a reason to judge again.
CREATE TABLE trusted_root (
    sha256 bytea PRIMARY KEY,
    since timestamptz NOT NULL
);

-- When a letter whose verdicts may still change by newer revocation data is looked at again; NULL: they are final.
ALTER TABLE letter ADD COLUMN recheck_at timestamptz;

UPDATE letter SET recheck_at = accepted_at
 WHERE EXISTS (SELECT FROM verdict WHERE verdict.sender = letter.sender AND verdict.letter = letter.id
                                     AND (provisional OR sub_indication = 'TRY_LATER'));

CREATE INDEX letter_recheck ON letter (recheck_at, accepted_at) WHERE recheck_at IS NOT NULL;

CREATE INDEX verdict_certificate ON verdict (certificate_sha256);

ALTER TABLE directory_change DROP CONSTRAINT directory_change_event_check;

ALTER TABLE directory_change ADD CONSTRAINT directory_change_event_check CHECK
    (event IN ('sheets', 'workbook', 'undo', 'system_added', 'system_disabled', 'acts_for', 'proposed', 'confirmed'));
