"""edXML (QCVN 102) in and out: bytes to frozen records and back. Pure; source: reference page edxml, sections 1 to 11."""
