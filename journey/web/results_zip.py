"""All results of a batch as one ZIP, written while it is sent: it is never whole, neither in memory nor on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from zipstream import ZipStream

from journey.errors import FileMissing
from journey.history import Entry
from journey.storage.files import Files
from journey.storage.names import as_saved, safe_name, to_save
from journey.studio.batches.store import Batches
from journey.views.links import result_name
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

MISSING = "not-included.txt"


def download_url(key: str) -> str:
    """The path of the ZIP on this server, for a batch's `download_key`."""
    return f"/batches/{key}/results.zip"


def routes(batches: Batches, files: Files) -> list[Route]:
    """`/batches/{download_key}/results.zip`: whoever knows the key may read it, as with single files."""

    def serve(request: Request) -> Response:
        batch = batches.by_download_key(request.path_params["key"])
        results = [] if batch is None else finished(batches, batch.id)
        if batch is None or not results:
            return refusal("There is no such batch, or it has no results yet.", 404)
        plain = safe_name(batch.name, ".zip")
        headers = PRIVATE | {"Content-Disposition": to_save(as_saved(batch.name, ".zip"), plain)}
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPES[".zip"], headers=headers)
        return StreamingResponse(pack(files, results), media_type=MEDIA_TYPES[".zip"], headers=headers)

    return [Route("/batches/{key}/results.zip", serve, methods=["GET", "HEAD"])]


def finished(batches: Batches, batch_id: str) -> list[Entry]:
    """The entries of the batch that have a stored result, in order."""
    return [item.entry for item in batches.items(batch_id) if item.entry.result]


def pack(files: Files, results: Sequence[Entry]) -> Iterator[bytes]:
    """The bytes of the ZIP, piece by piece. Results that are gone are named in a text file instead."""
    archive = ZipStream()
    missing: list[str] = []
    digits = len(str(len(results)))
    stored = [(result_name(entry), entry.result) for entry in results if entry.result]
    for place, (own_name, result) in enumerate(stored, start=1):
        name = f"{place:0{digits}}_{own_name}"
        try:
            archive.add_path(files.path(result.key, result.file), name)
        except (FileMissing, FileNotFoundError):
            missing.append(name)
        yield from archive.all_files()
    if missing:
        archive.add("These results are no longer stored:\n" + "\n".join(missing) + "\n", MISSING)
    yield from archive.finalize()
