"""`python -m exchange` is the command `congvan`."""

from exchange.cli.main import run

run()
