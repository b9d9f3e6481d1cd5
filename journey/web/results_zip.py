"""All results of a batch as one ZIP, written while it is sent: it is nowhere whole, neither in memory nor on disk."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.errors import FileMissing
from journey.history import Entry, State
from journey.storage.files import Files, safe_name
from journey.studio.batches.store import Batches
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

_CHUNK = 1024 * 1024
MISSING = "not-included.txt"


def download_url(key: str) -> str:
    """The address of the ZIP below this server, for a batch's `download_key`."""
    return f"/batches/{key}/results.zip"


def routes(batches: Batches, files: Files) -> list[Route]:
    """`/batches/{download_key}/results.zip`: whoever knows the key may read it, as with single files."""

    def serve(request: Request) -> Response:
        batch = batches.by_download_key(request.path_params["key"])
        results = [] if batch is None else finished(batches, batch.id)
        if batch is None or not results:
            return refusal("There is no such batch, or it has no results yet.", 404)
        name = safe_name(batch.name, ".zip")
        headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'}
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPES[".zip"], headers=headers)
        return StreamingResponse(pack(files, results), media_type=MEDIA_TYPES[".zip"], headers=headers)

    return [Route("/batches/{key}/results.zip", serve, methods=["GET", "HEAD"])]


def finished(batches: Batches, batch_id: str) -> list[Entry]:
    """The entries of the batch whose result is stored, in order."""
    return [
        item.entry
        for item in batches.items(batch_id)
        if item.entry.state is State.FINISHED and item.entry.result_key and item.entry.result_file
    ]


def pack(files: Files, results: Sequence[Entry]) -> Iterator[bytes]:
    """The bytes of the ZIP, about a megabyte at a time. What is gone is named in a text file instead."""
    sink = _Sink()
    missing: list[str] = []
    digits = len(str(len(results)))
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for place, entry in enumerate(results, start=1):
            name = f"{place:0{digits}}_{entry.result_file}"
            try:
                path = files.path(str(entry.result_key), str(entry.result_file))
                yield from _add(archive, sink, path, name)
            except (FileMissing, FileNotFoundError):
                missing.append(name)
        if missing:
            archive.writestr(MISSING, "These results are no longer stored:\n" + "\n".join(missing) + "\n")
    yield sink.take()


def _add(archive: zipfile.ZipFile, sink: _Sink, path: Path, name: str) -> Iterator[bytes]:
    with path.open("rb") as source:
        status = path.stat()
        about = zipfile.ZipInfo(name, time.gmtime(max(status.st_mtime, 315_532_800))[:6])  # ZIP begins in 1980
        about.file_size = status.st_size
        with archive.open(about, "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
                yield sink.take()


class _Sink(io.RawIOBase):
    """What was written and not taken yet. It cannot seek, so the ZIP is written from front to back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]  # any buffer is fine
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
