-- The exchange's tables. Two entity groups: by `sender` (letter, verdicts, payload) and by `recipient`
-- (delivery). Keys start with the group key and never change. No triggers, no ENUM types, no sequences on
-- hot tables: states are text with CHECK, ids are UUIDv7 made by us. Statements are separated by one empty
-- line and run one by one.

-- Directory (danh mục): who may take part. One counter says which version a decision was taken on.
CREATE TABLE directory_version (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version bigint NOT NULL
);

INSERT INTO directory_version (version) VALUES (0);

CREATE TABLE agency (
    id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,                      -- canonical form
    name text NOT NULL,
    kind text NOT NULL,                             -- department, unit, … ; data, not a list in code
    level smallint NOT NULL,                        -- 1 province or ministry … 4
    parent uuid REFERENCES agency (id),
    sector text NOT NULL DEFAULT 'state' CHECK (sector IN ('state', 'party', 'organisation', 'enterprise')),
    own_clerk boolean NOT NULL DEFAULT true,        -- có văn thư riêng: decides what is internal
    counted boolean NOT NULL DEFAULT true,          -- stands in the denominators of coverage
    valid_from date NOT NULL,
    valid_to date,
    disabled_at timestamptz
);

CREATE TABLE agency_code (
    code text NOT NULL,                             -- upper case
    form text NOT NULL CHECK (form IN ('qd20', 'qcvn102', 'other')),
    agency uuid NOT NULL REFERENCES agency (id),
    valid_from date NOT NULL,
    valid_to date,
    PRIMARY KEY (code, valid_from)
);

CREATE TABLE agency_succession (
    predecessor uuid NOT NULL REFERENCES agency (id),
    successor uuid NOT NULL REFERENCES agency (id),
    takes_effect date NOT NULL,
    basis text NOT NULL,
    PRIMARY KEY (predecessor, successor)
);

-- Dated statements about an agency: it issues without paper unless flagged; it signs the whole package.
CREATE TABLE agency_declaration (
    agency uuid NOT NULL REFERENCES agency (id),
    kind text NOT NULL CHECK (kind IN ('no_paper', 'signs_package')),
    valid_from date NOT NULL,
    valid_to date,
    basis text NOT NULL,
    PRIMARY KEY (agency, kind, valid_from)
);

CREATE TABLE system (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    owner_agency uuid NOT NULL REFERENCES agency (id),   -- refusals are journalled under it
    delivery text NOT NULL DEFAULT 'pull' CHECK (delivery IN ('pull', 'push')),
    push_url text,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz
);

CREATE TABLE system_key (
    id text PRIMARY KEY,                            -- the public part of the bearer key
    system uuid NOT NULL REFERENCES system (id),
    secret_sha256 bytea NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);

CREATE TABLE system_certificate (
    sha256 bytea PRIMARY KEY,
    system uuid NOT NULL REFERENCES system (id),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);

CREATE TABLE acts_for (
    system uuid NOT NULL REFERENCES system (id),
    agency uuid NOT NULL REFERENCES agency (id),
    valid_from date NOT NULL,
    valid_to date,
    PRIMARY KEY (system, agency, valid_from)
);

CREATE TABLE officer (
    id uuid PRIMARY KEY,
    agency uuid NOT NULL REFERENCES agency (id),
    code text NOT NULL,                             -- unique within the agency
    name text NOT NULL,
    position text NOT NULL DEFAULT '',
    is_leader boolean NOT NULL DEFAULT false,
    valid_from date NOT NULL,
    valid_to date,
    UNIQUE (agency, code)
);

-- Whose a certificate is. A parent's seal counts for a child only by a row here with the child's agency.
CREATE TABLE signer_certificate (
    sha256 bytea NOT NULL,
    agency uuid NOT NULL REFERENCES agency (id),
    kind text NOT NULL CHECK (kind IN ('organisation', 'individual', 'device')),
    officer uuid REFERENCES officer (id),
    subject text NOT NULL DEFAULT '',
    issuer text NOT NULL DEFAULT '',
    purpose text NOT NULL DEFAULT 'exchange' CHECK (purpose IN ('exchange', 'treasury', 'other')),
    valid_from date NOT NULL,
    valid_to date,
    basis text NOT NULL,                            -- decision, or "con dấu của cơ quan cấp trên"
    confirmed_at timestamptz,                       -- NULL: proposed only, counts for nothing
    confirmed_by text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (agency, sha256, valid_from),
    CHECK ((kind = 'individual') = (officer IS NOT NULL))
);

CREATE INDEX signer_certificate_sha256 ON signer_certificate (sha256);

