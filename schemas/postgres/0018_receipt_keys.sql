-- Public halves of every key that ever signed receipts here (khóa của biên nhận), so that one signed before the key was
-- replaced can be checked from the database alone.
CREATE TABLE receipt_key (
    id text PRIMARY KEY,                            -- as receipts name it: 16 hex digits of the public key's SHA-256
    pem text NOT NULL,
    first_seen timestamptz NOT NULL
);
