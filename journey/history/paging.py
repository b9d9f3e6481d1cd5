"""The orders of a list, and the ways through it: a page by its number from the nearer end, and all of it in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from journey.history.tables import LOWER_NAME, PIXELS, TOOK, entries


class Order(StrEnum):
    """How a list is sorted. Among equals, the newest comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    NAME = "name"
    DEAREST = "dearest"
    LONGEST = "longest"


Key = tuple[sa.ColumnElement[Any], bool]
"""What is sorted by, and whether the largest value comes first."""

_NEWEST: tuple[Key, ...] = ((entries.c.created_at, True), (entries.c.id, True))
_KEYS: dict[Order, tuple[Key, ...]] = {
    Order.NEWEST: _NEWEST,
    Order.OLDEST: tuple((column, False) for column, _ in _NEWEST),
    Order.LARGEST: ((sa.literal_column(PIXELS), True), *_NEWEST),
    Order.NAME: ((sa.literal_column(LOWER_NAME), False), *_NEWEST),
    Order.DEAREST: ((entries.c.credits, True), *_NEWEST),
    Order.LONGEST: ((sa.literal_column(TOOK), True), *_NEWEST),
}

BY_TIME = frozenset({Order.NEWEST, Order.OLDEST})


def by(order: Order, backwards: bool = False) -> list[sa.ColumnElement[Any]]:
    """What a query is sorted by; backwards, the last of a list comes first."""
    return [column.asc() if falls is backwards else column.desc() for column, falls in _KEYS[order]]


def keys(order: Order) -> list[sa.ColumnElement[Any]]:
    """The values of an entry that say where in this order it stands."""
    return [column for column, _ in _KEYS[order]]


def after(order: Order, place: Sequence[Any]) -> list[sa.ColumnElement[bool]]:
    """True of what stands behind the entry with these `keys`."""
    (first, first_falls), *others = _KEYS[order]
    if len(_KEYS[order]) == len(_NEWEST):
        return [_beyond(sa.tuple_(*keys(order)), sa.tuple_(*map(sa.literal, place)), first_falls)]
    then = _beyond(sa.tuple_(*(column for column, _ in others)), sa.tuple_(*map(sa.literal, place[1:])), True)
    value = sa.literal(place[0])
    # The first says the same as the second, in a way that an index can use.
    return [
        first <= value if first_falls else first >= value,
        sa.or_(_beyond(first, value, first_falls), sa.and_(first == value, then)),
    ]


def _beyond(column: sa.ColumnElement[Any], value: sa.ColumnElement[Any], falls: bool) -> sa.ColumnElement[bool]:
    return column < value if falls else column > value


def page(
    read: Callable[[bool, int, int], list[str]], total: int | None, *, limit: int | None, offset: int
) -> list[str]:
    """The ids of one page, counted from the end of the list where that is nearer and the `total` is known.

    `read` takes whether to read backwards, how many ids to pass over, and how many to give.
    """
    if limit is None or total is None or not total // 2 < offset < total:
        return read(False, offset, -1 if limit is None else limit)
    limit = min(limit, total - offset)
    return read(True, total - offset - limit, limit)[::-1]
