"""Decisions as tables and pure functions: who may, what counts, which class. No I/O, no clock."""
