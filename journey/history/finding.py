"""Entries as lists show them: filtered, searched, sorted, page by page."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.labels import tags_of
from journey.history.states import LIVE, UNDECIDED, State
from journey.history.tables import COLUMNS, HAS_COMMENT, entries, entry_of, fit, tags, timeline
from journey.provider import Provider
from journey.storage.database import Transactions

SEARCH_LIMIT = 200
SEARCH_WORDS = 8
"""How many characters and words of a search are looked at."""

MOST_RELATED = 1_000
MOST_UNDER_WAY = 1_000


class Order(StrEnum):
    """How a list is sorted. Among equals, the newest comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    NAME = "name"
    DEAREST = "dearest"
    LONGEST = "longest"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are meant. A field that is left out lets all entries through.

    `text` is looked for word by word, without regard to case, in name, task id, entry id, person, tags and comment.
    `fills` is the least width and height of a stored result in pixels, either way round. `since` (included) and `until`
    (excluded) say when an entry was added, in seconds since 1970. `once` leaves out first steps whose second step is
    there, so that each order is found once.
    """

    text: str = ""
    states: Collection[State] = ()
    provider: Provider | None = None
    type: Literal["2x", "4x"] | None = None
    person: str | None = None
    tag: str | None = None
    batch: str | None = None
    came_from: str | None = None
    fills: tuple[int, int] | None = None
    since: float | None = None
    until: float | None = None
    once: bool = False


EVERYTHING = Filter()


@dataclass(frozen=True)
class Found:
    """One page of what a filter matches, and how many it matches in all. `tags` are those of the page, by entry id."""

    entries: Sequence[Entry]
    total: int
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


_TOOK = sa.func.coalesce(entries.c.finished_at - entries.c.created_at, -1)
_PIXELS = sa.func.coalesce(sa.cast(entries.c.result_width, sa.BigInteger) * entries.c.result_height, -1)
_NEWEST = (entries.c.created_at.desc(), entries.c.id)
_ORDERS: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
    Order.NEWEST: _NEWEST,
    Order.OLDEST: (entries.c.created_at, entries.c.id),
    Order.LARGEST: (_PIXELS.desc(), *_NEWEST),
    Order.NAME: (sa.func.lower(entries.c.name), *_NEWEST),
    Order.DEAREST: (entries.c.credits.desc(), *_NEWEST),
    Order.LONGEST: (_TOOK.desc(), *_NEWEST),
}


class Lists:
    """Reads entries as lists."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def latest(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        states: Iterable[State] = (),
        person: str | None = None,
        fills: tuple[int, int] | None = None,
        once: bool = False,
    ) -> list[Entry]:
        """Entries, newest first; with `fills`, only those with a stored result of at least that size, either way.

        With `once`, each order is found once, by its last step.
        """
        wanted = Filter(states=list(states), person=person, fills=fills, once=once)
        with self._database.read() as connection:
            return self._by_ids(connection, self._ids(connection, wanted, Order.NEWEST, limit, offset))

    def count(self, *, states: Iterable[State] = (), fills: tuple[int, int] | None = None) -> int:
        with self._database.read() as connection:
            return self._count(connection, Filter(states=list(states), fills=fills))

    def search(
        self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST, limit: int = 50, offset: int = 0
    ) -> Found:
        """One page of the entries that match."""
        with self._database.read() as connection:
            ids = self._ids(connection, wanted, order, limit, offset)
            # The last page, and a first page that is empty, say how many there are: nothing has to be counted.
            total = offset + len(ids) if 0 < len(ids) < limit or offset == len(ids) == 0 else None
            return Found(
                self._by_ids(connection, ids),
                self._count(connection, wanted) if total is None else total,
                tags_of(connection, ids),
            )

    def ids(self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST) -> list[str]:
        """The ids of all entries that match."""
        with self._database.read() as connection:
            return self._ids(connection, wanted, order, None, 0)

    def by_ids(self, ids: Sequence[str]) -> Found:
        """These entries in this order; those that are gone are left out."""
        with self._database.read() as connection:
            found = self._by_ids(connection, ids)
            return Found(found, len(found), tags_of(connection, ids))

    def ordered(self, fingerprint: str) -> Entry | None:
        """The latest entry of this order that is under way, undecided, or has its result; None when there is none."""
        has_result = sa.and_(entries.c.state == State.FINISHED, entries.c.result_file.is_not(None))
        counts = sa.or_(entries.c.state.in_(LIVE | UNDECIDED), has_result)
        query = sa.select(*COLUMNS).where(entries.c.fingerprint == fingerprint, counts)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(entries.c.created_at.desc()).limit(1)).first()
        return None if row is None else entry_of(row)

    def related(
        self,
        *,
        ids: Collection[str] = (),
        task_ids: Collection[str] = (),
        batches: Collection[str | None] = (),
        following: Collection[str] = (),
    ) -> tuple[Entry, ...]:
        """Up to 1,000 entries, newest first: with one of these ids, task ids or batches, or second steps that follow
        one of these. At most one query.
        """
        named = (
            (entries.c.id, ids),
            (entries.c.task_id, task_ids),
            (entries.c.batch, batches),
            (entries.c.follows, following),
        )
        wanted = [column.in_(values) for column, values in named if values]
        if not wanted:
            return ()
        query = sa.select(*COLUMNS).where(sa.or_(*wanted)).order_by(entries.c.created_at.desc()).limit(MOST_RELATED)
        with self._database.read() as connection:
            return tuple(map(entry_of, connection.execute(query)))

    def persons(self) -> list[str]:
        """Everybody who added an entry, in alphabetical order."""
        # Steps from one person to the next, because few people add many entries.
        first = sa.select(sa.func.min(entries.c.person).label("person")).cte("persons", recursive=True)
        after = sa.select(sa.func.min(entries.c.person)).where(entries.c.person > first.c.person)
        each = first.union_all(sa.select(after.scalar_subquery()).where(first.c.person.is_not(None)))
        with self._database.read() as connection:
            found = connection.scalars(sa.select(each.c.person).where(each.c.person.is_not(None)))
            return [str(person) for person in found]

    def under_way(self, *, person: str | None = None) -> list[str]:
        """Ids of up to 1,000 entries that go on by themselves: this person's, or everybody's."""
        query = sa.select(entries.c.id).where(entries.c.state.in_(sorted(LIVE))).limit(MOST_UNDER_WAY)
        if person is not None:
            query = query.where(entries.c.person == person)
        with self._database.read() as connection:
            return [str(entry_id) for entry_id in connection.scalars(query)]

    def pulse(self) -> tuple[int, ...]:
        """Numbers that change whenever an entry is added, is deleted or moves on. The first counts all entries."""
        with self._database.read() as connection:
            last = connection.scalar(sa.select(sa.func.max(timeline.c.id)))
            news = connection.scalar(sa.select(sa.func.max(entries.c.changed_at)).where(entries.c.state.in_(LIVE)))
            return self._count(connection, EVERYTHING), last or 0, int(1000 * (news or 0.0))

    def result_bytes(self) -> int:
        """The size of all stored results in bytes, without their previews."""
        query = sa.select(sa.func.coalesce(sa.func.sum(entries.c.result_bytes), 0)).where(
            entries.c.result_key.is_not(None)
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def _ids(
        self, connection: sa.Connection, wanted: Filter, order: Order, limit: int | None, offset: int
    ) -> list[str]:
        # Ids first: they come from an index, and whole rows are read only for what is shown.
        query = sa.select(entries.c.id).where(*self._where(wanted)).order_by(*_ORDERS[order])
        return [str(found) for found in connection.scalars(query.limit(limit).offset(offset or None))]

    def _by_ids(self, connection: sa.Connection, ids: Sequence[str]) -> list[Entry]:
        rows = connection.execute(sa.select(*COLUMNS).where(entries.c.id.in_(ids)))
        known = {entry.id: entry for entry in map(entry_of, rows)}
        return [known[each] for each in ids if each in known]

    def _count(self, connection: sa.Connection, wanted: Filter) -> int:
        query = sa.select(sa.func.count()).select_from(entries).where(*self._where(wanted))
        return int(connection.scalar(query) or 0)

    def _where(self, wanted: Filter) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if wanted.states:
            # An expression, because SQLite would use an index on the column alone: in a state that most entries are in,
            # it would look them all up and sort them. The same goes for a person who added most of them.
            found.append((entries.c.state + "").in_(wanted.states))
        for column, value in (
            (entries.c.provider, wanted.provider),
            (entries.c.type, wanted.type),
            (entries.c.person + "", wanted.person),
            (entries.c.batch, wanted.batch),
            (entries.c.came_from, wanted.came_from),
        ):
            if value is not None:
                found.append(column == value)
        if wanted.tag is not None:
            found.append(entries.c.id.in_(sa.select(tags.c.entry_id).where(tags.c.tag == wanted.tag)))
        if wanted.fills is not None:
            found.append(_fills(*wanted.fills))
        if wanted.once:
            later = entries.alias()
            found.append(~sa.exists().where(later.c.follows == entries.c.id))
        if wanted.since is not None:
            found.append(entries.c.created_at >= wanted.since)
        if wanted.until is not None:
            found.append(entries.c.created_at < wanted.until)
        found += [self._has(word) for word in wanted.text[:SEARCH_LIMIT].split()[:SEARCH_WORDS]]
        return found

    def _has(self, word: str) -> sa.ColumnElement[bool]:
        """Finds the word in anything that people know an entry by."""
        word = fit(word, SEARCH_LIMIT) or ""
        spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.title()}
        patterns = [f"%{_literally(each)}%" for each in sorted(spellings)]
        # SQLite's LIKE ignores the case of ASCII letters only; so does ILIKE in a Postgres database without a locale.
        like = "like" if self._database.is_sqlite else "ilike"

        def within(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
            return sa.or_(*(getattr(column, like)(pattern, escape="/") for pattern in patterns))

        commented = sa.select(entries.c.id).where(HAS_COMMENT, within(entries.c.comment))
        tagged = sa.select(tags.c.entry_id).where(within(tags.c.tag))
        listed = (entries.c.name, entries.c.task_id, entries.c.person, entries.c.id)
        return sa.or_(*map(within, listed), entries.c.id.in_(commented), entries.c.id.in_(tagged))


def _literally(word: str) -> str:
    """A LIKE pattern that matches exactly these characters."""
    return re.sub("([/%_])", r"/\1", word)


def _fills(width: int, height: int) -> sa.ColumnElement[bool]:
    wide, high = entries.c.result_width, entries.c.result_height
    either_way = sa.or_(
        sa.and_(wide >= width, high >= height),
        sa.and_(wide >= height, high >= width),
    )
    return sa.and_(entries.c.result_key.is_not(None), either_way)