-- Letters (gói tin văn bản), by sender. Notices are letters with operation 'status'.
CREATE TABLE letter (
    sender uuid NOT NULL,
    id uuid NOT NULL,
    document_id text NOT NULL,                      -- NFC, trimmed; the raw text stays in the bytes
    operation text NOT NULL CHECK (operation IN ('new', 'revoke', 'update', 'replace', 'status')),
    round integer NOT NULL CHECK (round >= 1),
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    -- facts of the header
    number text NOT NULL DEFAULT '',
    notation text NOT NULL DEFAULT '',
    issued_on date,
    series text NOT NULL DEFAULT '',
    document_type text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '',
    urgency smallint NOT NULL DEFAULT 0,
    target_document_id text,                        -- revoke, update, replace, status: what it acts on
    response_for text[] NOT NULL DEFAULT '{}',
    -- what the sender declared beside the bytes
    main_attachment text,
    copy_form text NOT NULL DEFAULT 'original' CHECK (copy_form IN ('original', 'true_copy', 'extract', 'duplicate')),
    paper smallint,                                 -- 0 none, 1 paper follows, NULL nothing declared
    paper_reason text CHECK (paper_reason IN ('government', 'listed', 'other_law', 'recipient_unable', 'other')),
    no_paper_standing boolean NOT NULL DEFAULT false,   -- a dated standing declaration held at acceptance
    test boolean NOT NULL DEFAULT false,
    -- what was decided
    recipients uuid[] NOT NULL,                     -- resolved and frozen
    purposes text[] NOT NULL DEFAULT '{}',          -- beside recipients: act, cooperate, inform
    unroutable text[] NOT NULL DEFAULT '{}',
    requirement text NOT NULL CHECK (requirement IN ('met', 'not_met', 'undetermined')),
    reason text NOT NULL DEFAULT '',                -- sub-reason when not met
    missing text[] NOT NULL DEFAULT '{}',           -- what the requirement lacks
    directory_version bigint NOT NULL,
    policy_sha256 bytea NOT NULL,
    system uuid NOT NULL,
    accepted_at timestamptz NOT NULL,
    receipt bytea NOT NULL,                         -- the signed statement, byte for byte
    expanded_at timestamptz,                        -- NULL until every recipient has its delivery
    PRIMARY KEY (sender, id)
);

CREATE UNIQUE INDEX letter_identity ON letter (sender, document_id, round) WHERE operation = 'new';

CREATE UNIQUE INDEX letter_replay ON letter (sender, document_id, operation, sha256, round);

CREATE INDEX letter_document ON letter (sender, issued_on, number, notation);

CREATE INDEX letter_to_expand ON letter (accepted_at) WHERE expanded_at IS NULL;

-- Verdicts (kết quả kiểm tra chữ ký số), appended; `revision` 1 is the judgement at acceptance.
CREATE TABLE verdict (
    sender uuid NOT NULL,
    letter uuid NOT NULL,
    revision integer NOT NULL,
    position integer NOT NULL,
    place text NOT NULL,                            -- package, or the attachment's name
    main boolean NOT NULL,
    format text NOT NULL CHECK (format IN ('xmldsig', 'xades', 'pades', 'cades', 'office')),
    indication text NOT NULL CHECK (indication IN ('TOTAL_PASSED', 'TOTAL_FAILED', 'INDETERMINATE')),
    sub_indication text,
    why text NOT NULL,
    signer_kind text NOT NULL CHECK (signer_kind IN ('organisation', 'individual', 'device', 'unknown')),
    signer_name text NOT NULL DEFAULT '',
    signer_agency uuid,
    officer uuid,
    certificate_sha256 bytea,
    signed_at_claimed timestamptz,
    best_signature_time timestamptz NOT NULL,
    time_source text NOT NULL,
    covers_whole boolean NOT NULL,
    coverage text NOT NULL,
    changes_after text[] NOT NULL DEFAULT '{}',
    provisional boolean NOT NULL,
    wrapping boolean NOT NULL DEFAULT false,
    evidence text[] NOT NULL DEFAULT '{}',          -- sha256 of CRLs, OCSP responses, certificates used
    trust_sha256 bytea NOT NULL,
    policy_sha256 bytea NOT NULL,
    verifier text NOT NULL,
    judged_at timestamptz NOT NULL,
    PRIMARY KEY (sender, letter, revision, position)
);

CREATE TABLE evidence (
    sha256 bytea PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('certificate', 'crl', 'ocsp')),
    body bytea NOT NULL,
    first_seen timestamptz NOT NULL
);

-- Bytes as they came. Small ones here, in partitions by id (a UUIDv7 carries its time); `file` names large ones.
CREATE TABLE payload (
    id uuid NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    body bytea,
    file text,
    PRIMARY KEY (id),
    CHECK ((body IS NULL) <> (file IS NULL))
) PARTITION BY RANGE (id);

