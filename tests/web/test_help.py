"""The help: complete, up to date with the program, its links alive, served in the reader's language."""

import re
from html.parser import HTMLParser

import aiohttp
import pytest

from exchange import config, texts
from exchange.errors import PROBLEMS
from exchange.rules import lifecycle
from exchange.web import manual, pages

BOTH = [(name, language) for language in texts.LANGUAGES for name in manual.PAGES]


@pytest.mark.parametrize("name, language", BOTH)
def test_every_table_is_what_the_program_goes_by(name, language):
    assert manual.page(name, language) == manual.filled(manual.page(name, language), language), (
        "run `make help`"
    )


def test_a_table_that_is_behind_is_seen():
    page = manual.page("codes", "vi")
    assert manual.filled(page.replace("Không tìm thấy", "Tìm thấy"), "vi") == page
    assert page.replace("Không tìm thấy", "Tìm thấy") != page


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_nothing_is_left_out(language):
    codes, settings = manual.page("codes", language), manual.page("settings", language)
    assert all(f'<a id="{code}">' in codes for code in PROBLEMS)
    known = [key for key in texts.catalogue(language) if key.startswith(("finding.", "verdict.", "reason."))]
    assert len(known) > 100
    assert all(f"`{key.partition('.')[2]}`" in codes for key in known)

    class Noting(dict):
        def get(self, name, default=None):
            asked.add(name)
            return default

    asked = set()
    config.read(Noting())
    ours = {name for name in asked if name.startswith("CONGVAN_")}
    assert len(ours) > 15
    assert all(f"| `{name}` |" in settings for name in ours)
    assert all(event in manual.page("lifecycle", language) for event in lifecycle.EVENTS)


class Links(HTMLParser):
    """What a page links to, and its anchors."""

    def __init__(self):
        super().__init__()
        self.targets, self.anchors = set(), set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a" and "href" in given:
            self.targets.add(given["href"])
        if "id" in given:
            self.anchors.add(given["id"])


@pytest.mark.parametrize("name, language", BOTH)
async def test_pages_are_served_and_their_links_live(shared_server, name, language):
    base = "/help" if language == "vi" else "/help/en"
    async with aiohttp.ClientSession(shared_server.url) as session:
        async with session.get(f"{base}/{name}") as answer:
            text = await answer.text()
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert f'lang="{language}"' in text
        assert ".md" not in re.sub(r"<code>.*?</code>", "", text, flags=re.DOTALL)
        found = Links()
        found.feed(text)
        assert found.targets
        for target in found.targets:
            assert target.startswith("/help")
            async with session.get(target) as answer:
                assert answer.status == 200, target


async def test_a_problems_type_is_an_address_that_explains_it(shared_server):
    async with aiohttp.ClientSession(shared_server.url) as session:
        async with session.get("/v1/nothing") as answer:
            kind = (await answer.json(content_type=None))["type"]
        page, _, anchor = kind.partition("#")
        async with session.get(page) as answer:
            found = Links()
            found.feed(await answer.text())
        assert anchor == "not_found"
        assert anchor in found.anchors


async def test_language_follows_the_reader(shared_server):
    async with aiohttp.ClientSession(shared_server.url) as session:
        for wanted, path, shown in (
            ("vi", "/help", "vi"),
            ("en-GB,vi;q=0.5", "/help", "en"),
            ("vi", "/help/en", "en"),
        ):
            async with session.get(path, headers={"Accept-Language": wanted}) as answer:
                assert f'lang="{shown}"' in await answer.text()
        async with session.get("/help/../config") as answer:
            assert answer.status == 404
        for strange in ("nothing", "codes.md", "%2e%2e%2fmanual", "en/nothing"):
            async with session.get(f"/help/{strange}") as answer:
                assert (answer.status, answer.content_type) == (404, "application/problem+json")


def test_foreign_words_in_a_table_stay_words():
    assert manual._row(["a|b", "c\nd"]) == "| a/b | c d |"
    assert "<script" not in pages.rendered("codes", "vi")
