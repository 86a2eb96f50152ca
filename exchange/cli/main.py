"""The command `congvan`: every verb, in one table."""

import click

from exchange import log
from exchange.cli import (
    database,
    deliveries,
    demo,
    directory,
    inbox,
    letters,
    new,
    paper,
    recheck,
    report,
    screen,
    send,
    serve,
    settings,
    sign,
    systems,
    tally,
    trust,
    verify,
    words,
)

VERBS = (
    demo.demo,
    serve.serve,
    serve.worker,
    database.migrate,
    settings.show,
    tally.check,
    recheck.recheck,
    paper.paper,
    tally.tally,
    report.report,
    send.send,
    inbox.inbox,
    deliveries.ack,
    deliveries.status,
    deliveries.trace,
    letters.show,
    letters.lint,
    verify.verify,
    sign.sign,
    new.new,
    directory.directory,
    systems.system,
    trust.trust,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="congvan", prog_name="congvan", message="%(prog)s %(version)s")
def congvan() -> None:
    """Công văn: signed letters between state agencies, with proof, and an honest count of what still needs paper."""


for verb in VERBS:
    congvan.add_command(verb)

main = words.spoken(congvan)


def run() -> None:
    """The program: from the first moment on, what is told of errors cannot steer the terminal."""
    log.configure("warning")
    screen.guard()
    main(prog_name="congvan")
