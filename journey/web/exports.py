"""Entries as CSV and JSON, for spreadsheets and scripts, written while they are sent.

Neither holds a secret, a token or a key of a file: an address of a picture comes without its query, which may be a
signature, and one of our own files without its key.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.history import Entry, History
from journey.views.listing import Listing, from_address
from journey.views.spreadsheets import MARK, Cell, csv_lines
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

Value = Cell | list[str]
Form = Literal["csv", "json"]

HOUR = 3_600

CHUNK = 1_000
"""Entries that are read at once."""

_ATTRIBUTES = {
    "id": "id",
    "task_id": "task_id",
    "name": "name",
    "state": "state",
    "engine": "engine",
    "multiplier": "scale",
    "model": "model",
    "result_model": "result_model",
    "person": "person",
    "credits": "credits",
    "attempts": "attempts",
    "source_width": "source_width",
    "source_height": "source_height",
    "result_width": "result_width",
    "result_height": "result_height",
    "result_bytes": "result_bytes",
    "created": "created_at",
    "submitted": "submitted_at",
    "finished": "finished_at",
    "batch": "batch",
    "image_url": "image_url",
    "parent_task_id": "parent_task_id",
    "index": "index",
    "came_from": "came_from",
    "came_from_index": "came_from_index",
    "error": "error",
    "note": "note",
    "comment": "comment",
}
NAMES = (*_ATTRIBUTES, "tags")

_OWN_FILE = re.compile(r"(/files/)[0-9a-f]{32}")


def download_url(
    key: bytes, form: Form, listing: Listing, *, timezone: str | None, ids: Sequence[str] = (), now: float
) -> str:
    """The address of an export below this server: of the entries with these ids, else of all that the listing means.

    It is signed with the key, works for one to two hours, and stays the same within an hour.
    """
    meant = {"ids": ",".join(ids)} if ids else listing.address() | {"timezone": timezone or ""}
    asked = urlencode(meant | {"until_hour": int(now // HOUR) + 2})
    return f"/exports/tasks.{form}?{asked}&signature={_signature(key, form, asked)}"


def routes(history: History, key: bytes, *, clock: Callable[[], float] = time.time) -> list[Route]:
    """`/exports/tasks.{form}`, csv or json: for whoever has an address that `download_url` made with this key."""

    def serve(request: Request) -> Response:
        form = request.path_params["form"]
        asked, _, signature = request.url.query.rpartition("&signature=")
        said = dict(parse_qsl(asked))
        is_ours = hmac.compare_digest(signature.encode(), _signature(key, form, asked).encode())
        if not is_ours or clock() >= HOUR * int(said["until_hour"]):
            return refusal("This link is no longer good. Open History and export once more.", 403)
        if "ids" in said:
            ids = said["ids"].split(",")
        else:
            listing, _ = from_address(said)
            ids = history.ids(listing.filter(said.get("timezone")), order=listing.order)
        parts = to_csv(history, ids) if form == "csv" else to_json(history, ids)
        headers = PRIVATE | {"Content-Disposition": f'attachment; filename="tasks.{form}"'}
        return StreamingResponse(parts, media_type=MEDIA_TYPES[f".{form}"], headers=headers)

    return [Route("/exports/tasks.{form}", serve, methods=["GET"])]


def to_csv(history: History, ids: Sequence[str]) -> Iterator[bytes]:
    """A line of names and one for each entry. Times are UTC."""
    yield MARK + csv_lines([NAMES])
    for rows in _chunks(history, ids):
        yield csv_lines([_cell(row[name]) for name in NAMES] for row in rows)


def to_json(history: History, ids: Sequence[str]) -> Iterator[bytes]:
    """A list of objects with the same names, in UTF-8. Times are UTC."""
    separator = "["
    for rows in _chunks(history, ids):
        for row in rows:
            yield f"{separator}\n{json.dumps(row, ensure_ascii=False)}".encode()
            separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"


def _signature(key: bytes, form: str, asked: str) -> str:
    return hmac.new(key, f"export {form} {asked}".encode(), hashlib.sha256).hexdigest()


def _chunks(history: History, ids: Sequence[str]) -> Iterator[list[dict[str, Value]]]:
    for start in range(0, len(ids), CHUNK):
        found = history.by_ids(ids[start : start + CHUNK])
        yield [_row(entry) | {"tags": list(found.tags.get(entry.id, ()))} for entry in found.entries]


def _row(entry: Entry) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for name, attribute in _ATTRIBUTES.items():
        value = getattr(entry, attribute)
        if attribute.endswith("_at") and value is not None:
            value = f"{datetime.datetime.fromtimestamp(value, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        elif name == "image_url" and value is not None:
            value = value.partition("?")[0].partition("#")[0]
        row[name] = _OWN_FILE.sub(r"\1…", value) if isinstance(value, str) else value
    return row


def _cell(value: Value) -> Cell:
    return ", ".join(value) if isinstance(value, list) else value
