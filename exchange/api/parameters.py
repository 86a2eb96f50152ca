"""Query parameters: each route knows its own, and says so when it is given another one.

A parameter that is misspelt and silently passed over would be a letter declared wrongly, or a filter that filters
nothing.
"""

from collections.abc import Mapping

from aiohttp import web

from exchange.errors import Problem

MESSAGE = frozenset({"main", "copy", "purpose", "paper_reason", "resend", "test", "upload"})

KNOWN: Mapping[tuple[str, str], frozenset[str]] = {
    ("POST", "/v1/messages"): MESSAGE,
    ("POST", "/v1/messages:compose"): MESSAGE - {"purpose", "upload"},
    ("GET", "/v1/inbox"): frozenset({"for", "after", "limit", "wait"}),
    ("GET", "/v1/agencies"): frozenset({"q", "code", "after", "limit"}),
    ("GET", "/v1/tally"): frozenset({"period", "agency", "scope", "view"}),
    ("GET", "/v1/signatures"): frozenset({"period", "agency", "view", "after", "limit"}),
}
"""Method and route -> the parameters it takes; a route that is not here takes none."""

REPEATED = frozenset({"purpose"})
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
