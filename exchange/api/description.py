"""GET /openapi.json: what this API takes and answers, for anybody who asks."""

from aiohttp import web

from exchange.api import openapi, problems, ranges


async def get_description(request: web.Request) -> web.Response:
    """GET /openapi.json: the description in the caller's language; its tag is weak, for it may go out folded."""
    language = problems.language(request)
    told = openapi.description(language)
    tag = f'"{told.sha256}"'
    answer = ranges.unchanged(request, tag) or web.Response(body=told.raw, content_type="application/json")
    answer.headers.update({"ETag": f"W/{tag}", "Content-Language": language})
    return answer
