"""Entries as CSV and JSON, for spreadsheets and scripts, written while they are sent.

Neither holds a secret, a token or the key of a file: addresses come without the values of their query, which may be
signatures, and addresses of our files without their key. `shortened` names the fields that hold such an address.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from urllib.parse import urlencode

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.history import Entry
from journey.history.finding import Lists
from journey.outside.masking import LEFT_OUT, is_shortened, masked, masked_text
from journey.storage.spreadsheets import MARK, Cell, csv_lines
from journey.views.listing import Listing, from_address
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

Value = Cell | list[str]
Form = Literal["csv", "json"]

HOUR = 3_600

CHUNK = 1_000
"""How many entries are read at once."""

NAMES = (
    "id", "task_id", "name", "state", "engine", "multiplier", "model", "result_model", "person", "credits", "attempts",
    "source_width", "source_height", "result_width", "result_height", "result_bytes", "created", "submitted",
    "finished", "batch", "image_url", "parent_task_id", "index", "came_from", "came_from_index", "error", "note",
    "comment", "tags", "shortened",
)  # fmt: skip
"""What is exported of each entry, in this order. Scripts rely on these names."""

_AS_THEY_ARE = frozenset({"id", "task_id", "person", "batch", "parent_task_id", "came_from", "comment"})
"""Names, and what people wrote themselves. Any other text may repeat an address."""
_OWN_FILE = re.compile(r"(/files/)[0-9a-f]{32}")


def download_url(
    key: bytes, form: Form, listing: Listing, *, timezone: str | None, ids: Sequence[str] = (), now: float
) -> str:
    """The path of an export on this server: of the entries with these ids, else of all that the listing means.

    It is signed with the key, works for one to two hours, and stays the same within an hour.
    """
    meant = {"ids": list(ids)} if ids else {"listing": listing.address(), "timezone": timezone}
    asked = _signer(key).dumps([form, int(now // HOUR) + 2, meant])
    return f"/exports/tasks.{form}?{urlencode({'asked': asked})}"


def routes(lists: Lists, key: bytes, *, clock: Callable[[], float] = time.time) -> list[Route]:
    """`/exports/tasks.{form}`, csv or json: for whoever has an address that `download_url` made with this key."""

    def serve(request: Request) -> Response:
        try:
            form, until_hour, meant = _signer(key).loads(request.query_params.get("asked", ""))
        except BadSignature:
            form = None
        if form != request.path_params["form"] or clock() >= HOUR * until_hour:
            return refusal("This link is no longer good. Open History and export again.", 403)
        if "ids" in meant:
            ids = meant["ids"]
        else:
            listing, _ = from_address(meant["listing"])
            ids = lists.ids(listing.filter(meant["timezone"]), order=listing.order)
        parts = to_csv(lists, ids) if form == "csv" else to_json(lists, ids)
        headers = PRIVATE | {"Content-Disposition": f'attachment; filename="tasks.{form}"'}
        return StreamingResponse(parts, media_type=MEDIA_TYPES[f".{form}"], headers=headers)

    return [Route("/exports/tasks.{form}", serve, methods=["GET"])]


def to_csv(lists: Lists, ids: Sequence[str]) -> Iterator[bytes]:
    """A line of names, then a line for each entry. Times are UTC."""
    yield MARK + csv_lines([NAMES])
    for rows in _chunks(lists, ids):
        yield csv_lines(map(_cell, row) for row in rows)


def to_json(lists: Lists, ids: Sequence[str]) -> Iterator[bytes]:
    """A list of objects with the same names, in UTF-8. Times are UTC."""
    separator = "["
    for rows in _chunks(lists, ids):
        for row in rows:
            yield f"{separator}\n{json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False)}".encode()
            separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"


def _signer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="export")


def _chunks(lists: Lists, ids: Sequence[str]) -> Iterator[list[tuple[Value, ...]]]:
    for start in range(0, len(ids), CHUNK):
        found = lists.by_ids(ids[start : start + CHUNK])
        yield [_row(entry, found.tags.get(entry.id, ())) for entry in found.entries]


def _row(entry: Entry, tags: Sequence[str]) -> tuple[Value, ...]:
    """The values of an entry, in the order of NAMES."""
    source_width, source_height = entry.source_size or (None, None)
    result_width, result_height = entry.result_size or (None, None)
    said: tuple[Value, ...] = (
        entry.id,
        entry.task_id,
        entry.name,
        entry.state,
        entry.provider.name,
        entry.scale,
        entry.network,
        entry.result_model,
        entry.person,
        entry.credits,
        entry.attempts,
        source_width,
        source_height,
        result_width,
        result_height,
        entry.result_bytes,
        _time(entry.created_at),
        _time(entry.submitted_at),
        _time(entry.finished_at),
        entry.batch,
        entry.image_url and masked(entry.image_url),
        entry.parent_task_id,
        entry.index,
        entry.came_from,
        entry.came_from_index,
        entry.error,
        entry.note,
        entry.comment,
        list(tags),
    )
    shown = tuple(_without_secrets(name, value) for name, value in zip(NAMES, said, strict=False))
    cut = [name for name in ("image_url", "error", "note") if is_shortened(str(shown[NAMES.index(name)]))]
    return *shown, cut


def _without_secrets(name: str, value: Value) -> Value:
    if not isinstance(value, str):
        return value
    return _OWN_FILE.sub(rf"\1{LEFT_OUT}", value if name in _AS_THEY_ARE else masked_text(value))


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _cell(value: Value) -> Cell:
    return ", ".join(value) if isinstance(value, list) else value
