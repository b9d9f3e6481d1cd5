"""All that a filter matches, a thousand rows at a time, as plain tuples: for exports, however many there are.

Each piece is a short transaction of its own and goes on where the one before it ended, so that nobody waits for a
reader. What is added meanwhile is left out of a list that begins with the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from journey.history.filtering import Filter, where
from journey.history.labels import tags_of
from journey.history.paging import Order, after, by, keys
from journey.history.tables import entries
from journey.storage.database import Transactions

PIECE = 1_000

Rows = tuple[Sequence[Any], Mapping[str, Sequence[str]]]
"""Rows that begin with the id, and the tags by id."""


def rows(
    database: Transactions, columns: Sequence[sa.ColumnElement[Any]], wanted: Filter, order: Order
) -> Iterator[Rows]:
    """These columns, after the id, of all that a filter without words matches, in this order."""
    with database.read() as connection:
        conditions = where(connection, wanted, order).all
    places = keys(order)
    query = sa.select(entries.c.id, *columns, *places).where(*conditions).order_by(*by(order)).limit(PIECE)
    last: Sequence[Any] | None = None
    while True:
        with database.read() as connection:
            piece = connection.execute(query if last is None else query.where(*after(order, last))).all()
            found = tags_of(connection, [row[0] for row in piece])
        if piece:
            yield piece, found
        if len(piece) < PIECE:
            return
        last = piece[-1][-len(places) :]


def rows_of(
    database: Transactions, columns: Sequence[sa.ColumnElement[Any]], ids: Callable[[], Sequence[str]]
) -> Iterator[Rows]:
    """The same of these entries, in this order; those that are gone are left out."""
    chosen = ids()
    for start in range(0, len(chosen), PIECE):
        part = chosen[start : start + PIECE]
        with database.read() as connection:
            query = sa.select(entries.c.id, *columns).where(entries.c.id.in_(part))
            known = {row[0]: row for row in connection.execute(query)}
            found = tags_of(connection, part)
        yield [known[each] for each in part if each in known], found
