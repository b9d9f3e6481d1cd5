"""Lists in JSON, as scripts and APIs write them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from journey.studio.batches.headings import Role, role_of
from journey.studio.batches.lines import holds_address
from journey.studio.batches.tables import Reading, is_heading, readings_of, table_of


def of_json(text: str) -> list[Reading]:
    """The readings of a JSON text, or of one of JSON lines; none when it is neither, or names nothing."""
    plain = text.strip()
    if not plain.startswith(("[", "{", '"')):
        return []
    try:
        value = json.loads(plain)
    except (ValueError, RecursionError):
        try:
            value = [json.loads(line) for line in plain.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            return []
    if isinstance(value, list) and value and all(isinstance(each, list) for each in value):
        rows = [[_said(cell) for cell in row] for row in value]
        heading = rows.pop(0) if len(rows) > 1 and is_heading(rows[0]) else None
        return readings_of(table_of(rows, heading, place="Item"), "Items of JSON")
    records = list(_records(value))
    names = list(dict.fromkeys(name for record in records for name in record))
    table = table_of([[record.get(name, "") for name in names] for record in records], names, place="Item")
    return readings_of(table, "Items of JSON") if records else []


def _records(value: Any) -> Iterator[dict[str, str]]:
    """All objects that name a picture, and all texts in lists, however deep."""
    if isinstance(value, str):
        yield {"url": value}
    elif isinstance(value, list):
        for each in value:
            yield from _records(each)
    elif isinstance(value, Mapping):
        said = {str(name): _said(each) for name, each in value.items() if not isinstance(each, Mapping)}
        roles = {role_of(name) for name, each in said.items() if each}
        inside = [found for each in value.values() if isinstance(each, Mapping | list) for found in _records(each)]
        if roles & {Role.ADDRESS, Role.TASK, Role.PARENT} or (not inside and roles & {Role.ID, Role.PICTURE}):
            yield said
        elif inside:
            yield from inside
        elif any(map(holds_address, said.values())):
            yield said
        else:
            yield from ({"url": name} for name in said if holds_address(name))


def _said(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(each for each in value if isinstance(each, str))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
