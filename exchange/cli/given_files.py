"""Files of a deployment's own: whom it trusts, its signature policy, its calendar and its league tables; whether they can be used."""

from exchange import config, texts
from exchange.broker import signature_policy, trusted
from exchange.cli import answers
from exchange.cli.language import language
from exchange.rules import policy_file
from exchange.tracker import deployment
from signing.trust import Trust


def wrong(given: config.Config) -> list[str]:
    """What is wrong with the calendar or the league tables that the settings name; nothing when they can be used."""
    try:
        deployment.settings(given.calendar_file, given.league_file)
    except deployment.UnusableFileError as error:
        return [texts.say("cli.report_file", language(), file=error.file, why=error.why)]
    return []


def wrong_policy(given: config.Config) -> list[str]:
    """What is wrong with the signature policy that the settings name; nothing when it can be used."""
    try:
        signature_policy.load(given.policy_file)
    except policy_file.PolicyError as error:
        found = error.sentences(language())
    except OSError as error:
        found = [texts.say("policy.unreadable_file", language(), why=error.strerror or error)]
    else:
        return []
    return [texts.say("policy.heading", language(), file=given.policy_file), *found]


def trust_set(given: config.Config) -> Trust:
    """What the exchange trusts, with what was fetched; a file among it that cannot be read ends the command (2)."""
    try:
        return trusted.trust_set(given)
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)
