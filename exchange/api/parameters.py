"""Query parameters: each route knows its own, and says so when it is given another one.

A parameter that is misspelt and silently passed over would be a letter declared wrongly, or a filter that filters
nothing.
"""

from collections.abc import Mapping

from aiohttp import web

from exchange.api import described
from exchange.errors import Problem

KNOWN: Mapping[tuple[str, str], frozenset[str]] = {
    route: frozenset(one.name for one in operation.parameters if one.place == "query")
    for route, operation in described.TABLE.items()
}
"""Method and route -> the parameters it takes, as its description has them."""

REPEATED = frozenset(
    one.name
    for operation in described.TABLE.values()
    for one in operation.parameters
    if one.schema["type"] == "array"
)
"""Parameters that may be given more than once; of any other, it would be a guess which one is meant."""


def check(request: web.Request) -> None:
    """Raises Problem bad_request that names the parameters the route does not know, or is given twice."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else ""
    method = "GET" if request.method == "HEAD" else request.method
    strange = sorted(set(request.query) - KNOWN.get((method, route), frozenset()))
    if strange:
        raise Problem("bad_request", ", ".join(f"?{name}" for name in strange))
    twice = sorted(name for name in set(request.query) - REPEATED if len(request.query.getall(name)) > 1)
    if twice:
        raise Problem("bad_request", ", ".join(f"{name}: 1" for name in twice))
