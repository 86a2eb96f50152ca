"""Usage errors in the user's language: which word is wrong, what it holds, what would do.

Click writes its errors in English. What it knows is in the exception and in the arguments of the verb; the sentence
is ours. What a verb says itself (`raise click.UsageError(texts.say(…))`) is passed on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import click
from click import exceptions, types

from exchange import texts
from exchange.cli.language import language

Given = tuple[str, ...] | None


class ToldError(click.ClickException):
    """A usage error, told in full: the usage line, what is wrong, where help is."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it as it stands."""
        click.echo(self.message, file=file, err=file is None)


class StoppedError(ToldError):
    """Ctrl-C: what was asked for is not done."""

    exit_code = 1


@contextmanager
def told(context: click.Context, arguments: Sequence[str] | None = None) -> Iterator[None]:
    """Turn errors about the verb of `context` into ours; its `arguments` while they are parsed, later none."""
    given = None if arguments is None else tuple(arguments)
    try:
        yield
    except exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        with (error.ctx or context).scope(cleanup=False):
            raise ToldError(_page(error, error.ctx or context, given)) from error
    except (KeyboardInterrupt, EOFError, click.Abort) as end:
        raise StoppedError(texts.say("cli_usage.stopped", language())) from end
    except click.FileError as error:
        wrong = texts.say("cli_usage.file", language(), file=error.filename, why=error.message)
        raise ToldError(wrong) from error


def _page(error: click.UsageError, context: click.Context, given: Given) -> str:
    return "\n".join(
        [
            context.command.get_usage(context),
            texts.say("cli_usage.wrong", language(), why=_why(error, context, given)),
            texts.say("cli_usage.see", language(), command=context.command_path),
        ]
    )


def _why(error: click.UsageError, context: click.Context, given: Given) -> str:
    match error:
        case click.NoSuchOption():
            return _unknown("cli_usage.no_such_option", error.option_name, error.possibilities)
        case exceptions.NoSuchCommand():
            return _unknown("cli_usage.no_such_verb", error.command_name, error.possibilities)
        case click.MissingParameter(param=click.Option() as option):
            return texts.say("cli_usage.missing_option", language(), name=_name(option, context))
        case click.MissingParameter(param=click.Parameter() as argument):
            return texts.say("cli_usage.missing_argument", language(), name=_name(argument, context))
        case click.BadParameter(param=click.Parameter() as parameter):
            return _bad_value(error, parameter, context, given)
        case click.BadOptionUsage():
            return _bad_option(error, context)
        case _:
            return _unexpected(error, context, given)


def _unknown(key: str, name: str, alike: Sequence[str] | None) -> str:
    said = texts.say(key, language(), name=name)
    meant = texts.say("cli_usage.meant", language(), names=", ".join(sorted(alike))) if alike else ""
    return f"{said} {meant}".strip()


def _name(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.make_metavar(context).strip("[].")


def _bad_value(
    error: click.BadParameter, parameter: click.Parameter, context: click.Context, given: Given
) -> str:
    """The value that its type refuses, and what the type wants; if the type has nothing against it, the verb has."""
    value, wanted = _refused(parameter, context, given), _wanted(parameter.type)
    facts = {"name": _name(parameter, context)}
    if value is None or wanted is None:
        return texts.say("cli_usage.bad_parameter", language(), why=error.message, **facts)
    return texts.say("cli_usage.bad_value", language(), value=value, wanted=wanted, **facts)


def _refused(parameter: click.Parameter, context: click.Context, given: Given) -> str | None:
    if given is None:
        return None
    parsed, _, _ = context.command.make_parser(context).parse_args(args=list(given))
    value, _ = parameter.consume_value(context, parsed)
    for one in value if isinstance(value, list | tuple) else (value,):
        try:
            parameter.type(one, parameter, context)
        except click.UsageError:
            return str(one)
    return None


def _wanted(kind: click.ParamType[Any]) -> str | None:
    """What a type of click wants, in words; None for a type that speaks for itself."""
    match kind:
        case click.Choice():
            return texts.say("cli_wanted.choice", language(), choices=", ".join(map(str, kind.choices)))
        case types.IntRange() | types.FloatRange():
            return _range(kind)
        case click.Path() | click.File():
            return texts.say(f"cli_wanted.{_file(kind)}", language())
        case _:
            key = f"cli_wanted.{kind.name}"
            return texts.say(key, language()) if key in texts.catalogue(language()) else None


def _range(kind: types.IntRange | types.FloatRange) -> str:
    ends = "between" if None not in (kind.min, kind.max) else "from" if kind.max is None else "to"
    return texts.say(f"cli_wanted.{ends}", language(), low=kind.min, high=kind.max)


def _file(kind: click.Path[Any] | click.File) -> str:
    if isinstance(kind, click.File):
        return "file" if "r" in kind.mode else "file_to_write"
    if not kind.file_okay:
        return "folder"
    return "file" if kind.exists else "file_to_write"


def _bad_option(error: click.BadOptionUsage, context: click.Context) -> str:
    """An option without the value it takes, or with one that it does not take."""
    options = [one for one in context.command.get_params(context) if isinstance(one, click.Option)]
    flags = {name for one in options if one.is_flag or one.count for name in one.opts}
    key = "takes_no_value" if error.option_name in flags else "wants_value"
    return texts.say(f"cli_usage.{key}", language(), name=error.option_name)


def _unexpected(error: click.UsageError, context: click.Context, given: Given) -> str:
    """Too many words; anything else the verb has said itself."""
    if type(error) is not click.UsageError or given is None:
        return error.message
    _, left, _ = context.command.make_parser(context).parse_args(args=list(given))
    return texts.say("cli_usage.too_many", language(), words=" ".join(left)) if left else error.message
