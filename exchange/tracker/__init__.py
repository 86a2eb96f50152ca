"""Use cases of the count: what was electronic, what needed paper, who signed."""
