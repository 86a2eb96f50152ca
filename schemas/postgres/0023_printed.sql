-- What offices sent on paper, by the document: a printed register tells a document once, where it first moved, with all that
-- is known of it. Letters are found by `letter_number`.
CREATE INDEX register_row_document ON register_row
    (agency, coalesce(of_year, issued_year), series, number_key, notation_key) WHERE direction = 'out' AND load IS NOT NULL;
