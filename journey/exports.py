"""Entries as CSV and JSON, for spreadsheets and scripts.

Neither holds a secret, a token or a key of a file: an address of a picture comes without its query, which may be a
signature, and one of our own files without its key.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence

from journey.history import Entry, History
from journey.spreadsheets import MARK, Cell, csv_lines

Value = Cell | list[str]

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
