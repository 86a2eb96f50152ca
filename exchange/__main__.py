"""`python -m exchange` is the command `congvan`."""

from exchange.cli.main import main

main()
