-- The main document's bytes by their digest: one signed file under two numbers is found by it (chữ ký số dùng lại).
ALTER TABLE letter ADD COLUMN main_sha256 bytea;    -- NULL without a file, and for notices

CREATE INDEX letter_main_file ON letter (sender, main_sha256) WHERE main_sha256 IS NOT NULL;

-- Every signature policy (chính sách chữ ký số) that was ever in force, so that a verdict's `policy_sha256` can be opened.
CREATE TABLE signature_policy (
    sha256 bytea PRIMARY KEY,
    body text NOT NULL,                             -- canonical JSON: its SHA-256 is the key
    first_seen timestamptz NOT NULL
);
