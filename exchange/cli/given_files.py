"""Files of a deployment's own by which figures are made: whether its calendar and its league tables can be used."""

from exchange import config, texts
from exchange.cli.language import language
from exchange.tracker import deployment


def wrong(given: config.Config) -> list[str]:
    """What is wrong with the calendar or the league tables that the settings name; nothing when they can be used."""
    try:
        deployment.settings(given.calendar_file, given.league_file)
    except deployment.UnusableFileError as error:
        return [texts.say("cli.report_file", language(), file=error.file, why=error.why)]
    return []
