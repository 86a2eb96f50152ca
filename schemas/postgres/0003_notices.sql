-- What a notice says, beside its delivery, so that an inbox shows it without the bytes. NULL for letters.
ALTER TABLE delivery ADD COLUMN status text;