-- Not compressed: base64 of compressed files gains nothing by it.
ALTER TABLE payload ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE payload_default PARTITION OF payload DEFAULT;

-- Deliveries (lượt gửi, lượt nhận), by recipient: a pure expansion of letter.recipients.
CREATE TABLE delivery (
    recipient uuid NOT NULL,
    letter uuid NOT NULL,
    round integer NOT NULL,
    id uuid NOT NULL,
    sender uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('letter', 'notice')),
    operation text NOT NULL,
    document_id text NOT NULL,
    number text NOT NULL,
    notation text NOT NULL,
    issued_on date,
    document_type text NOT NULL,
    subject text NOT NULL,
    urgency smallint NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('act', 'cooperate', 'inform')),
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    requirement text NOT NULL,
    -- the class the transfer has if it stays electronic only, and what was counted of it so far
    class text NOT NULL CHECK (class IN ('E', 'S', 'N', 'U', 'X')),
    excluded text CHECK (excluded IN ('secret', 'test', 'internal', 'duplicate', 'refused', 'recalled', 'undelivered')),
    counted_class text CHECK (counted_class IN ('E', 'S', 'N', 'U', 'P', 'X')),
    scope text NOT NULL CHECK (scope IN ('internal', 'same_root', 'other_root', 'outside_state')),
    grade text NOT NULL DEFAULT 'B' CHECK (grade IN ('A', 'B', 'C', '')),
    justified text NOT NULL DEFAULT '' CHECK (justified IN ('yes', 'no', '')),
    state text NOT NULL CHECK (state IN ('waiting', 'arrived', 'refused', 'registered', 'assigned', 'in_process',
                                         'done', 'withdrawn', 'expired')),
    open boolean NOT NULL DEFAULT true,
    system uuid,                                    -- the system that acknowledged
    lease_until timestamptz,                        -- push only
    lease_token bigint,
    fetched_at timestamptz,
    arrived_at timestamptz,
    PRIMARY KEY (recipient, letter, round)
);

CREATE UNIQUE INDEX delivery_id ON delivery (recipient, id);

CREATE INDEX delivery_open ON delivery (recipient, id) WHERE open;

CREATE INDEX delivery_letter ON delivery (letter);

CREATE INDEX delivery_waiting ON delivery (accepted_at) WHERE state = 'waiting';

-- Journal (nhật ký), append-only: every decision and transition, in the commit of what it records.
CREATE TABLE journal (
    agency uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    event text NOT NULL,
    letter uuid,
    delivery uuid,
    system uuid,
    sha256 bytea,
    size bigint,
    code text,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (agency, id)
);

CREATE INDEX journal_letter ON journal (letter, id);

-- Registers (sổ đăng ký văn bản đi, đến) that offices load; a transfer on paper only has its row here.
CREATE TABLE register_row (
    agency uuid NOT NULL,
    id uuid NOT NULL,
    direction text NOT NULL CHECK (direction IN ('out', 'in')),
    number text NOT NULL,
    notation text NOT NULL,
    issued_on date,
    document_type text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '',
    other_party text NOT NULL DEFAULT '',
    other_agency uuid,
    moved_on date NOT NULL,                         -- ngày chuyển (out), ngày đến (in)
    copies integer,
    note text NOT NULL DEFAULT '',
    loaded_at timestamptz NOT NULL,
    letter uuid,                                    -- the electronic transfer it matches, if any
    PRIMARY KEY (agency, id)
);

CREATE INDEX register_row_moved ON register_row (moved_on, agency);

-- Tally: facts appended in the commit of the event they ride on; one leased folder merges them into days.
CREATE TABLE tally_delta (
    agency uuid NOT NULL,
    id uuid NOT NULL,
    view text NOT NULL CHECK (view IN ('out', 'in')),
    day date NOT NULL,                              -- Asia/Ho_Chi_Minh
    scope text NOT NULL,
    document_type text NOT NULL,
    urgency smallint NOT NULL,
    class text NOT NULL,
    excluded text NOT NULL DEFAULT '',
    grade text NOT NULL,
    justified text NOT NULL,
    n integer NOT NULL,
    PRIMARY KEY (agency, id)
);

CREATE TABLE tally_day (
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
    n bigint NOT NULL,
    PRIMARY KEY (view, agency, day, scope, document_type, urgency, class, excluded, grade, justified)
);

-- Who does the housekeeping at the moment; the token fences off a holder that woke up late.
CREATE TABLE lease (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    token bigint NOT NULL,
    until timestamptz NOT NULL
);
