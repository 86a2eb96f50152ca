"""The command line in the user's language: every verb, option, argument and usage error has its sentence."""

import ast
import errno
import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import exchange
from exchange import texts
from exchange.cli import words
from exchange.cli.main import congvan, main

ENGLISH = re.compile(
    r"Usage|Options|Commands|Arguments|Error|Missing|Invalid|No such|Show this|required|default"
)
KINDS = ("cli_help", "cli_option", "cli_argument")


def call(*arguments, verb=main, **environment):
    environment = {"CONGVAN_LANGUAGE": "", "COLUMNS": "100", **environment}
    return CliRunner().invoke(verb, [*arguments], env=environment, prog_name="congvan")


def verbs(family, path=()):
    """Every verb that people see: the words that call it, and itself."""
    yield path, family
    if isinstance(family, click.Group):
        for name, verb in family.commands.items():
            if not verb.hidden:
                yield from verbs(verb, (*path, name))


def keys(tree):
    """The key of every sentence that the help of a tree needs."""
    for path, verb in verbs(tree):
        yield words.key("cli_help", verb.place)
        for parameter in verb.get_params(click.Context(verb, info_name=" ".join(path))):
            if not getattr(parameter, "hidden", False):
                yield words.key_of(verb.place, parameter)


def lacking(tree, language):
    return sorted({key for key in keys(tree) if not texts.catalogue(language).get(key, "").strip()})


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_verb_option_and_argument_has_its_sentence(language):
    assert lacking(main, language) == []


def test_no_sentence_is_left_of_a_verb_that_is_gone():
    held = {key for key in texts.catalogue("vi") if key.startswith(KINDS)}
    assert held - set(keys(main)) == set()


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_verb_without_sentences_is_seen(language):
    @click.group()
    def tree():
        pass

    @tree.command()
    @click.argument("thing")
    @click.option("--how")
    @click.option("--json", "as_json", is_flag=True)
    def strange(**_given):
        """Docstrings are for developers, but better than nothing."""

    missing = ["cli_argument.strange.thing", "cli_help.strange", "cli_option.strange.how"]
    assert lacking(words.spoken(tree), language) == missing
    shown = call("strange", "--help", verb=words.spoken(tree)).output
    assert "better than nothing" in shown


def test_a_verb_that_stands_twice_has_one_set_of_sentences():
    assert main.commands["system"].place == "system"
    assert main.commands["directory"].commands["system"].commands["add"].place == "system.add"


@pytest.mark.parametrize("path", [" ".join(path) for path, _ in verbs(main)])
def test_help_is_in_the_users_language(path):
    pages = {
        language: call(*path.split(), "--help", CONGVAN_LANGUAGE=language) for language in texts.LANGUAGES
    }
    assert {page.exit_code for page in pages.values()} == {0}
    assert pages["vi"].output.startswith("Cách dùng: congvan")
    assert not ENGLISH.findall(pages["vi"].output)
    assert pages["en"].output.startswith("Usage: congvan")
    english = (
        " ".join(pages["en"].output.split()).replace("Công văn", "").replace("Sở Nội vụ", "").replace("…", "")
    )
    assert english.isascii()


