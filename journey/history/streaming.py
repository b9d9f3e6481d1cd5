"""All that a filter matches, some hundred rows at a time, as plain tuples: for exports, however many there are.

Each piece is a short transaction of its own and goes on where the one before it ended, so that nobody waits for a
reader. What is added meanwhile is left out of a list that begins with the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from journey.history.filtering import Filter, where
from journey.history.labels import tags_of
from journey.history.paging import Order, after, by, keys
from journey.history.tables import entries, tags
from journey.storage.database import Transactions

PIECE = 500

FACTS = (
    *("id", "task_id", "name", "state", "provider", "type", "network", "result_model", "person", "credits", "attempts"),
    *("source_width", "source_height"),
    *("result_width", "result_height", "result_bytes", "created_at", "submitted_at", "finished_at", "batch"),
    *("image_url", "parent_task_id", "index", "came_from", "came_from_index", "error", "note", "comment"),
)
"""What a row begins with, as it is stored: nothing in it is masked."""
# A provider by its name, because a look-up for each row would take time.
_COLUMNS = [
    *(sa.type_coerce(entries.c[name], sa.String) if name == "provider" else entries.c[name] for name in FACTS),
    sa.exists().where(tags.c.entry_id == entries.c.id),
]

_IS_TAGGED = len(FACTS)

Rows = tuple[Sequence[Sequence[Any]], Mapping[str, Sequence[str]]]
"""Rows that begin with FACTS, and the tags by id."""


def rows(database: Transactions, wanted: Filter, order: Order) -> Iterator[Rows]:
    """All that a filter without words matches, in this order."""
    with database.read() as connection:
        conditions = where(connection, wanted, order).all
    places = keys(order)
    query = sa.select(*_COLUMNS, *places).where(*conditions).order_by(*by(order)).limit(PIECE)
    last: Sequence[Any] | None = None
    while True:
        with database.read() as connection:
            piece = _all(connection, query if last is None else query.where(*after(order, last)))
            found = _tags(connection, piece)
        if piece:
            yield piece, found
        if len(piece) < PIECE:
            return
        last = piece[-1][-len(places) :]


def rows_of(database: Transactions, ids: Callable[[], Sequence[str]]) -> Iterator[Rows]:
    """These entries, in this order; those that are gone are left out."""
    chosen = ids()
    for start in range(0, len(chosen), PIECE):
        part = chosen[start : start + PIECE]
        with database.read() as connection:
            query = sa.select(*_COLUMNS).where(entries.c.id.in_(part))
            known = {row[0]: row for row in _all(connection, query)}
            found = _tags(connection, list(known.values()))
        yield [known[each] for each in part if each in known], found


def _all(connection: sa.Connection, query: sa.Select[Any]) -> Sequence[Sequence[Any]]:
    """The rows as the driver gives them: nothing in them has to be converted, and there are many."""
    with closing(connection.execute(query)) as result:
        return result.cursor.fetchall()


def _tags(connection: sa.Connection, piece: Sequence[Sequence[Any]]) -> Mapping[str, Sequence[str]]:
    """Their tags, by id. Few have any, and to ask for all of them would take as long as to read the rows."""
    ids = [row[0] for row in piece if row[_IS_TAGGED]]
    return tags_of(connection, ids) if ids else {}
