-- The file that holds a signature when it is not the file that is signed: report.pdf.p7s beside report.pdf.
ALTER TABLE verdict ADD COLUMN carrier text NOT NULL DEFAULT '';
