"""GET /openapi.json: what this API takes and answers, for anybody who asks."""

from aiohttp import web

from exchange.api import openapi, problems


async def get_description(request: web.Request) -> web.Response:
    """GET /openapi.json: the description in the caller's language; ETag is its SHA-256."""
    language = problems.language(request)
    told = openapi.description(language)
    headers = {"ETag": f'"{told.sha256}"', "Content-Language": language, "Vary": "Accept-Language"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=told.raw, content_type="application/json", headers=headers)
