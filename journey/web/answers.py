"""What the answers of our routes have in common: headers, media types, and how they say no."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

from journey.pictures.kinds import KINDS
from journey.printing.shop import FORMATS

MEDIA_TYPES = {
    **{kind.extension: kind.media_type for kind in KINDS.values()},
    **{print_format.extension: print_format.media_type for print_format in FORMATS.values()},
    ".zip": "application/zip",
    ".csv": "text/csv",
    ".json": "application/json",
}
"""By file extension."""

PRIVATE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
"""The headers of an answer that is meant only for whoever asks."""

# A key's content never changes.
HEADERS = PRIVATE | {"Cache-Control": "private, max-age=31536000, immutable"}
"""The headers of an answer that holds a stored file, or a part of one."""


def refusal(sentence: str, status: int) -> PlainTextResponse:
    """An answer that is nothing but a sentence."""
    return PlainTextResponse(sentence, status, headers=PRIVATE)


def refused(path: str, sentence: str, status: int) -> Response:
    """That sentence in the form in which this path answers."""
    if path.startswith("/api/"):
        return JSONResponse({"errors": [{"msg": sentence}]}, status, headers=PRIVATE)
    return refusal(sentence, status)
