"""Use cases of the exchange, one a module: each a short script of calls into edxml, signing, rules and store."""
