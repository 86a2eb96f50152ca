"""HTTP out: the client for document systems."""