WRONG = {
    ("verfy",): ("Không có lệnh verfy. Có phải: verify?", "There is no command verfy. Did you mean: verify?"),
    ("demo", "--prot", "1"): ("Không có tùy chọn --prot. Có phải: --port?", "There is no option --prot."),
    ("verify",): ("Thiếu tham số FILE.", "The argument FILE is missing."),
    ("tally",): ("Thiếu tùy chọn --period.", "The option --period is missing."),
    ("demo", "--port", "x"): ("“x” của --port không dùng được; cần một số từ 0 đến 65535.", "from 0 to 65535."),
    ("demo", "--port", "70000"): ("“70000” của --port", "“70000” will not do for --port; it wants a number"),
    ("demo", "--port"): ("Tùy chọn --port cần có giá trị.", "The option --port wants a value."),
    ("demo", "--exit=3"): ("Tùy chọn --exit không nhận giá trị.", "The option --exit takes no value."),
    ("demo", "x", "y"): ("Thừa tham số: x y.", "Too many arguments: x y."),
    ("verify", "/no/file"): ("“/no/file” của FILE không dùng được; cần một tệp có sẵn", "a file that exists"),
    ("lint", "/no/file"): ("“/no/file” của FILE không dùng được; cần một tệp có sẵn", "a file that exists"),
    ("verify", __file__, "--trust", "/no"): ("“/no” của --trust", "it wants a folder that exists."),
    ("tally", "--period", "2019", "--view", "up"): ("cần một trong các giá trị: out, in.", "it wants one of: out, in."),
    ("system", "disable", "7"): ("“7” của ID không dùng được; cần một mã UUID.", "it wants a UUID."),
    ("directory", "agency", "improt"): ("Không có lệnh improt. Có phải: import?", "There is no command improt."),
    ("directory", "agency", "export", "--output", "/no/x"): ("Không mở được tệp /no/x", "/no/x cannot be opened"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_is_told_in_the_users_language(arguments, database):
    vietnamese, english = WRONG[arguments]
    told = call(*arguments, CONGVAN_DATABASE_URL=database)
    assert (told.exit_code, told.stdout) == (2, "")
    assert vietnamese in told.stderr
    assert not ENGLISH.findall(told.stderr.replace(os.strerror(errno.ENOENT), ""))
    assert english in call(*arguments, "--language", "en", CONGVAN_DATABASE_URL=database).stderr or (
        english in call("--language", "en", *arguments, CONGVAN_DATABASE_URL=database).stderr
    )


def test_a_usage_error_names_the_verb_and_its_help():
    told = call("directory", "agency", "import")
    assert told.stderr.splitlines() == [
        "Cách dùng: congvan directory agency import [TÙY CHỌN] FILE",
        "Lỗi: Thiếu tham số FILE.",
        "Xem trợ giúp: congvan directory agency import --help",
    ]


@pytest.mark.parametrize(
    "arguments, environment, english",
    [
        (["demo", "-h"], "", False),
        (["demo", "-h"], "en", True),
        (["demo", "-h"], "EN", True),
        (["--language", "en", "demo", "-h"], "", True),
        (["demo", "-h", "--language", "en"], "vi", True),
        (["demo", "-h", "--language=en"], "", True),
        (["--language", "en", "demo", "--language", "vi", "-h"], "en", False),
        (["demo", "-h", "--", "--language", "en"], "", False),
        (["demo", "-h"], "fr", False),
    ],
)
def test_the_language_named_last_holds(arguments, environment, english):
    shown = call(*arguments, CONGVAN_LANGUAGE=environment).output
    assert shown.startswith("Usage:" if english else "Cách dùng:")


def test_the_language_reaches_the_verb():
    assert "no agency" not in call("tally", "--period", "x", CONGVAN_LANGUAGE="vi").stderr
    assert call("--language", "en", "tally", "--period", "x").stderr.startswith("Period x cannot be read.")
    assert call("tally", "--period", "x", "--language", "en").stderr.startswith("Period x cannot be read.")
    assert call("check", CONGVAN_LANGUAGE="fr").exit_code == 2


def test_the_language_reaches_what_settings_hold(tmp_path):
    unsigned = tmp_path / "unsigned.xml"
    unsigned.write_bytes(b"<a/>")
    assert call("--language", "en", "verify", str(unsigned)).output == "There is no signature.\n"
    assert call("verify", "--language", "en", str(unsigned), CONGVAN_LANGUAGE="vi").exit_code == 1
    assert call("verify", str(unsigned)).output == "Không có chữ ký số nào.\n"


def test_a_setting_that_cannot_be_used_is_told_in_the_users_language():
    told = call("check", CONGVAN_EXPIRE_DAYS="0")
    assert (told.exit_code, told.stderr) == (
        2,
        "CONGVAN_EXPIRE_DAYS là “0”; cần một số nguyên lớn hơn 0, ví dụ 30.\n",
    )
    told = call("check", "--language", "en", CONGVAN_LISTEN="8470")
    assert told.stderr == "CONGVAN_LISTEN is “8470”; it wants HOST:PORT, for example 127.0.0.1:8470.\n"


def test_what_a_verb_says_itself_is_passed_on():
    @click.group()
    def tree():
        pass

    @tree.command()
    @click.option("--how", callback=lambda *_: (_ for _ in ()).throw(click.BadParameter("nicht so")))
    def strange(**_given):
        pass

    @tree.command()
    def stranger():
        raise click.UsageError("heute nicht")

    spoken = words.spoken(tree)
    assert "Giá trị của --how không dùng được: nicht so" in call("strange", "--how", "x", verb=spoken).stderr
    assert "Lỗi: heute nicht" in call("stranger", verb=spoken).stderr


def test_ctrl_c_is_told_in_the_users_language():
    @click.group()
    def tree():
        pass

    @tree.command()
    def long():
        raise KeyboardInterrupt

    stopped = call("long", verb=words.spoken(tree))
    assert (stopped.exit_code, stopped.stderr) == (1, "Đã dừng theo yêu cầu.\n")


SCREENS = {"Console", "Progress", "Live", "Prompt"}
"""What writes to a terminal by rich; made in `screen` only, where markup is off."""


def writers(tree):
    """Calls that print past `screen`: a console of one's own, a bare `print`, an exception's own English."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        text = ast.unparse(node)
        if (
            name in SCREENS
            and "console=screen.console(" not in text
            and not text.startswith(("screen.", "self."))
        ):
            yield text
        if isinstance(node.func, ast.Name) and name == "print":
            yield text
        if name in {"echo", "UsageError", "BadParameter", "ClickException"} and node.args:
            said = node.args[0]
            literal = isinstance(said, ast.JoinedStr) or isinstance(getattr(said, "value", None), str)
            if literal or ast.unparse(said) in {"error", "str(error)"}:
                yield text


def test_nothing_prints_past_the_screen():
    folder = Path(exchange.__file__).parent
    found = [
        f"{file.relative_to(folder)}: {text}"
        for file in sorted(folder.rglob("*.py"))
        if file.name != "screen.py"
        for text in writers(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "Console().print(x)",
        "rich.progress.Progress()",
        "print(x)",
        "click.echo(str(error), err=True)",
        "raise click.UsageError('No')",
        "click.echo('done')",
    ],
)
def test_a_planted_writer_is_seen(source):
    assert list(writers(ast.parse(source)))


def test_the_tree_of_the_developers_stays_as_it_is():
    assert type(congvan.commands["demo"]) is click.Command
    assert all(parameter.name != "language" for parameter in congvan.commands["demo"].params)
