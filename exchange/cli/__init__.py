"""The command `congvan`, one verb family a file."""
