"""Tiles of stored pictures, for Compare."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journey.errors import FileMissing
from journey.pictures.tiles import NO_TILE, Tiles
from journey.web.answers import HEADERS, MEDIA_TYPES, refusal


def routes(tiles: Tiles) -> list[Route]:
    """`/tiles/{key}/{level}/{column}_{row}`: one tile. Whoever knows the key of a picture may read its tiles."""

    def serve(request: Request) -> Response:
        place = (request.path_params[name] for name in ("level", "column", "row"))
        try:
            content, extension = tiles.tile(request.path_params["key"], *map(_number, place))
        except FileMissing:
            return refusal(NO_TILE, 404)
        return Response(content, media_type=MEDIA_TYPES[extension], headers=HEADERS)

    return [Route("/tiles/{key}/{level}/{column}_{row}", serve, methods=["GET", "HEAD"])]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise FileMissing(NO_TILE)
    return int(text)
