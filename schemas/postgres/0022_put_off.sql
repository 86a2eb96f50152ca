-- An update that came while the recipient was asked to give the letter back: it is asked for once that was refused.
ALTER TABLE delivery
    ADD COLUMN put_off uuid,                        -- the update, of several the newest
    ADD COLUMN put_off_facts jsonb;                 -- the header facts that it gives
