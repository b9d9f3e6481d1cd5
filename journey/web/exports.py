"""Entries as CSV and JSON, for spreadsheets and scripts, written while they are sent.

Neither holds a secret, a token or the key of a file: addresses come without the values of their query, which may be
signatures, and addresses of our files without their key. `shortened` names the fields that hold such an address.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.history.finding import Lists
from journey.history.streaming import FACTS, Rows
from journey.outside.masking import LEFT_OUT, is_shortened, masked, masked_text
from journey.storage.spreadsheets import MARK, Cell, csv_lines
from journey.views.listing import Listing, from_address
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = get_args(Form)

HOUR = 3_600

NAMES = (
    "id", "task_id", "name", "state", "engine", "multiplier", "model", "result_model", "person", "credits", "attempts",
    "source_width", "source_height", "result_width", "result_height", "result_bytes", "created", "submitted",
    "finished", "batch", "image_url", "parent_task_id", "index", "came_from", "came_from_index", "error", "note",
    "comment", "tags", "shortened",
)  # fmt: skip
"""What is exported of each entry, in this order. Scripts rely on these names."""

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
            rows = lists.rows_of(meant["ids"])
        else:
            listing, _ = from_address(meant["listing"])
            rows = lists.rows(listing.filter(meant["timezone"]), order=listing.order)
        parts = to_csv(rows) if form == "csv" else to_json(rows)
        headers = PRIVATE | {"Content-Disposition": f'attachment; filename="tasks.{form}"'}
        return StreamingResponse(parts, media_type=MEDIA_TYPES[f".{form}"], headers=headers)

    return [Route("/exports/tasks.{form}", serve, methods=["GET"])]


def to_csv(rows: Iterable[Rows]) -> Iterator[bytes]:
    """A line of names, then a line for each row. Times are UTC."""
    yield MARK + csv_lines([NAMES])
    for piece, tags in rows:
        yield csv_lines((*said, ", ".join(labels), ", ".join(cut)) for said, labels, cut in _told(piece, tags))


def to_json(rows: Iterable[Rows]) -> Iterator[bytes]:
    """A list of objects with the same names, in UTF-8. Times are UTC."""
    separator = "["
    for piece, tags in rows:
        objects = (dict(zip(NAMES, (*said, labels, cut), strict=True)) for said, labels, cut in _told(piece, tags))
        if lines := ",\n".join(json.dumps(each, ensure_ascii=False) for each in objects):
            yield f"{separator}\n{lines}".encode()
            separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"


def _signer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="export")


def _told(
    piece: Sequence[Sequence[Any]], tags: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[Cell, ...], list[str], list[str]]]:
    """What is told of each row: its values in the order of NAMES, its tags, and which fields are shortened."""
    for row in piece:
        (
            entry_id, task_id, name, state, engine, scale, network, result_model, person, spent, attempts,
            source_width, source_height, result_width, result_height, result_bytes,
            created_at, submitted_at, finished_at, batch, image_url, parent_task_id, index, came_from,
            came_from_index, error, note, comment,
        ) = row[: len(FACTS)]  # fmt: skip
        if not (source_width and source_height):
            source_width = source_height = None
        if not (result_width and result_height):
            result_width = result_height = None
        image_url = image_url and _masked(masked(image_url))
        error, note = error and _masked(error), note and _masked(note)
        told = (
            entry_id,
            _without_keys(task_id),
            _masked(name),
            state,
            engine,
            int(scale[0]),
            _masked(network),
            _masked(result_model),
            _without_keys(person),
            spent,
            attempts,
            source_width,
            source_height,
            result_width,
            result_height,
            result_bytes,
            _time(created_at),
            _time(submitted_at),
            _time(finished_at),
            batch,
            image_url,
            _without_keys(parent_task_id),
            index,
            _without_keys(came_from),
            came_from_index,
            error,
            note,
            _without_keys(comment),
        )
        shortened = (("image_url", image_url), ("error", error), ("note", note))
        labels = [_masked(tag) or "" for tag in tags.get(entry_id, ())]
        yield told, labels, [each for each, text in shortened if text and is_shortened(text)]


def _masked(text: str | None) -> str | None:
    """A text that may repeat an address."""
    return _without_keys(masked_text(text)) if text else text


def _without_keys(text: str | None) -> str | None:
    """A name, or what people wrote themselves: only the keys of our own files are left out."""
    return _OWN_FILE.sub(rf"\1{LEFT_OUT}", text) if text and "/files/" in text else text


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")[:19] + "Z"
