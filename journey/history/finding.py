"""Entries as lists show them: filtered, searched, sorted, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from journey.history import counting, searching, streaming
from journey.history.entries import Entry
from journey.history.filtering import EVERYTHING, Filter, in_any, is_counted, where
from journey.history.labels import tags_of
from journey.history.paging import BY_TIME, Order, by, page
from journey.history.states import LIVE, UNDECIDED, State
from journey.history.tables import COLUMNS, entries, entry_of, timeline
from journey.storage.database import Transactions

MOST_COUNTED = 10_000
"""What no counter is kept of is counted up to here."""
MOST_RELATED = 1_000
MOST_UNDER_WAY = 1_000


@dataclass(frozen=True)
class Found:
    """One page of what a filter matches, and how many it matches in all. `tags` are those of the page, by entry id.

    With `is_more`, it matches more than `total`. `newest` is how many of the newest entries were looked at, when it was
    not all.
    """

    entries: Sequence[Entry]
    total: int
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_more: bool = False
    newest: int | None = None


@dataclass(frozen=True)
class _Query:
    """Ids of what a filter matches, not yet sorted; `by` sorts them, backwards if asked. `counted` are as many."""

    ids: sa.Select[Any]
    by: Callable[[bool], Sequence[sa.ColumnElement[Any]]]
    counted: sa.Select[Any]
    newest: int | None = None

    def page(self, connection: sa.Connection, backwards: bool, offset: int, limit: int) -> list[str]:
        query = self.ids.order_by(*self.by(backwards)).limit(limit if limit >= 0 else None).offset(offset or None)
        return [str(found) for found in connection.scalars(query)]


class Lists:
    """Reads entries as lists. `index` is that of their words, which somebody has to keep up."""

    def __init__(self, database: Transactions) -> None:
        self._database = database
        self.index = searching.Index(database)

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
            found = self._query(connection, wanted, Order.NEWEST).page(connection, False, offset, limit)
            return self._by_ids(connection, found)

    def count(self, *, states: Iterable[State] = ()) -> int:
        with self._database.read() as connection:
            return counting.number_of(connection, Filter(states=list(states)))

    def search(
        self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST, limit: int = 50, offset: int = 0
    ) -> Found:
        """One page of the entries that match."""
        by_index = bool(wanted.words) and self.index.is_current()
        with self._database.read() as connection:
            total = counting.number_of(connection, wanted) if is_counted(wanted) else None
            query = self._query(connection, wanted, order, by_index=by_index)
            ids = page(lambda *how: query.page(connection, *how), total, limit=limit, offset=offset)
            # The last page, and a first page that is empty, say how many there are: nothing has to be counted.
            if total is None and (0 < len(ids) < limit or offset == len(ids) == 0):
                total = offset + len(ids)
            if total is None:
                few = query.counted.limit(MOST_COUNTED + 1).subquery()
                total = int(connection.scalar(sa.select(sa.func.count()).select_from(few)) or 0)
            is_more = total > MOST_COUNTED and not is_counted(wanted)
            return Found(
                self._by_ids(connection, ids),
                MOST_COUNTED if is_more else total,
                tags_of(connection, ids),
                is_more=is_more,
                newest=query.newest,
            )

    def ids(self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST) -> list[str]:
        """The ids of all entries that match."""
        by_index = bool(wanted.words) and self.index.is_current()
        with self._database.read() as connection:
            return self._query(connection, wanted, order, by_index=by_index).page(connection, False, 0, -1)

    def rows(self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST) -> Iterator[streaming.Rows]:
        """All entries that match, in pieces."""
        if wanted.words:
            return self.rows_of(lambda: self.ids(wanted, order=order))
        return streaming.rows(self._database, wanted, order)

    def rows_of(self, ids: Sequence[str] | Callable[[], Sequence[str]]) -> Iterator[streaming.Rows]:
        """These entries, in pieces; those that are gone are left out."""
        return streaming.rows_of(self._database, ids if callable(ids) else lambda: ids)

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
        """Everybody who has an entry, in alphabetical order."""
        with self._database.read() as connection:
            return counting.persons(connection)

    def under_way(self, *, person: str | None = None) -> list[str]:
        """Ids of up to 1,000 entries that go on by themselves: this person's, or everybody's."""
        query = sa.select(entries.c.id).where(entries.c.state.in_(sorted(LIVE))).limit(MOST_UNDER_WAY)
        if person is not None:
            # An expression: few entries are under way, and a person has added many.
            query = query.where((entries.c.person + "") == person)
        with self._database.read() as connection:
            return [str(entry_id) for entry_id in connection.scalars(query)]

    def pulse(self) -> tuple[int, ...]:
        """Numbers that change whenever an entry is added, is deleted or moves on. The first counts all entries."""
        # One state at a time, because the end of an index is found at once, and that of several is not.
        latest = (
            sa.select(sa.func.max(entries.c.changed_at)).where(entries.c.state == state) for state in sorted(LIVE)
        )
        each = [query.scalar_subquery() for query in (sa.select(sa.func.max(timeline.c.id)), *latest)]
        with self._database.read() as connection:
            last, *news = connection.execute(sa.select(*each)).one()
            newest = max((moment for moment in news if moment), default=0.0)
            return counting.number_of(connection, EVERYTHING), last or 0, int(1000 * newest)

    def result_bytes(self) -> int:
        """The size of all stored results in bytes, without their previews."""
        with self._database.read() as connection:
            return counting.bytes_of_results(connection)

    def _query(self, connection: sa.Connection, wanted: Filter, order: Order, *, by_index: bool = False) -> _Query:
        found, words = where(connection, wanted, order), wanted.words
        extra: list[sa.ColumnElement[bool]] = []
        if by_index:
            words = []
            for word in wanted.words:
                if ids := self._by_id(connection, word):
                    extra.append(entries.c.id.in_(ids))
                else:
                    words.append(word)
        else:
            extra = [in_any(word, is_sqlite=self._database.is_sqlite) for word in words]
        if not (words and by_index):
            # Ids first: they come from an index, and whole rows are read only for what is shown.
            ids_of = sa.select(entries.c.id).where(*found.all, *extra)
            return _Query(ids_of, partial(by, order), found.counted().where(*extra))
        known, short = searching.looked_for(words)
        conditions = [*found.all, *extra]
        alone = not conditions and not found.few and order in BY_TIME
        matches = searching.matching(connection, known, short, few=found.few, alone=alone)
        query, place = matches.ids.where(*conditions), matches.place
        if order not in BY_TIME or place is None:
            return _Query(query, partial(by, order), query)
        falls = order is Order.NEWEST
        return _Query(
            query, lambda backwards: [place.asc() if falls is backwards else place.desc()], query, matches.newest
        )

    def _by_id(self, connection: sa.Connection, word: str) -> list[str]:
        """What has this word as its id, and what has it among its other words; nothing if it is no id."""
        ids = searching.by_id(connection, word)
        if ids:
            known, short = searching.looked_for([word])
            others = searching.matching(connection, known, short).ids.limit(MOST_RELATED)
            ids += connection.scalars(others)
        return ids

    def _by_ids(self, connection: sa.Connection, ids: Sequence[str]) -> list[Entry]:
        rows = connection.execute(sa.select(*COLUMNS).where(entries.c.id.in_(ids)))
        known = {entry.id: entry for entry in map(entry_of, rows)}
        return [known[each] for each in ids if each in known]
