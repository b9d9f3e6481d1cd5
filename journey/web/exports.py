"""Entries as CSV and JSON, for spreadsheets and scripts, written while they are sent.

Neither holds a secret, a token or the key of a file: addresses come without the values of their query, which may be
signatures, and addresses of our files without their key. `shortened` names the fields that hold such an address.
"""

from __future__ import annotations

import datetime
import json
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlencode

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.history.finding import Lists
from journey.history.streaming import FACTS, Rows
from journey.outside.masking import LEFT_OUT, is_shortened, masked, masked_text
from journey.storage.spreadsheets import MARK, Cell, csv_cell, csv_lines, joined
from journey.views.listing import Listing, from_address
from journey.web.answers import MEDIA_TYPES, PRIVATE, refusal

T = TypeVar("T")
Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = get_args(Form)

HOUR = 3_600

BUSY = 0.1
"""The share of a processor that other threads use when a rest does them good."""

NAMES = (
    "id", "task_id", "name", "state", "engine", "multiplier", "model", "result_model", "person", "credits", "attempts",
    "source_width", "source_height", "result_width", "result_height", "result_bytes", "created", "submitted",
    "finished", "batch", "image_url", "parent_task_id", "index", "came_from", "came_from_index", "error", "note",
    "comment", "tags", "shortened",
)  # fmt: skip
"""What is exported of each entry, in this order. Scripts rely on these names."""

_TIMES = ("created", "submitted", "finished")
_SAFE = frozenset(("id", *_TIMES))
"""What holds nothing that a CSV would have to quote, and no number."""

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
        # What it holds may have changed by the time that somebody comes back for the rest of it.
        headers = PRIVATE | {
            "Content-Disposition": f'attachment; filename="tasks.{form}"',
            "Accept-Ranges": "none",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            parts, headers = packed(parts), headers | {"Content-Encoding": "gzip"}
        return StreamingResponse(giving_way(parts), media_type=MEDIA_TYPES[f".{form}"], headers=headers)

    return [Route("/exports/tasks.{form}", serve, methods=["GET"])]


def packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same as gzip, by its quickest way: what stands before our routes would take as long as the rest of the
    export, on the thread that serves everybody."""
    packer = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    for part in parts:
        if piece := packer.compress(part):
            yield piece
    yield packer.flush()


def giving_way(parts: Iterator[bytes], *, rest: Callable[[float], object] = time.sleep) -> Iterator[bytes]:
    """The same parts. While other threads have work, a rest after each, as long as it took.

    Whoever draws a page lets go of the interpreter at each question to the database, and then waits until a thread that
    computes does so as well.
    """
    while True:
        begun, by_others = time.perf_counter(), time.process_time() - time.thread_time()
        part = next(parts, None)
        if part is None:
            return
        spent = time.perf_counter() - begun
        if time.process_time() - time.thread_time() - by_others > BUSY * spent:
            rest(spent)
        yield part


def to_csv(rows: Iterable[Rows]) -> Iterator[bytes]:
    """A line of names, then a line for each row. Times are UTC."""
    yield MARK + csv_lines([NAMES])
    for piece, tags in rows:
        if piece:
            told = _told(piece, tags)
            told |= {name: _each(", ".join, told[name]) for name in ("tags", "shortened")}
            yield joined(zip(*map(_cells, told, told.values()), strict=True))


def to_json(rows: Iterable[Rows]) -> Iterator[bytes]:
    """A list of objects with the same names, in UTF-8. Times are UTC."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    separator = "["
    for piece, tags in rows:
        if piece:
            objects = (dict(zip(NAMES, row, strict=True)) for row in zip(*_told(piece, tags).values(), strict=True))
            lines = ",\n".join(map(encode, objects))
            yield f"{separator}\n{lines}".encode()
            separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"


def _signer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="export")


def _told(piece: Sequence[Sequence[Any]], tags: Mapping[str, Sequence[str]]) -> dict[str, Sequence[Any]]:
    """What is told of these rows, a column for each of NAMES. Row by row it would take three times as long."""
    facts = dict(zip(FACTS, zip(*piece, strict=True), strict=False))
    told: dict[str, Sequence[Any]] = {
        name: _each(_WAYS[name], column) if name in _WAYS else column
        for name, column in zip(NAMES, facts.values(), strict=False)
    }
    for sizes in (("source_width", "source_height"), ("result_width", "result_height")):
        both = [width and height for width, height in zip(*map(told.__getitem__, sizes), strict=True)]
        told |= {
            size: [value if known else None for value, known in zip(told[size], both, strict=True)] for size in sizes
        }
    labels = {entry_id: tuple(_masked(tag) or "" for tag in of_it) for entry_id, of_it in tags.items()}
    told["tags"] = [labels.get(entry_id, ()) for entry_id in facts["id"]]
    cut: list[tuple[str, ...]] = [()] * len(piece)
    for name in ("image_url", "error", "note"):
        for place, text in enumerate(told[name]):
            if text and is_shortened(text):
                cut[place] += (name,)
    told["shortened"] = cut
    return told


def _each(way: Callable[[Any], T], column: Sequence[Any]) -> list[T]:
    """What a way makes of each value of a column; of values that repeat, once."""
    if column.count(column[0]) == len(column):
        return [way(column[0])] * len(column)
    some = column[:20]
    if len(set(some)) > len(some) // 2:
        return list(map(way, column))
    made = {value: way(value) for value in set(column)}
    return list(map(made.__getitem__, column))


def _cells(name: str, column: Sequence[Any]) -> Sequence[str]:
    """A column as it stands in the lines of a CSV."""
    if name in _SAFE:
        return [value or "" for value in column]
    return _each(csv_cell, column)


def _address(url: str | None) -> str | None:
    """The address that an entry was made of, which need not be one address alone."""
    return _masked(masked(url)) if url else url


def _masked(text: str | None) -> str | None:
    """A text that may repeat an address."""
    return _without_keys(masked_text(text)) if text else text


def _without_keys(text: str | None) -> str | None:
    """A name, or what people wrote themselves: only the keys of our own files are left out."""
    return _OWN_FILE.sub(rf"\1{LEFT_OUT}", text) if text and "/files/" in text else text


def _multiplier(scale: str) -> int:
    return int(scale[0])


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    # What is stored is the nearest to so many microseconds, and may be a little less than them.
    hour, second = divmod(int(seconds + 0.000_000_5), HOUR)
    return _hour(hour) + _IN_HOUR[second]


@lru_cache(1_024)
def _hour(number: int) -> str:
    """The hours since 1970 as the beginning of a time, `2027-01-15T08:`."""
    return datetime.datetime.fromtimestamp(HOUR * number, datetime.UTC).isoformat()[:14]


_IN_HOUR = [f"{second // 60:02}:{second % 60:02}Z" for second in range(HOUR)]

_WAYS: dict[str, Callable[[Any], Cell]] = {
    "multiplier": _multiplier,
    "image_url": _address,
    **dict.fromkeys(("name", "model", "result_model", "error", "note"), _masked),
    **dict.fromkeys(("task_id", "person", "parent_task_id", "came_from", "comment"), _without_keys),
    **dict.fromkeys(_TIMES, _time),
}
"""How a value is told; others are told as they are stored."""
