"""The command line speaks the user's language: help pages here, usage errors in `usage`; verbs state structure only.

Sentences are found by the place of a verb in the tree, `send` or `directory.agency.import`:

    cli_help.<verb>                what it does; the first sentence stands in the list of verbs ("congvan" is the root)
    cli_option.<verb>.<option>     an option, by its longest name (`acts_for`); `cli_option.json` and a few others
                                   serve every verb
    cli_argument.<verb>.<name>     an argument
    cli_value.<kind>               what an option takes (SỐ, TỆP), by click's name of its type

Every verb takes `--language`; whichever is named last holds for the whole command line, help and errors included.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence

import click

from exchange import texts
from exchange.cli import language as languages
from exchange.cli import later, usage
from exchange.cli.language import language

ROOT = "congvan"
_FIRST = re.compile(r"(.+?[^.0-9])\.(?:\s|$)", re.DOTALL)


def key(kind: str, place: str, name: str = "") -> str:
    """The key of a sentence about the verb at `place`, or about its part `name`: its own, else what all verbs share."""
    own, shared = ".".join(filter(None, (kind, place, name))), f"{kind}.{name}"
    return shared if own not in texts.catalogue("vi") and shared in texts.catalogue("vi") else own


def name_of(parameter: click.Parameter) -> str:
    """The name of an option or argument in keys."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len).lstrip("-").replace("-", "_")
    return str(parameter.name)


def key_of(place: str, parameter: click.Parameter) -> str:
    """The key of the sentence about an option or argument of the verb at `place`."""
    kind = "cli_option" if isinstance(parameter, click.Option) else "cli_argument"
    return key(kind, place, name_of(parameter))


class Verb(click.Command):
    """A command that knows its place in the tree, and finds its words there."""

    place = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; what is wrong is told in the user's language."""
        if ctx.parent is None:
            languages.choose(ctx, args)
        with usage.told(ctx, args):
            return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The parts of the usage line."""
        translated = {"[OPTIONS]": "cli_word.options_place", "COMMAND [ARGS]...": "cli_word.verb_place"}
        pieces = super().collect_usage_pieces(ctx)
        return [texts.say(translated[one], language()) if one in translated else one for one in pieces]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """`Cách dùng: congvan …`."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=texts.say("cli_word.usage", language()) + " ")

    def format_help_text(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the verb does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.about())

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each argument."""
        arguments = [one for one in self.get_params(ctx) if isinstance(one, click.Argument)]
        named = [(one.make_metavar(ctx).strip("[]."), one) for one in arguments]
        rows = [(name, _sentence(key_of(self.place, one), one.help)) for name, one in named if name]
        _section(formatter, "arguments", rows)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each option that is not hidden."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option) and not one.hidden]
        _section(formatter, "options", [_option_row(self.place, one, ctx) for one in options])

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - click's signature; nothing is cut off
        """The first sentence of what the verb does."""
        first = _FIRST.match(self.about())
        return (first[1] if first else self.about()).strip()

    def about(self) -> str:
        """What the verb does, in the user's language; the docstring if the catalogue has nothing."""
        return _sentence(key("cli_help", self.place), self.help)


class VerbFamily(Verb, click.Group):
    """A group of verbs."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then the verbs."""
        super().format_options(ctx, formatter)
        verbs = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        rows = [(name, verb.get_short_help_str()) for name, verb in verbs if not verb.hidden]
        _section(formatter, "verbs", rows)

    def invoke(self, ctx: click.Context) -> object:
        """Find the verb and run it; a usage error of either is told in the user's language."""
        with usage.told(ctx):
            return super().invoke(ctx)


def spoken(root: click.Group) -> VerbFamily:
    """The same tree, every verb of it with words in the user's language and with `--language`."""
    told = _copy(root, ROOT)
    assert isinstance(told, VerbFamily)
    told.commands = _Told(root.commands)
    return told


class _Told(MutableMapping[str, click.Command]):
    """Verbs in the user's language, each made when it is asked for."""

    def __init__(self, verbs: MutableMapping[str, click.Command]) -> None:
        self._verbs = verbs
        self._told: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._told:
            verb = self._verbs[name]
            # Who stands in this verb's tree, too, is read with it.
            known = self._verbs.read() if isinstance(self._verbs, later.Verbs) else self._verbs
            self._told[name] = _spoken(verb, _places(known))
        return self._told[name]

    def __setitem__(self, name: str, verb: click.Command) -> None:
        self._told[name] = self._verbs[name] = verb

    def __delitem__(self, name: str) -> None:
        self._told.pop(name, None)
        del self._verbs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._verbs)

    def __len__(self) -> int:
        return len(self._verbs)


def _places(verbs: Mapping[str, click.Command]) -> dict[int, str]:
    """The place of every verb by its identity; one that stands twice in the tree is known by the nearer place."""
    places: dict[int, str] = {}
    waiting = [(verbs, "")]
    for family, place in waiting:
        for name, verb in family.items():
            if id(verb) not in places:
                places[id(verb)] = f"{place}.{name}".lstrip(".")
                waiting += [(verb.commands, places[id(verb)])] if isinstance(verb, click.Group) else []
    return places


def _spoken(command: click.Command, places: Mapping[int, str]) -> Verb:
    verb = _copy(command, places[id(command)])
    if isinstance(verb, VerbFamily):
        verb.commands = {name: _spoken(one, places) for name, one in verb.commands.items()}
    return verb


def _copy(command: click.Command, place: str) -> Verb:
    """The same command with words, and with `--language`; of a family with its verbs as they are."""
    kind = VerbFamily if isinstance(command, click.Group) else Verb
    verb = kind.__new__(kind)
    vars(verb).update(vars(command))
    verb.place = place
    others = [one for one in command.params if one.name != "language"]
    verb.params = [*others, languages.option(exposed=len(others) < len(command.params))]
    return verb


def _sentence(key: str, otherwise: str | None) -> str:
    said = texts.catalogue(language()).get(key, otherwise)
    return said.strip() if said else ""


def _section(formatter: click.HelpFormatter, name: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(texts.say(f"cli_word.{name}", language())):
            formatter.write_dl(rows)


def _option_row(place: str, option: click.Option, ctx: click.Context) -> tuple[str, str]:
    known = option.get_help_extra(ctx)
    extras = [
        *(
            texts.say("cli_word.default", language(), value=known["default"])
            for _ in known.get("default", "")[:1]
        ),
        *filter(None, [known.get("range")]),
        *(texts.say("cli_word.required", language()) for _ in known.get("required", "")[:1]),
    ]
    said = _sentence(key_of(place, option), option.help)
    return _spelled(option, ctx), said + (f" [{'; '.join(extras)}]" if extras else "")


def _spelled(option: click.Option, ctx: click.Context) -> str:
    """`-h, --help` or `--key TỆP`."""
    names = ", ".join(sorted(option.opts, key=len))
    if option.is_flag or option.count:
        return names
    kind = f"cli_value.{option.type.name.replace(' ', '_')}"
    given = option.metavar is None and kind in texts.catalogue(language())
    return f"{names} {texts.say(kind, language()) if given else option.make_metavar(ctx)}"
