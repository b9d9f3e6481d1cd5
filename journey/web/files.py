"""Stored pictures and print files by their key, which nobody can guess."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from journey.errors import FileMissing
from journey.storage.files import Files
from journey.storage.names import as_saved, to_save
from journey.web.answers import HEADERS, MEDIA_TYPES, refusal


def routes(files: Files) -> list[Route]:
    """`/files/{key}/{name}` with Range and HEAD; `?download` has the browser save it, `?download=NAME` as that."""

    def serve(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            path = files.path(request.path_params["key"], name)
        except FileMissing as error:
            return refusal(str(error), 404)
        wanted = request.query_params.get("download")
        saved = {} if wanted is None else {"Content-Disposition": to_save(as_saved(wanted or name, path.suffix), name)}
        media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        return FileResponse(path, media_type=media_type, headers=HEADERS | saved)

    return [Route("/files/{key}/{name}", serve, methods=["GET", "HEAD"])]
