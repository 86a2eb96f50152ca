"""The command `congvan`: every verb, in one table. A verb's module is read when it is asked for (`later`)."""

import click

from exchange import log
from exchange.cli import later, screen, words

VERBS = {
    "demo": ("exchange.cli.demo", "demo"),
    "serve": ("exchange.cli.serve", "serve"),
    "worker": ("exchange.cli.serve", "worker"),
    "migrate": ("exchange.cli.database", "migrate"),
    "config": ("exchange.cli.settings", "show"),
    "check": ("exchange.cli.check", "check"),
    "recheck": ("exchange.cli.recheck", "recheck"),
    "tally": ("exchange.cli.tally", "tally"),
    "report": ("exchange.cli.report", "report"),
    "paper": ("exchange.cli.paper", "paper"),
    "evidence": ("exchange.cli.evidence", "evidence"),
    "register": ("exchange.cli.register", "register"),
    "send": ("exchange.cli.send", "send"),
    "inbox": ("exchange.cli.inbox", "inbox"),
    "ack": ("exchange.cli.deliveries", "ack"),
    "status": ("exchange.cli.deliveries", "status"),
    "trace": ("exchange.cli.deliveries", "trace"),
    "show": ("exchange.cli.letters", "show"),
    "lint": ("exchange.cli.letters", "lint"),
    "verify": ("exchange.cli.verify", "verify"),
    "sign": ("exchange.cli.sign", "sign"),
    "new": ("exchange.cli.new", "new"),
    "directory": ("exchange.cli.directory", "directory"),
    "system": ("exchange.cli.systems", "system"),
    "trust": ("exchange.cli.trust", "trust"),
}


@click.group(
    commands=later.Verbs(VERBS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="congvan", prog_name="congvan", message="%(prog)s %(version)s")
def congvan() -> None:
    """Công văn: signed letters between state agencies, with proof, and an honest count of what still needs paper."""


main = words.spoken(congvan)


def run() -> None:
    """The program: from the first moment on, what is told of errors cannot steer the terminal."""
    log.configure("warning")
    screen.guard()
    main(prog_name="congvan")
