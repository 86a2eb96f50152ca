"""The help as pages: GET /help and /help/{page}, in Vietnamese, or English for who prefers it or asks for /help/en/….

Markdown is ours and rendered once; nothing is loaded from anywhere else.
"""

import functools
import html
import re

from aiohttp import web
from markdown_it import MarkdownIt

from exchange import texts
from exchange.errors import Problem
from exchange.web import manual

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "max-age=300",
}
_LINK = re.compile(r'href="(\w+)\.md(#[\w-]*)?"')
_STYLE = """
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; color: #1b1b1b; }
h1, h2, h3 { line-height: 1.25; } a { color: #0b57a4; } nav a { margin-right: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border: 1px solid #c9ced6; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { background: #eef1f5; } tr:target, a:target + code { background: #fff3bf; }
code { font: .92em ui-monospace, monospace; background: #f3f4f6; padding: .05rem .25rem; }
pre { background: #f3f4f6; padding: .8rem 1rem; overflow-x: auto; } pre code { padding: 0; }
"""


async def get_page(request: web.Request) -> web.Response:
    """GET /help/{page}: one page."""
    name = request.match_info.get("page", "index")
    language = "en" if request.path.startswith("/help/en") else _preferred(request)
    if name not in manual.PAGES:
        raise Problem("not_found")
    return web.Response(text=rendered(name, language), content_type="text/html", headers=HEADERS)


def _preferred(request: web.Request) -> str:
    return texts.preferred(request.headers.get("Accept-Language", ""))


@functools.cache
def rendered(name: str, language: str) -> str:
    """A page as a whole HTML document."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(manual.page(name, language))
    base = "/help/en" if language == "en" else "/help"
    body = _LINK.sub(rf'href="{base}/\1\2"', body)
    title = html.escape(manual.page(name, language).partition("\n")[0].removeprefix("# "))
    home = html.escape(texts.say("manual.home", language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><nav><a href="{base}">{home}</a></nav>{body}</body></html>'
    )


ROUTES = (
    web.get("/help", get_page),
    web.get("/help/en", get_page),
    web.get("/help/en/{page}", get_page),
    web.get("/help/{page}", get_page),
)
