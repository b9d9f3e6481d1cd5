"""Below the names of our routes nothing else answers: an unknown path is 404 there and a wrong method 405.

Streamlit answers every path it does not know with its page and 200, which would tell a program that misspelt a call
that all is well.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute

from journey.web.answers import refused

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def closed(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """These routes, and behind them a refusal for whatever else begins with the same first name."""

    def refuse(request: Request) -> Response:
        partly = (each for each in routes if each.matches(request.scope)[0] is Match.PARTIAL)
        methods = sorted({name for route in partly if isinstance(route, Route) for name in route.methods or ()})
        if not methods:
            return refused(request.url.path, "There is nothing at this path.", 404)
        answer = refused(request.url.path, f"This path takes {' and '.join(methods)} only.", 405)
        answer.headers["Allow"] = ", ".join(methods)
        return answer

    names = sorted({route.path.split("/")[1] for route in routes if isinstance(route, Route | WebSocketRoute)})
    paths = [path for name in names for path in (f"/{name}", f"/{name}/{{rest:path}}")]
    return [*routes, *(Route(path, refuse, methods=_METHODS) for path in paths)]
