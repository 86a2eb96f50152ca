-- Public halves of every key that ever signed receipts here (khóa của biên nhận), so that one signed before the key was
-- replaced can be checked from the database alone.
CREATE TABLE receipt_key (
    id text PRIMARY KEY,                            -- as receipts name it: 16 hex digits of the public key's SHA-256
    pem text NOT NULL,
    first_seen timestamptz NOT NULL
);

-- A period of watching that was ended before its first day stays as one without days.
UPDATE monitors SET valid_to = valid_from - 1 WHERE valid_to < valid_from - 1;

ALTER TABLE monitors ADD CONSTRAINT monitors_days CHECK (valid_to >= valid_from - 1);

-- Members of closed months in the order in which they are shown.
CREATE INDEX period_member_day ON period_member (view, day, agency);
