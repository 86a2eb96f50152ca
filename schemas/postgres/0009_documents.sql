-- Which document (văn bản) a letter carries: issuer (sender), year, series, number, notation as rules/documents compares them.
ALTER TABLE letter ADD COLUMN issued_year smallint;

ALTER TABLE letter ADD COLUMN number_key text;      -- NULL: without a number or a day; written by code of before

ALTER TABLE letter ADD COLUMN notation_key text;

-- Of the letters that carry one document the first: it holds the key. NULL: carries none, training, or older than this.
ALTER TABLE letter ADD COLUMN first_of_key boolean;

-- Recipients who held the document already when the letter was accepted: no transfers of their own.
ALTER TABLE letter ADD COLUMN duplicates uuid[] NOT NULL DEFAULT '{}';

-- Letters of before, as far as SQL compares like rules/documents: what has a stroke or an unusual letter in number or
-- notation stays without a key, and is told apart by its document id as it was.
UPDATE letter
   SET issued_year = extract(year FROM issued_on),
       number_key = regexp_replace(plain.number, '^0+(?=[0-9])', ''),
       notation_key = plain.notation,
       series = CASE WHEN document_type IN ('Thông tư liên tịch') OR split_part(plain.notation, '-', 1) = 'TTLT' THEN 'TTLT'
                     WHEN document_type IN ('Thông tư') OR split_part(plain.notation, '-', 1) = 'TT' THEN 'TT'
                     WHEN split_part(plain.notation, '-', 1) = 'NĐ' THEN 'NĐ'
                     ELSE '' END
  FROM (SELECT sender, id,
               translate(upper(regexp_replace(normalize(number, NFC), '\s', '', 'g')), 'đăâêôơư–—', 'ĐĂÂÊÔƠƯ--') AS number,
               translate(upper(regexp_replace(normalize(notation, NFC), '\s', '', 'g')), 'đăâêôơư–—', 'ĐĂÂÊÔƠƯ--') AS notation
          FROM letter WHERE issued_on IS NOT NULL) AS plain
 WHERE letter.sender = plain.sender AND letter.id = plain.id
   AND plain.number ~ '^[0-9][0-9A-ZĐ]*$' AND plain.notation ~ '^([A-Z0-9ĐĂÂÊÔƠƯ]+(-+[A-Z0-9ĐĂÂÊÔƠƯ]+)*)?$';

UPDATE letter SET first_of_key = true
 WHERE (sender, id) IN (SELECT DISTINCT ON (sender, issued_year, series, number_key, notation_key) sender, id
                          FROM letter
                         WHERE number_key IS NOT NULL AND operation IN ('new', 'replace') AND NOT test
                         ORDER BY sender, issued_year, series, number_key, notation_key, accepted_at, id);

-- Whoever comes second meets the first here, also when both come at the same moment.
CREATE UNIQUE INDEX letter_first ON letter (sender, issued_year, series, number_key, notation_key) WHERE first_of_key;

CREATE INDEX letter_number ON letter (sender, issued_year, series, number_key)
 WHERE number_key IS NOT NULL AND operation IN ('new', 'replace');
