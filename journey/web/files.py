"""Stored pictures and print files by their key, which nobody can guess."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from journey.errors import FileMissing
from journey.storage.files import Files
from journey.web.answers import HEADERS, MEDIA_TYPES, refusal


def routes(files: Files) -> list[Route]:
    """`/files/{key}/{name}` with Range and HEAD; `?download` makes the browser save instead of show."""

    def serve(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            path = files.path(request.path_params["key"], name)
        except FileMissing as error:
            return refusal(str(error), 404)
        return FileResponse(
            path,
            media_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            headers=HEADERS,
            filename=name if "download" in request.query_params else None,
        )

    return [Route("/files/{key}/{name}", serve, methods=["GET", "HEAD"])]
