"""These documents as a site of their own, beside the pages."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from journey.views import documents
from journey.web.answers import refusal

NOT_BUILT = "The documents are not built here. `make docs` builds them; in a source folder they are in docs/."
MISSING = "There is no such document. They begin at /docs/."

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
"""By file extension, because what a system has registered for .js may be wrong. Other files are not served."""

_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Tables and drawings of the theme have styles of their own, which cannot be listed. Scripts are, one by one.
_POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


def routes(find: Callable[[], Path | None] = documents.folder) -> list[Route]:
    """`/docs/{path}`: the files of the site that `find` finds, read-only; 404 with a sentence when there is none.

    It is looked for at each request, so a site that was built since the start is there.
    """

    async def serve(request: Request) -> Response:
        folder = await run_in_threadpool(find)
        if folder is None:
            return refusal(NOT_BUILT, 404)
        path = request.path_params["path"] or "index.html"
        media_type = MEDIA_TYPES.get(Path(path).suffix)
        if media_type is None:
            return refusal(MISSING, 404)
        try:
            answer = await StaticFiles(directory=folder).get_response(path, request.scope)
        except HTTPException:
            return refusal(MISSING, 404)
        scripts = await run_in_threadpool(_inline_scripts, folder / path) if media_type.startswith("text/html") else ""
        answer.headers.update(_HEADERS | {"Content-Security-Policy": _POLICY.format(scripts=scripts)})
        if answer.status_code == 200:
            answer.headers["Content-Type"] = media_type
        return answer

    def begin(_: Request) -> Response:
        return RedirectResponse(f"{documents.PATH}/")

    return [
        Route(documents.PATH, begin, methods=["GET", "HEAD"]),
        Route(f"{documents.PATH}/{{path:path}}", serve, methods=["GET", "HEAD"]),
    ]


def _inline_scripts(page: Path) -> str:
    """The scripts that are written in a page of ours, as sources of a Content-Security-Policy."""
    hashes = {base64.b64encode(hashlib.sha256(each).digest()).decode() for each in _INLINE.findall(page.read_bytes())}
    return "".join(f" 'sha256-{each}'" for each in sorted(hashes))
