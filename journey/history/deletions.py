"""Deletes entries and results in such a way that a crash leaves no file behind that nobody knows of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.states import OVER, State
from journey.history.tables import COLUMNS, deleted_calls, entries, entry_of, removals
from journey.storage.database import Transactions, Within

GiveUp = Callable[[Transactions, Collection[str]], set[str]]
"""Makes tasks with these ids let go of their results, and returns the keys of those."""


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

    def doomed(self) -> list[str]:
        """The keys that were noted, and are to go as soon as nothing uses them."""
        with self._database.read() as connection:
            return [str(key) for key in connection.scalars(sa.select(removals.c.key))]

    def buried(self, keys: Collection[str]) -> None:
        """Forget these keys: their files have been removed, or an entry looks after them again."""
        with self._database.write() as connection:
            connection.execute(removals.delete().where(removals.c.key.in_(keys)))

    def results_before(self, moment: float, *, limit: int = 1_000) -> list[Entry]:
        """Entries that finished before then with a result still stored, unless another entry enlarges it."""
        other = entries.alias()
        needed = sa.exists().where(other.c.source_key == entries.c.result_key)
        query = (
            sa.select(*COLUMNS)
            .where(entries.c.finished_at < moment, entries.c.state == State.FINISHED, entries.c.result_key.is_not(None))
            .where(~needed)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def forget_results(self, found: Sequence[Entry], note: str) -> None:
        """Take these entries' results from them, and note the keys for `doomed`; the entries stay, with this note."""
        with self._database.write() as connection:
            keys = {entry.result_key for entry in found if entry.result_key}
            _doom(connection, keys | self._given_up(connection, found))
            connection.execute(
                entries.update()
                .where(entries.c.id.in_([entry.id for entry in found]))
                .values(result_key=None, result_file=None, note=note)
            )

    def _given_up(self, connection: sa.Connection, found: Sequence[Entry]) -> set[str]:
        ids = [entry.task_id for entry in found if entry.provider.is_here and entry.task_id]
        return self._give_up(Within(connection), ids) if ids else set()


def _doom(connection: sa.Connection, keys: set[str]) -> None:
    keys -= set(connection.scalars(sa.select(removals.c.key).where(removals.c.key.in_(keys))))
    if keys:
        connection.execute(removals.insert(), [{"key": key} for key in sorted(keys)])
