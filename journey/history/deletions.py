"""Deletes entries and results in such a way that a crash leaves no file behind that nobody knows of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.states import OVER, State
from journey.history.tables import COLUMNS, deleted_calls, entries, entry_of, removals
from journey.storage.database import Transactions, Within

GiveUp = Callable[[Transactions, Collection[str]], set[str]]
"""Makes tasks with these ids let go of their results, and returns the keys of those."""


@dataclass(frozen=True)
class Added:
    """An entry and the keys of its pictures."""

    id: str
    keys: frozenset[str]


class Deletions:
    """Deletes rows, and remembers which files are to go until they are gone.

    `give_up` is called, in the same transaction, for tasks that ran on this machine.
    """

    def __init__(self, database: Transactions, *, give_up: GiveUp = lambda *_: set()) -> None:
        self._database = database
        self._give_up = give_up

    def delete(self, ids: Sequence[str]) -> list[Entry]:
        """Delete the entries among these that are over, and return them as they were.

        The keys of their files are noted for `doomed`; the files themselves are not removed yet. What the entries cost
        stays in `deleted_calls`.
        """
        with self._database.write() as connection:
            query = sa.select(*COLUMNS).where(entries.c.id.in_(ids), entries.c.state.in_(OVER))
            gone = [entry_of(row) for row in connection.execute(query)]
            chosen = entries.c.id.in_([entry.id for entry in gone])
            names = deleted_calls.c.keys()
            paid = sa.select(*(entries.c[name] for name in names)).where(chosen, entries.c.submitted_at.is_not(None))
            connection.execute(deleted_calls.insert().from_select(names, paid))
            connection.execute(entries.delete().where(chosen))
            keys = {entry.source.key for entry in gone if entry.source}
            keys |= {entry.result_key for entry in gone if entry.result_key}
            # A result may lie here although its entry ended without it.
            keys |= self._given_up(connection, gone)
            _doom(connection, keys)
        return gone

    def doomed(self, *, after: str = "", limit: int | None = None) -> list[str]:
        """The keys that were noted, and are to go as soon as nothing uses them; those after this one, in order."""
        query = sa.select(removals.c.key).where(removals.c.key > after).order_by(removals.c.key).limit(limit)
        with self._database.read() as connection:
            return [str(key) for key in connection.scalars(query)]

    def buried(self, keys: Collection[str]) -> None:
        """Forget these keys: their files have been removed, or an entry looks after them again."""
        with self._database.write() as connection:
            connection.execute(removals.delete().where(removals.c.key.in_(keys)))

    def added_before(self, moment: float, *, some: int = 200) -> Iterator[list[Added]]:
        """All entries that were added before then, the oldest first, so many at a time."""
        at, last = 0.0, ""
        while True:
            later = sa.or_(entries.c.created_at > at, entries.c.id > last)
            query = (
                sa.select(entries.c.created_at, entries.c.id, entries.c.source_key, entries.c.result_key)
                .where(entries.c.created_at >= at, entries.c.created_at < moment, later)
                .order_by(entries.c.created_at, entries.c.id)
                .limit(some)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            at, last = rows[-1].created_at, rows[-1].id
            yield [Added(row.id, frozenset(key for key in (row.source_key, row.result_key) if key)) for row in rows]

    def results_before(self, moment: float, ids: Collection[str]) -> list[Entry]:
        """Those of these that finished before then with a result still stored, unless another entry enlarges it."""
        other = entries.alias()
        needed = sa.exists().where(other.c.source_key == entries.c.result_key)
        where = (entries.c.state == State.FINISHED, entries.c.result_key.is_not(None), ~needed)
        return self._ended_before(moment, ids, *where)

    def sources_before(self, moment: float, ids: Collection[str]) -> list[Entry]:
        """Those of these that ended before then whose source no entry needs that has not."""
        other = entries.alias()
        names_it = sa.or_(other.c.source_key == entries.c.source_key, other.c.result_key == entries.c.source_key)
        is_old = sa.and_(other.c.state.in_(OVER), other.c.finished_at < moment)
        needed = sa.exists().where(names_it, other.c.id != entries.c.id, ~is_old)
        return self._ended_before(moment, ids, entries.c.source_key.is_not(None), ~needed)

    def _ended_before(self, moment: float, ids: Collection[str], *where: sa.ColumnElement[bool]) -> list[Entry]:
        query = sa.select(*COLUMNS).where(entries.c.id.in_(ids), entries.c.state.in_(OVER))
        query = query.where(entries.c.finished_at < moment, *where)
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def forget_results(self, found: Sequence[Entry], note: str) -> None:
        """Take these entries' results from them, and note the keys for `doomed`; the entries stay, with this note."""
        with self._database.write() as connection:
            keys = {entry.result_key for entry in found if entry.result_key}
            _doom(connection, keys | self._given_up(connection, found))
            _change(connection, found, result_key=None, result_file=None, note=note)

    def forget_sources(self, found: Sequence[Entry]) -> None:
        """Take these entries' sources from them, and note the keys for `doomed`. Their sizes stay."""
        with self._database.write() as connection:
            _doom(connection, {entry.source.key for entry in found if entry.source})
            _change(connection, found, source_key=None, source_file=None)

    def _given_up(self, connection: sa.Connection, found: Sequence[Entry]) -> set[str]:
        ids = [entry.task_id for entry in found if entry.provider.is_here and entry.task_id]
        return self._give_up(Within(connection), ids) if ids else set()


def _change(connection: sa.Connection, found: Sequence[Entry], **values: str | None) -> None:
    connection.execute(entries.update().where(entries.c.id.in_([entry.id for entry in found])).values(values))


def watched(database: Transactions, task_ids: Collection[str]) -> set[str]:
    """Those of these tasks that an entry waits for, or may have to wait for once a person has decided."""
    query = sa.select(entries.c.task_id).where(entries.c.task_id.in_(task_ids), entries.c.state.not_in(OVER))
    with database.read() as connection:
        return {str(task_id) for task_id in connection.scalars(query)}


def doom(database: Transactions, keys: Collection[str]) -> None:
    """Note the keys of files that are to go as soon as nothing uses them."""
    with database.write() as connection:
        _doom(connection, set(keys))


def _doom(connection: sa.Connection, keys: set[str]) -> None:
    keys -= set(connection.scalars(sa.select(removals.c.key).where(removals.c.key.in_(keys))))
    if keys:
        connection.execute(removals.insert(), [{"key": key} for key in sorted(keys)])
