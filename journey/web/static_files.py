"""Streamlit's scripts and styles, which are most of a first visit, sent compressed to browsers that can read that.

Streamlit itself sends them as they are, because it would compress them anew for each visitor.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""What becomes much smaller, by file extension. Fonts and pictures are compressed already."""

LEAST_BYTES = 500
"""What is smaller fits into one packet anyway."""
PIECE_BYTES = 64 * 1024
"""What one connection has in its buffer: a visitor who reads slowly holds no more."""


_FONT_AHEAD = re.compile(rb'<link\s+rel="preload"[^>]*\bas="font"[^>]*>')
_FONT_OF_TEXT = re.compile(rb"(@font-face\s*{)(font-family:\s*Source )")


@dataclass(frozen=True)
class Packed:
    """A compressed file as it is sent, and what tells it from other versions and from the uncompressed one."""

    content: bytes
    etag: str


class StaticFiles:
    """ASGI middleware before a server of the files in `folder`, which answers whatever is not answered here.

    Each file is compressed when it is first asked for and kept in memory: less than a third of the folder's size, if
    somebody asks for all of them. The names in a path are looked up, and never used to open a file.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = _compressible(folder)
        self._packed: dict[Path, asyncio.Task[Packed]] = {}
        self._index = folder / "index.html"
        self._index_etag = FileResponse(self._index, stat_result=self._index.stat()).headers["etag"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # Parts are counted in the uncompressed file, by the server behind this one.
        is_packed = "range" not in headers and prefers_gzip(",".join(headers.getlist("accept-encoding")))
        path = self._files.get(scope["path"])
        if path is None or not is_packed:
            answer = _Passed(send, index_etag=self._index_etag, is_varied=path is not None, is_packed=is_packed)
            await self._app(scope, receive, answer)
            path = self._index if answer.is_withheld else None
        if path is not None and is_packed:
            await _answer(scope, headers, path, await self._pack(path))(scope, receive, send)

    async def _pack(self, path: Path) -> Packed:
        """The file, compressed once however many ask for it at the same time."""
        if path not in self._packed:
            self._packed[path] = asyncio.create_task(asyncio.to_thread(_packed, path))
        try:
            return await asyncio.shield(self._packed[path])
        except OSError:
            self._packed.pop(path, None)
            raise


class _Passed:
    """The answer of the server behind, passed on; all but the document of a page, when that is to be sent packed.

    Each address of a page leads to the same document, and only the server behind knows which addresses are pages.
    """

    def __init__(self, send: Send, *, index_etag: str, is_varied: bool, is_packed: bool) -> None:
        self._send = send
        self._index_etag = index_etag
        self._is_varied = is_varied
        self._is_packed = is_packed
        self.is_withheld = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_index = headers.get("etag") == self._index_etag
            self.is_withheld = is_index and self._is_packed
            if self._is_varied or is_index:
                headers.add_vary_header("Accept-Encoding")
        if not self.is_withheld:
            await self._send(message)


def prefers_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip, and would not rather have the file as it is (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        weights[coding] = _weight(parameters)
    wanted = next((weights[name] for name in ("gzip", "x-gzip", "*") if name in weights), 0.0)
    return wanted > 0 and wanted >= weights.get("identity", 0.0)


def _weight(parameters: list[str]) -> float:
    """The q of a coding; 0 when it is not a number, as nothing is sent that might not be read."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _compressible(folder: Path) -> Mapping[str, Path]:
    """The files by their path on the server."""
    return {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.suffix in MEDIA_TYPES and path.stat().st_size >= LEAST_BYTES
    }


def _packed(path: Path) -> Packed:
    content = path.read_bytes()
    if path.suffix in (".html", ".css"):
        content = _words_first(content)
    content = gzip.compress(content, 9, mtime=0)
    return Packed(content, f'"{hashlib.sha256(content).hexdigest()[:32]}-gzip"')


def _words_first(content: bytes) -> bytes:
    """The same, with a page's words shown before their font is there, which takes its share of a slow line."""
    return _FONT_OF_TEXT.sub(rb"\1font-display:swap;\2", _FONT_AHEAD.sub(b"", content))


def _answer(scope: Scope, headers: Headers, path: Path, packed: Packed) -> Response:
    # All but what lies at the top has a hash of its content in its name.
    is_hashed = path.suffix in (".js", ".css", ".svg")
    told = {
        "ETag": packed.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "public, immutable, max-age=31536000" if is_hashed else "no-cache",
    }
    if _is_known(headers.get("if-none-match", ""), packed.etag):
        return Response(status_code=304, headers=told)
    told |= {"Content-Encoding": "gzip", "Content-Length": str(len(packed.content))}
    media_type = MEDIA_TYPES[path.suffix]
    if scope["method"] == "HEAD":
        return Response(headers=told, media_type=media_type)
    return StreamingResponse(_pieces(packed.content), headers=told, media_type=media_type)


def _is_known(asked: str, etag: str) -> bool:
    known = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return etag in known or known == ["*"]


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]
