"""PostgreSQL: the only place with SQL. One file per noun; each function is one statement or one step of a transaction."""
